"""One case: the dialogue it holds, and what it wants to hear."""

import re
from typing import Literal, TypeAlias

import msgspec

from maysend.maincf import Place

Stage: TypeAlias = Literal["CONNECT", "HELO", "MAIL", "RCPT", "DATA", "END"]
STAGES: tuple[Stage, ...] = ("CONNECT", "HELO", "MAIL", "RCPT", "DATA", "END")
"""The commands of a dialogue in their order; END is the final dot."""

OK = "ok"
"""The reply where nothing objects: any 2xx or 3xx."""
NOT_ASKED = "not asked"
"""The reply to a command that makes no sense any more."""
REJECTED = "rejected"
DEFERRED = "deferred"
_BY_FIRST_DIGIT = {REJECTED: "5", DEFERRED: "4"}
_STATUS_ONLY = re.compile(r"[45][0-9][0-9]( [45]\.[0-9]{1,3}\.[0-9]{1,3})?")

BASE_PARAMETERS: dict[str, str] = {
    "compatibility_level": "3.6",
    "myhostname": "mail.example.com",
    "mydomain": "example.com",
    "myorigin": "$mydomain",
    "mydestination": "$mydomain, $myhostname, localhost",
    "inet_interfaces": "127.0.0.1",
    "mynetworks": "127.0.0.0/8",
    "alias_maps": "",
    "alias_database": "",
    "local_recipient_maps": "",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "private/auth",
}
"""What lies beneath a case that names no configuration directory, so that it means the same on
every host: Postfix's own defaults depend on the host's name and networks."""


class Turn(msgspec.Struct, frozen=True):
    """One command of the client, the reply it wants, and the restriction that decides on it.

    `command` is "CONNECT", an SMTP command line, or "END" for the final dot. `decided_by` is the
    beginning of the restriction as it is written; "" where any may decide.
    """

    command: str
    reply: str = OK
    decided_by: str = ""

    @property
    def stage(self) -> str:
        """Which of STAGES this is, or another SMTP verb ("RSET", "ETRN")."""
        verb = self.command.split(" ", 1)[0].upper()
        return "HELO" if verb == "EHLO" else verb


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One dialogue with one configuration.

    `config` is a Postfix configuration directory, and `service` a service of its master.cf; without
    it the configuration is `main_cf` on top of BASE_PARAMETERS. `files` stand beside main.cf by
    their name; `tables` say by `type:name` what a table holds that is not to be opened. `header` is
    the message's, where it is known. `place` is where the case is written.
    """

    name: str
    config: str = ""
    service: str = ""
    main_cf: dict[str, str] = {}
    files: dict[str, str] = {}
    tables: dict[str, str] = {}
    dns: str = ""
    client_address: str = "192.0.2.7"
    client_name: str = "unknown"
    reverse_client_name: str = ""
    login: str = ""
    tls: bool = False
    header: str | None = None
    turns: tuple[Turn, ...] = ()
    actions: tuple[str, ...] | None = None
    fatal: str = ""
    postfix: bool = True
    place: Place = Place("<case>", 0)


def reply_matches(wanted: str, got: str) -> bool:
    """Whether a reply is the wanted one.

    What is wanted may be the whole reply, its code ("553"), code and status ("553 5.7.1"),
    "rejected" for any 5xx or "deferred" for any 4xx.
    """
    if wanted in _BY_FIRST_DIGIT:
        return got.startswith(_BY_FIRST_DIGIT[wanted])
    if _STATUS_ONLY.fullmatch(wanted):
        return got == wanted or got.startswith(f"{wanted} ")
    return wanted == got


def decided_by_matches(wanted: str, got: str) -> bool:
    """Whether the restriction that decided begins with the wanted words."""
    return not wanted or f"{got} ".startswith(f"{wanted} ")
