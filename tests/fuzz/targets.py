"""What is fuzzed: each target takes bytes, and ends well or with one of its clean errors."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from maysend.address import (
    AddressSyntaxError,
    Rewriting,
    fold,
    parse_path,
    quote_local,
    resolve,
    rewrite,
    split_extension,
    unquote,
)
from maysend.cases import CaseFileError
from maysend.cases.reading import parse_cases
from maysend.dns import Zone, ZoneError
from maysend.header.defects import HeaderDefect
from maysend.header.fields import originator_fields
from maysend.header.originators import read_originators
from maysend.maincf import MainCfError, Parameters, tokens
from maysend.maincf.master import parse as parse_master_cf
from maysend.policy import Policy, PolicyError, Request
from maysend.protocols.dovecot_auth import AuthClient, Offer, ProtocolError
from maysend.protocols.dovecot_auth_server import AuthServer
from maysend.protocols.header import HeaderCollector, HeaderError, parse_header
from maysend.protocols.milter import PacketReader
from maysend.protocols.milter_commands import MilterError
from maysend.protocols.policy import PolicyProtocolError, PolicyRequests
from maysend.protocols.smtp.commands import CommandError, parse_mail, parse_rcpt, split_verb
from maysend.protocols.smtp.data import DataLimits
from maysend.protocols.smtp.events import Line, MessageEnd, MessageSlice
from maysend.protocols.smtp.extensions import Extensions
from maysend.protocols.smtp.server import ServerCodec
from maysend.protocols.socketmap import SocketmapError, SocketmapQueries
from maysend.tables import LookupTable, TableContext, TableError, open_table

Target = Callable[[bytes], object]

SCRATCH = Path(
    tempfile.mkdtemp(
        prefix="maysend-fuzz-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    )
)
KEYS = ("bob+x@example.com", "example.com", "bob@", "", "192.0.2.7", "2001:db8::1", "ü@ß", "\udcff")
EVERYTHING = Extensions(size=10**6, eightbitmime=True, smtputf8=True, dsn=True)
REWRITING = Rewriting(myhostname="mail.example.com", myorigin="example.com", mydomain="example.com")
BASE = {
    "myhostname": "mail.example.com",
    "mydestination": "example.com",
    "local_recipient_maps": "",
    "smtpd_relay_restrictions": "reject_unauth_destination",
    "smtpd_sasl_auth_enable": "yes",
}


def main_cf(octets: bytes) -> None:
    """A main.cf: every parameter that it sets, expanded, traced and converted."""
    (SCRATCH / "main.cf").write_bytes(octets)
    with contextlib.suppress(MainCfError):
        parameters = Parameters.load(SCRATCH)
        for name in parameters.names():
            for convert in (parameters.boolean, parameters.integer, parameters.seconds):
                with contextlib.suppress(MainCfError):
                    convert(name)
            with contextlib.suppress(MainCfError):
                traced = parameters.traced(name)
                assert traced.text == parameters[name]
                for token in tokens.split(traced.text):
                    assert traced.place(token.start).line >= 0


def master_cf(octets: bytes) -> None:
    """A master.cf."""
    with contextlib.suppress(MainCfError):
        parse_master_cf(_text(octets), "master.cf")


def policy(octets: bytes) -> None:
    """A main.cf as a policy, compiled and asked."""
    (SCRATCH / "main.cf").write_bytes(octets)
    with contextlib.suppress(MainCfError, PolicyError):
        compiled = Policy(Parameters.load(SCRATCH).replaced(BASE), resolver=Zone(""))
        _decide(compiled)


def restrictions(octets: bytes) -> None:
    """A restriction list, in every stage."""
    text = _text(octets)
    lists = {f"smtpd_{stage}_restrictions": text for stage in ("client", "sender", "recipient")}
    with contextlib.suppress(MainCfError, PolicyError):
        _decide(Policy.from_parameters({**BASE, **lists}, resolver=Zone("")))


def access_answer(octets: bytes) -> None:
    """The right-hand side of an access table, for every check and key."""
    _ANSWER.text = _text(octets)
    _decide(_asking_policy())


def table_entries(octets: bytes) -> None:
    """Text files of tables: texthash, pcre, regexp, cidr, asked a few keys."""
    (SCRATCH / "table").write_bytes(octets)
    for type in ("texthash", "pcre", "cidr", "regexp"):
        _ask(f"{type}:{SCRATCH}/table")


def table_database(octets: bytes) -> None:
    """Database files: hash, btree, cdb, lmdb, sqlite."""
    for type, suffix in (("hash", ".db"), ("btree", ".db"), ("cdb", ".cdb"), ("lmdb", ".lmdb")):
        (SCRATCH / f"table{suffix}").write_bytes(octets)
        _ask(f"{type}:{SCRATCH}/table")


def table_client_file(octets: bytes) -> None:
    """Configuration files of client tables: opened, never asked."""
    (SCRATCH / "client.cf").write_bytes(octets)
    for type in ("mysql", "pgsql", "sqlite", "ldap", "memcache"):
        with contextlib.suppress(TableError):
            open_table(f"{type}:{SCRATCH}/client.cf", TableContext(asked_by="postmap"))


def table_name(octets: bytes) -> None:
    """Tables written in place: inline, static, unionmap, pipemap, randmap and the others."""
    text = _text(octets)
    for type in ("inline", "static", "unionmap", "pipemap", "randmap", "environ", "internal"):
        if not any(
            word in text
            for word in ("tcp:", "socketmap:", "mysql:", "pgsql:", "ldap:", "memcache:", "proxy:")
        ):
            _ask(f"{type}:{text}")


def address(octets: bytes) -> None:
    """An address: read as a path, quoted, rewritten, resolved, split."""
    text = _text(octets)
    for strict in (False, True):
        with contextlib.suppress(AddressSyntaxError):
            internal = parse_path(text, strict=strict, utf8=True)
            unquote(quote_local(internal))
            rewritten = rewrite(internal, REWRITING)
            assert rewrite(rewritten, REWRITING) is not None
            resolve(rewritten, REWRITING, lambda domain: domain == "example.com")
            split_extension(internal.rpartition("@")[0], "+-")
            assert fold(fold(internal)) == fold(internal)


def smtp_commands(octets: bytes) -> None:
    """What a client sends: lines, messages, and the arguments of MAIL and RCPT."""
    codec = ServerCodec()
    codec.receive(octets)
    while (event := codec.next_event()) is not None:
        if isinstance(event, MessageSlice):
            assert event.wire
        if not isinstance(event, Line):
            continue
        verb, argument = split_verb(event.text)
        with contextlib.suppress(CommandError):
            if verb == "MAIL":
                parse_mail(argument, EVERYTHING)
            elif verb == "RCPT":
                parse_rcpt(argument, EVERYTHING)
            elif verb == "DATA":
                codec.start_data(DataLimits(size=1000))


def smtp_pieces(octets: bytes) -> None:
    """The same events come out whole and byte by byte."""
    assert _events([octets]) == _events([bytes([octet]) for octet in octets])


def header(octets: bytes) -> None:
    """A header block: its lines, and who it says it is from."""
    collector = HeaderCollector(10_000)
    with contextlib.suppress(HeaderError, HeaderDefect):
        collector.feed(octets)
        parse_header(collector.header)
        read_originators(originator_fields(collector.header), utf8=True)


def protocols(octets: bytes) -> None:
    """The requests of Postfix: policy delegation, socketmap, milter."""
    for reader in (PolicyRequests(("sender",)), SocketmapQueries(), PacketReader()):
        with contextlib.suppress(PolicyProtocolError, SocketmapError, MilterError):
            reader.feed(octets)
            while reader.next() is not None:
                pass


def dovecot_auth(octets: bytes) -> None:
    """Dovecot's auth protocol, both ends: what a mail server says to us, and a Dovecot."""
    ends = (AuthServer([Offer("PLAIN", frozenset())], 1, 1, "00" * 16), AuthClient(1))
    for end in ends:
        with contextlib.suppress(ProtocolError):
            end.receive(octets)


