"""Looking up one key in a Berkeley DB btree file."""

from collections.abc import Iterator

from maysend.tables.berkeley import PAGE_HEADER, Database, Meta, Page
from maysend.tables.database_file import CorruptError

MAGIC = 0x053162

_META_KIND = 9
_INTERNAL_PAGE = 3
_LEAF_PAGE = 5
_PAGES = (_INTERNAL_PAGE, _LEAF_PAGE)
_KEY_DATA = 1
_OVERFLOW = 3
_DELETED = 0x80
_ROOT = 88
_VERSIONS = (8, 9, 10)


def find(database: Database, key: bytes) -> bytes | None:
    """The value of `key`, None where it is not there. Raises CorruptError."""
    meta = database.meta()
    _check(meta)
    page = database.page(meta, meta.number(_ROOT), _PAGES)
    while page.kind == _INTERNAL_PAGE:
        child = database.page(meta, _child(database, meta, page, key), _PAGES)
        if child.level >= page.level:  # levels count down to the leaves, so this can't loop
            raise CorruptError(f"page {child.number} is on the wrong level")
        page = child
    return _in_leaf(database, meta, page, key)


def contents(database: Database) -> dict[bytes, bytes] | None:
    """All that find() finds. Raises CorruptError. None where keys are not in their order."""
    meta = database.meta()
    _check(meta)
    root = database.page(meta, meta.number(_ROOT), _PAGES)
    entries: dict[bytes, bytes] = {}
    before: bytes | None = None
    for page in _leaves(database, meta, root):
        for index in range(0, len(page.offsets) - 1, 2):
            key = _leaf_item(database, meta, page, page.offsets[index])
            if before is not None and key <= before:
                return None
            before = key
            if not _byte(page, page.offsets[index + 1] + 2) & _DELETED:
                entries[key] = _leaf_item(database, meta, page, page.offsets[index + 1])
    return entries


def _leaves(database: Database, meta: Meta, page: Page) -> Iterator[Page]:
    """The leaves below `page`, in order; each is where the search for its keys ends."""
    if page.kind == _LEAF_PAGE:
        yield page
        return
    for offset in page.offsets:
        child = database.page(meta, _number(meta, page, offset + 4), _PAGES)
        if child.level >= page.level:
            raise CorruptError(f"page {child.number} is on the wrong level")
        yield from _leaves(database, meta, child)


def _check(meta: Meta) -> None:
    if meta.kind != _META_KIND or meta.version not in _VERSIONS:
        raise CorruptError(f"btree format version {meta.version} is not supported")


def _child(database: Database, meta: Meta, page: Page, key: bytes) -> int:
    """The page below whose keys start at or before `key`; the first key counts as smallest."""
    if not page.offsets:
        raise CorruptError(f"page {page.number} is empty")
    low, high = 0, len(page.offsets)
    while high - low > 1:
        middle = (low + high) // 2
        if _internal_key(database, meta, page, middle) <= key:
            low = middle
        else:
            high = middle
    return _number(meta, page, page.offsets[low] + 4)


def _in_leaf(database: Database, meta: Meta, page: Page, key: bytes) -> bytes | None:
    """Leaves hold key, value, key, value …, sorted by key."""
    low, high = 0, len(page.offsets) // 2
    while low < high:
        middle = (low + high) // 2
        found = _leaf_item(database, meta, page, page.offsets[2 * middle])
        if found == key:
            if _byte(page, page.offsets[2 * middle + 1] + 2) & _DELETED:
                return None
            return _leaf_item(database, meta, page, page.offsets[2 * middle + 1])
        if found < key:
            low = middle + 1
        else:
            high = middle
    return None


def _internal_key(database: Database, meta: Meta, page: Page, index: int) -> bytes:
    """The key of a BINTERNAL: length, kind, page below, record count, then the key itself."""
    offset = page.offsets[index]
    return _content(database, meta, page, offset, data_offset=offset + 12)


def _leaf_item(database: Database, meta: Meta, page: Page, offset: int) -> bytes:
    """A BKEYDATA (length, kind, content) or a BOVERFLOW."""
    return _content(database, meta, page, offset, data_offset=offset + 3)


def _content(database: Database, meta: Meta, page: Page, offset: int, *, data_offset: int) -> bytes:
    kind = _byte(page, offset + 2) & ~_DELETED
    if kind == _OVERFLOW:
        # On an internal page the BOVERFLOW is the content, on a leaf it is the item itself.
        overflow = data_offset if page.kind == _INTERNAL_PAGE else offset
        first, size = _number(meta, page, overflow + 4), _number(meta, page, overflow + 8)
        return database.overflow(meta, first, size)
    if kind != _KEY_DATA:
        raise CorruptError("an item of a kind that postmap does not write")
    (length,) = meta.layout.short.unpack_from(page.raw, offset)
    content = page.raw[data_offset : data_offset + length]
    if len(content) < length:
        raise CorruptError(f"an item reaches over the end of page {page.number}")
    return content


def _byte(page: Page, offset: int) -> int:
    if not PAGE_HEADER <= offset < len(page.raw):
        raise CorruptError(f"an item of page {page.number} lies outside of it")
    return page.raw[offset]


def _number(meta: Meta, page: Page, offset: int) -> int:
    if not PAGE_HEADER <= offset <= len(page.raw) - 4:
        raise CorruptError(f"an item of page {page.number} lies outside of it")
    value: int = meta.layout.number.unpack_from(page.raw, offset)[0]
    return value
