"""Addresses against the installed Postfix: its libraries, its trivial-rewrite, its smtpd.

S2.5, S3.4: an address that hides where it leads (extension, route, `%`, `!`, quotes) must be seen
as Postfix sees it. MAYSEND_ADDRESSES says how many (5000), MAYSEND_SEED which ones.
"""

import os
import random
import re
from collections.abc import Callable

import pytest

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
from maysend.address.groups import Address, Node, parse
from maysend.address.hostname import (
    is_valid_address,
    is_valid_address_literal,
    is_valid_hostname,
    is_valid_ipv4,
    is_valid_ipv6,
    is_valid_mailhost_address,
)
from maysend.address.idn import domain_to_ascii, is_valid_utf8_hostname
from maysend.address.tokens import ADDRESS, Token, external_form, internal_form, scan
from tests.differential import random_addresses
from tests.differential.libpostfix import LibPostfix
from tests.differential.live_postfix import LivePostfix
from tests.differential.trivial_rewrite import TrivialRewrite

ADDRESSES = int(os.environ.get("MAYSEND_ADDRESSES", "5000"))
SEED = int(os.environ.get("MAYSEND_SEED", "1"))
ENOUGH_FOR_COVERAGE = 2000
SHOWN = 5

pytestmark = pytest.mark.needs_postfix