def case_file(octets: bytes) -> None:
    """A case file."""
    with contextlib.suppress(CaseFileError):
        parse_cases(octets, Path("x.toml"))


def zone(octets: bytes) -> None:
    """A zone file."""
    with contextlib.suppress(ZoneError):
        read = Zone(_text(octets))
        for name in ("example.com", "a.example", "*"):
            read.query(name, "A")


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        main_cf,
        master_cf,
        policy,
        restrictions,
        access_answer,
        table_entries,
        table_database,
        table_client_file,
        table_name,
        address,
        smtp_commands,
        smtp_pieces,
        header,
        protocols,
        dovecot_auth,
        case_file,
        zone,
    )
}


class _Answer:
    """A table that answers every key with the text that is being tried."""

    spec = "fuzz:x"
    pattern = False
    blocking = False
    text = "DUNNO"

    def lookup(self, key: str, /) -> str | None:
        if not self.text:
            raise TableError(self.spec, "an empty answer", "config")
        return self.text


_ANSWER = _Answer()
_COMPILED: list[Policy] = []


def _asking_policy() -> Policy:
    """Compiled at its first use: nothing happens when this is imported."""
    if not _COMPILED:
        checks = ("client", "helo", "sender", "recipient", "sasl")
        text = ", ".join(f"warn_if_reject check_{name}_access fuzz:x" for name in checks)
        lists = {"smtpd_sender_restrictions": text, "smtpd_data_restrictions": "fuzz:x"}
        types: dict[str, Callable[[str, TableContext], LookupTable]] = {
            "fuzz": lambda name, context: _ANSWER
        }
        _COMPILED.append(Policy.from_parameters({**BASE, **lists}, types, Zone("")))
    return _COMPILED[0]


