"""`$client`, `$sender_domain` and their like in the templates of replies.

Source: postconf(5) "default_rbl_reply", "smtpd_expansion_filter". Names may stand in conditions,
`${name?text}`, as in main.cf; one that does not exist is an error. `$localtime` is empty here:
restrictions read no clock.
"""

from collections.abc import Mapping

from maysend.maincf import Parameters
from maysend.maincf.expansion import Expansion
from maysend.maincf.place import Place
from maysend.maincf.settings import Setting
from maysend.restrictions.dialogue import Dialogue

_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_INSTEAD = ord("_")


class Macros:
    """Expands templates; values keep only the characters in $smtpd_expansion_filter."""

    def __init__(self, parameters: Parameters) -> None:
        self._server_name = parameters["myhostname"]
        self._allowed = _translation(parameters["smtpd_expansion_filter"])

    def expand(
        self,
        name: str,
        template: str,
        place: Place,
        dialogue: Dialogue,
        own: Mapping[str, str],
        *,
        lenient: bool = False,
    ) -> str:
        """The template that `name` gives, with the values of this dialogue and `own` ones.

        Raises MainCfError where it can't be expanded; where it is `lenient`, names that there are
        not stand for nothing.
        """
        values = {**self._values(dialogue), **own}

        def lookup(macro: str) -> Setting | None:
            value = values.get(macro)
            # The expansion would take a "$" in a value for a name.
            return None if value is None else Setting(macro, self._kept(value), place)

        pieces = Expansion(lookup, strict=not lenient).pieces(Setting(name, template, place))
        return "".join(piece.text for piece in pieces)

    def _kept(self, value: str) -> str:
        octets = value.encode("utf-8", "surrogateescape").translate(self._allowed)
        return octets.decode("utf-8", "surrogateescape").replace("$", "$$")

    def _values(self, dialogue: Dialogue) -> dict[str, str]:
        return {
            "client": dialogue.client,
            "client_address": dialogue.client_address,
            "client_name": dialogue.client_name,
            "client_port": dialogue.client_port or "0",
            "reverse_client_name": dialogue.reverse_client_name,
            "helo_name": dialogue.helo_name or "",
            "server_name": self._server_name,
            "localtime": "",
            **_address_values("sender", dialogue.sender),
            **_address_values("recipient", dialogue.recipient),
        }


def _address_values(name: str, address: str | None) -> dict[str, str]:
    if address is None:
        return {name: "", f"{name}_name": "", f"{name}_domain": ""}
    local, at, domain = address.rpartition("@")
    return {
        name: address or "<>",
        f"{name}_name": (local if at else domain) or "<>",
        f"{name}_domain": domain if at else "",
    }


def _translation(written: str) -> bytes:
    """What each octet becomes: itself where `written` has it, with C's escapes."""
    allowed = set()
    octets = written.encode("utf-8", "surrogateescape").decode("latin-1")
    position = 0
    while position < len(octets):
        character = octets[position]
        position += 1
        if character != "\\" or position == len(octets):
            allowed.add(ord(character))
            continue
        digits = octets[position : position + 3]
        digits = digits[: len(digits) - len(digits.lstrip("01234567"))]
        if digits:
            allowed.add(int(digits, 8) & 0xFF)
            position += len(digits)
        else:
            character = octets[position]
            allowed.add(_ESCAPES.get(character, ord(character)))
            position += 1
    return bytes(octet if octet in allowed else _INSTEAD for octet in range(256))
