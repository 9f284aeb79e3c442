"""maysend.toml: what is wrong in it is told with file, line, key, and the key that was meant."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.servers.configuration import (
    Address,
    Configuration,
    ConfigurationError,
    read_configuration,
)
from maysend.servers.kinds import KINDS, settings_by_kind

SAMPLE = """\
directory = "sqlite:///d.db"
workers = 1

[log]
format = "text"
decisions = "decisions.jsonl"

[metrics]
address = "inet:127.0.0.1:9225"

[[listener]]
kind = "policy"
address = "unix:/run/maysend/policy"
mode = "0600"

# a comment with [brackets] and key = value
[[listener]]
kind = "socketmap"
address = "inet:127.0.0.1:2526"
connections = 10
"""


def read(text: str, folder: Path) -> Configuration:
    file = folder / "maysend.toml"
    file.write_text(text)
    return read_configuration(file, settings_by_kind())


def message(text: str, folder: Path) -> str:
    with pytest.raises(ConfigurationError) as raised:
        read(text, folder)
    return str(raised.value).removeprefix(f"{folder}/")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    configuration = read(SAMPLE, tmp_path)
    policy, socketmap = configuration.listeners
    assert (policy.name, policy.endpoint, policy.permissions) == (
        "policy",
        Address(path="/run/maysend/policy"),
        0o600,
    )
    assert (socketmap.name, socketmap.connections) == ("socketmap", 10)
    assert configuration.path("x") == tmp_path / "x"
    assert configuration.metrics_address == Address(host="127.0.0.1", port=9225)


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("workers = 1", "workers =", "2: no TOML: invalid value"),
        ("workers = 1", "worker = 1", "2: worker: no such key, did you mean workers?"),
        ("workers = 1", "zzz = 1", "2: zzz: no such key"),
        ("workers = 1", 'workers = "1"', "2: workers: expected a whole number, got a text in"),
        ("workers = 1", "workers = 0", "2: workers: expected 1 or more"),
        ("workers = 1", "grace = -1", "2: grace: expected seconds, 0 or more"),
        ("workers = 1", "directory = 2", "2: no TOML: cannot overwrite a value"),
        ("[log]", "[lag]", "4: lag: no such key, did you mean log?"),
        ('"text"', '"xml"', "5: log.format: invalid enum value 'xml'"),
        ("decisions =", "decision =", "6: decision: no such key in [log], did you mean"),
        ("inet:127.0.0.1:9225", "unix:/x", '9: address: expected "inet:host:port"'),
        ("inet:127.0.0.1:9225", ":9225", '9: address: expected "unix:/path" or "inet:host:port"'),
        ('kind = "policy"', "", "11: a listener without a kind: add kind = one of"),
        ('"policy"', '"polcy"', "12: kind: no such kind of listener: 'polcy', did you mean policy"),
        ("unix:/run", "/run", '13: address: expected "unix:/path" or "inet:host:port", got'),
        ("unix:/run", "unix:run", '13: address: expected an absolute path, as in "unix:/run/'),
        ('address = "unix:/run/maysend/policy"', "", "11: address is missing here"),
        ("mode", "mood", "14: mood: no such key in [listener], did you mean mode?"),
        ('"0600"', '"rw"', '14: mode: expected an octal mode such as "0660", got "rw"'),
        ('"0600"', '"0999"', "14: mode: expected an octal mode"),
        ("mode", 'service = "submission"\nmode', "14: service: needs postfix ="),
        ('"socketmap"', '"socketmap"\nname = "policy"', '19: name: two listeners are "policy"'),
        (
            "inet:127.0.0.1:2526",
            "unix:/run/maysend/policy",
            '19: address: "policy" listens on unix:/run/maysend/policy already',
        ),
        (":2526", ":70000", "19: address: expected a port number from 0 to 65535"),
        ("inet:127.0.0.1:2526", "inet:::1:25", "19: address: an IPv6 address stands in brackets"),
        ("connections = 10", "connections = 0", "20: connections: expected 1 or more, got 0"),
        ("connections = 10", "connections = [1]", "20: connections: expected a whole number, got"),
        ("[[listener]]\nkind", "[listener]\nkind", "no TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, wanted: str
) -> None:
    assert old in SAMPLE
    said = message(SAMPLE.replace(old, new, 1), tmp_path)
    assert said.startswith("maysend.toml:")
    assert wanted in said


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_configuration(tmp_path / "none.toml", settings_by_kind())
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="expected UTF-8 text"):
        read_configuration(tmp_path / "binary.toml", settings_by_kind())


@given(st.text(max_size=80) | st.lists(st.sampled_from(SAMPLE.splitlines())).map("\n".join))
def test_no_text_is_more_than_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("configuration")
    with suppress(ConfigurationError):  # and nothing else
        read(text.encode("utf-8", "replace").decode(), folder)


def test_every_kind_is_known_by_its_name() -> None:
    assert all(name.islower() for name in KINDS)
