"""Prints what the differential tests counted, also where xdist runs them in other processes.

A test says `record_property("counted", text)`.
"""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, text in report.user_properties:
                if name == "counted":
                    terminalreporter.write_sep("=", f"{report.nodeid.split('::')[-1]}")
                    terminalreporter.write_line(text)
