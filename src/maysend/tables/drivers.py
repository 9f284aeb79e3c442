"""The libraries that some table types need, and how to install the one that is missing."""

from collections.abc import Callable, Mapping
from ctypes import CDLL
from importlib import import_module

import msgspec

from maysend.tables.table import TableError

LIBMARIADB = "libmariadb.so.3"


class Driver(msgspec.Struct, frozen=True):
    """What a table type needs: its `name`, how to `install` it, and `load`.

    `load` raises ImportError or OSError where it is missing.
    """

    name: str
    install: str
    load: Callable[[], object]

    def missing(self) -> str:
        """What to do to use the table type; empty where the driver is there."""
        try:
            self.load()
        except (ImportError, OSError) as error:
            return self.explain(error)
        return ""

    def explain(self, error: Exception) -> str:
        """What to do where loading the driver raised `error`."""
        return f"needs {self.name}: {self.install} ({error})"


DRIVERS: Mapping[str, Driver] = {
    "ldap": Driver(
        "python-ldap",
        "pip install 'maysend[ldap]', after apt install libldap-dev libsasl2-dev python3-dev gcc",
        lambda: import_module("ldap"),
    ),
    "mysql": Driver(
        "MariaDB's client library", "apt install libmariadb3", lambda: CDLL(LIBMARIADB)
    ),
    "pgsql": Driver("psycopg", "pip install 'maysend[pgsql]'", lambda: import_module("psycopg")),
    "sqlite": Driver(
        "Python's sqlite3", "use a Python that was built with it", lambda: import_module("sqlite3")
    ),
}
"""Table type → what it needs beyond maysend's plain install."""


def missing_driver(type_name: str, spec: str, error: Exception) -> TableError:
    """The error of the table `spec`, whose driver raised `error` when it was loaded."""
    return TableError(spec, DRIVERS[type_name].explain(error), "config")
