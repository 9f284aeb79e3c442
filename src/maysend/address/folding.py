"""Case folding of lookup keys and addresses, as casefold(3) of Postfix does it."""

from typing import Final

from maysend.address.characters import is_ascii

_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(text: str, *, utf8: bool = True) -> str:
    """Return `text` as tables are asked for it: Unicode case folding, or ASCII lower case.

    `utf8` is smtputf8_enable: without it only A to Z change. Never fails.
    """
    if is_ascii(text):
        return text.lower()
    if not utf8:
        return text.translate(_ASCII_LOWER)
    return text.casefold()