def _decide(policy: Policy) -> None:
    """A whole dialogue; nothing that would have to wait is asked."""
    from maysend.restrictions.waiting import WouldWait

    request = Request(client_address="192.0.2.7", sender="bob+x@example.org")
    with contextlib.suppress(WouldWait):
        session = policy.session_of(msgspec.structs.replace(request, sasl_username="bob"))
        session.may_wait = False
        decisions = [session.connect(), session.helo("client.example")]
        decisions += [session.mail("bob+x@example.org"), session.rcpt("alice@example.com")]
        decisions += [session.data(), session.end_of_data()]
        for decision in decisions:
            if decision.reply is not None:
                assert decision.reply.code >= 400
                assert "\n" not in str(decision.reply)


def _ask(spec: str) -> None:
    for asked_by in ("smtpd", "postmap"):
        with contextlib.suppress(TableError):
            table = open_table(spec, TableContext(asked_by=asked_by))
            for key in KEYS:
                with contextlib.suppress(TableError):
                    answer = table.lookup(key)
                    assert answer is None or isinstance(answer, str)


def _events(pieces: list[bytes]) -> list[object]:
    codec = ServerCodec()
    events: list[object] = []
    message = b""
    for piece in pieces:
        codec.receive(piece)
        while (event := codec.next_event()) is not None:
            if isinstance(event, MessageSlice):
                message += event.wire
                continue
            if isinstance(event, MessageEnd):
                # Of a message that is refused anyway it does not matter how much was handed on.
                events.append(message if event.defect is None else event.defect)
                message = b""
            elif isinstance(event, Line) and event.text == "DATA":
                codec.start_data(DataLimits())
                events.append(event)
            elif isinstance(event, Line) or type(event).__name__ == "BadLine":
                events.append(event)
    return events


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")
