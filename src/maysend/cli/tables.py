"""maysend tables: the lookup table types, and which of them can be used here."""

import json
import textwrap
from importlib import import_module

import click
import msgspec

from maysend.tables.drivers import DRIVERS
from maysend.tables.index import TYPES
from maysend.tables.unsupported import INSTEAD

_WIDTH = 79
_NAMES = 12
_DIRECTORY = ("directory", "maysend's own directory: owners, accounts, aliases and more")


class TableType(msgspec.Struct, frozen=True):
    """One type: what it is, and what to do to use it; `missing` is empty where it can be used."""

    name: str
    what: str
    missing: str = ""

    def lines(self) -> str:
        """As a user reads it."""
        text = self.what if not self.missing else f"{self.what}; not usable here: {self.missing}"
        return "\n".join(
            textwrap.wrap(
                f"{self.name:<{_NAMES}}{text}",
                _WIDTH,
                subsequent_indent=" " * _NAMES,
                break_on_hyphens=False,
            )
        )


@click.command()
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text")
def tables(form: str) -> None:
    """List the lookup table types, as "postconf -m" does, each with what it is.

    Types that can't be used here say what to install or to use instead. The pages under
    docs/reference describe each type.

    \b
    maysend tables
    maysend tables --format json
    """
    types = sorted([*_known(), *_unknown()], key=lambda found: found.name)
    if form == "json":
        click.echo(json.dumps(msgspec.to_builtins(types), indent=2))
        return
    for found in types:
        click.echo(found.lines())


def _known() -> list[TableType]:
    known = [TableType(*_DIRECTORY)]
    for name, where in TYPES.items():
        page = import_module(where.partition(":")[0]).__doc__ or ""
        what = page.partition("\n")[0].partition(": ")[2]
        missing = DRIVERS[name].missing() if name in DRIVERS else ""
        known.append(TableType(name, what, missing))
    return known


def _unknown() -> list[TableType]:
    return [TableType(name, "a type of Postfix", text) for name, text in INSTEAD.items()]
