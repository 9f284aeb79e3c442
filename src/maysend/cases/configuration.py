"""The policy that a case is about: its own parameters and tables, or a directory with them."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from maysend.cases.case import BASE_PARAMETERS, Case
from maysend.cases.stand_ins import StandIns
from maysend.dns import Zone
from maysend.maincf import MainCfError, Parameters
from maysend.policy import Policy, PolicyError
from maysend.tables.table import Opener


@contextmanager
def policy_of(case: Case, extra_tables: Mapping[str, Opener] | None = None) -> Iterator[Policy]:
    """The policy of a case, for as long as its files are there.

    `extra_tables` are table types of higher floors. Nothing in the configuration directory is
    written to, and no name server is asked. Raises PolicyError and MainCfError as Policy does;
    where they are about main_cf they say so.
    """
    with TemporaryDirectory(prefix="maysend-case-") as scratch:
        root = Path(scratch)
        try:
            yield _policy(case, root, extra_tables or {})
        except (MainCfError, PolicyError) as error:
            raise PolicyError(_without_scratch(str(error), root)) from error


def write_configuration(case: Case, directory: Path) -> None:
    """Write main.cf and the files of a case that names no configuration directory."""
    settings = {**BASE_PARAMETERS, **case.main_cf}
    main_cf = "".join(f"{name} = {_one_line(value)}\n" for name, value in settings.items())
    for name, text in {**case.files, "main.cf": main_cf}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))


def _policy(case: Case, scratch: Path, extra_tables: Mapping[str, Opener]) -> Policy:
    write_configuration(case, scratch)
    directory = Path(case.config or scratch)
    by_path = {
        str(path / name): scratch / name
        for name in case.files
        for path in (directory, directory.absolute())
    }
    by_spec = {}
    for number, (spec, text) in enumerate(case.tables.items()):
        by_spec[spec] = scratch / f".table{number}"
        by_spec[spec].write_bytes(text.encode("utf-8", "surrogateescape"))
    parameters = Parameters.load(case.config or scratch, case.service or None)
    if case.config and case.main_cf:
        parameters = parameters.replaced(case.main_cf, file="main_cf")
    tables = StandIns(by_spec, by_path, extra_tables).openers() if by_path or by_spec else {}
    return Policy(parameters, {**extra_tables, **tables}, Zone(case.dns))


def _one_line(value: str) -> str:
    """A value as one logical line: what follows a newline is indented (postconf(5))."""
    return value.strip().replace("\n", "\n    ")


def _without_scratch(message: str, scratch: Path) -> str:
    """Nobody can look into the main.cf that was written for this run: the file has a main_cf."""
    message = re.sub(rf"^{re.escape(str(scratch))}/main\.cf:\d+", "main_cf", message)
    return message.replace(f"{scratch}/", "")
