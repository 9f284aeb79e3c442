"""LMDB 0.9 files, read without the library.

The library maps the file, and refuses to open one twice in a process. Layouts follow its mdb.c
(MDB_page, MDB_node, MDB_meta) on 64-bit little-endian machines. Every page that is used is checked
first, so that a damaged file ends in an error, and never in a loop.
"""

import fcntl
from collections.abc import Iterator
from struct import Struct

import msgspec

from maysend.tables.database_file import CorruptError, DatabaseFile

_HEADER = Struct("<QHHHH")  # number, padding, flags, end of the node list, start of the nodes
_HEADER_SIZE = 16
_META = Struct("<16xII16xI48xH34xQQQ")  # see mdb.c, MDB_meta
_NODE = Struct("<HHHH")  # low and high half of the size, flags, size of the key
_NODE_SIZE = 8
_PAGE_NUMBER = Struct("<Q")
_LOCK = Struct("hhqqi4x")  # struct flock

_MAGIC = 0xBEEFC0DE
_VERSION = 1
_BRANCH, _LEAF, _OVERFLOW = 1, 2, 4
_BIG_DATA = 1
_EMPTY = 0xFFFFFFFFFFFFFFFF
_PLAIN_TREE = 0
_SIZES = frozenset(1 << power for power in range(8, 17))
_MAX_DEPTH = 32  # CURSOR_STACK


class Tree(msgspec.Struct, frozen=True):
    """The main database as the newer of the two meta pages has it."""

    page_size: int
    root: int
    last_page: int
    transaction: int


def record_lock(descriptor: int, wanted: bool) -> None:
    """The lock on LMDB files: fcntl(2), lmdb_table(5).

    The open-file-description kind: the classic kind would vanish as soon as this process closed
    any other descriptor of the same file.
    """
    kind = fcntl.F_RDLCK if wanted else fcntl.F_UNLCK
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _LOCK.pack(kind, 0, 0, 0, 0))


class LmdbFile:
    """An LMDB file. Raises OSError, CorruptError."""

    def __init__(self, path: str) -> None:
        self.file = DatabaseFile(path, record_lock)
        with self.file.locked():
            self._tree()

    def find(self, key: bytes) -> bytes | None:
        """The value of `key`, None where it is not there. Raises CorruptError."""
        if not key:
            raise CorruptError("LMDB can't look up the empty key")
        tree = self._tree()
        if tree.root == _EMPTY:
            return None
        number = tree.root
        for _ in range(_MAX_DEPTH):
            page = Page(self, tree, number)
            if page.flags == _LEAF:
                return page.value(key)
            number = page.child(key)
        raise CorruptError("the tree is deeper than it can be")

    def contents(self) -> dict[bytes, bytes] | None:
        """All that find() finds. Raises CorruptError. None where keys are not in their order."""
        tree = self._tree()
        entries: dict[bytes, bytes] = {}
        before: bytes | None = None
        for page in self._leaves(tree, tree.root, 0):
            for key, value in page.entries():
                if before is not None and key <= before:
                    return None
                before = key
                entries[key] = value
        return entries

    def _leaves(self, tree: Tree, number: int, depth: int) -> Iterator["Page"]:
        """The leaves below page `number`, in order."""
        if number == _EMPTY:
            return
        if depth == _MAX_DEPTH:
            raise CorruptError("the tree is deeper than it can be")
        page = Page(self, tree, number)
        if page.flags == _LEAF:
            yield page
            return
        for child in page.children():
            yield from self._leaves(tree, child, depth + 1)

    def _tree(self) -> Tree:
        """Read both meta pages; the one of the later transaction counts."""
        first = _meta(self.file.read(0, _META.size))
        second = _meta(self.file.read(first.page_size, _META.size))
        tree = max(first, second, key=lambda meta: meta.transaction)
        if (tree.last_page + 1) * tree.page_size > self.file.size:
            raise CorruptError("the file is shorter than its first pages say")
        return tree

    def overflow(self, tree: Tree, number: int, size: int) -> bytes:
        """A value of `size` bytes that starts on page `number`. Raises CorruptError."""
        start = number * tree.page_size
        if not 1 < number <= tree.last_page or start + size > self.file.size:
            raise CorruptError(f"a value on page {number} reaches over the end of the file")
        own, _, flags, _, _ = _HEADER.unpack(self.file.read(start, _HEADER_SIZE))
        if own != number or flags != _OVERFLOW:
            raise CorruptError(f"page {number} is not of the kind expected there")
        return self.file.read(start + _HEADER_SIZE, size)


