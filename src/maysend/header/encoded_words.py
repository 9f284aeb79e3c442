"""Encoded words (RFC 2047, RFC 2231 5): what a mail client shows for `=?utf-8?Q?J=C3=BCrgen?=`.

They are decoded wherever they stand, also inside quotes and comments and without blanks around
them, because clients do so. What can't be decoded is a defect: each client would show it its way.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, a2b_qp
from typing import Final

from maysend.header.defects import HeaderDefect

CHARSETS: Final = frozenset(
    ["us-ascii", "utf-8", "big5", "big5-hkscs", "euc-jp", "euc-kr", "gb18030", "gb2312", "gbk"]
    + ["iso-2022-jp", "iso-2022-kr", "koi8-r", "koi8-u", "ks_c_5601-1987", "macintosh"]
    + ["shift_jis", "tis-620", "windows-874", "windows-31j", "cp1252"]
    + [f"iso-8859-{number}" for number in range(1, 17) if number != 12]
    + [f"windows-125{number}" for number in range(9)]
)
"""The character sets that are decoded, by IANA's names. Not UTF-7, which hides ASCII in ASCII, and
no other of Python's codecs: some of those are no character sets."""

_ENCODED: Final = re.compile(r"=\?([^?\s*]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?]*)\?=")
_BAD_ESCAPE: Final = re.compile(r"=(?![0-9A-Fa-f]{2})")
_CODECS: Final = {
    "ks_c_5601-1987": "cp949",
    "windows-874": "cp874",
    "windows-31j": "cp932",
    "macintosh": "mac-roman",
    "iso-8859-11": "cp874",
}


def has_encoded_word(text: str) -> bool:
    """Whether a client might decode something in `text`."""
    return "=?" in text and _ENCODED.search(text) is not None


def decoded(text: str) -> str:
    """The text with its encoded words decoded. Raises HeaderDefect."""
    if "=?" not in text:
        return text
    shown: list[str] = []
    charset, octets, position = "", b"", 0
    for word in _ENCODED.finditer(text):
        between = text[position : word.start()]
        following = word[1].lower()
        # Blanks between encoded words are not shown (RFC 2047 6.2); a character whose octets
        # are spread over two words is put together, as clients do.
        if not octets or between.strip() or following != charset:
            shown.append(_in_charset(octets, charset))
            if not octets or between.strip():
                shown.append(between)
            octets = b""
        charset, octets, position = following, octets + _octets(word), word.end()
    shown.append(_in_charset(octets, charset))
    return "".join(shown) + text[position:]


def _octets(word: re.Match[str]) -> bytes:
    encoded = word[3].encode("utf-8")
    if word[2] in "Qq":
        if _BAD_ESCAPE.search(word[3]):
            raise HeaderDefect("it has an encoded word that is no quoted-printable")
        return a2b_qp(encoded, header=True)
    try:
        return a2b_base64(encoded, strict_mode=True)
    except Base64Error:
        raise HeaderDefect("it has an encoded word that is no base64") from None


def _in_charset(octets: bytes, charset: str) -> str:
    if not octets:
        return ""
    if charset not in CHARSETS:
        raise HeaderDefect("it has an encoded word in a character set that is not known")
    try:
        return octets.decode(_CODECS.get(charset, charset))
    except UnicodeError:
        raise HeaderDefect("it has an encoded word that is not in its character set") from None
