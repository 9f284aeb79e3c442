"""An expanded value that remembers where each of its characters was written."""

from bisect import bisect_right

import msgspec

from maysend.maincf.place import DEFAULT_FILE, Place
from maysend.maincf.settings import Setting


class Piece(msgspec.Struct, frozen=True, gc=False):
    """A part of an expanded value: `text` is setting.raw from `offset` on.

    Without a setting it stands for what Postfix itself knows, such as "true".
    """

    text: str
    setting: Setting
    offset: int


class TracedText:
    """`text` is the expanded value; `place(offset)` is where that character was written."""

    __slots__ = ("_pieces", "_starts", "_whole", "text")

    def __init__(self, whole: Setting, pieces: list[Piece]) -> None:
        self.text = "".join([piece.text for piece in pieces])
        self._whole = whole
        self._pieces = pieces
        self._starts: list[int] = []
        start = 0
        for piece in pieces:
            self._starts.append(start)
            start += len(piece.text)

    def place(self, offset: int = 0) -> Place:
        """The file, line and column of the character at `offset`, also through `$name`.

        An offset at the end of the text, or an empty text, gives where the value itself stands.
        A default has a place with file "<default>" and line 0.
        """
        if not 0 <= offset < len(self.text):
            return self._whole.place_at(min(max(offset, 0), len(self._whole.raw)))
        index = bisect_right(self._starts, offset) - 1
        piece = self._pieces[index]
        return piece.setting.place_at(piece.offset + offset - self._starts[index])

    def __repr__(self) -> str:
        return f"TracedText({self.text!r}, {self.place() or DEFAULT_FILE})"
