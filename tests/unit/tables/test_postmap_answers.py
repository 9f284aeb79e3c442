"""S1.2 (pcre part), S3.5: fixed cases with the answers that Postfix 3.7.11's postmap gave.

postmap_answers.json holds them: a table as `spec`, or as `type` and the content of its `file`, and
for each key the answer, null for "not found" or an error. Disagreements met by the random lookups
in tests/differential/tables end up here.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from maysend.tables import TableContext, TableError, open_table
from tests.unit.tables.asking import ask

CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("postmap_answers.json").read_text(encoding="utf-8")
)


def _name(case: dict[str, Any]) -> str:
    text: str = case.get("spec") or f"{case['type']}:{case['file']}"
    return text.encode("unicode_escape").decode()[:60]


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_s3_5_answers_as_postmap(case: dict[str, Any], tmp_path: Path) -> None:
    spec = case.get("spec")
    if spec is None:
        path = tmp_path / "table"
        path.write_bytes(case["file"].encode("utf-8", "surrogateescape"))
        spec = f"{case['type']}:{path}"
    context = TableContext(
        parameters={"smtputf8_enable": case.get("smtputf8_enable", "yes")}, asked_by="postmap"
    )
    answers = {key: ask(spec, key, context) for key in case["answers"]}
    assert answers == case["answers"]


def test_s1_2_pcre_answers_every_address_of_the_domain() -> None:
    table = open_table("pcre:{ {/.*@example.com/ admin} }", TableContext())
    assert table.lookup("Anyone@Example.COM") == "admin"
    assert table.lookup("anyone@example.net") is None
    assert table.pattern


def test_a_repeated_key_makes_a_text_file_unavailable_in_smtpd(tmp_path: Path) -> None:
    path = tmp_path / "senders"
    path.write_text("a 1\nb 2\nA 3\n")
    warnings: list[str] = []
    table = open_table(f"texthash:{path}", TableContext(warn=warnings.append))
    with pytest.raises(TableError, match='line 3: duplicate entry: "a"'):
        table.lookup("b")
    assert warnings == [f'texthash:{path}: {path}, line 3: duplicate entry: "a"']
