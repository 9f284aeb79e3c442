"""Which programs a test needs, and what is said about tests that were left out.

A test says `@pytest.mark.needs_postfix` and the like. Where the program is missing it is skipped,
and the run's last lines say so; with MAYSEND_REQUIRE_ALL=1 (as in CI) it fails instead.
"""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

DAEMONS = ("usr/sbin", "usr/local/sbin", "usr/lib/postfix/sbin", "usr/lib/postgresql/*/bin")
"""Where Debian keeps daemons that are on nobody's PATH."""
NEEDS: dict[str, tuple[str, ...]] = {
    "needs_postfix": ("postconf", "postmap", "smtpd", "trivial-rewrite"),
    "needs_swaks": ("swaks",),
    "needs_curl": ("curl",),
    "needs_mariadb": ("mariadbd", "postmap"),
    "needs_postgresql": ("initdb", "postgres", "postmap"),
    "needs_slapd": ("slapd", "postmap"),
    "needs_memcached": ("memcached", "postmap"),
    "needs_dovecot": ("dovecot", "doveadm"),
    "needs_systemd": ("systemd-socket-activate", "systemd-analyze"),
}
"""Marker → the programs without which the test can't run."""

LEFT_OUT = "left out: needs "
SOURCE = Path(__file__).resolve().parents[1] / "src/maysend"


def pytest_configure(config: pytest.Config) -> None:
    outdated = [path for path in SOURCE.rglob("*.so") if is_outdated(path)]
    if outdated:
        raise pytest.UsageError(
            f"{outdated[0].name} is older than its source: make compiled, or make pure"
        )
    for marker, programs in NEEDS.items():
        config.addinivalue_line("markers", f"{marker}: needs {', '.join(programs)}, and root")


def is_outdated(compiled: Path) -> bool:
    """Whether tests would run what is no longer written."""
    source = compiled.with_name(f"{compiled.name.partition('.')[0]}.py")
    return not source.exists() or source.stat().st_mtime > compiled.stat().st_mtime


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, programs in NEEDS.items():
        if item.get_closest_marker(marker) is None:
            continue
        missing = [program for program in programs if not is_installed(program)]
        if os.geteuid() != 0 and marker not in ("needs_swaks", "needs_curl", "needs_systemd"):
            missing.append("root")
        if missing:
            leave_out(", ".join(missing))


def leave_out(what: str) -> None:
    """Skip the test, or fail it where nothing may be left out."""
    if os.environ.get("MAYSEND_REQUIRE_ALL") == "1":
        pytest.fail(f"{LEFT_OUT}{what}, and MAYSEND_REQUIRE_ALL=1", pytrace=False)
    pytest.skip(LEFT_OUT + what)


def is_installed(program: str) -> bool:
    return shutil.which(program) is not None or any(
        True for directory in DAEMONS for _ in Path("/").glob(f"{directory}/{program}")
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which suites were left out and why, where nobody can overlook it."""
    left_out: Counter[tuple[str, str]] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        suite = report.nodeid.split("::")[0]
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        left_out[suite, reason.removeprefix("Skipped: ")] += 1
    if left_out:
        terminalreporter.write_sep("=", "left out")
    for (suite, reason), count in sorted(left_out.items()):
        terminalreporter.write_line(f"{suite}: {count} left out: {reason}")
