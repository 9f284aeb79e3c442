"""Constant databases (https://cr.yp.to/cdb/cdb.txt), read without the library.

A file is never changed, only replaced, so that neither locks nor caches are needed. Whatever a
damaged file says is checked against its size, and a search ends after one round of its slots.
"""

from struct import Struct

from maysend.tables.database_file import CorruptError, DatabaseFile

_PAIR = Struct("<II")
_TABLES = 256


class CdbFile:
    """An open file. Raises OSError, CorruptError."""

    def __init__(self, path: str) -> None:
        self._file = DatabaseFile(path, _unlocked)
        if self._file.size < _TABLES * _PAIR.size:
            raise CorruptError("shorter than the tables at the start of every cdb file")

    def find(self, key: bytes) -> bytes | None:
        """The value of `key`, the first one stored; None where it is not there.

        Raises CorruptError.
        """
        wanted = _hash(key)
        start, slots = self._pair(wanted % _TABLES * _PAIR.size)
        if not slots:
            return None
        first = (wanted >> 8) % slots
        for number in range(slots):
            found, record = self._pair(start + (first + number) % slots * _PAIR.size)
            if not record:
                return None
            if found == wanted and (value := self._value(record, key)) is not None:
                return value
        return None

    def _value(self, record: int, key: bytes) -> bytes | None:
        """The value of the record at `record`, None where it is of another key."""
        key_size, value_size = self._pair(record)
        if key_size != len(key):
            return None
        start = record + _PAIR.size
        if start + key_size + value_size > self._file.size:
            raise CorruptError(f"the record at {record} is longer than the file")
        if self._file.read(start, key_size) != key:
            return None
        return self._file.read(start + key_size, value_size)

    def _pair(self, offset: int) -> tuple[int, int]:
        first, second = _PAIR.unpack(self._file.read(offset, _PAIR.size))
        return first, second


def _hash(key: bytes) -> int:
    value = 5381
    for octet in key:
        value = (value * 33 & 0xFFFFFFFF) ^ octet
    return value


def _unlocked(descriptor: int, wanted: bool) -> None:
    """Nobody writes into a finished file."""
