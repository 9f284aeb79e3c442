"""What is added to every 4xx and 5xx reply: smtpd_reject_footer, smtpd_reject_footer_maps.

A template from the maps, which are asked for the whole reply, or else the parameter. `\\c` at its
begin goes on in the line of the reply, `\\n` begins a new line; names are those of reply templates,
`$client_address` and the like. A decision has no footer: smtpd adds it where it writes replies, and
so does whoever answers clients here. Source: postconf(5).
"""

from collections.abc import Sequence

from maysend.maincf import MainCfError, Place
from maysend.restrictions.address_lookup import find
from maysend.restrictions.dialogue import Dialogue
from maysend.restrictions.reply_macros import Macros
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable, TableError

FOOTER = "smtpd_reject_footer"
MAPS = "smtpd_reject_footer_maps"


class RejectFooter:
    """The footers of one site. It asks tables, which may take its time."""

    def __init__(self, site: Site) -> None:
        self._maps = site.tables(MAPS)
        self._template = site.parameters[FOOTER]
        self._macros = Macros(site.parameters)
        self.exists = bool(self._maps) or bool(self._template)
        self.blocking = any(table.blocking for table in self._maps)

    def added_to(
        self, code: int, lines: Sequence[str], dialogue: Dialogue, localtime: str
    ) -> tuple[str, ...]:
        """The lines of a reply, each without its code, with what the footer adds.

        `localtime` is the server's, as "Jan  4 15:42:00". A footer that can't be had is left out.
        """
        reply = tuple(lines)
        template = self._template_for(f"{code} {reply[-1]}") if code >= 400 else ""
        if not template:
            return reply
        try:
            text = self._macros.expand(
                FOOTER, template, Place(FOOTER, 0), dialogue, {"localtime": localtime}, lenient=True
            )
        except MainCfError:
            return reply
        status = _status(reply[-1])
        if text.startswith("\\c"):
            first, *rest = text[2:].split("\\n")
            return (*reply[:-1], reply[-1] + first, *(status + line for line in rest))
        return (*reply, *(status + line for line in text.split("\\n")))

    def _template_for(self, reply: str) -> str:
        try:
            return find(_ask, self._maps, (reply, False)) or self._template
        except TableError:
            return self._template


def _ask(table: OpenedTable, key: str) -> str | None:
    return table.lookup(key)


def _status(line: str) -> str:
    """The enhanced status code that a line begins with, and a space; "" where it has none."""
    word = line.partition(" ")[0]
    return f"{word} " if word[:1] in "45" and word.replace(".", "").isdigit() else ""
