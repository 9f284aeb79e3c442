"""How a connection to the next hop is made: greeting, TLS, AUTH, and who we say it is for."""

import asyncio
import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from maysend.protocols.smtp.client import command, extensions
from maysend.protocols.smtp.replies import ReplyLines
from maysend.protocols.smtp.xclient import xclient_command, xforward_commands
from maysend.servers.submission.next_hop import NextHop
from maysend.servers.submission.peer import Peer
from maysend.servers.submission.relay import NextHopFailed, Relay
from maysend.servers.submission.settings import Timeouts
from maysend.servers.submission.wires import NextHopWire


async def open_relay(next_hop: NextHop, hostname: str, timeouts: Timeouts) -> Relay:
    """Connect, read the greeting, say EHLO, begin TLS, log in. Raises NextHopFailed."""
    wire = NextHopWire(next_hop, timeouts)
    relay = wire.relay
    tls = next_hop.tls
    wrapped = tls is not None and tls.wrapper
    try:
        async with asyncio.timeout(timeouts.next_hop_connect):
            await asyncio.get_running_loop().create_connection(
                lambda: wire,
                next_hop.host,
                next_hop.port,
                ssl=tls.context if tls is not None and wrapped else None,
                server_hostname=next_hop.server_name if wrapped else None,
            )
    except (OSError, TimeoutError):
        # Also where TLS from the first octet on failed, as for a certificate that is not trusted.
        raise NextHopFailed("does not answer", "4.4.1") from None
    try:
        greeting = await relay.greeting()
        if greeting.code != 220:
            raise NextHopFailed("is not ready", "4.3.2")
        await _say_hello(relay, hostname)
        if tls is not None and not wrapped:
            await _start_tls(relay, hostname)
        if next_hop.login:
            await _log_in(relay, encrypted=wrapped or relay.is_encrypted)
    except BaseException:
        relay.abandon()
        raise
    return relay


async def tell(relay: Relay, peer: Peer, hostname: str) -> None:
    """Tell the next hop whose message comes, where it is to be told and offers that.

    Raises NextHopFailed where it offers that and then refuses.
    """
    about = f"{peer.address} {peer.helo_name} {peer.login}"
    if not relay.next_hop.tell or relay.told == about:
        return
    if relay.next_hop.tell == "xclient" and relay.extensions.xclient:
        facts = {"NAME": peer.name, "ADDR": peer.address, "LOGIN": peer.login}
        reply = await relay.command(xclient_command(facts, relay.extensions.xclient))
        if reply.code != 220:
            raise NextHopFailed("refuses XCLIENT", "4.3.0")
        await _say_hello(relay, hostname)
    elif relay.next_hop.tell == "xforward" and relay.extensions.xforward:
        facts = {"NAME": peer.name, "ADDR": peer.address, "HELO": peer.helo_name}
        facts["PROTO"] = "ESMTP" if peer.esmtp else "SMTP"
        for line in xforward_commands(facts, relay.extensions.xforward):
            if not (await relay.command(line)).accepts:
                raise NextHopFailed("refuses XFORWARD", "4.3.0")
    relay.told = about


async def _say_hello(relay: Relay, hostname: str) -> None:
    reply = await relay.command(command(f"EHLO {hostname}"))
    if reply.accepts:
        relay.extensions = extensions(reply)
    elif not (await relay.command(command(f"HELO {hostname}"))).accepts:
        raise NextHopFailed("refuses our greeting", "4.3.2")


async def _start_tls(relay: Relay, hostname: str) -> None:
    tls = relay.next_hop.tls
    assert tls is not None
    if relay.extensions.starttls:
        reply = await relay.command(command("STARTTLS"))
        if reply.code == 220:
            await relay.start_tls(tls.context, relay.next_hop.server_name)
            relay.is_encrypted = True
            # What was offered in the clear may have come from somebody else (RFC 3207 4.2).
            await _say_hello(relay, hostname)
            return
    if tls.required:
        raise NextHopFailed("does not offer TLS", "4.7.5")


async def _log_in(relay: Relay, *, encrypted: bool) -> None:
    login, password = relay.next_hop.login, relay.next_hop.password
    offered = relay.extensions.auth
    safe = encrypted or relay.next_hop.is_this_host
    if "PLAIN" in offered and safe:
        reply = await _say(relay, "AUTH PLAIN " + _encoded(f"\0{login}\0{password}"))
    elif "CRAM-MD5" in offered:
        challenge = await _say(relay, "AUTH CRAM-MD5")
        reply = await _say(relay, _digest(challenge, login, password))
    elif "LOGIN" in offered and safe:
        await _say(relay, "AUTH LOGIN")
        await _say(relay, _encoded(login))
        reply = await _say(relay, _encoded(password))
    else:
        raise NextHopFailed("offers no way to log in that is safe", "4.7.0")
    if reply.code != 235:
        raise NextHopFailed("refuses our login", "4.7.8")


async def _say(relay: Relay, line: str) -> ReplyLines:
    reply = await relay.command(command(line))
    if reply.code >= 400:
        raise NextHopFailed("refuses our login", "4.7.8")
    return reply


def _digest(challenge: ReplyLines, login: str, password: str) -> str:
    """The answer to a CRAM-MD5 challenge (RFC 2195)."""
    try:
        octets = b64decode(challenge.text, validate=True)
    except (Base64Error, ValueError):
        raise NextHopFailed("gave a wrong reply to AUTH", "4.7.0") from None
    return _encoded(f"{login} {hmac.new(password.encode(), octets, 'md5').hexdigest()}")


def _encoded(text: str) -> str:
    return b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")
