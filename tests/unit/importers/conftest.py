"""A folder as docker-mailserver mounts it, and the directory that it is imported into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from maysend.directory import Directory
from tests.unit.directory.stores import postgresql_directories, store

__all__ = ["postgresql_directories", "store"]

HASH = "{SHA512-CRYPT}$6$rounds=1000$saltsalt$" + "x" * 86
FILES = {
    "postfix-accounts.cf": (
        f"# accounts\r\nbob@example.com|{HASH}\r\n"
        f"Alice@Example.com|{HASH}|quota_rule=*:storage=1G\n"
        f"\na@b@c|{HASH}\nno hash at all\nBOB@example.com|{HASH}\neve@example.com|{{NOPE}}x\n"
        "carol@example.com|{PLAIN}carols"
    ),
    "postfix-virtual.cf": (
        "sales@example.com bob@example.com,alice@example.com\n"
        "info@example.com\tsales@example.com\r\n"
        "@example.com carol@example.com\n"
        "news@other.example bob@example.com\n"
        "  carol@example.com\n"
        "fwd@example.com someone@gmail.example\n"
        "lonely@example.com\n"
        "x@@y bob@example.com\n"
    ),
    "postfix-regexp.cf": (
        "/^test[0-9]+@example\\.com$/ bob@example.com\n"
        "/^.*@example\\.com$/ alice@example.com\n"
        "/(/ bob@example.com\n"
        "if /x/\n"
    ),
    "postfix-aliases.cf": "abuse: carol@example.com\nprog: |/bin/true\n",
    "postfix-send-access.cf": "carol@example.com REJECT\nretired@example.com REJECT\nx@y OK\n",
    "postfix-receive-access.cf": "closed@example.com\t\tREJECT\n",
    "dovecot-quotas.cf": "bob@example.com:5G\n",
    "mailserver.env": (
        "# env\nSPOOF_PROTECTION=1\nPOSTMASTER_ADDRESS='bob@example.com'\r\nbroken line\n"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "config"
    made.mkdir()
    for name, content in FILES.items():
        (made / name).write_bytes(content.encode())
    return made


@pytest.fixture
def directory(store: str) -> Iterator[Directory]:
    with Directory.open(store, actor="tester") as opened:
        yield opened
