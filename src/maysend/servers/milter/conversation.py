"""One connection of a mail server: what was said of the SMTP client and message so far."""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from maysend.address import parse_path
from maysend.header import Field, fields_of
from maysend.policy import Decision, ProtocolState, Request, Session
from maysend.protocols.header import HEADER_SIZE_LIMIT
from maysend.protocols.milter import VERSION, PacketReader
from maysend.protocols.milter_commands import (
    Actions,
    Command,
    Connect,
    Header,
    Mail,
    MilterError,
    Negotiate,
    Steps,
)
from maysend.restrictions.outcome import Action
from maysend.servers.deciding import PolicyInUse

WANTED_ACTIONS: Final = Actions.ADD_HEADERS | Actions.QUARANTINE | Actions.NAME_MACROS
HEADER_ONLY: Final = (
    Steps.NO_HELO
    | Steps.NO_RCPT
    | Steps.NO_DATA
    | Steps.NO_END_OF_HEADER
    | Steps.NO_BODY
    | Steps.NO_UNKNOWN
    | Steps.UNANSWERED_CONNECT
    | Steps.UNANSWERED_MAIL
    | Steps.UNANSWERED_HEADERS
    | Steps.LEADING_SPACE
)
"""One answer a message, at its end: the server waits for no other."""
WITH_ENVELOPE: Final = (
    Steps.NO_END_OF_HEADER
    | Steps.NO_BODY
    | Steps.NO_UNKNOWN
    | Steps.UNANSWERED_CONNECT
    | Steps.UNANSWERED_HELO
    | Steps.UNANSWERED_HEADERS
    | Steps.LEADING_SPACE
)
WANTED_MACROS: Final = {"M": "{auth_authen} {auth_type}", "T": "i"} | dict.fromkeys("CHREN", "")
"""Asked for by name, so that no milter_mail_macros in main.cf can hide who has logged in; and none
for other commands: Postfix says those for E before each header field."""

PLAIN_PATH: Final = re.compile(r"<([\w+-]+(?:\.[\w+-]+)*@[a-z0-9-]+(?:\.[a-z0-9-]+)*)>", re.ASCII)
"""Most paths; the rest is for who knows the whole syntax."""

ORIGINATOR_NAMES: Final = frozenset((b"from", b"sender", b"resent-from", b"resent-sender"))

Question: TypeAlias = "tuple[Conversation, Command]"


class Conversation:
    """Reads commands for a `QuestionListener`, and keeps what they say.

    `steps` is what both sides agreed upon; None before that. `wanted` is what decisions before the
    end of the message want done with it.
    """

    def __init__(self, source: PolicyInUse, wanted: Steps) -> None:
        self.steps: Steps | None = None
        self.actions = Actions(0)
        self.wanted: list[Action] = []
        self.helo_name = ""
        self._source = source
        self._wanted = wanted
        self._reader = PacketReader(ORIGINATOR_NAMES, b"MT")
        self._macros: dict[str, Mapping[str, str]] = {}
        self._client = Connect("unknown", "U", 0, "")
        self._fields: list[tuple[bytes, bytes]] = []
        self._octets = 0
        self._mail: Mail | None = None
        self.session: Session | None = None

    # -- for the listener ----------------------------------------------------------------------

    def feed(self, octets: bytes) -> None:
        """Take what arrived."""
        self._reader.feed(octets)

    def next(self) -> "Question | None":
        """The next command that is there as a whole. Raises MilterError."""
        command = self._reader.next()
        if command is None:
            return None
        if self.steps is None and not isinstance(command, Negotiate):
            raise MilterError("a command before the negotiation")
        return self, command

    @property
    def pending(self) -> int:
        """Octets that were fed and not given out yet."""
        return self._reader.pending

    # -- what the server says ------------------------------------------------------------------

    def negotiate(self, offer: Negotiate) -> None:
        """Agree on what is said. Raises MilterError for a version that can't do what is needed."""
        if offer.version < VERSION:
            raise MilterError(
                f"version {offer.version} of the protocol, expected {VERSION}: milter_protocol = 6"
            )
        if Actions.ADD_HEADERS not in offer.actions:
            raise MilterError("a server that lets nobody add a header field")
        self.actions = WANTED_ACTIONS & offer.actions
        self.steps = self._wanted & offer.steps

    def connect(self, client: Connect) -> None:
        """An SMTP client has connected."""
        self._client = client
        self._macros.pop("M", None)
        self.helo_name = ""
        self.forget_message()

    def note_macros(self, command: str, values: Mapping[str, str]) -> None:
        """Macros for the command that comes next."""
        self._macros[command] = values

    def mail(self, mail: Mail) -> None:
        """A message begins."""
        self.forget_message()
        self._mail = mail

    def header(self, header: Header) -> None:
        """Keep a field that says who the message is from; others are not read."""
        if self._mail is None:
            raise MilterError("a header field of no message")
        self._octets += len(header.name) + len(header.value)
        if self._octets <= HEADER_SIZE_LIMIT:
            self._fields.append((header.name, header.value))

    def forget_message(self) -> None:
        """The message is over, or given up."""
        self._mail = None
        self._fields = []
        self._octets = 0
        self.wanted = []
        self.session = None

    # -- what is asked about -------------------------------------------------------------------

    @property
    def login(self) -> str:
        """Who has logged in, "" for nobody."""
        return self._macros.get("M", {}).get("auth_authen", "")

    @property
    def queue_id(self) -> str:
        """Postfix's name of the message."""
        return self._macros.get("T", {}).get("i", "")

    @property
    def is_too_long(self) -> bool:
        """Whether more was said of who the message is from than anybody reads."""
        return self._octets > HEADER_SIZE_LIMIT

    def fields(self) -> tuple[Field, ...]:
        """The fields that say who the message is from."""
        return fields_of(self._fields)

    @property
    def smtputf8(self) -> bool:
        """Whether the client said SMTPUTF8."""
        parameters = self._mail.parameters if self._mail is not None else ()
        return "SMTPUTF8" in [parameter.upper() for parameter in parameters]

    def sender(self) -> str:
        """MAIL FROM in internal form. Raises MilterError, AddressSyntaxError."""
        if self._mail is None:
            raise MilterError("a command that needs a message")
        plain = PLAIN_PATH.fullmatch(self._mail.path)
        return plain[1] if plain else parse_path(self._mail.path, utf8=True)

    def new_session(self) -> Session:
        """A policy session for the client that is connected, logged in as it is now."""
        client = self._client
        name = "unknown" if client.name.startswith("[") else client.name
        self.session = self._source.policy.session(
            client_address=client.address.removeprefix("IPv6:"),
            client_name=name,
            sasl_username=self.login,
            sasl_method=self._macros.get("M", {}).get("auth_type", ""),
        )
        return self.session

    def request(self, state: ProtocolState, recipient: str = "") -> Request:
        """What was asked, for the decision log."""
        session = self.session
        if session is None:
            return Request(protocol_state=state, sasl_username=self.login)
        dialogue = session.dialogue
        return Request(
            protocol_state=state,
            client_address=dialogue.client_address,
            client_name=dialogue.client_name,
            helo_name=self.helo_name,
            sender=dialogue.sender or "",
            recipient=recipient,
            sasl_username=dialogue.sasl_username,
            sasl_method=dialogue.sasl_method,
        )


def unfit_actions(decision: Decision) -> str:
    """The names of actions that a milter of ours can't carry out, "" where there are none."""
    possible = ("PREPEND", "HOLD", "DISCARD", "WARN", "INFO", "SLEEP")
    return " and ".join([a.name for a in decision.actions if a.name not in possible])
