"""The environment file: `NAME=value` lines; the last of a name counts, as for Docker."""

from collections.abc import Iterable

from maysend.directory.addresses import parse_address
from maysend.directory.errors import DirectoryError
from maysend.importers.docker_mailserver.wanted import Wanted
from maysend.tables.lines import LogicalLine

POSTMASTER = "postmaster"

LDAP_FILTERS = ("USER", "GROUP", "ALIAS", "DOMAIN", "SENDERS")


def read_environment(lines: Iterable[LogicalLine], file: str, wanted: Wanted) -> None:
    """Take POSTMASTER_ADDRESS, and remark on what means something else here."""
    values: dict[str, tuple[str, int]] = {}
    for line in lines:
        name, equals, value = line.text.removeprefix("export ").partition("=")
        if not equals or not name.strip().replace("_", "").isalnum():
            wanted.remark(file, line.number, "skipped", "expected NAME=value")
            continue
        values[name.strip()] = (value.strip().strip("'\""), line.number)
    _spoof_protection(values, file, wanted)
    _postmaster(values, file, wanted)
    _ldap(values, file, wanted)
    if wanted.local_names:
        wanted.local_domains.add("localhost")


def _spoof_protection(values: dict[str, tuple[str, int]], file: str, wanted: Wanted) -> None:
    value, line = values.get("SPOOF_PROTECTION", ("", 0))
    if value != "1":
        wanted.remark(
            file or "environment",
            line,
            "different",
            "without SPOOF_PROTECTION=1 every login may send as anybody; here each sends as what "
            "it owns. To look first: smtpd_observe_restrictions = all, then maysend observe report",
        )


def _postmaster(values: dict[str, tuple[str, int]], file: str, wanted: Wanted) -> None:
    value, line = values.get("POSTMASTER_ADDRESS", ("", 0))
    if value:
        try:
            address = parse_address(value)
        except DirectoryError as error:
            wanted.remark(file, line, "skipped", f"POSTMASTER_ADDRESS: {error}")
            return
        wanted.aliases.setdefault(POSTMASTER, [address])
        wanted.local_names.add(POSTMASTER)
        wanted.remark(
            file,
            line,
            "different",
            f"postmaster@ of every managed domain leads to {address}, and its account may send "
            "as it",
        )
    if POSTMASTER in wanted.local_names:
        wanted.aliases.setdefault("root", [POSTMASTER])
        wanted.local_names.add("root")


def _ldap(values: dict[str, tuple[str, int]], file: str, wanted: Wanted) -> None:
    value, line = values.get("ACCOUNT_PROVISIONER", ("", 0))
    if value.upper() != "LDAP":
        return
    named = [name for name in LDAP_FILTERS if f"LDAP_QUERY_FILTER_{name}" in values]
    wanted.remark(
        file,
        line,
        "different",
        "accounts are in LDAP: keep its tables beside the directory, as in docs/guides/ldap.md: "
        "smtpd_sender_login_maps = unionmap:{directory:owners, "
        + ", ".join(f"ldap:/etc/postfix/ldap-{name.lower()}s.cf" for name in named or ("USER",))
        + "}; there the first that answers wins, here all owners count",
    )
