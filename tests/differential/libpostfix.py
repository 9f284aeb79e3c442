"""The address functions of the installed Postfix, called in its own shared libraries.

They are the ones that smtpd and trivial-rewrite link, so thousands of questions a second can be
asked without a server. Text goes in and comes out as everywhere here: UTF-8 with surrogateescape.
"""

import ctypes
from collections.abc import Callable
from pathlib import Path

LIBRARIES = Path("/usr/lib/postfix")
_VBUF_DATA = 8
"""Offset of `data` in a VBUF (flags, padding, data): the buffer of a VSTRING."""


class LibPostfix:
    """Postfix's own quote, unquote, fold, split and validity functions."""

    def __init__(self, *, utf8: bool = True) -> None:
        mode = ctypes.RTLD_GLOBAL
        self._util = ctypes.CDLL(str(LIBRARIES / "libpostfix-util.so"), mode=mode)
        self._global = ctypes.CDLL(str(LIBRARIES / "libpostfix-global.so"), mode=mode)
        self.utf8 = utf8
        for name in ("vstring_alloc",):
            getattr(self._util, name).restype = ctypes.c_void_p
        self._buffer = ctypes.c_void_p(self._util.vstring_alloc(ctypes.c_ssize_t(100)))
        sender = ctypes.create_string_buffer(b"double-bounce")
        self._keep = sender
        pointer = ctypes.c_char_p.in_dll(self._global, "var_double_bounce_sender")
        pointer.value = b"double-bounce"
        ctypes.c_int.in_dll(self._global, "var_ownreq_special").value = 1
        # valid_mailhost_addr asks which protocols the machine is configured for.
        self._util.inet_proto_init(b"test", b"all")

    def _text(self) -> str:
        assert self._buffer.value is not None
        data = ctypes.c_char_p.from_address(self._buffer.value + _VBUF_DATA).value
        assert data is not None
        return data.decode("utf-8", "surrogateescape")

    def quote_local(self, address: str) -> str:
        self._global.quote_822_local_flags(self._buffer, _octets(address), 1)  # 8BITCLEAN
        return self._text()

    def unquote(self, address: str) -> str:
        self._global.unquote_822_local(self._buffer, _octets(address))
        return self._text()

    def fold(self, text: str) -> str:
        octets = _octets(text)
        flags = 1 if self.utf8 else 0  # CASEF_FLAG_UTF8
        self._util.casefoldx(flags, self._buffer, octets, ctypes.c_ssize_t(len(octets)))
        return self._text()

    def split_extension(self, localpart: str, delimiters: str) -> tuple[str, str | None]:
        octets = ctypes.create_string_buffer(_octets(localpart))
        split = self._global.split_addr_internal
        split.restype = ctypes.c_char_p
        extension = split(octets, _octets(delimiters))
        if extension is None:
            return octets.value.decode("utf-8", "surrogateescape"), None
        return (
            octets.value.decode("utf-8", "surrogateescape"),
            extension.decode("utf-8", "surrogateescape"),
        )

    def scanned(self, text: str, *, internal: bool) -> str:
        """The text after tok822_scan_addr and one of its unparsers."""
        return self._unparsed(self._global.tok822_scan_addr, (text,), internal=internal)

    def parsed(self, text: str, *, internal: bool) -> str:
        """The text after tok822_parse and one of its unparsers."""
        return self._unparsed(self._global.tok822_parse_limit, (text, 0), internal=internal)

    def _unparsed(
        self, function: Callable[..., int], arguments: tuple[str | int, ...], *, internal: bool
    ) -> str:
        function.restype = ctypes.c_void_p  # type: ignore[attr-defined]
        octets = [_octets(a) if isinstance(a, str) else a for a in arguments]
        tree = ctypes.c_void_p(function(*octets))
        wipe_and_terminate = 3
        unparse = self._global.tok822_internalize if internal else self._global.tok822_externalize
        unparse(self._buffer, tree, wipe_and_terminate)
        self._global.tok822_free_tree(tree)
        return self._text()

    def is_valid_hostname(self, name: str) -> bool:
        return bool(self._util.valid_hostname(_octets(name), 0))

    def is_valid_utf8_hostname(self, name: str) -> bool:
        return bool(self._util.valid_utf8_hostname(int(self.utf8), _octets(name), 0))

    def domain_to_ascii(self, name: str) -> str | None:
        convert = self._util.midna_domain_to_ascii
        convert.restype = ctypes.c_char_p
        answer = convert(_octets(name))
        return None if answer is None else answer.decode("utf-8", "surrogateescape")

    def is_valid_hostaddr(self, name: str) -> bool:
        return bool(self._util.valid_hostaddr(_octets(name), 0))

    def is_valid_ipv4(self, name: str) -> bool:
        return bool(self._util.valid_ipv4_hostaddr(_octets(name), 0))

    def is_valid_ipv6(self, name: str) -> bool:
        return bool(self._util.valid_ipv6_hostaddr(_octets(name), 0))

    def is_valid_mailhost_address(self, name: str) -> bool:
        self._global.valid_mailhost_addr.restype = ctypes.c_void_p
        return self._global.valid_mailhost_addr(_octets(name), 0) is not None

    def is_valid_mailhost_literal(self, name: str) -> bool:
        return bool(self._global.valid_mailhost_literal(_octets(name), 0))


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
