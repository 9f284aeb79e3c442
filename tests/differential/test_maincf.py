"""The same main.cf and master.cf read by this program and by the installed Postfix.

postconf prints runs of blanks as one, so it is compared so; `postfix check`, which hands its
parameters to a script of $daemon_directory, shows values to the octet.
"""

import os
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from maysend.maincf import Host, MainCfError, Parameters, master
from maysend.maincf.defaults import all_of_postfix

pytestmark = pytest.mark.needs_postfix

BATCHES = int(os.environ.get("MAYSEND_MAINCF_BATCHES", "12"))
PER_PROCESS = ("process_id", "process_name")
BLANKS = re.compile(r"[ \t\r\n]+")


def postconf(directory: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["postconf", "-c", str(directory), *arguments],
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip


def write(directory: Path, main_cf: bytes = b"", master_cf: bytes = b"") -> Path:
    """An old configuration: Postfix reads a fresh file again until it has settled."""
    for name, content in (("main.cf", main_cf), ("master.cf", master_cf)):
        (directory / name).write_bytes(content)
        os.utime(directory / name, (1e9, 1e9))
    return directory


def squeezed(text: str) -> str:
    return BLANKS.sub(" ", text).strip(" \t\r\n")


def rows(output: bytes) -> dict[str, str]:
    lines = output.decode("utf-8", "surrogateescape").splitlines()
    return {name: raw.strip() for name, _, raw in (line.partition(" =") for line in lines)}


def test_every_default_is_postconfs_own_as_written(tmp_path: Path) -> None:
    theirs = rows(postconf(write(tmp_path), "-d").stdout)
    ours = {name: raw for name, raw in all_of_postfix().items() if isinstance(raw, str)}
    differing = {n: raw for n, raw in ours.items() if n not in PER_PROCESS and theirs[n] != raw}
    assert differing == {}
    assert theirs.keys() - all_of_postfix().keys() == set()


@pytest.mark.parametrize(
    "main_cf",
    [
        "",
        "compatibility_level = 3.6\nmydomain = example.org\n",
        "mynetworks_style = class\n",
        "inet_protocols = ipv4\nmynetworks_style = host\nmyhostname = mx.example.net\n",
        "inet_interfaces = loopback-only\nrelay_domains = $mydestination\nstress = yes\n",
        # A default that depends on itself is worked out with nothing in its place.
        "mydomain = a$myhostname\n",
        "myhostname = a.$mydomain\n",
        "inet_interfaces = $mynetworks\n",
    ],
)
def test_every_default_expands_as_in_postconf(tmp_path: Path, main_cf: str) -> None:
    theirs = rows(postconf(write(tmp_path, main_cf.encode()), "-x").stdout)
    ours = Parameters.load(tmp_path)
    differing = {
        name: (squeezed(ours[name]), value)
        for name, value in theirs.items()
        if name not in PER_PROCESS and squeezed(ours[name]) != squeezed(value)
    }
    assert differing == {}
    assert len(theirs) > 800


NAMES = ("_c9", "user_a", "user_b", "2c", "relay_domains", "mynetworks", "mydestination")
ASKED = ("mydestination", "mynetworks", "relay_domains")
BROKEN = (
    "$",
    "${",
    "}",
    "${}",
    "{",
    "${a-b}",
    "${x?{a}b}",
    "${ }",
    "${{1} = {1}}",
    "${{x} <level {1}}",
    "${{1} <lev {1}}",
    "${{1} {2}}",
    "${?x}",
    "${:x}",
    "$(x",
    ")",
)
WORDS = ("x", "reject", "10", "9", "3.6", "", " ", "  y", "é", "{z}", "a,b", "(p)", "-")
OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
LEVELS = ("{3.6} <level {3.10}", "{3}==level{3.0.0}", "{10} >=level {9.1}", "{3.6}!=level {3.6.0}")


def random_value(dice: random.Random, names: tuple[str, ...], depth: int = 0) -> str:
    return "".join(random_part(dice, names, depth) for _ in range(dice.randint(1, 3)))


def random_part(dice: random.Random, names: tuple[str, ...], depth: int) -> str:
    """A word, or a reference to one of `names`."""
    if depth > 3 or dice.random() < 0.4:
        return dice.choice(WORDS)
    name, space = dice.choice((*names, "unknown")), dice.choice(("", "", " "))
    first, second = (random_value(dice, names, depth + 1) for _ in range(2))
    operand = dice.choice((f"{{{first}}}", "{10}", "{3.6}", f"{{${name}}}"))
    other = dice.choice((f"{{{second}}}", "{9}", "{3.10}"))
    relation = f"{operand}{space}{dice.choice(OPERATORS)}{space}{other}"
    if dice.random() < 0.2:
        relation = dice.choice(LEVELS)
    forms = (
        f"${name}", f"${{{name}}}", f"$({name})", f"${{{space}{name}{space}}}",
        f"${{{name}{space}?{space}{{{first}}}{space}:{space}{{{second}}}{space}}}",
        f"${{{name}?{first}}}", f"${{{name}:{space}{first}}}", f"$({name}?{{{first}}})",
        f"${{{name}?{{{first}}}:{second}}}", f"${{{name}?{{{first}}}}}",
        f"${{{relation}{space}?{space}{{{first}}}:{{{second}}}}}",
        f"${{{relation}?{{{first}}}}}", f"${{{relation}}}", f"${{{relation}:{first}}}",
    )  # fmt: skip
    return dice.choice(BROKEN) if dice.random() < 0.003 else dice.choice(forms)


def random_main_cf(dice: random.Random) -> str:
    """Every name of NAMES, most of them defined by those before.

    Circles stay rare: Postfix follows one a hundred levels deep, along every branch.
    """
    lines = []
    for index, name in enumerate(NAMES):
        value = random_value(dice, NAMES[:index])
        if dice.random() < 0.02:
            value = f"${name}"
        for _ in range(dice.choice((0, 0, 1, 2))):
            blanks = [at for at, mark in enumerate(value) if mark == " "]
            at = dice.choice([0, len(value), *blanks])
            broken = dice.choice(("\n ", "\n\t", "\n# no\n  ", "\n\n ", "\r\n ", " \n   \n #\n "))
            value = value[:at] + broken + value[at:]
        lines.append(f"{name}{dice.choice(('=', ' = ', '= ', ' =	'))}{value}")
        if dice.random() < 0.2:
            lines.append(dice.choice(("# comment", "", "   ", "  # more", f"{name} = earlier")))
    if dice.random() < 0.2:
        dice.shuffle(lines)
    return "\n".join(lines) + dice.choice(("\n", ""))


@pytest.mark.parametrize("seed", range(BATCHES))
def test_random_main_cf_reads_as_in_postconf(tmp_path: Path, seed: int) -> None:
    dice = random.Random(f"main.cf {seed}")
    for _ in range(5):
        text = random_main_cf(dice)
        write(tmp_path, text.encode())
        asked = postconf(tmp_path, "-xh", *ASKED)
        if asked.returncode == 0:
            theirs = asked.stdout.decode("utf-8", "surrogateescape").split("\n")
            for name, value in zip(ASKED, theirs, strict=False):
                compare(tmp_path, name, squeezed(value), squeezed)
        elif asked.returncode == 1:  # for whichever parameter: postconf expands them all
            assert any(refused(tmp_path, name) for name in NAMES), repr(text)


def refused(directory: Path, name: str) -> bool:
    try:
        Parameters.load(directory)[name]
    except MainCfError:
        return True
    return False


def compare(
    directory: Path, name: str, theirs: str | None, form: Callable[[str], str] = str
) -> None:
    """Our value of a parameter equals theirs; None where Postfix refused it."""
    wrong = ""
    try:
        ours = form(Parameters.load(directory)[name])
    except MainCfError as error:
        ours, wrong = None, str(error)
    text = (directory / "main.cf").read_bytes()
    assert ours == theirs, f"{name} in {text!r} {wrong}"


@pytest.mark.skipif(os.geteuid() != 0, reason="postfix(1) answers root only")
@pytest.mark.parametrize("seed", range(BATCHES // 2))
def test_random_values_are_the_same_to_the_octet(tmp_path: Path, seed: int) -> None:
    dice = random.Random(f"octets {seed}")
    script = tmp_path / "postfix-script"
    script.write_text("#!/bin/sh\nprintf '%s' \"$manpage_directory\"\n")
    script.chmod(0o755)
    for _ in range(5):
        main_cf = random_main_cf(dice)
        text = re.sub("mydestination|mynetworks|relay_domains", "user_d", main_cf)
        text += f"\ndaemon_directory={tmp_path}\nmanpage_directory=>$user_a|$user_d|$2c<\n"
        write(tmp_path, text.encode())
        asked = subprocess.run(
            ["postfix", "-c", str(tmp_path), "check"], capture_output=True, timeout=30, check=False
        )
        theirs = asked.stdout.decode("utf-8", "surrogateescape")
        if asked.returncode >= 0:  # else a circle of comparisons overran its stack
            compare(tmp_path, "manpage_directory", None if asked.returncode else theirs)


def random_master_cf(dice: random.Random) -> str:
    names = ("mydestination", "relay_domains", "mynetworks")
    lines = []
    for service in ("submission", "smtps", "127.0.0.1:2025"):
        line = f"{service} inet n - y - - smtpd"
        for _ in range(dice.randint(0, 5)):
            line += dice.choice((" ", "\n  ", "\n# no\n\t", "\n\n ", "\t"))
            name, word = dice.choice(names), dice.choice(("x", "a,b", "{q r}", "$mydomain", ""))
            space = dice.choice(("", " ", "  "))
            line += dice.choice(
                (
                    f"-o {name}={word}",
                    f"-o {{{space}{name}{space}={space}{word} {word}{space}}}",
                    f"-o {{{name}={word}}}",
                    f"-v -o {name}={word}",
                    f"-vo {name}={word}",
                )
            )
        lines.append(line)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(BATCHES))
def test_random_master_cf_reads_as_in_postconf(tmp_path: Path, seed: int) -> None:
    dice = random.Random(f"master.cf {seed}")
    text = random_master_cf(dice)
    write(tmp_path, b"mydomain = example.com\n", text.encode())
    theirs = rows(postconf(tmp_path, "-P").stdout)
    services = master.parse(text, "master.cf")
    ours = {
        f"{service.name}/{service.type}/{setting.name}": squeezed(setting.raw)
        for service in services
        for setting in service.settings
    }
    assert ours == {name: squeezed(raw) for name, raw in theirs.items()}
    listed = postconf(tmp_path, "-M").stdout.decode().splitlines()
    assert [line.split()[0] for line in listed] == [service.name for service in services]


TIMES = ("5", " 5", "+5", "5s", "5m", "2h", "1d", "1w", "5S", "5x", "5ss", "5 s", "-5", "5.",
         "99999999999", "35000w", "3550w", "3549w", "24854d", "", "+s")  # fmt: skip


@pytest.mark.parametrize("text", TIMES)
def test_times_are_taken_as_postfix_takes_them(tmp_path: Path, text: str) -> None:
    write(tmp_path, f"ipc_timeout = {text}\n".encode())
    asked = subprocess.run(
        ["postmap", "-c", str(tmp_path), "-q", "a", "inline:{a=b}"],
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    is_refused = b"bad time value" in asked.stderr
    try:
        Parameters.load(tmp_path, host=Host(name="a.b", interfaces=())).seconds("ipc_timeout")
    except MainCfError:
        assert is_refused
    else:
        assert not is_refused, asked.stderr


@pytest.mark.parametrize("text", ["yes", "YES", "no", "No", "y", "true", "1", ""])
def test_booleans_are_taken_as_postfix_takes_them(tmp_path: Path, text: str) -> None:
    write(tmp_path, f"disable_dns_lookups = {text}\n".encode())
    asked = subprocess.run(
        ["postmap", "-c", str(tmp_path), "-q", "a", "inline:{a=b}"],
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    is_refused = b"bad boolean" in asked.stderr
    try:
        Parameters.load(tmp_path).boolean("disable_dns_lookups")
    except MainCfError:
        assert is_refused
    else:
        assert not is_refused
