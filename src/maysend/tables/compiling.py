"""Whether modules are compiled: what C does for an interpreter, compiled code does itself."""

from typing import Final

IS_COMPILED: Final = not __file__.endswith(".py")
"""Whether what is compiled at all (docs/design/compiled.md) is compiled here."""
