"""One SMTP dialogue: reads commands in order, keeps RFC 5321's state, says replies.

Replies to commands out of order, misspelt or too many are those of a live Postfix smtpd.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Final

from maysend.policy import Session
from maysend.protocols.smtp.commands import CommandError, split_verb
from maysend.protocols.smtp.events import BadLine, Line
from maysend.protocols.smtp.replies import Answer, ReplyLines
from maysend.protocols.smtp.server import LINE_LENGTH_LIMIT
from maysend.protocols.smtp.xclient import parse_xclient
from maysend.reply import Reply
from maysend.servers.submission import trace
from maysend.servers.submission.authentication import SUCCESSFUL, Authentication
from maysend.servers.submission.channel import Channel, ClientGone, Interrupted
from maysend.servers.submission.ehlo import keywords
from maysend.servers.submission.logins import Refused
from maysend.servers.submission.message import TIMEOUT, Disconnect
from maysend.servers.submission.peer import Peer, become, printable
from maysend.servers.submission.services import Services
from maysend.servers.submission.settings import is_within
from maysend.servers.submission.transaction import Transactions

OK: Final = Reply(250, "2.0.0", "Ok")
BYE: Final = Reply(221, "2.0.0", "Bye")
NO_XCLIENT: Final = Reply(550, "5.7.0", "Error: insufficient authorization")
UNKNOWN: Final = Reply(500, "5.5.2", "Error: command not recognized")
BAD_SYNTAX: Final = Reply(500, "5.5.2", "Error: bad syntax")
NEED_TLS: Final = Reply(530, "5.7.0", "Must issue a STARTTLS command first")
NO_AUTH: Final = Reply(503, "5.5.1", "Error: authentication not enabled")
AUTHENTICATED: Final = Reply(503, "5.5.1", "Error: already authenticated")
IN_TRANSACTION: Final = Reply(503, "5.5.1", "Error: MAIL transaction in progress")
READY_FOR_TLS: Final = Reply(220, "2.0.0", "Ready to start TLS")
NO_TLS: Final = Reply(502, "5.5.1", "Error: command not implemented")
TLS_ACTIVE: Final = Reply(554, "5.5.1", "Error: TLS already active")
VRFY_SYNTAX: Final = Reply(501, "5.5.4", "Syntax: VRFY address")
VRFY_ANSWER: Final = Reply(252, "2.0.0", "Send it and see")

FORBIDDEN: Final = {"CONNECT", "GET", "POST"}
"""What a web browser was made to say (smtpd_forbidden_commands, as all that begins with no
letter)."""
NO_SMTP: Final = Reply(221, "2.7.0", "Error: I can break rules, too. Goodbye.")
BEFORE_TLS: Final = {"EHLO", "HELO", "NOOP", "QUIT", "STARTTLS"}
JUNK: Final = {"HELO", "EHLO", "NOOP", "RSET", "VRFY"}
"""Counted against smtpd_junk_command_limit, as smtpd does, up to the next message."""

Command = Callable[[str], Awaitable[Answer | None]]


class Dialogue:
    """One client's connection from the greeting to the end. `run` is all there is to call."""

    def __init__(self, channel: Channel, services: Services, peer: Peer) -> None:
        self._channel = channel
        self._services = services
        self._settings = services.settings
        self._terms = terms = services.terms()
        self._peer = peer
        self._session = self._new_session()
        self._transactions = Transactions(services, terms, self._session, peer, channel)
        self._authentication = Authentication(services, terms, peer, channel.say, self._next_line)
        footer = terms.policy.reject_footer
        if footer.exists and not footer.blocking:
            channel.footer = self._with_footer
        self._errors = 0
        self._junk = 0
        self._is_surplus = False
        self._denied = False
        self._idle = False
        self._stopping = False
        self._commands: dict[str, Command] = {
            "HELO": self._helo,
            "EHLO": self._ehlo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._transactions.mail,
            "RCPT": self._transactions.rcpt,
            "DATA": self._transactions.data,
            "BDAT": self._transactions.bdat,
            "XCLIENT": self._xclient,
            "RSET": self._rset,
            "NOOP": self._noop,
            "VRFY": self._vrfy,
            "QUIT": self._quit,
        }

    async def run(self) -> None:
        """Serve the client until one side has had enough. Raises nothing that a client causes."""
        try:
            await self._serve()
        except Disconnect as last:
            self._channel.say(last.reply)
        except Interrupted:
            self._channel.say(self._shutting_down())
        except TimeoutError:
            self._channel.say(TIMEOUT)
        except ClientGone:
            pass
        finally:
            self._transactions.close()
            await self._channel.close()

    def stop(self) -> None:
        """End after the command that is under way; at once where there is none."""
        self._stopping = True
        if self._idle:
            self._channel.interrupt()

    def _shutting_down(self) -> Reply:
        return Reply(421, "4.3.2", f"{self._settings.hostname} Service shutting down")

    def _with_footer(self, reply: Answer) -> ReplyLines:
        """A refusal with $smtpd_reject_footer behind it."""
        lines = ReplyLines.of(reply) if isinstance(reply, Reply) else reply
        added = self._terms.policy.reject_footer.added_to(
            lines.code, lines.lines, self._session.dialogue, time.strftime("%b %e %H:%M:%S")
        )
        return ReplyLines(lines.code, added)

    def _new_session(self) -> Session:
        peer = self._peer
        return self._terms.policy.session(
            client_address=peer.address,
            client_name=peer.name,
            reverse_client_name=peer.reverse_name,
            sasl_username=peer.login,
            sasl_method=peer.method,
        )

    # -- the loop ------------------------------------------------------------------------------

    async def _serve(self) -> None:
        settings = self._settings
        if settings.tls_wrapper and settings.tls is not None and self._channel.tls is None:
            limit = settings.timeouts.smtpd_starttls_timeout
            await self._channel.start_tls(settings.tls, limit)
        if self._channel.tls is not None:
            self._note_tls(self._channel.tls)
        self._channel.say(await self._greeting())
        while True:
            if self._stopping:
                raise Interrupted
            await self._answer(await self._next_line())

    async def _greeting(self) -> Reply:
        """What the client is told first, and after XCLIENT again. Raises Disconnect."""
        refusal = (await self._transactions.ask(self._session.connect)).reply
        self._denied = refusal is not None
        if refusal is None:
            return Reply(220, "", f"{self._settings.hostname} ESMTP maysend")
        if refusal.disconnects:
            raise Disconnect(refusal)
        return refusal

    async def _next_line(self, longest: int = LINE_LENGTH_LIMIT) -> str | Reply:
        """A line, or the reply to one that is not looked at."""
        self._idle = True
        self._channel.codec.line_length_limit = longest
        try:
            event = await self._channel.event(self._settings.timeouts.smtpd_timeout)
        finally:
            self._idle = False
        if isinstance(event, Line):
            return event.text
        assert isinstance(event, BadLine)
        if event.reply.disconnects:
            raise Disconnect(event.reply)
        return event.reply

    async def _answer(self, line: str | Reply) -> None:
        answer = line if isinstance(line, Reply) else await self._execute(line)
        if answer is None:
            return
        self._channel.say(answer)
        if answer.code >= 400 or self._is_surplus:
            if isinstance(answer, Reply) and answer.disconnects:
                raise ClientGone
            self._is_surplus = False
            await self._count_error()

    async def _execute(self, line: str) -> Answer | None:
        verb, argument = split_verb(line)
        command = self._commands.get(verb)
        if verb == "BDAT" and (self._denied or self._needs_tls()):
            # The chunk that follows must not be taken for commands.
            raise Disconnect(Reply(521, "5.7.0", "Error: BDAT before it is allowed"))
        if self._denied and verb != "QUIT":
            return Reply(503, "5.7.0", f"Error: access denied for {self._peer}")
        if not verb:
            return BAD_SYNTAX
        if verb in FORBIDDEN or not "A" <= verb[0] <= "Z":
            raise Disconnect(NO_SMTP)
        if command is None:
            return UNKNOWN
        if self._needs_tls() and verb not in BEFORE_TLS:
            return NEED_TLS
        if verb in JUNK:
            self._junk += 1
            # smtpd bears one more than it says.
            self._is_surplus = self._junk > self._settings.limits.smtpd_junk_command_limit + 1
        answer = await command(argument)
        if verb in ("DATA", "BDAT") and answer is not None and answer.code == 250:
            self._errors = self._junk = 0
        return answer

    async def _count_error(self) -> None:
        """After some errors answer slowly, after many not at all (smtpd_hard_error_limit)."""
        self._errors += 1
        limits = self._settings.limits
        if self._errors >= limits.smtpd_hard_error_limit:
            text = f"{self._settings.hostname} Error: too many errors"
            raise Disconnect(Reply(421, "4.7.0", text))
        if self._errors >= limits.smtpd_soft_error_limit:
            await asyncio.sleep(self._settings.timeouts.smtpd_error_sleep_time)

    def _needs_tls(self) -> bool:
        settings = self._settings
        return settings.tls is not None and settings.tls_required and not self._peer.tls

    def _offers_auth(self) -> bool:
        is_safe = bool(self._peer.tls) or not self._settings.tls_auth_only
        return is_safe and self._terms.offers_auth

    # -- commands ------------------------------------------------------------------------------

    async def _helo(self, argument: str) -> Answer:
        return await self._greeted(argument, esmtp=False)

    async def _ehlo(self, argument: str) -> Answer:
        return await self._greeted(argument, esmtp=True)

    async def _greeted(self, name: str, *, esmtp: bool) -> Answer:
        if not name:
            return Reply(501, "", f"Syntax: {'EHLO' if esmtp else 'HELO'} hostname")
        await self._transactions.reset()
        refusal = (await self._transactions.ask(lambda: self._session.helo(name))).reply
        if refusal is not None:
            return refusal
        self._peer.helo_name, self._peer.esmtp = name, esmtp
        hostname = self._settings.hostname
        if not esmtp:
            return ReplyLines(250, (hostname,))
        auth = self._offers_auth() and not self._needs_tls()
        offered = await self._authentication.keywords() if auth else []
        lines = keywords(self._services, self._peer, offered, xclient=self._may_say_xclient())
        return ReplyLines(250, (hostname, *lines))

    async def _starttls(self, argument: str) -> Answer | None:
        context = self._settings.tls
        if argument:
            return Reply(501, "5.5.4", "Syntax: STARTTLS")
        if context is None:
            return NO_TLS
        if self._peer.tls:
            return TLS_ACTIVE
        await self._transactions.reset()
        # What came in the clear after STARTTLS is nobody's (RFC 3207 4.2): it goes before the
        # reply does, and nothing can come in between the two.
        discarded = self._channel.codec.discard_input()
        if discarded:
            text = f"warning: {discarded} octets after STARTTLS from {self._peer} thrown away"
            self._services.log(text)
        self._channel.say(READY_FOR_TLS)
        await self._channel.flush(self._settings.timeouts.smtpd_starttls_timeout)
        await self._channel.start_tls(context, self._settings.timeouts.smtpd_starttls_timeout)
        if self._channel.tls is not None:
            self._note_tls(self._channel.tls)
        return None

    def _note_tls(self, tls: ssl.SSLObject) -> None:
        """From here on the connection is encrypted, and what was said before it is forgotten."""
        protocol = tls.version() or "TLS"
        cipher, _, bits = tls.cipher() or ("", "", 0)
        self._peer.tls = f"{protocol} with cipher {cipher} ({bits} bits)"
        self._peer.cipher_suite = trace.cipher_suite(cipher, tls.context)
        self._peer.helo_name = ""
        self._session.encrypted(protocol, cipher, bits or 0)

    async def _auth(self, argument: str) -> Answer:
        if not self._offers_auth():
            return NO_AUTH
        if self._transactions.envelope is not None:
            return IN_TRANSACTION
        if self._peer.login:
            return AUTHENTICATED
        try:
            login, method = await self._authentication.run(argument)
        except Refused as problem:
            self._log_failed_auth(argument, problem)
            return problem.reply
        self._peer.login, self._peer.method = login, method
        self._session.authenticated(login, method)
        return SUCCESSFUL

    def _log_failed_auth(self, argument: str, problem: Refused) -> None:
        """As smtpd logs it: fail2ban and the like look for that line."""
        mechanism = argument.partition(" ")[0].upper()[:100]
        why = problem.reply.text.removeprefix("Error: authentication failed: ")
        line = f"warning: {self._peer}: SASL {mechanism} authentication failed: {why}"
        self._services.log(printable(f"{line}, sasl_username={problem.login or '(unavailable)'}"))

    def _may_say_xclient(self) -> bool:
        return is_within(self._peer.address, self._settings.xclient_from)

    async def _xclient(self, argument: str) -> Answer:
        """A trusted proxy says whose client this is; the dialogue begins anew (XCLIENT_README)."""
        if not self._may_say_xclient():
            return NO_XCLIENT
        if self._transactions.envelope is not None:
            return IN_TRANSACTION
        try:
            facts = parse_xclient(argument)
            become(self._peer, facts)
        except CommandError as problem:
            return problem.reply
        self._transactions.close()
        self._session = self._transactions.session = self._new_session()
        if self._channel.tls is not None:
            self._note_tls(self._channel.tls)
        if self._peer.helo_name:
            self._session.dialogue.helo_name = self._peer.helo_name
        return await self._greeting()

    async def _rset(self, argument: str) -> Answer:
        if argument:
            return Reply(501, "5.5.4", "Syntax: RSET")
        await self._transactions.reset()
        return OK

    async def _noop(self, _argument: str) -> Answer:
        return OK

    async def _vrfy(self, argument: str) -> Answer:
        return VRFY_ANSWER if argument else VRFY_SYNTAX

    async def _quit(self, _argument: str) -> Answer:
        self._channel.say(BYE)
        raise ClientGone