class Disagreements:
    """What differed, the smallest questions first."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def compare(self, what: str, question: str, ours: object, postfix: object) -> None:
        if ours != postfix:
            text = f"{what} {question!a}\n  ours    {ours!a}\n  postfix {postfix!a}"
            self.found.append((len(question), text))

    def check(self) -> None:
        shown = "\n".join(text for _, text in sorted(self.found)[:SHOWN])
        assert not self.found, f"{len(self.found)} differ, seed {SEED}:\n{shown}"


def rendered(nodes: list[Node]) -> str:
    """Parsed nodes as tok822_internalize writes them: words side by side are kept apart."""
    flat = [
        Token(ADDRESS, internal_form(node.tokens, spaced=False))
        if isinstance(node, Address)
        else node
        for node in nodes
    ]
    return internal_form(flat)


def test_addresses_are_read_and_written_as_by_the_libraries() -> None:
    postfix, dice, differing = LibPostfix(), random.Random(SEED), Disagreements()
    coverage = random_addresses.Coverage()
    questions: list[tuple[str, Callable[[str], object], Callable[[str], object]]] = [
        ("quote_local", quote_local, postfix.quote_local),
        ("unquote", unquote, postfix.unquote),
        ("fold", fold, postfix.fold),
        (
            "split_extension",
            lambda text: split_extension(text, "+-"),
            lambda text: postfix.split_extension(text, "+-"),
        ),
        (
            "internal_form",
            lambda text: internal_form(scan(text)),
            lambda text: postfix.scanned(text, internal=True),
        ),
        (
            "external_form",
            lambda text: external_form(scan(text)),
            lambda text: postfix.scanned(text, internal=False),
        ),
        (
            "parse",
            lambda text: rendered(parse(text)),
            lambda text: postfix.parsed(text, internal=True),
        ),
    ]
    for _ in range(ADDRESSES):
        text = random_addresses.address(dice)
        coverage.count(text)
        for what, ours, theirs in questions:
            differing.compare(what, text, ours(text), theirs(text))
    differing.check()
    assert ADDRESSES < ENOUGH_FOR_COVERAGE or not coverage.never()


def test_host_names_and_literals_are_valid_for_both() -> None:
    postfix, dice, differing = LibPostfix(), random.Random(SEED), Disagreements()
    questions: list[tuple[Callable[[str], object], Callable[[str], object]]] = [
        (is_valid_hostname, postfix.is_valid_hostname),
        (is_valid_utf8_hostname, postfix.is_valid_utf8_hostname),
        (is_valid_ipv4, postfix.is_valid_ipv4),
        (is_valid_ipv6, postfix.is_valid_ipv6),
        (is_valid_address, postfix.is_valid_hostaddr),
        (is_valid_mailhost_address, postfix.is_valid_mailhost_address),
        (is_valid_address_literal, postfix.is_valid_mailhost_literal),
        (domain_to_ascii, postfix.domain_to_ascii),
    ]
    for _ in range(ADDRESSES):
        name = random_addresses.host_name(dice)
        for ours, theirs in questions:
            if name.isascii() and ours is domain_to_ascii:
                continue  # Postfix asks ICU only about what isn't ASCII
            differing.compare(ours.__name__, name, ours(name), theirs(name))
    differing.check()


def test_every_letter_folds_alike() -> None:
    unicode_letters, ascii_letters = LibPostfix(), LibPostfix(utf8=False)
    differing = Disagreements()
    for code in (*range(1, 0xD800), *range(0xE000, 0x20000)):
        letter = chr(code)
        differing.compare("fold", letter, fold(letter), unicode_letters.fold(letter))
    for code in range(1, 0x250):
        text = chr(code) + "É"
        differing.compare("fold", text, fold(text, utf8=False), ascii_letters.fold(text))
    differing.check()


PARAMETERS: list[dict[str, bool | str]] = [
    {},
    {"append_dot_mydomain": True, "allow_min_user": True},
    {"swap_bangpath": False, "allow_percent_hack": False},
    {"append_at_myorigin": False, "resolve_dequoted_address": False},
    {
        "resolve_null_domain": True,
        "resolve_numeric_domain": True,
        "append_dot_mydomain": True,
    },
    {"smtputf8_enable": False, "empty_address_recipient": "a.b@c!d"},
    {"myorigin": "remote.example", "empty_address_recipient": '"x y"'},
    {
        "append_at_myorigin": False,
        "append_dot_mydomain": True,
        "swap_bangpath": False,
        "resolve_numeric_domain": True,
    },
    {"allow_percent_hack": False, "resolve_null_domain": True},
]
"""What the Postfix that is asked was told; the rest is as in `rewriting_of`."""


def rewriting_of(parameters: dict[str, bool | str]) -> Rewriting:
    names: dict[str, bool | str] = {
        "myhostname": "mail.example.com",
        "mydomain": "example.com",
        "myorigin": "example.com",
        **parameters,
    }
    return Rewriting(**names)  # type: ignore[arg-type]


def main_cf(parameters: dict[str, bool | str]) -> dict[str, str]:
    words = {True: "yes", False: "no"}
    return {
        "mydestination": random_addresses.LOCAL_DOMAINS,
        "append_dot_mydomain": "no",
        **{
            name: words[value] if isinstance(value, bool) else value
            for name, value in parameters.items()
        },
    }


def local_domains(rewriting: Rewriting) -> Callable[[str], bool]:
    utf8 = rewriting.smtputf8_enable
    listed = {fold(name, utf8=utf8) for name in random_addresses.LOCAL_DOMAINS.split(", ")}
    return (listed | {"[127.0.0.1]"}).__contains__


@pytest.mark.parametrize("parameters", PARAMETERS, ids=lambda parameters: ",".join(parameters))
def test_addresses_are_rewritten_and_resolved_as_by_trivial_rewrite(
    parameters: dict[str, bool | str], capsys: pytest.CaptureFixture[str]
) -> None:
    rewriting, differing = rewriting_of(parameters), Disagreements()
    listed = local_domains(rewriting)
    dice = random.Random(f"{SEED}{parameters}")
    coverage = random_addresses.Coverage()

    def is_local(domain: str) -> bool:
        return listed(fold(domain, utf8=rewriting.smtputf8_enable))

    with LivePostfix(main_cf(parameters)) as postfix, TrivialRewrite(postfix) as judge:
        for _ in range(max(1, ADDRESSES // len(PARAMETERS))):
            address = random_addresses.address(dice)
            coverage.count(address)
            wanted = unquote(judge.rewrite(quote_local(address)))
            differing.compare("rewrite", address, rewrite(address, rewriting), wanted)
            resolved, _ = judge.resolve(address)
            differing.compare("resolve", address, resolve(address, rewriting, is_local), resolved)
    with capsys.disabled():
        print(f"\naddresses, seed {SEED}, {parameters or 'defaults'}: {coverage}")
    differing.check()
    assert ADDRESSES // len(PARAMETERS) < ENOUGH_FOR_COVERAGE or not coverage.never()


CONTROL = re.compile(r"[\x00-\x1f\x7f]")
PATHS = max(200, ADDRESSES // 5)


@pytest.mark.parametrize("strict", [False, True], ids=["forgiving", "strict"])
@pytest.mark.parametrize("utf8", [False, True], ids=["ASCII", "SMTPUTF8"])
def test_paths_are_read_as_by_smtpd(strict: bool, utf8: bool) -> None:
    """The same paths are refused, and of the others the same address is asked of a table."""
    rewriting, differing = rewriting_of({}), Disagreements()
    listed, dice = local_domains(rewriting), random.Random(SEED)
    echo = "check_sender_access pcre:$config_directory/echo"
    parameters = {
        **main_cf({"strict_rfc821_envelopes": strict}),
        "smtpd_delay_reject": "no",
        "smtpd_sender_restrictions": echo,
        "smtpd_reject_unlisted_sender": "no",
    }

    def ours(path: str) -> str:
        try:
            address = parse_path(path, strict=strict, utf8=True)
        except AddressSyntaxError:
            return "501 5.1.7 Bad sender address syntax"
        if address == "":
            return "250 2.1.0 Ok"
        found = resolve(rewrite(address, rewriting), rewriting, lambda domain: listed(fold(domain)))
        if found.error or not (utf8 or fold(found.domain).isascii()):
            return "501 5.1.7 Bad sender address syntax"
        key = quote_local(fold(found.recipient))
        return f"key [{CONTROL.sub(' ', key)}]"  # as smtpd shows it in its reply

    def theirs(reply: str) -> str:
        return "key " + reply.partition(" key=")[2] if " key=" in reply else reply

    keep_null = "/^<>$/ DUNNO\n"
    with (
        LivePostfix(parameters, {"echo": keep_null + "/^(.*)$/s REJECT key=[$1]\n"}) as postfix,
        postfix.session(helo="client.example") as smtp,
    ):
        for _ in range(PATHS):
            path = random_path(dice)
            reply = smtp.command(f"MAIL FROM:{path}" + " SMTPUTF8" * utf8)
            smtp.command("RSET")
            if reply.startswith(("555", "500 5.5.2", "501 5.5.4")):
                continue  # it was several words, no word, or no text: the command's own syntax
            differing.compare("path", path, ours(path), theirs(reply))
    differing.check()


def random_path(dice: random.Random) -> str:
    """A path that is one word: its white space, if any, is in its only brackets."""
    while True:
        address = random_addresses.address(dice).replace("\r", "")
        path = dice.choice(["<{}>", "<{}>", "<{}>", "{}", "x<{}>", "<@a,@b:{}>"]).format(address)
        in_brackets = path.startswith("<") and path.find(">") == len(path) - 1
        if in_brackets or (path and not set(path) & set(" \t\x0b\\")):
            return path