class Page:
    """A branch or leaf page. Raises CorruptError."""

    def __init__(self, database: LmdbFile, tree: Tree, number: int) -> None:
        if not 1 < number <= tree.last_page:
            raise CorruptError(f"page {number} does not exist")
        self._database = database
        self._tree = tree
        self._raw = database.file.read(number * tree.page_size, tree.page_size)
        own, _, self.flags, end, _ = _HEADER.unpack_from(self._raw)
        if own != number or self.flags not in (_BRANCH, _LEAF):
            raise CorruptError(f"page {number} is not of the kind expected there")
        if not _HEADER_SIZE < end <= tree.page_size:
            raise CorruptError(f"page {number} has no list of nodes")
        self._nodes = Struct(f"<{(end - _HEADER_SIZE) // 2}H").unpack_from(self._raw, _HEADER_SIZE)

    def child(self, key: bytes) -> int:
        """The page below whose keys start at or before `key`; the first key counts as smallest."""
        low, high = 0, len(self._nodes)
        while high - low > 1:
            middle = (low + high) // 2
            if self._key(middle) <= key:
                low = middle
            else:
                high = middle
        return self._below(low)

    def children(self) -> list[int]:
        """All pages below, in the order of their keys."""
        return [self._below(index) for index in range(len(self._nodes))]

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """All keys and values on this leaf, in order."""
        for index in range(len(self._nodes)):
            yield self._key(index), self._value(index)

    def _below(self, index: int) -> int:
        size_low, size_high, flags, _ = self._node(index)
        return size_low | size_high << 16 | flags << 32

    def value(self, key: bytes) -> bytes | None:
        """The value of `key` on this leaf."""
        low, high = 0, len(self._nodes)
        while low < high:
            middle = (low + high) // 2
            found = self._key(middle)
            if found == key:
                return self._value(middle)
            if found < key:
                low = middle + 1
            else:
                high = middle
        return None

    def _value(self, index: int) -> bytes:
        size_low, size_high, flags, key_size = self._node(index)
        size = size_low | size_high << 16
        start = self._nodes[index] + _NODE_SIZE + key_size
        if flags == _BIG_DATA:
            (number,) = _PAGE_NUMBER.unpack(self._piece(start, _PAGE_NUMBER.size))
            return self._database.overflow(self._tree, number, size)
        if flags:
            raise CorruptError("a value of a kind that postmap does not write")
        return self._piece(start, size)

    def _key(self, index: int) -> bytes:
        return self._piece(self._nodes[index] + _NODE_SIZE, self._node(index)[3])

    def _node(self, index: int) -> tuple[int, int, int, int]:
        low, high, flags, key_size = _NODE.unpack(self._piece(self._nodes[index], _NODE_SIZE))
        return low, high, flags, key_size

    def _piece(self, start: int, size: int) -> bytes:
        piece = self._raw[start : start + size]
        if len(piece) < size:
            raise CorruptError("a node reaches over the end of its page")
        return piece


def _meta(raw: bytes) -> Tree:
    magic, version, page_size, flags, root, last_page, transaction = _META.unpack(raw)
    if magic != _MAGIC or version != _VERSION:
        raise CorruptError("not an LMDB file of this kind of machine")
    if page_size not in _SIZES or flags != _PLAIN_TREE:
        raise CorruptError("a kind of LMDB file that postmap does not write")
    return Tree(page_size, root, last_page, transaction)
