"""What a case file says that can't be meant: found before anything runs."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from msgspec import UNSET

from maysend.cases.case import Case
from maysend.cases.wording import did_you_mean, expected_reply
from maysend.cases.written import REPLY_PATTERN, WrittenCase, WrittenFile
from maysend.dns import Zone, ZoneError
from maysend.maincf.defaults import all_of_postfix

Objection: TypeAlias = tuple[int | None, str, tuple[str, ...]]
"""Number of the case, what is wrong, and the keys that lead to it."""
VERBS = ("CONNECT", "EHLO", "HELO", "MAIL FROM:", "RCPT TO:", "DATA", "END", "RSET", "ETRN")
_COMMAND = re.compile(
    r"CONNECT|DATA|END|RSET|(EHLO|HELO|ETRN) \S.*|(MAIL FROM|RCPT TO):.*", re.IGNORECASE | re.DOTALL
)
_NAME_USED = re.compile(r"\$[({]?(\w+)")
_OWN_PARAMETERS = ("smtpd_recipient_login_maps", "smtpd_on_behalf_login_maps")
NEAR = 0.9
"""How alike a parameter must be to one of Postfix's to be taken for a slip: people have their own,
and 0.9 is one letter in ten."""


def objections(file: WrittenFile, cases: list[Case]) -> Iterator[Objection]:
    """Everything wrong with the cases of a file that its format does not show."""
    for number, (written, case) in enumerate(zip(file.case, cases, strict=True)):
        yield from ((number, text, keys) for text, keys in _about_replies(written))
        yield from ((number, text, keys) for text, keys in _about_commands(written))
        yield from ((number, text, keys) for text, keys in _about_the_client(case))
        yield from ((number, text, keys) for text, keys in _about_the_configuration(case, written))
    named = {**file.main_cf, **{k: v for case in cases for k, v in case.main_cf.items()}}
    yield from ((None, text, keys) for text, keys in _misspelt(file.main_cf, named))
    for number, written in enumerate(file.case):
        yield from ((number, text, keys) for text, keys in _misspelt(written.main_cf, named))


_Found: TypeAlias = Iterator[tuple[str, tuple[str, ...]]]


def _about_replies(case: WrittenCase) -> _Found:
    if case.dialogue is UNSET:
        if case.reply is UNSET and not case.fatal:
            yield f"{case.name!r}: expected a reply, a dialogue or fatal", ()
        return
    for key in ("reply", "decided_by"):
        if getattr(case, key):
            yield f"{key} next to a dialogue: expected it in the dialogue's rows", (key,)
    for number, row in enumerate(case.dialogue, 1):
        if not re.fullmatch(REPLY_PATTERN[1:-1], row[1]):
            yield (
                f"dialogue, row {number}: reply {row[1]!r}: {expected_reply(row[1])}",
                ("dialogue",),
            )


def _about_commands(case: WrittenCase) -> _Found:
    for number, row in enumerate(case.dialogue or [], 1):
        if not _COMMAND.fullmatch(row[0]):
            verb = row[0].partition(" ")[0].partition(":")[0].upper()
            yield (
                f"dialogue, row {number}: command {row[0]!r}: expected one of {', '.join(VERBS)}"
                f"{did_you_mean(verb, [name.partition(' ')[0] for name in VERBS])}",
                ("dialogue",),
            )


def _about_the_client(case: Case) -> _Found:
    try:
        ip_address(case.client_address)
    except ValueError:
        yield (
            f"client_address = {case.client_address!r}: expected an IP address (as 192.0.2.7 or "
            "2001:db8::7)",
            ("client_address",),
        )
    try:
        Zone(case.dns)
    except ZoneError as error:
        yield f"dns: {error}", ("dns",)


def _about_the_configuration(case: Case, written: WrittenCase) -> _Found:
    if case.service and not case.config:
        yield "service: expected config too, the directory whose master.cf has it", ("service",)
    if case.config and not (Path(case.config) / "main.cf").is_file():
        yield f"config: there is no {Path(case.config) / 'main.cf'}", ("config",)
    for name in case.files:
        if name == "main.cf" or Path(name).is_absolute() or ".." in Path(name).parts:
            yield (
                f"files: {name!r}: expected a name beside main.cf (parameters go to main_cf)",
                ("files",),
            )
    for spec in case.tables:
        if not re.fullmatch(r"[a-z]+:.+", spec, re.DOTALL):
            yield f"tables: {spec!r}: expected type:name as it stands in main.cf", ("tables",)


def _misspelt(main_cf: Iterable[str], named: dict[str, str]) -> _Found:
    """Parameters that nobody reads and that nearly have the name of one of Postfix's."""
    known = all_of_postfix()
    used = {name for text in named.values() for name in _NAME_USED.findall(text)}
    used.update(re.split(r"[\s,]+", named.get("smtpd_restriction_classes", "")))
    for name in main_cf:
        if name in known or name in used or name in _OWN_PARAMETERS:
            continue
        near = get_close_matches(name, known, n=1, cutoff=NEAR)
        if near:
            text = f"main_cf: there is no parameter {name!r}; did you mean {near[0]!r}?"
            yield text, ("main_cf", name)
