"""postfix-send-access.cf and postfix-receive-access.cf: `address  REJECT` (access(5))."""

from collections.abc import Iterable

from maysend.directory.addresses import parse_address
from maysend.directory.errors import DirectoryError
from maysend.importers.docker_mailserver.wanted import Wanted
from maysend.tables.lines import LogicalLine


def read_send_access(lines: Iterable[LogicalLine], file: str, wanted: Wanted) -> None:
    """Suspend: the login where it is an account's, else the address."""
    for line, address in _rejected(lines, file, wanted):
        if address in wanted.accounts:
            wanted.suspended_logins.add(address)
            text = (
                f"{address} is suspended as a login: there an alias, <> or the ports 587 and 465 "
                "go around it, here nothing does"
            )
        else:
            wanted.suspended_senders.add(address)
            text = f"{address} is no account: the address is suspended, with its +extensions"
        wanted.remark(file, line.number, "different", text)


def read_receive_access(lines: Iterable[LogicalLine], file: str, wanted: Wanted) -> None:
    """Close the recipient: a list that nobody may write to."""
    for line, address in _rejected(lines, file, wanted):
        wanted.closed.add(address)
        wanted.remark(
            file,
            line.number,
            "different",
            f"{address} is closed also by its +extensions and by aliases that lead to it",
        )


def _rejected(
    lines: Iterable[LogicalLine], file: str, wanted: Wanted
) -> Iterable[tuple[LogicalLine, str]]:
    for line in lines:
        key, _, action = line.text.replace("\t", " ").partition(" ")
        try:
            if action.strip().upper() != "REJECT":
                raise DirectoryError(f"'{key}' has another action than REJECT")
            yield line, parse_address(key)
        except DirectoryError as error:
            wanted.remark(file, line.number, "skipped", str(error))
