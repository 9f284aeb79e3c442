"""The extension of an address, `bob+news@example.com` (recipient_delimiter in postconf(5))."""

from typing import Final

_NEVER_SPLIT: Final = ("postmaster", "mailer-daemon")


def split_extension(
    localpart: str,
    delimiters: str,
    *,
    double_bounce_sender: str = "double-bounce",
    owner_request_special: bool = True,
) -> tuple[str, str | None]:
    """Split a local part at its first recipient delimiter: `bob+news` gives ("bob", "news").

    `delimiters` is the value of recipient_delimiter, a set of characters; an empty one splits
    nothing. The second is None where there is no extension: without a delimiter, with one in front
    (the rest would have no name), for the addresses that a mail system needs whole, and for
    `owner-list` and `list-request` where "-" is a delimiter. As split_addr(3) of Postfix 3.7.
    """
    places = [place for place in map(localpart.find, delimiters) if place >= 0]
    at = min(places) if places else 0
    if at == 0 or _stays_whole(localpart, delimiters, double_bounce_sender, owner_request_special):
        return localpart, None
    return localpart[:at], localpart[at + 1 :]


def _stays_whole(
    localpart: str, delimiters: str, double_bounce_sender: str, owner_request_special: bool
) -> bool:
    name = localpart.lower()
    if name in _NEVER_SPLIT or name == double_bounce_sender.lower():
        return True
    if "-" not in delimiters or not owner_request_special:
        return False
    return name.startswith("owner-") or (name.endswith("-request") and len(name) > len("-request"))
