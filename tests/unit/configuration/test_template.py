"""The maysend.toml that `maysend init` writes: every key is in it, and every line of it works."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from maysend.cli.init import init, template, template_beside_postfix
from maysend.cli.serve import serve
from maysend.directory import Directory
from maysend.policy import Policy
from maysend.servers.configuration import (
    Configuration,
    FollowSettings,
    LogSettings,
    MetricsSettings,
    read_configuration,
)
from maysend.servers.kinds import KINDS, settings_by_kind
from maysend.servers.submission.served import NextHopSettings

NOT_KEYS = {"file", "listeners"}


def test_every_key_is_described() -> None:
    text = files("maysend.servers.configuration").joinpath("maysend.toml").read_text()
    structs = [Configuration, LogSettings, MetricsSettings, FollowSettings, NextHopSettings]
    structs += [kind.settings for kind in KINDS.values()]
    for struct in structs:
        for key in set(struct.__struct_fields__) - NOT_KEYS:
            assert re.search(rf"^#?\[*(listener\.)?{key}( =|\])", text, re.MULTILINE), key
    for kind in KINDS:
        assert f'kind = "{kind}"' in text


def test_it_works_as_it_is_and_with_every_example(tmp_path: Path) -> None:
    file = tmp_path / "maysend.toml"
    file.write_text(template(tmp_path))
    as_it_is = read_configuration(file, settings_by_kind())
    assert [listener.kind for listener in as_it_is.listeners] == ["policy", "socketmap"]
    file.write_text(re.sub(r"^#(?=[a-z_\[])", "", template(tmp_path), flags=re.MULTILINE))
    everything = read_configuration(file, settings_by_kind())
    assert {listener.kind for listener in everything.listeners} == KINDS.keys()
    assert as_it_is.grace == everything.grace
    assert as_it_is.log == everything.log


def test_init_writes_it_once(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "place"
    said = CliRunner().invoke(init, [str(folder)])
    assert said.exit_code == 0, said.output
    assert "maysend account add" in said.output
    with Directory.open(folder / "maysend.db", create=False) as directory:
        assert directory.accounts.list() == []
    checked = CliRunner().invoke(serve, ["--check", "--config", str(folder / "maysend.toml")])
    assert checked.output.endswith("2 listeners, nothing is wrong\n")
    again = CliRunner().invoke(init, [str(folder)])
    assert again.exit_code == 73
    assert "is there already" in again.output


def test_beside_postfix_the_sockets_are_in_its_queue_directory(tmp_path: Path) -> None:
    (tmp_path / "maysend.toml").write_text(template_beside_postfix(Path("/var/spool/elsewhere")))
    configuration = read_configuration(tmp_path / "maysend.toml", settings_by_kind())
    assert [(door.address, door.group) for door in configuration.listeners] == [
        ("unix:/var/spool/elsewhere/private/maysend-policy", "postfix"),
        ("unix:/var/spool/elsewhere/private/maysend-socketmap", "postfix"),
    ]


@pytest.mark.skipif(Path("/etc/postfix/main.cf").exists(), reason="this host has a Postfix")
def test_init_beside_no_postfix_says_so_and_writes_nothing(tmp_path: Path) -> None:
    said = CliRunner().invoke(init, ["--postfix", str(tmp_path / "a")])
    assert said.exit_code == 73
    assert "there is no Postfix to be beside" in said.output
    assert not (tmp_path / "a").exists()


def test_init_writes_a_policy_to_change(tmp_path: Path) -> None:
    said = CliRunner().invoke(init, [str(tmp_path), "--policy"])
    assert said.exit_code == 0, said.output
    with Directory.open(tmp_path / "maysend.db") as directory:
        written = Policy.load(tmp_path / "policy", extra_tables=directory.table_types())
        assert "directory:owners" in written.parameters["smtpd_sender_login_maps"]
    (tmp_path / "maysend.toml").unlink()
    again = CliRunner().invoke(init, [str(tmp_path), "--policy"])
    assert again.exit_code == 73
    assert "policy/main.cf is there already" in again.output


def test_init_says_why_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = CliRunner().invoke(init, [str(tmp_path / "file" / "x")])
    assert said.exit_code == 73
    assert said.output.startswith("maysend init: ")


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_serve_without_a_configuration_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAYSEND_CONFIG", raising=False)
    said = CliRunner().invoke(serve, arguments)
    assert said.exit_code == 78
    assert "`maysend init` writes one" in said.output
