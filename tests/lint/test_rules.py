"""Each rule's cases: configurations where it fires, and where it must not.

`rules/MSnnn.toml` holds the cases of one rule: files of a configuration directory, with
`$config_directory` for its path, and `finds`, the findings of that rule as "file:line" or
"file:line what is marked there". Nothing in `finds` means that the rule must not fire.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from maysend.lint import Configuration, lint
from maysend.lint.rules.index import RULES

RULE_FILES = sorted((Path(__file__).parent / "rules").glob("*.toml"))
ALWAYS = """
compatibility_level = 3.6
myhostname = mail.example.com
mydomain = example.com
myorigin = example.com
mydestination = example.com, localhost
mynetworks = 127.0.0.0/8
local_recipient_maps =
"""


def _cases() -> list[Any]:
    return [
        pytest.param(file.stem, case, id=f"{file.stem}: {case['name']}")
        for file in RULE_FILES
        for case in tomllib.loads(file.read_text())["case"]
    ]


@pytest.mark.parametrize(("code", "case"), _cases())
def test_a_rule_fires_where_it_must_and_nowhere_else(
    code: str, case: dict[str, Any], tmp_path: Path
) -> None:
    directory = str(tmp_path)
    (tmp_path / "main.cf").write_text(ALWAYS.lstrip() + _filled(case["main_cf"], directory))
    for name, text in case.get("files", {}).items():
        (tmp_path / name).write_text(_filled(text, directory))
    for name, mode in case.get("modes", {}).items():
        (tmp_path / name).chmod(int(mode, 8))
    findings = lint(Configuration(tmp_path), [code])
    found = [
        f"{Path(f.problem.place.file).name}:{f.problem.place.line} "
        + f.problem.written.replace(directory, "$config_directory")
        for f in findings
        if f.code == code
    ]
    wanted = [_from_own_lines(text) for text in case.get("finds", [])]
    assert len(found) == len(wanted), found
    for have, want in zip(found, wanted, strict=True):
        assert have.startswith(want), found
    if case.get("example") is not None:
        answers = [f.problem.example.answer for f in findings if f.problem.example]
        assert any(case["example"] in answer for answer in answers), answers
    if case.get("fix") is not None:
        fixes = [f.problem.fix.replace(directory, "$config_directory") for f in findings]
        assert case["fix"] in fixes, fixes
    if "possible" in case:
        assert [f.problem.possible for f in findings] == [case["possible"]] * len(findings)


def _filled(text: str, directory: str) -> str:
    return text.lstrip().replace("$config_directory", directory)


def _from_own_lines(finds: str) -> str:
    """Line numbers of main.cf count from the case's own first line."""
    file, _, rest = finds.partition(":")
    if file != "main.cf":
        return finds
    number, space, marked = rest.partition(" ")
    return f"main.cf:{int(number) + ALWAYS.strip().count(chr(10)) + 1}{space}{marked}"


def test_every_rule_has_a_case_where_it_fires_and_one_where_it_must_not() -> None:
    for code in RULES:
        file = Path(__file__).parent / "rules" / f"{code}.toml"
        assert file.exists(), f"no cases for {code}"
        cases = tomllib.loads(file.read_text())["case"]
        assert any(case.get("finds") for case in cases), code
        assert any(not case.get("finds") for case in cases), code
