"""What is asked of nearly every key and address, as functions.

A decision asks some twenty times. Compiled code knows no short way to these methods of a text: each
call would look its method up by name, which takes longer than the answer.
"""

from typing import Final

is_ascii: Final = str.isascii
is_alpha: Final = str.isalpha
is_printable: Final = str.isprintable
