"""S3.5: unix: answers as the installed postmap does, for every user and group of this machine."""

import grp
import pwd
from collections.abc import Sequence
from pathlib import Path

import pytest

from maysend.tables import TableContext, TableError, open_table
from tests.differential.tables.postmap import Postmap, encoded

pytestmark = pytest.mark.needs_postfix

USERS = [user.pw_name for user in pwd.getpwall()]
GROUPS = [group.gr_name for group in grp.getgrall()]
ODD = ["", "ROOT", "Root", "root ", "root@example.com", "0", "root:x", "röt", "x" * 5000, "é"]


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("unix:passwd.byname", USERS),
        ("unix:group.byname", GROUPS),
        ("proxy:unix:passwd.byname", USERS),
    ],
)
def test_s3_5_unix_equals_postmap(tmp_path: Path, spec: str, names: Sequence[str]) -> None:
    keys = [*names, *ODD]
    table = open_table(spec, TableContext(asked_by="postmap"))
    ours = {key: answer for key in keys if (answer := table.lookup(key)) is not None}

    postmap = Postmap(tmp_path / "config", {"proxy_read_maps": spec})
    theirs, _ = postmap.ask_all(spec.removeprefix("proxy:"), keys)

    assert b"".join(encoded(f"{key}\t{ours[key]}\n") for key in keys if key in ours) == theirs
    assert len(ours) > len(names)


def test_s3_5_unknown_unix_table_as_in_postmap(tmp_path: Path) -> None:
    status, _, complaint = Postmap(tmp_path / "config", {}).ask("unix:hosts.byname", "root")
    assert status == 1
    assert b"unknown table" in complaint

    with pytest.raises(TableError, match=r"unknown table, expecting unix:passwd\.byname or"):
        open_table("unix:hosts.byname", TableContext(asked_by="postmap"))
