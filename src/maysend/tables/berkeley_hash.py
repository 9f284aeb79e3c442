"""Looking up one key in a Berkeley DB hash file."""

from maysend.tables.berkeley import UNWRITTEN_PAGE, Database, Meta, Page
from maysend.tables.database_file import CorruptError

MAGIC = 0x061561

_META_KIND = 8
_UNSORTED_PAGE = 2  # of versions before 9
_SORTED_PAGE = 13
_BUCKET_PAGES = (UNWRITTEN_PAGE, _UNSORTED_PAGE, _SORTED_PAGE)
_KEY_DATA = 1
_OFF_PAGE = 3
_OLDEST_VERSION = 5  # the hash function changed with it
_MAX_BUCKET, _HIGH_MASK, _LOW_MASK, _SPARES = 72, 76, 80, 96
_SPARE_COUNT = 32


def find(database: Database, key: bytes) -> bytes | None:
    """The value of `key`, None where it is not there. Raises CorruptError."""
    meta = database.meta()
    _check(meta)
    number = _bucket_page(meta, _bucket(meta, key))
    for _ in range(meta.last_page):
        page = database.page(meta, number, _BUCKET_PAGES)
        index = _index(database, meta, page, key)
        if index is not None:
            return _whole_item(database, meta, page, index + 1)
        number = page.following
        if number == 0:
            return None
    raise CorruptError("the pages of a bucket form a loop")


def contents(database: Database) -> dict[bytes, bytes] | None:
    """All that find() finds. Raises CorruptError.

    None where pages are not in the order that makes find() find everything on them.
    """
    meta = database.meta()
    _check(meta)
    entries: dict[bytes, bytes] = {}
    read = 0
    for bucket in range(meta.number(_MAX_BUCKET) + 1):
        number = _bucket_page(meta, bucket)
        while number:
            read += 1
            if read > meta.last_page:
                raise CorruptError("the pages of a bucket form a loop")
            page = database.page(meta, number, _BUCKET_PAGES)
            before: bytes | None = None
            for index in range(0, len(page.offsets) - 1, 2):
                key = _whole_item(database, meta, page, index)
                ordered = _item(page, index)[0] == _KEY_DATA and (
                    before is None or _comes_behind(key, before)
                )
                if not (ordered and _bucket(meta, key) == bucket) or key in entries:
                    return None
                entries[key] = _whole_item(database, meta, page, index + 1)
                before = key
            number = page.following
    return entries


def hash_key(key: bytes) -> int:
    """Berkeley DB's own hash function since version 5 of the format (FNV-1, starting at 0)."""
    value = 0
    for byte in key:
        value = (value * 16777619 & 0xFFFFFFFF) ^ byte
    return value


def _check(meta: Meta) -> None:
    if meta.kind != _META_KIND or meta.version < _OLDEST_VERSION:
        raise CorruptError(f"hash format version {meta.version} is not supported")


def _bucket(meta: Meta, key: bytes) -> int:
    value = hash_key(key)
    bucket = value & meta.number(_HIGH_MASK)
    if bucket > meta.number(_MAX_BUCKET):
        bucket &= meta.number(_LOW_MASK)
    return bucket


def _bucket_page(meta: Meta, bucket: int) -> int:
    """Buckets are made in doublings, and each doubling has its pages together."""
    doubling = bucket.bit_length()
    if doubling >= _SPARE_COUNT:
        raise CorruptError("more buckets than there can be")
    return bucket + meta.number(_SPARES + 4 * doubling)


def _index(database: Database, meta: Meta, page: Page, key: bytes) -> int | None:
    """Where `key` is on this page; keys are the even items, each followed by its value.

    This is the library's own binary search, step by step. It compares keys on the page and keys
    kept elsewhere in two different ways, so it writes pages with both out of order, and then does
    not find everything again. Nor does Postfix, and equality with Postfix is what counts here.
    """
    if page.kind == _UNSORTED_PAGE:
        return _index_unsorted(database, meta, page, key)
    base = 0
    count = len(page.offsets) // 2
    while count:
        index = base + count // 2 * 2
        found = _whole_item(database, meta, page, index)
        if found == key:
            return index
        on_page = _item(page, index)[0] == _KEY_DATA
        if _comes_behind(key, found) if on_page else key > found:
            base = index + 2
            count -= 1
        count //= 2
    return None


def _comes_behind(key: bytes, found: bytes) -> bool:
    """Whether the search for `key` goes on behind `found`, a key on the page.

    Where one of the two is the start of the other, the longer one comes first.
    """
    shorter = min(len(key), len(found))
    if key[:shorter] == found[:shorter]:
        return len(found) > len(key)
    return key > found


def _index_unsorted(database: Database, meta: Meta, page: Page, key: bytes) -> int | None:
    for index in range(0, len(page.offsets) - 1, 2):
        if _whole_item(database, meta, page, index) == key:
            return index
    return None


def _whole_item(database: Database, meta: Meta, page: Page, index: int) -> bytes:
    item = _item(page, index)
    if item[0] == _KEY_DATA:
        return item[1:]
    first, size = _off_page(meta, item)
    return database.overflow(meta, first, size)


def _item(page: Page, index: int) -> bytes:
    """Items lie back to back from the end of the page, so each ends where the one before starts."""
    end = page.offsets[index - 1] if index else len(page.raw)
    item = page.raw[page.offsets[index] : end]
    if not item:
        raise CorruptError(f"page {page.number} has an item without content")
    return item


def _off_page(meta: Meta, item: bytes) -> tuple[int, int]:
    """First overflow page and size of an item that is kept elsewhere (HOFFPAGE)."""
    if item[0] != _OFF_PAGE or len(item) != 12:
        raise CorruptError("an item of a kind that postmap does not write")
    number = meta.layout.number
    return number.unpack_from(item, 4)[0], number.unpack_from(item, 8)[0]
