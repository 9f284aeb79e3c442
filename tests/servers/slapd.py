"""A private slapd that tests start: on ports of 127.0.0.1 and a socket, with TLS.

Entries are LDIF under dc=example,dc=org. The schema has `mailPolicy`, an auxiliary class with the
attributes that mail tables use. OpenLDAP takes no underscore in an attribute's name any more, hence
`smtpd-sender-restrictions`.
"""

import base64
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from tests.servers.certificates import Authority

ADMIN = "cn=admin,dc=example,dc=org"
PASSWORD = "s3cret-of-the-tests"
PROGRAM = "/usr/sbin/slapd"

_SCHEMA = """\
attributetype ( 1.3.6.1.4.1.55555.1.1 NAME 'smtpd-sender-restrictions' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.55555.1.2 NAME 'maildrop' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.55555.1.3 NAME 'mailacceptinggeneralid' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.55555.1.4 NAME 'memberdn' EQUALITY caseExactMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.55555.1.5 NAME 'routeto' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.55555.1.6 NAME 'octets' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.55555.2.1 NAME 'mailPolicy' SUP top AUXILIARY
  MAY ( smtpd-sender-restrictions $ maildrop $ mailacceptinggeneralid $ memberdn $ routeto
  $ octets ) )
"""

_CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
include {root}/mail.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
database mdb
suffix "dc=example,dc=org"
rootdn "{admin}"
rootpw "{password}"
directory {root}/database
maxsize 104857600
dbnosync
index mail,uid,objectClass,mailacceptinggeneralid eq
"""

BASE = """\
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=People,dc=example,dc=org
objectClass: organizationalUnit
ou: People

"""


class SlapdError(Exception):
    """slapd did not start; the text is what it said."""


class Slapd:
    """A slapd with `entries` (LDIF) below BASE. `stop` and `start` keep its place."""

    def __init__(self, entries: str, *, parent: Path | None = None) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="maysend-slapd-", dir=parent))
        authority = Authority(self.root)
        certificate, key = authority.certificate("ldap.example.com")
        self.ca = authority.file
        self.port, self.tls_port = _free_ports()
        self.url = f"ldap://127.0.0.1:{self.port}"
        self.tls_url = f"ldaps://127.0.0.1:{self.tls_port}"
        self.socket_url = f"ldapi://{quote(str(self.root / 'socket'), safe='')}"
        (self.root / "database").mkdir()
        (self.root / "mail.schema").write_text(_SCHEMA)
        (self.root / "slapd.conf").write_text(
            _CONFIGURATION.format(
                root=self.root, ca=self.ca, certificate=certificate, key=key,
                admin=ADMIN, password=PASSWORD,
            )
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._load(BASE + entries)
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Slapd":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        log = self.root / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [PROGRAM, "-f", str(self.root / "slapd.conf"), "-d", "0",
                 "-h", f"{self.url} {self.tls_url} {self.socket_url}"],
                stdout=output, stderr=output,
            )  # fmt: skip
        give_up = time.monotonic() + 15
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > give_up:
                raise SlapdError(log.read_text(errors="replace") or "slapd does not listen")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(15)
            self._process = None

    def close(self) -> None:
        """End it and remove its directory."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The running process, for signals."""
        assert self._process is not None
        return self._process.pid

    def _load(self, ldif: str) -> None:
        command = [PROGRAM, "-Tadd", "-q", "-f", str(self.root / "slapd.conf")]
        done = subprocess.run(
            command, input=ldif.encode(), capture_output=True, check=False, timeout=60
        )
        if done.returncode:
            raise SlapdError(done.stderr.decode(errors="replace"))

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.tls_port), 1):
                return (self.root / "socket").exists()
        except OSError:
            return False


def ldif(name: str, *attributes: tuple[str, str]) -> str:
    """One entry; values go in as base64, so that anything can be in them."""

    def line(attribute: str, value: str) -> str:
        octets = value.encode("utf-8", "surrogateescape")
        return f"{attribute}:: {base64.b64encode(octets).decode()}"

    return "\n".join([line("dn", name), *(line(*pair) for pair in attributes)]) + "\n\n"


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for taken in (first, second):
            taken.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
