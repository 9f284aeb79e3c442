"""What an import costs: nothing that the command at hand does not use."""

import subprocess
import sys

import pytest

HEAVY = (
    "alembic", "argon2", "asyncio", "cryptography", "jinja2", "logging", "psycopg", "pymysql",
    "rich", "sqlalchemy", "sqlite3", "starlette", "structlog", "uvicorn", "uvloop",
)  # fmt: skip


@pytest.mark.parametrize(
    "modules", ["maysend", "maysend.reply", "maysend.cli.main", "maysend.tables, maysend.maincf"]
)
def test_importing_loads_no_web_database_or_log_library(modules: str) -> None:
    script = f"import sys, {modules}; print(*sorted(sys.modules.keys() & {set(HEAVY)!r}))"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []


def test_the_names_looked_for_are_names_that_could_be_found() -> None:
    script = "import sys, maysend.cli.account, sqlalchemy; print('sqlalchemy' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout == "True\n"
