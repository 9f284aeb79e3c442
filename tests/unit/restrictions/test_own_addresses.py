"""permit_inet_interfaces: smtpd looks at the socket, and ours in tests is no TCP one."""

import pytest

from maysend.cases.case import BASE_PARAMETERS
from maysend.policy import Policy


@pytest.mark.parametrize(
    ("interfaces", "client", "permits"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1, [2001:db8::1]", "2001:db8::1", True),
        ("192.0.2.1", "127.0.0.1", False),
        ("192.0.2.1", "192.0.2.10", False),
    ],
)
def test_a_client_at_an_address_of_this_host_is_permitted(
    interfaces: str, client: str, permits: bool
) -> None:
    policy = Policy.from_parameters(
        {
            **BASE_PARAMETERS,
            "inet_interfaces": interfaces,
            "smtpd_relay_restrictions": "permit_inet_interfaces, reject",
        }
    )
    session = policy.session(client_address=client)
    session.mail("a@example.org")
    assert session.rcpt("bob@example.com").is_permitted == permits
