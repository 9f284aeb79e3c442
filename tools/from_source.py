"""Run a program with maysend from source, compiled or not.

    from_source.py FILE|-m MODULE [ARGUMENT…]

For what reads docstrings or instruments bytecode, of which compiled modules have none, and for
tests of the source where `make compiled` has run. Processes that the program starts are not led.
"""

import runpy
import sys
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path

USAGE = "usage: from_source.py FILE|-m MODULE [ARGUMENT…]"


def prefer_source() -> None:
    """Let every import from here on take a .py before a compiled module of the same name."""
    hook = FileFinder.path_hook(
        (SourceFileLoader, SOURCE_SUFFIXES), (ExtensionFileLoader, EXTENSION_SUFFIXES)
    )
    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()


def main(arguments: list[str]) -> None:
    """Run the program as `python` itself would, with the rest as its arguments."""
    is_module = arguments[:1] == ["-m"]
    program, *rest = arguments[is_module:] or [""]
    if not program:
        sys.exit(USAGE)
    prefer_source()
    sys.argv = [program, *rest]
    sys.path[0] = str(Path.cwd() if is_module else Path(program).resolve().parent)
    if is_module:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
