"""S2.14: `maysend serve --follow DIR` keeps the directory at docker-mailserver's files."""

import os
import time
from pathlib import Path

import pytest

from maysend.directory import Directory
from tests.servers.serving import Serving, refused, serving
from tests.servers.test_serve import ask
from tests.unit.importers.conftest import folder as mounted

__all__ = ["mounted"]

CONFIGURATION = """
directory = "sqlite:///d.db"
workers = 2
[follow]
docker_mailserver = "{mounted}"
[metrics]
address = "inet:127.0.0.1:0"
[[listener]]
kind = "policy"
address = "unix:{folder}/policy"
"""
NEW = {
    "sasl_username": "new@example.com",
    "sender": "new@example.com",
    "recipient": "x@y.net",
}
SALES = NEW | {"sender": "sales@example.com"}


def configuration(folder: Path, mounted: Path) -> str:
    return CONFIGURATION.format(folder=folder, mounted=mounted)


def seconds_until(running: Serving, wanted: str, **attributes: str) -> float:
    """How long until every one of some answers in a row is `wanted`: of both workers."""
    began = time.monotonic()
    in_a_row = 0
    while in_a_row < 6:
        answer = ask(running, **attributes)
        if answer == wanted:
            in_a_row += 1
            continue
        in_a_row = 0
        assert time.monotonic() - began < 10, f"{answer}\n{running.log}"
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_change_of_the_files_counts_within_two_seconds(tmp_path: Path, mounted: Path) -> None:
    """S2.14: made from nothing, changed while it runs, CRLF and comments, each worker."""
    with serving(tmp_path, configuration(tmp_path, mounted)) as running:
        assert ask(running, **NEW).startswith("553 5.7.1 not owned by user new@example.com")
        took = []
        accounts = mounted / "postfix-accounts.cf"
        before = accounts.read_text()
        accounts.write_text(f"{before}\r\n# new\r\nnew@example.com|{{PLAIN}}x\r\n")
        took.append(seconds_until(running, "DUNNO", **NEW))
        virtual = mounted / "postfix-virtual.cf"
        virtual.write_text("sales@example.com new@example.com\n")
        took.append(seconds_until(running, "DUNNO", **SALES))
        (mounted / "postfix-send-access.cf").write_text("new@example.com REJECT\n")
        took.append(seconds_until(running, "554 5.7.1 You may not send mail", **NEW))
        replaced = mounted / "replaced"  # as an editor does: another inode
        replaced.write_text("# nobody is restricted\n")
        os.replace(replaced, mounted / "postfix-send-access.cf")
        took.append(seconds_until(running, "DUNNO", **NEW))
        accounts.write_text(before)
        took.append(
            seconds_until(running, "553 5.7.1 not owned by user new@example.com", **NEW),
        )
        print(f"a change counted after {max(took):.2f} s at worst")
        assert max(took) < 2
        assert "docker-mailserver: +account new@example.com\n" in running.log
        assert "docker-mailserver: -account new@example.com\n" in running.log


def test_every_line_that_means_something_else_is_told_once(tmp_path: Path, mounted: Path) -> None:
    """S2.14: broken lines are named and skipped; starting again changes and imports nothing."""
    text = configuration(tmp_path, mounted)
    with serving(tmp_path, text) as running:
        for told in (
            "warning: docker-mailserver: postfix-accounts.cf:5: skipped: 'a@b@c': it has more",
            "warning: docker-mailserver: postfix-virtual.cf:7: skipped: 'lonely@example.com'",
            "different: carol@example.com is suspended as a login",
        ):
            assert running.log.count(told) == 1
        (mounted / "postfix-aliases.cf").write_text("abuse: carol@example.com\nno colon\n")
        running.wait_for(r"postfix-aliases.cf:2: skipped: expected NAME: TARGET")
        assert running.log.count("'a@b@c': it has more") == 1
        assert "rounds=1000" not in running.log  # no password, hashed or not
    with Directory.open(tmp_path / "d.db", create=False) as directory:
        before = directory.trail()
        assert {entry.who for entry in before} == {"serve"}
    with serving(tmp_path, text) as running:
        assert "docker-mailserver: +" not in running.log
    with Directory.open(tmp_path / "d.db", create=False) as directory:
        assert directory.trail() == before


@pytest.mark.parametrize("how", ["emptied", "gone"])
def test_files_that_vanish_remove_nobody(tmp_path: Path, mounted: Path, how: str) -> None:
    """A mount that went away, or an editor under way: told, on /healthz too, and back by itself."""
    accounts = mounted / "postfix-accounts.cf"
    before = accounts.read_bytes()
    bob = NEW | {"sasl_username": "bob@example.com", "sender": "bob@example.com"}
    with serving(tmp_path, configuration(tmp_path, mounted)) as running:
        assert ask(running, **bob) == "DUNNO"
        accounts.write_text("") if how == "emptied" else accounts.unlink()
        running.wait_for(r"error: docker-mailserver: postfix-accounts.cf .* nothing was changed")
        assert running.web("/healthz")[0] == 503
        assert ask(running, **bob) == "DUNNO"
        accounts.write_bytes(before)
        deadline = time.monotonic() + 10
        while running.web("/healthz")[0] != 200:
            assert time.monotonic() < deadline, running.web("/healthz")
            time.sleep(0.1)


def test_what_cannot_be_followed_is_refused_at_once(tmp_path: Path, mounted: Path) -> None:
    missing = configuration(tmp_path, tmp_path / "nowhere")
    assert refused(tmp_path, missing) == (
        78,
        f"maysend serve: follow: there is no folder {tmp_path}/nowhere\n",
    )
    status, said = refused(
        tmp_path, configuration(tmp_path, mounted).replace("directory =", "#directory =")
    )
    assert (status, "is written into a directory: add" in said) == (78, True)
    status, said = refused(
        tmp_path,
        configuration(tmp_path, mounted).replace("docker_mailserver", "docker_mailservr"),
    )
    assert (status, "did you mean docker_mailserver?" in said) == (78, True)
