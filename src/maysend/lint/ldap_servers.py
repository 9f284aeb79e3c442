"""What an ldap table's file says about its connection."""

from maysend.lint.client_files import ClientFile

_ON = frozenset({"yes", "sasl"})


def leaves_the_host(file: ClientFile) -> bool:
    """Whether what is asked and answered can be read on a network."""
    return any(_is_readable(host) for host in _hosts(file)) and not _starts_tls(file)


def binds(file: ClientFile) -> bool:
    """Whether the table binds, and with a name."""
    return file.value("bind", "yes").lower() in _ON and (
        bool(file.value("bind_dn")) or file.value("bind").lower() == "sasl"
    )


def _hosts(file: ClientFile) -> list[str]:
    return file.value("server_host", "localhost").replace(",", " ").lower().split()


def _starts_tls(file: ClientFile) -> bool:
    return file.value("start_tls", "no").lower() == "yes"


def _is_readable(host: str) -> bool:
    if host.startswith(("ldaps:", "ldapi:")):
        return False
    name = host.removeprefix("ldap://").partition("/")[0]
    return not name.startswith(("localhost", "127.", "[::1]", "::1"))
