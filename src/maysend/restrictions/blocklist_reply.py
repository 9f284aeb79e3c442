"""What a client is told that a list in DNS names: rbl_reply_maps, default_rbl_reply.

A template expands to a reply code, an optional enhanced status code and text; one that does not
begin with a code gives "450 4.7.1 Service unavailable". Names beside those of `reply_macros`:
`$rbl_code`, `$rbl_domain`, `$rbl_reason` (also `$rbl_txt`), `$rbl_what`, `$rbl_class`. Source:
postconf(5).
"""

import re
from collections.abc import Sequence

from maysend.dns import Record
from maysend.maincf import MainCfError, Place
from maysend.restrictions.address_lookup import find
from maysend.restrictions.evaluation import Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.replies import split_enhanced_status, status_for
from maysend.restrictions.reply_macros import Macros
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable, TableError

LONGEST_REASON = 500
BETWEEN_TEXTS = " / "
DEFAULT = "default_rbl_reply"
MAPS = "rbl_reply_maps"
_REPLY = re.compile(r"([45][0-9]{2}) +(.*)", re.ASCII | re.DOTALL)


class BlocklistReply:
    """The reply for a client, name or address that a list names."""

    def __init__(self, site: Site) -> None:
        self._code = site.code("maps_rbl_reject_code")
        self._maps: tuple[OpenedTable, ...] = site.tables(MAPS)
        self._default = site.parameters[DEFAULT]
        self._place: Place = site.parameters.traced(DEFAULT).place(0)
        self._macros = Macros(site.parameters)

    def refuse(
        self, evaluation: Evaluation, written: str, what: str, words: str, reason: str
    ) -> Outcome:
        """Refuse `what` for the list as `written`, its filter included."""
        own = {
            "rbl_code": str(self._code),
            "rbl_domain": written.partition("=")[0],
            "rbl_reason": reason,
            "rbl_txt": reason,
            "rbl_what": what,
            "rbl_class": words,
        }
        match = _REPLY.match(self._text(evaluation, written, own))
        if match is None:
            evaluation.note("the reply template gives no reply code")
            return evaluation.refuse(450, "4.7.1", "Service unavailable")
        code = int(match[1])
        default = "4.7.1" if code < 500 else "5.7.1"
        status, text = split_enhanced_status(match[2], default)
        return evaluation.refuse(code, status_for(words, status), text)

    def _text(self, evaluation: Evaluation, written: str, own: dict[str, str]) -> str:
        try:
            template = find(evaluation.lookup, self._maps, (written, False))
        except TableError:
            return evaluation.server_fault()
        dialogue = evaluation.dialogue
        if template is not None:
            try:
                return self._macros.expand(MAPS, template, Place(MAPS, 0), dialogue, own)
            except MainCfError as error:
                evaluation.note(f"{MAPS}: {error.message}: {DEFAULT} instead")
        try:
            return self._macros.expand(DEFAULT, self._default, self._place, dialogue, own)
        except MainCfError as error:
            return evaluation.server_fault(f"{DEFAULT}: {error.message}")


def joined_texts(records: Sequence[Record]) -> str:
    """The TXT records of a list, in ASCII, as one text: as much of them as smtpd keeps."""
    text = ""
    for number, record in enumerate(records):
        room = LONGEST_REASON - len(text)
        if room <= 0:
            break
        if number and room > len(BETWEEN_TEXTS):
            text += BETWEEN_TEXTS
            room -= len(BETWEEN_TEXTS)
        text += record.data[:room]
    return text
