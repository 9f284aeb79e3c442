"""One target under atheris: python -m tests.fuzz.atheris_target TARGET [libFuzzer arguments]."""

import sys

import atheris

with atheris.instrument_imports(include=["maysend"]):
    from tests.fuzz.targets import TARGETS


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer says that it is done; it ends the process."""
    name, *options = arguments
    atheris.Setup([name, *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
