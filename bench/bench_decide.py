"""Decisions a second, traced, in one process: the built-in policy and a main.cf of 25 items."""

import sys
import tempfile
import time
from pathlib import Path

from maysend.directory import Directory
from maysend.policy import Policy, Request

SENDER_LIST = ", ".join(f"check_sender_access inline:{{x{n}@example.com=REJECT}}" for n in range(9))
CLIENT_LIST = ", ".join(f"check_client_access inline:{{198.51.100.{n}=OK}}" for n in range(6))
TWENTY_FIVE = {
    "smtpd_sasl_auth_enable": "yes",
    "mydestination": "example.com",
    "local_recipient_maps": "",
    "mynetworks": "127.0.0.0/8, 10.0.0.0/8",
    "smtpd_sender_login_maps": "inline:{alice@example.com=alice, bob@example.com=bob}",
    "smtpd_client_restrictions": CLIENT_LIST,
    "smtpd_helo_restrictions": "reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname",
    "smtpd_sender_restrictions": f"reject_non_fqdn_sender, {SENDER_LIST}, "
    "reject_sender_login_mismatch",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject",
    "smtpd_recipient_restrictions": "reject_non_fqdn_recipient, "
    "check_recipient_access inline:{all@example.com=REJECT}, permit_mynetworks, "
    "permit_sasl_authenticated, reject",
}
REQUEST = {
    "client_address": "192.0.2.7",
    "helo_name": "client.example.com",
    "sasl_username": "alice",
    "sender": "alice@example.com",
    "recipient": "bob@example.net",
}


def rate(policy: Policy, request: Request, seconds: float = 2.0) -> float:
    """Decisions a second, each from a fresh session."""
    assert policy.decide(request).is_permitted, policy.decide(request).reply
    count = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        for _ in range(100):
            policy.decide(request)
        count += 100
    return count / elapsed


def main() -> None:
    """Print both rates against the rates wanted of them."""
    listed = rate(Policy.from_parameters(TWENTY_FIVE), Request(**REQUEST))
    with tempfile.TemporaryDirectory() as directory:
        store = Directory.open(str(Path(directory) / "directory.db"))
        store.accounts.add("alice@example.com", password="bench")
        policy = Policy.builtin(store.table_types())
        login = {"sasl_username": "alice@example.com"}
        builtin = rate(policy, Request(**REQUEST | login))
    print(f"decide_25_restrictions ours={listed:.0f}/s peer=15000/s ratio={listed / 15000:.2f}")
    print(f"decide_builtin ours={builtin:.0f}/s peer=40000/s ratio={builtin / 40000:.2f}")


if __name__ == "__main__":
    sys.exit(main())
