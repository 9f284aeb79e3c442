"""PCRE2 for bytes, with exactly the options that are asked for.

Where the machine has libpcre2-8, that one is used through ctypes: it is the library that the
Postfix beside us uses, and it lets other threads run while it matches. Elsewhere it is the one
that comes inside the pcre2 package. Its public functions add options of Python's re, so the layer
below them is called; it was built without `\\C`, and is newer than Debian 12's, so that `{,3}` is a
quantifier. Neither is asked for its just-in-time compiler, because Postfix does not, and
with it the match limit counts differently.
"""

from collections.abc import Callable, Sequence
from ctypes import (
    CDLL,
    POINTER,
    byref,
    c_char_p,
    c_int,
    c_size_t,
    c_uint32,
    c_void_p,
    create_string_buffer,
)
from importlib import import_module
from typing import Any

from maysend.tables.delimited import CompiledPattern
from maysend.tables.rules import MatchError, RuleError

CASELESS = 0x00000008
DOLLAR_ENDONLY = 0x00000010
DOTALL = 0x00000020
EXTENDED = 0x00000080
MULTILINE = 0x00000400
UNGREEDY = 0x00040000
ANCHORED = 0x80000000

_NO_MATCH = -1
_INFO_CAPTURE_COUNT = 4
_NEVER_BACKSLASH_C = 0x00100000
_ALT_BSUX = 0x00000002

Compiler = Callable[[bytes, int], CompiledPattern]


def load() -> Compiler:
    """The machine's own libpcre2-8, else the one inside the pcre2 package."""
    try:
        return SystemLibrary(CDLL("libpcre2-8.so.0")).compile
    except OSError:
        return BundledLibrary().compile


class SystemLibrary:
    """libpcre2-8 through ctypes."""

    def __init__(self, library: CDLL) -> None:
        self._compile = library.pcre2_compile_8
        self._compile.restype = c_void_p
        self._compile.argtypes = [
            c_char_p, c_size_t, c_uint32, POINTER(c_int), POINTER(c_size_t), c_void_p,
        ]  # fmt: skip
        self.match = library.pcre2_match_8
        self.match.restype = c_int
        self.match.argtypes = [
            c_void_p, c_char_p, c_size_t, c_size_t, c_uint32, c_void_p, c_void_p,
        ]  # fmt: skip
        self.new_match_data = library.pcre2_match_data_create_from_pattern_8
        self.new_match_data.restype = c_void_p
        self.new_match_data.argtypes = [c_void_p, c_void_p]
        self.free_match_data = library.pcre2_match_data_free_8
        self.free_match_data.restype = None
        self.free_match_data.argtypes = [c_void_p]
        self.free_code = library.pcre2_code_free_8
        self.free_code.restype = None
        self.free_code.argtypes = [c_void_p]
        self.offsets = library.pcre2_get_ovector_pointer_8
        self.offsets.restype = POINTER(c_size_t)
        self.offsets.argtypes = [c_void_p]
        self._info = library.pcre2_pattern_info_8
        self._info.restype = c_int
        self._info.argtypes = [c_void_p, c_uint32, c_void_p]
        self._message = library.pcre2_get_error_message_8
        self._message.restype = c_int
        self._message.argtypes = [c_int, c_char_p, c_size_t]

    def compile(self, pattern: bytes, options: int, /) -> "SystemPattern":
        """Compile `pattern`. Raises RuleError, which names the place in the pattern."""
        error, offset = c_int(), c_size_t()
        code = self._compile(pattern, len(pattern), options, byref(error), byref(offset), None)
        if not code:
            raise RuleError(f"error in regex at offset {offset.value}: {self.message(error.value)}")
        groups = c_uint32()
        self._info(code, _INFO_CAPTURE_COUNT, byref(groups))
        return SystemPattern(self, code, groups.value)

    def message(self, error: int) -> str:
        """PCRE2's own text for an error number."""
        text = create_string_buffer(256)
        self._message(error, text, len(text))
        return text.value.decode("ascii", "replace")


class SystemPattern:
    """A pattern compiled by the machine's libpcre2-8."""

    def __init__(self, library: SystemLibrary, code: int, group_count: int) -> None:
        self._library = library
        self._code = code
        self.group_count = group_count
        # Match data may serve one thread at a time. Taking it from a list and putting it back is
        # cheaper than making it anew, and needs no lock.
        self._spare: list[int] = []

    def match(self, key: bytes, wanted: int, /) -> Sequence[bytes] | None:
        """What the first `wanted` groups matched, None for no match.

        Raises MatchError at the match limit.
        """
        library = self._library
        try:
            data = self._spare.pop()
        except IndexError:
            data = library.new_match_data(self._code, None)
            if not data:
                raise MemoryError from None
        try:
            found = library.match(self._code, key, len(key), 0, 0, data, None)
            if found == _NO_MATCH:
                return None
            if found < 0:
                raise MatchError(library.message(found))
            return self._groups(key, data, wanted) if wanted else ()
        finally:
            self._spare.append(data)

    def _groups(self, key: bytes, data: int, wanted: int) -> list[bytes]:
        offsets = self._library.offsets(data)
        unset = c_size_t(-1).value
        return [
            b"" if offsets[2 * group] == unset else key[offsets[2 * group] : offsets[2 * group + 1]]
            for group in range(1, wanted + 1)
        ]

    def __del__(self) -> None:
        for data in self._spare:
            self._library.free_match_data(data)
        self._library.free_code(self._code)


class BundledLibrary:
    """The PCRE2 inside the pcre2 package, one layer below its public functions."""

    def __init__(self) -> None:
        self._core: Any = import_module("pcre2._cy")
        self._context = self._core.create_match_context()

    def compile(self, pattern: bytes, options: int, /) -> "BundledPattern":
        """Compile `pattern`. Raises RuleError, which names the place in the pattern."""
        try:
            code = self._core.compile(pattern, options, _NEVER_BACKSLASH_C | _ALT_BSUX)
        except self._core.PatternError as error:
            raise RuleError(f"error in regex at offset {error.pos}: {error.msg}") from error
        return BundledPattern(self._core, code, self._context)


class BundledPattern:
    """A pattern compiled by the PCRE2 of the pcre2 package."""

    def __init__(self, core: Any, code: Any, context: Any) -> None:
        self._core = core
        self._code = code
        self._context = context
        self._match = core.match
        self.group_count: int = core.pattern_capture_count(code)

    def match(self, key: bytes, wanted: int, /) -> Sequence[bytes] | None:
        """What the first `wanted` groups matched, None for no match.

        Raises MatchError at the match limit.
        """
        core = self._core
        try:
            data, _, _ = self._match(self._code, key, len(key), 0, self._context)
        except core.LibraryError as error:
            raise MatchError(error.msg) from error
        if data is None:
            return None
        if not wanted:
            return ()
        return [
            core.match_substring_bynumber(data, key, group) or b"" for group in range(1, wanted + 1)
        ]

    def is_in(self, key: bytes, /) -> bool:
        """Whether it matches. Raises MatchError at the match limit."""
        try:
            return self._match(self._code, key, len(key), 0, self._context)[0] is not None
        except self._core.LibraryError as error:
            raise MatchError(error.msg) from error
