"""Write docs/reference/ from docstrings, or with --check say which pages have drifted.

Each lookup table type's page is its module's docstring; the index pages come from the indexes
that the program itself uses, so that a new table or restriction can't be forgotten.
"""

import inspect
import sys
from importlib import import_module
from pathlib import Path

from maysend.lint.rules.index import RULES
from maysend.restrictions.index import RESTRICTIONS
from maysend.tables.index import TYPES

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
ARGUMENTS = {"table": "type:table", "word": "argument", "domain": "domain"}
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


def pages() -> dict[str, str]:
    """Path below docs/reference → its text."""
    return {**table_pages(), **rule_pages(), "restrictions.md": restriction_page()}


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them; 1 where one has drifted."""
    wanted = pages()
    existing = {
        str(path.relative_to(REFERENCE)): path.read_text() for path in REFERENCE.rglob("*.md")
    }
    if "--check" in arguments:
        drifted = sorted(
            name
            for name in wanted.keys() | existing.keys()
            if wanted.get(name) != existing.get(name)
        )
        for name in drifted:
            print(f"docs/reference/{name} has drifted: run `make docs`", file=sys.stderr)
        return 1 if drifted else 0
    for name in existing.keys() - wanted.keys():
        (REFERENCE / name).unlink()
    for name, text in wanted.items():
        (REFERENCE / name).parent.mkdir(parents=True, exist_ok=True)
        (REFERENCE / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
