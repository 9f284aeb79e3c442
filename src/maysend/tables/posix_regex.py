"""POSIX regular expressions as the C library has them, in the C locale.

Postfix programs never leave the C locale, so its patterns match bytes. Python sets the locale of
the environment, so each use here switches its own thread to the C locale, and back.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import (
    CDLL,
    Structure,
    byref,
    c_char_p,
    c_int,
    c_long,
    c_size_t,
    c_ulong,
    c_void_p,
    create_string_buffer,
)

from maysend.tables.rules import MatchError, RuleError

EXTENDED = 1
ICASE = 2
NEWLINE = 4

_NO_MATCH = 1
_ALL_CATEGORIES = 0x1FBF  # LC_ALL_MASK of <locale.h>


class _Expression(Structure):
    """glibc's regex_t (regex.h, struct re_pattern_buffer)."""

    _fields_ = (
        ("buffer", c_void_p),
        ("allocated", c_ulong),
        ("used", c_ulong),
        ("syntax", c_ulong),
        ("fastmap", c_void_p),
        ("translate", c_void_p),
        ("re_nsub", c_size_t),
        ("bits", c_long),
    )


class _Span(Structure):
    """glibc's regmatch_t."""

    _fields_ = (("start", c_int), ("end", c_int))


class PosixLibrary:
    """The C library's regcomp(3), in the C locale. Raises OSError where it is not GNU's."""

    def __init__(self) -> None:
        libc = CDLL("libc.so.6")
        self._compile = libc.regcomp
        self._compile.argtypes = [c_void_p, c_char_p, c_int]
        self.execute = libc.regexec
        self.execute.argtypes = [c_void_p, c_char_p, c_size_t, c_void_p, c_int]
        self._error = libc.regerror
        self._error.argtypes = [c_int, c_void_p, c_char_p, c_size_t]
        self._error.restype = c_size_t
        self.free = libc.regfree
        self.free.argtypes = [c_void_p]
        self.free.restype = None
        self._use_locale = libc.uselocale
        self._use_locale.argtypes = [c_void_p]
        self._use_locale.restype = c_void_p
        new_locale = libc.newlocale
        new_locale.argtypes = [c_int, c_char_p, c_void_p]
        new_locale.restype = c_void_p
        self._c_locale = new_locale(_ALL_CATEGORIES, b"C", None)
        if not self._c_locale:
            raise OSError("the C library has no C locale")

    @contextmanager
    def c_locale(self) -> Iterator[None]:
        """Switch this thread to the C locale."""
        before = self.enter_c_locale()
        try:
            yield
        finally:
            self.leave_c_locale(before)

    def enter_c_locale(self) -> int:
        """Switch this thread to the C locale; returns what leave_c_locale() takes."""
        before: int = self._use_locale(self._c_locale)
        return before

    def leave_c_locale(self, before: int) -> None:
        """Switch back."""
        self._use_locale(before)

    def compile(self, pattern: bytes, options: int, /) -> "PosixPattern":
        """Compile `pattern`; call it within c_locale(). Raises RuleError."""
        expression = _Expression()
        error = self._compile(byref(expression), pattern, options)
        if error:
            raise RuleError(self.message(error, expression))
        return PosixPattern(self, expression)

    def message(self, error: int, expression: _Expression) -> str:
        """The C library's own text for an error number."""
        text = create_string_buffer(256)
        self._error(error, byref(expression), text, len(text))
        return text.value.decode("ascii", "replace")


class PosixPattern:
    """A compiled pattern. regexec(3) may be called from several threads at once."""

    def __init__(self, library: PosixLibrary, expression: _Expression) -> None:
        self._library = library
        self._expression = expression
        self.group_count: int = expression.re_nsub

    def match(self, key: bytes, wanted: int, /) -> Sequence[bytes] | None:
        """What the first `wanted` groups matched, None for no match; call it within c_locale().

        Raises MatchError where the C library runs out of memory.
        """
        spans = (_Span * (wanted + 1))() if wanted else ()
        error = self._library.execute(byref(self._expression), key, len(spans), spans or None, 0)
        if error == _NO_MATCH:
            return None
        if error:
            raise MatchError(self._library.message(error, self._expression))
        return [key[span.start : span.end] if span.start >= 0 else b"" for span in spans[1:]]

    def __del__(self) -> None:
        self._library.free(byref(self._expression))
