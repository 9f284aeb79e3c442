"""Berkeley DB 5.3 files, read without the library: the pages that hash and btree files share.

Layouts follow the library's db_page.h. Every page that is used is checked first, so that a damaged
file ends in an error, and never in a loop.
"""

from fcntl import LOCK_NB, LOCK_SH, LOCK_UN, flock
from struct import Struct

import msgspec

from maysend.tables.database_file import CorruptError, DatabaseFile

PAGE_HEADER = 26
OVERFLOW_PAGE = 7
UNWRITTEN_PAGE = 0
"""A page that was set aside and never used; all of it is zero."""

_META_SIZE = 512
_SIZES = frozenset(1 << power for power in range(9, 17))  # DB_MIN_PGSIZE … DB_MAX_PGSIZE


def whole_file_lock(descriptor: int, wanted: bool) -> None:
    """The lock on Berkeley DB files: flock(2)."""
    flock(descriptor, LOCK_SH | LOCK_NB if wanted else LOCK_UN)


class Layout:
    """The fixed structures, in the byte order of the machine that wrote the file."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.number = Struct(f"{order}I")
        self.short = Struct(f"{order}H")
        self.meta = Struct(f"{order}8xIIIIBBBxII")
        self.page = Struct(f"{order}8xIIIHHBB")


_LAYOUTS = (Layout("<"), Layout(">"))


class Meta(msgspec.Struct, frozen=True):
    """The first page: what kind of file it is and how large its pages are."""

    layout: Layout
    raw: bytes
    version: int
    page_size: int
    kind: int
    last_page: int

    def number(self, offset: int) -> int:
        """The 32-bit number at `offset` of the first page."""
        value: int = self.layout.number.unpack_from(self.raw, offset)[0]
        return value


class Page(msgspec.Struct, frozen=True):
    """One page: its header, and where its items start."""

    number: int
    following: int
    kind: int
    level: int
    data_end: int
    raw: bytes
    offsets: tuple[int, ...]


class Database:
    """A Berkeley DB file of one kind, told by its `magic` number. Raises OSError, CorruptError."""

    def __init__(self, path: str, magic: int) -> None:
        self.file = DatabaseFile(path, whole_file_lock)
        self._magic = magic
        with self.file.locked():
            self.meta()

    def meta(self) -> Meta:
        """Read the first page. Raises CorruptError."""
        raw = self.file.read(0, _META_SIZE)
        for layout in _LAYOUTS:
            number, magic, version, page_size, encryption, kind, flags, _, last_page = (
                layout.meta.unpack_from(raw)
            )
            if magic != self._magic or number != 0:
                continue
            if page_size not in _SIZES or encryption or flags:
                raise CorruptError("encrypted, checksummed, partitioned or damaged first page")
            if (last_page + 1) * page_size > self.file.size:
                raise CorruptError("the file is shorter than its first page says")
            return Meta(layout, raw, version, page_size, kind, last_page)
        raise CorruptError("unexpected file type or format")

    def page(self, meta: Meta, number: int, kinds: tuple[int, ...]) -> Page:
        """Read page `number`, which has to be one of `kinds`. Raises CorruptError."""
        if not 0 < number <= meta.last_page:
            raise CorruptError(f"page {number} does not exist")
        raw = self.file.read(number * meta.page_size, meta.page_size)
        own, _, following, entries, data_end, level, kind = meta.layout.page.unpack_from(raw)
        unwritten = kind == UNWRITTEN_PAGE and own == 0
        if kind not in kinds or not (own == number or unwritten):
            raise CorruptError(f"page {number} is not of the kind expected there")
        if kind == OVERFLOW_PAGE:
            entries = 0  # here it counts references
        if PAGE_HEADER + 2 * entries > meta.page_size:
            raise CorruptError(f"page {number} has more items than fit")
        offsets = Struct(f"{meta.layout.order}{entries}H").unpack_from(raw, PAGE_HEADER)
        return Page(number, following, kind, level, data_end, raw, offsets)

    def overflow(self, meta: Meta, first: int, size: int) -> bytes:
        """The item of `size` bytes that starts on overflow page `first`. Raises CorruptError."""
        if size > (meta.last_page + 1) * meta.page_size:
            raise CorruptError(f"an item of {size} bytes is larger than the file")
        pieces: list[bytes] = []
        left = size
        number = first
        while left > 0:
            page = self.page(meta, number, (OVERFLOW_PAGE,))
            if not 0 < page.data_end <= min(left, meta.page_size - PAGE_HEADER):
                raise CorruptError(f"overflow page {number} has the wrong length")
            pieces.append(page.raw[PAGE_HEADER : PAGE_HEADER + page.data_end])
            left -= page.data_end
            number = page.following
        return b"".join(pieces)
