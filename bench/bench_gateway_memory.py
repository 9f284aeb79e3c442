"""Resident memory of the gateway while 100 clients at once each send 25 MB to a slow next hop.

The peer's figure is the bound that the project has set itself (MB, VmHWM of the process). With
TLS, as clients come, and without.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers.gateway_memory import gateway_memory_mb

from maysend.demo.certificate import make_certificate

CLIENTS = 100
SIZE = 25_000_000
BOUND_MB = 150


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        make_certificate(certificate, key)
        both = Path(folder, "both.pem")
        both.write_bytes(key.read_bytes() + certificate.read_bytes())
        for name, encrypted in (("gateway_memory_mb", True), ("gateway_memory_plain_mb", False)):
            begun = time.monotonic()
            ours = gateway_memory_mb(CLIENTS, SIZE, both, encrypted=encrypted)
            print(f"{name} ours={ours:.0f} peer={BOUND_MB} ratio={ours / BOUND_MB:.2f}")
            print(
                f"# {CLIENTS} x {SIZE} octets in {time.monotonic() - begun:.0f} s", file=sys.stderr
            )


if __name__ == "__main__":
    main()
