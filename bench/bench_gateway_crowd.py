"""How much longer a message takes while 5,000 connections are idle and 50 clients read no replies.

Prints what the crowd adds to the median and to the 99th percentile, in milliseconds, beside the
50 ms that the project allows; and the gateway's resident memory with them all, in MB.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.bench_gateway import smtp_sink
from tests.servers.gateway_crowd import allow_files, measure

from maysend.demo.certificate import make_certificate

IDLE, SLOW_READERS = 5000, 50
ALLOWED_MS = 50


def main() -> None:
    """Measure and print."""
    allow_files(3 * IDLE)
    with tempfile.TemporaryDirectory() as folder, smtp_sink() as sink:
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        make_certificate(certificate, key)
        both = Path(folder, "both.pem")
        both.write_bytes(key.read_bytes() + certificate.read_bytes())
        alone, beside, memory = measure(sink, both, IDLE, SLOW_READERS, 500)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        place = int(len(alone) * share)
        added = max(0.0, beside[place] - alone[place]) * 1000
        ratio = ALLOWED_MS / max(added, 0.01)
        print(f"gateway_crowd_{name}_ms ours={added:.2f} peer={ALLOWED_MS} ratio={ratio:.1f}")
    print(f"# {memory:.0f} MB with {IDLE} idle and {SLOW_READERS} slow", file=sys.stderr)


if __name__ == "__main__":
    main()
