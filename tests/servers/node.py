"""One node of several on one PostgreSQL: decides without pause, and tells when a login is refused.

Run as a process: `node.py URL LOGIN SECONDS`. Prints "ready" when it decides, then one line of
JSON: how many decisions, the moment (CLOCK_REALTIME) of the last permit and the first refusal.
"""

import json
import sys
import time

from maysend.directory import Directory
from maysend.policy import Policy, Request


def main(url: str, login: str, seconds: float) -> None:
    with Directory.open(url, create=False) as directory:
        policy = Policy.builtin(directory.table_types())
        request = Request(
            client_address="192.0.2.1",
            sasl_username=login,
            sasl_method="PLAIN",
            sender=login,
            recipient="x@example.net",
        )
        assert policy.decide(request).reply is None
        print("ready", flush=True)
        end = time.monotonic() + seconds
        decisions, last_permit, first_refusal = 0, 0.0, 0.0
        while time.monotonic() < end:
            reply = policy.decide(request).reply
            now = time.time()
            decisions += 1
            if reply is None:
                assert not first_refusal, "permitted after it was refused"
                last_permit = now
            elif not first_refusal:
                # It may fall between two lookups of one decision: then it owns nothing already.
                first_refusal = now
            else:
                assert "Call 123" in reply.text, str(reply)
    print(json.dumps({"decisions": decisions, "last": last_permit, "first": first_refusal}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
