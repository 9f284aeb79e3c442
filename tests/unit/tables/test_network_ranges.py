"""S1.2 (cidr): the ranges of a table answer as the search of its rules, one after the other."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maysend.tables import TableContext
from maysend.tables.cidr import open_cidr

NETWORKS = (
    "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.7", "10.0.1.6/31",
    "128.0.0.0/1", "255.255.255.255", "0.0.0.0", "255.0.0.0/8", "192.168.0.0/16", "::/0", "::1",
    "::/127", "2001:db8::/32", "2001:db8:1::/48", "fe80::/10", "8000::/1",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:0:0/96",
)  # fmt: skip
ADDRESSES = (
    "0.0.0.0", "0.0.0.1", "9.255.255.255", "10.0.0.0", "10.0.0.255", "10.0.1.5", "10.0.1.6",
    "10.0.1.7", "10.0.1.8", "10.255.255.255", "11.0.0.0", "127.255.255.255", "128.0.0.0",
    "192.168.3.4", "254.255.255.255", "255.0.0.0", "255.255.255.254", "255.255.255.255", "::",
    "::1", "::2", "2001:db8::", "2001:db8:1::5", "2001:db9::", "fe80::1", "8000::", "7fff::",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.0.0.1", "", "x", "10.0.1", "10.0.1.7 ",
    "1.2.3.4\0", "é", "\udcff", "fe80::1%lo",
)  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> str:
    lines: list[str] = []
    for number in range(draw(st.integers(0, 14))):
        network = draw(st.sampled_from(("", "", "!"))) + draw(st.sampled_from(NETWORKS))
        shape = draw(st.sampled_from(("rule",) * 5 + ("if", "if", "endif")))
        lines.append({"rule": f"{network} {number}", "if": f"if {network}", "endif": shape}[shape])
    return "\n".join(lines) + "\n"


@settings(max_examples=1000, deadline=None)
@given(text=files())
def test_random_tables_answer_as_all_rules_do(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path: Path = tmp_path_factory.mktemp("networks") / "rules"
    path.write_text(text)
    table = open_cidr(str(path), TableContext())
    for key in ADDRESSES:
        assert table.lookup(key) == table.search_all(key), key


def test_many_networks() -> None:
    rules = " ".join(f"{{10.{n // 250}.{n % 250}.0/24 {n}}}" for n in range(20_000, 0, -1))
    table = open_cidr(f"{{ {rules}, {{10.0.0.0/8 rest}} }}", TableContext())
    assert table.lookup("10.79.249.255") == "19999"
    assert table.lookup("10.250.0.0") == "rest"
    assert table.lookup("11.0.0.0") is None
