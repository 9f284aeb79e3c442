"""How a maysend.toml that can't be used is refused."""


class ConfigurationError(Exception):
    """Says the file, the line and the key, what is wrong there and what was expected."""

    def __init__(self, file: str, line: int | None, message: str) -> None:
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {message}")
