"""Reading the folder: which of its files there are, and what each means.

Lines end in LF or CRLF, the last one may lack it; empty lines and those that begin with "#" are
nothing. In the files that Postfix reads, an indented line continues the one before (postmap(1)).
"""

from collections.abc import Iterator
from pathlib import Path

from maysend.directory.errors import DirectoryError
from maysend.importers.docker_mailserver.access_files import read_receive_access, read_send_access
from maysend.importers.docker_mailserver.accounts_file import read_accounts
from maysend.importers.docker_mailserver.alias_files import (
    read_local_aliases,
    read_patterns,
    read_virtual,
)
from maysend.importers.docker_mailserver.environment import read_environment
from maysend.importers.docker_mailserver.meaning import remark_on_meaning
from maysend.importers.docker_mailserver.wanted import Wanted
from maysend.tables.lines import LogicalLine, logical_lines
from maysend.tables.table import TableContext

ACCOUNTS = "postfix-accounts.cf"
READERS = {
    ACCOUNTS: read_accounts,
    "postfix-virtual.cf": read_virtual,
    "postfix-regexp.cf": read_patterns,
    "postfix-aliases.cf": read_local_aliases,
    "postfix-send-access.cf": read_send_access,
    "postfix-receive-access.cf": read_receive_access,
}
ENVIRONMENTS = ("mailserver.env", "docker-mailserver.env", ".env")
NOT_OURS = {
    "dovecot-quotas.cf": "how much a mailbox may hold is for Dovecot to say",
    "dovecot-masters.cf": "who may read others' mailboxes is for Dovecot to say",
    "postfix-relaymap.cf": "which relay mail takes is for Postfix to say",
    "postfix-sasl-password.cf": "passwords at relays are for Postfix to know",
    "postfix-main.cf": "`maysend lint` and `explain` read the main.cf that it ends up in",
    "postfix-master.cf": "`maysend lint` and `explain` read the master.cf that it ends up in",
}
FILES = (*READERS, *ENVIRONMENTS)
"""All that an import looks at."""


def read_folder(folder: Path, environment: Path | None = None) -> Wanted:
    """What the files in `folder` ask for. DirectoryError where it is no such folder.

    `environment` is the environment file, looked for in the folder where none is given.
    """
    if not folder.is_dir():
        raise DirectoryError(f"there is no folder {folder}")
    wanted = Wanted(has_accounts_file=(folder / ACCOUNTS).exists())
    found = False
    for name, read in READERS.items():
        lines = _physical_lines(folder / name)
        if lines is None:
            continue
        found = True
        joined = _numbered(lines) if name == ACCOUNTS else _joined(lines, name, wanted)
        read(joined, name, wanted)
    if not found:
        raise DirectoryError(
            f"{folder} has none of docker-mailserver's files: {', '.join(READERS)}"
        )
    _read_environment(folder, environment, wanted)
    for name, why in NOT_OURS.items():
        if (folder / name).exists():
            wanted.remark(name, 0, "ignored", why)
    remark_on_meaning(wanted)
    wanted.remarks.sort(key=lambda remark: (remark.file, remark.line))
    return wanted


def _read_environment(folder: Path, environment: Path | None, wanted: Wanted) -> None:
    if environment is not None and not environment.is_file():
        raise DirectoryError(f"there is no file {environment}")
    there = (folder / name for name in ENVIRONMENTS)
    path = environment or next((each for each in there if each.is_file()), None)
    lines = None if path is None else _physical_lines(path)
    read_environment(_numbered(lines or []), "" if path is None else path.name, wanted)


def _physical_lines(path: Path) -> list[bytes] | None:
    """The lines without their ends; None where there is no such file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DirectoryError(f"can't read {path}: {error.strerror}") from None
    return [line.removesuffix(b"\r") for line in content.split(b"\n")]


def _numbered(lines: list[bytes]) -> Iterator[LogicalLine]:
    for number, raw in enumerate(lines, 1):
        text = raw.decode("utf-8", "surrogateescape").strip()
        if text and not text.startswith("#"):
            yield LogicalLine(text, number)


def _joined(lines: list[bytes], name: str, wanted: Wanted) -> Iterator[LogicalLine]:
    def warn(text: str) -> None:
        place, _, problem = text.partition(": ")
        number = place.rpartition(" ")[2]
        wanted.remark(name, int(number) if number.isdigit() else 0, "skipped", problem)

    for line in logical_lines(lines, name, TableContext(warn=warn)):
        yield LogicalLine(line.text.rstrip(), line.number)
