"""What is asked of nearly every key and address, as functions.

A decision asks some fifteen times. Compiled code knows no short way to these methods of a text and
looks each up by its name, which is a quarter of a call.
"""

from typing import Final

is_ascii: Final = str.isascii
is_alpha: Final = str.isalpha
is_printable: Final = str.isprintable
