"""postfix-accounts.cf: `login|{SCHEME}hash[|extra fields for Dovecot]`."""

from collections.abc import Iterable

from maysend.directory.addresses import parse_address
from maysend.directory.errors import DirectoryError
from maysend.directory.passwords import check_scheme
from maysend.importers.docker_mailserver.wanted import Wanted
from maysend.tables.lines import LogicalLine


def read_accounts(lines: Iterable[LogicalLine], file: str, wanted: Wanted) -> None:
    """Add the accounts; nothing of a password is ever repeated."""
    for line in lines:
        login, bar, rest = line.text.partition("|")
        stored, extra_bar, _ = rest.partition("|")
        try:
            if not bar or not stored.strip():
                raise DirectoryError("expected login|{SCHEME}hash")
            parsed = parse_address(login.strip())
            check_scheme(stored.strip())
        except DirectoryError as error:
            wanted.remark(file, line.number, "skipped", str(error))
            continue
        if parsed in wanted.accounts:
            wanted.remark(
                file, line.number, "skipped", f"{parsed} is there already, further up: that counts"
            )
            continue
        wanted.accounts[parsed] = stored.strip()
        if extra_bar:
            wanted.remark(
                file, line.number, "ignored", f"the extra fields of {parsed} are for Dovecot"
            )
