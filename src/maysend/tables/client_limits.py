"""Numbers in the file of a table that may not be too small."""

from maysend.tables.client_file import ClientParameters
from maysend.tables.table import TableError


def limit_of(parameters: ClientParameters, name: str, default: int, least: int = 0) -> int:
    """Read a limit. Raises TableError (config)."""
    value = parameters.number(name, default)
    if value < least:
        raise TableError(parameters.spec, f"{name} = {value}: expected at least {least}", "config")
    return value
