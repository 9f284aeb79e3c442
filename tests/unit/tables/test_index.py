"""S3.5, S5.3: which table types exist, what is said about the others, and what all tables do."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from maysend.tables import LookupTable, TableContext, TableError, open_table
from maysend.tables.index import MAX_DEPTH, TYPES, opener_of

SECTIONS = (
    "What it does", "Arguments", "Replies", "Errors", "Example", "Source",
)  # fmt: skip


@pytest.mark.parametrize("type_name", TYPES)
def test_every_line_of_the_index_leads_to_an_opener(type_name: str) -> None:
    assert callable(opener_of(type_name))


@pytest.mark.parametrize("type_name", TYPES)
def test_the_docstring_of_a_type_is_its_manual_page(type_name: str) -> None:
    page = import_module(TYPES[type_name].split(":")[0]).__doc__ or ""
    assert page.startswith(f"# {type_name}: ")
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert headings == list(SECTIONS)


def _refusal(spec: str) -> str:
    warnings: list[str] = []
    table = open_table(spec, TableContext(warn=warnings.append))
    with pytest.raises(TableError) as error:
        table.lookup("a")
    assert warnings == [str(error.value)]
    return warnings[0]


_PACKAGES = {"ldap": "postfix-ldap", "mysql": "postfix-mysql", "pgsql": "postfix-pgsql"}


def test_s5_3_a_type_of_postfix_that_is_not_here_says_so_and_what_to_install() -> None:
    for type_name in {*_PACKAGES, "cdb", "memcache", "nis", "socketmap", "tcp"} - set(TYPES):
        text = _refusal(f"{type_name}:/etc/postfix/x.cf")
        assert f"unsupported dictionary type: {type_name}" in text
        assert "maysend has none in this version" in text
        assert _PACKAGES.get(type_name, "") in text


def test_s3_5_an_unknown_type_says_which_types_exist() -> None:
    text = _refusal("hsah:/etc/postfix/access")
    assert "unsupported dictionary type: hsah: no such table type" in text
    assert all(type_name in text for type_name in TYPES)
    assert "postconf -m" in text


def test_a_table_without_a_type_is_of_the_default_type(tmp_path: Path) -> None:
    path = tmp_path / "access"
    path.write_text("a b\n")
    context = TableContext(parameters={"default_database_type": "texthash"})
    assert open_table(str(path), context).lookup("a") == "b"


@pytest.mark.parametrize("spec", ["", ":", "inline:", ":x"])
def test_a_spec_without_type_or_name_is_refused(spec: str) -> None:
    assert 'expecting "type:name"' in _refusal(spec)


def test_postmap_refuses_to_open_a_broken_table_at_any_depth() -> None:
    with pytest.raises(TableError, match="unsupported dictionary type: nope"):
        open_table("unionmap:{static:a, proxy:nope:x}", TableContext(asked_by="postmap"))


def test_smtpd_notices_a_broken_member_only_when_it_is_asked() -> None:
    table = open_table("pipemap:{inline:{a=b}, nope:x}", TableContext())
    assert table.lookup("c") is None
    with pytest.raises(TableError):
        table.lookup("a")


def test_tables_nest_only_so_deep() -> None:
    spec = "static:x"
    for _ in range(MAX_DEPTH - 1):
        spec = f"unionmap:{{{spec}}}"
    assert open_table(spec, TableContext()).lookup("a") == "x"
    text = _refusal(f"unionmap:{{{spec}}}")
    assert f"more than {MAX_DEPTH} deep" in text


def test_types_of_a_higher_floor_come_in_through_the_context() -> None:
    class Owners:
        spec = "directory:owners"
        pattern = True
        blocking = False

        def lookup(self, key: str, /) -> str | None:
            return f"owner of {key}"

    def open_owners(name: str, context: TableContext) -> LookupTable:
        assert name == "owners"
        return Owners()

    context = TableContext(extra_types={"directory": open_owners})
    table = open_table("unionmap:{directory:owners, static:x}", context)
    assert table.pattern
    assert table.lookup("A@b") == "owner of A@b,x"


@pytest.mark.parametrize(
    ("spec", "pattern"),
    [
        ("static:x", False), ("inline:{a=b}", False), ("internal:x", False), ("environ:x", False),
        ("pcre:{{/a/ b}}", True), ("regexp:{{/a/ b}}", True), ("cidr:{{::/0 b}}", True),
        ("randmap:{x}", True), ("fail:x", True),
        ("unionmap:{pcre:{{/a/ b}}, inline:{a=b}}", True),
        ("unionmap:{inline:{a=b}, pcre:{{/a/ b}}}", False),
        ("pipemap:{fail:x, inline:{a=b}}", True), ("proxy:cidr:{{::/0 b}}", True),
    ],
)  # fmt: skip
def test_pattern_tables_are_told_apart_and_a_list_is_like_its_first_member(
    spec: str, pattern: bool
) -> None:
    assert open_table(spec, TableContext()).pattern is pattern
    assert open_table(spec, TableContext()).spec == spec


def test_randmap_chooses_every_answer_by_its_weight() -> None:
    table = open_table("randmap:{a, a, a, b}", TableContext())
    answers = [table.lookup("x") for _ in range(2000)]
    assert set(answers) == {"a", "b"}
    assert 1300 < answers.count("a") < 1700


def test_no_table_module_does_anything_when_it_is_imported() -> None:
    for path in Path(import_module("maysend.tables").__file__ or "").parent.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            assert not isinstance(node, ast.Expr) or isinstance(node.value, ast.Constant), path
