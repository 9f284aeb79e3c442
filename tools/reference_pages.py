"""Write docs/reference/ from docstrings and docs/schema/ from types, or with --check say what of it
has drifted.

Each lookup table type's page is its module's docstring; the index pages come from the indexes
that the program itself uses, so that a new table or restriction can't be forgotten.
"""

import inspect
import json
import sys
from importlib import import_module
from pathlib import Path

from maysend.cases.written import json_schema as case_file_schema
from maysend.cli.explanation_json import json_schema as explanation_schema
from maysend.cli.results_formats import json_schema as test_report_schema
from maysend.lint.rules.index import RULES
from maysend.restrictions.index import RESTRICTIONS
from maysend.tables.index import TYPES

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
ARGUMENTS = {"table": "type:table", "word": "argument", "domain": "domain"}
OWN = ("reject_header_from_login_mismatch",)
"""Restrictions that postconf(5) does not describe."""
NOTE = "<!-- Written by `make docs` from the source. Change it there. -->\n\n"


def table_pages() -> dict[str, str]:
    """One page a table type, and an index of them."""
    pages = {}
    rows = []
    for name, target in TYPES.items():
        module = import_module(target.split(":")[0])
        text = inspect.cleandoc(module.__doc__ or "")
        pages[f"tables/{name}.md"] = f"{NOTE}{text}\n"
        title = text.splitlines()[0].lstrip("# ").partition(":")[2].strip()
        rows.append(f"- [`{name}`]({name}.md): {title}")
    pages["tables/README.md"] = f"{NOTE}# Lookup tables\n\n" + "\n".join(rows) + "\n"
    return pages


def restriction_page() -> str:
    """All restrictions, each with the first sentence of what compiles it."""
    rows = []
    for name, restriction in sorted(RESTRICTIONS.items()):
        text = inspect.cleandoc(restriction.compile.__doc__ or "Not available in this version.")
        argument = f" *{ARGUMENTS[restriction.argument]}*" if restriction.argument else ""
        rows.append(f"- `{name}`{argument}: {' '.join(text.split(chr(10) * 2)[0].split())}")
    return f"{NOTE}# Restrictions\n\nSource: postconf(5).\n\n" + "\n".join(rows) + "\n"


def rule_pages() -> dict[str, str]:
    """One page a rule of lint, and an index of them."""
    pages = {}
    rows = []
    for code, rule in RULES.items():
        text = inspect.cleandoc(rule.page())
        title = text.splitlines()[0].partition(":")[2].strip()
        pages[f"rules/{code}.md"] = f"{NOTE}{text.replace('# ', f'# {code} ', 1)}\n"
        rows.append(f"- [{code} {rule.name}]({code}.md) ({rule.severity.value}): {title}")
    pages["rules/README.md"] = f"{NOTE}# Rules of lint\n\n" + "\n".join(rows) + "\n"
    return pages


def own_restriction_pages() -> dict[str, str]:
    """A page for each restriction that Postfix has not: its module's docstring."""
    found = {}
    for name in OWN:
        module = import_module(RESTRICTIONS[name].compile.__module__)
        found[f"restrictions/{name}.md"] = f"{NOTE}{inspect.cleandoc(module.__doc__ or '')}\n"
    return found


def schemas() -> dict[str, str]:
    """JSON Schemas of what users write and programs read, from the very types that do it."""
    described = {
        "case-file": case_file_schema(),
        "explanation": explanation_schema(),
        "test-report": test_report_schema(),
    }
    return {
        f"{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in described.items()
    }


def pages() -> dict[str, str]:
    """Path below docs → its text."""
    reference = {
        **table_pages(),
        **rule_pages(),
        **own_restriction_pages(),
        "restrictions.md": restriction_page(),
    }
    return {
        **{f"reference/{name}": text for name, text in reference.items()},
        **{f"schema/{name}": text for name, text in schemas().items()},
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them; 1 where one has drifted."""
    wanted = pages()
    existing = {
        str(path.relative_to(DOCS)): path.read_text()
        for folder in ("reference", "schema")
        for path in (DOCS / folder).rglob("*")
        if path.is_file()
    }
    if "--check" in arguments:
        drifted = sorted(
            name
            for name in wanted.keys() | existing.keys()
            if wanted.get(name) != existing.get(name)
        )
        for name in drifted:
            print(f"docs/{name} has drifted: run `make docs`", file=sys.stderr)
        return 1 if drifted else 0
    for name in existing.keys() - wanted.keys():
        (DOCS / name).unlink()
    for name, text in wanted.items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
