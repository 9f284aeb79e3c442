"""S4.6: 587, 465 and 2025 as in the seed, each with its own -o options."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from maysend.maincf import MainCfError, Parameters
from maysend.policy import Policy
from maysend.servers.submission import (
    GatewaySettings,
    NextHop,
    with_parameters,
)
from tests.servers.conftest import LoopThread
from tests.servers.gateways import running

MASTER = """\
submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_recipient_limit=7
smtps inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_timeout=2m
2025 inet n - n - - smtpd
  -o smtpd_tls_auth_only=no
  -o smtpd_sasl_security_options=noanonymous,noplaintext
  -o smtpd_authorized_xclient_hosts=127.0.0.1,[::1]
  -o broken_sasl_auth_clients=yes
"""


def listener(directory: Path, service: str) -> GatewaySettings:
    settings = GatewaySettings(hostname="x", next_hops=(NextHop("127.0.0.1"),))
    return with_parameters(settings, Parameters.load(directory, service))


def test_services_with_their_own_options(tmp_path: Path, loop_thread: LoopThread) -> None:
    """S4.6: 587, 465 and 2025 from one master.cf."""
    relay = "smtpd_relay_restrictions = permit_sasl_authenticated, reject\n"
    (tmp_path / "main.cf").write_text(f"{relay}smtpd_sasl_auth_enable = yes\n")
    (tmp_path / "master.cf").write_text(MASTER)
    submission = listener(tmp_path, "submission")
    assert (submission.tls_required, submission.tls_auth_only) == (True, True)
    assert submission.limits.smtpd_recipient_limit == 7
    smtps = listener(tmp_path, "smtps")
    assert smtps.tls_wrapper
    assert smtps.timeouts.smtpd_timeout == 120
    seed = listener(tmp_path, "2025")
    assert not seed.tls_auth_only
    assert seed.xclient_from == (ip_network("127.0.0.1"), ip_network("::1"))
    policy = {name.name: name.raw for name in settings_of(tmp_path, "2025")}
    with (
        running(loop_thread, policy=policy, tls_auth_only=False) as gateway,
        gateway.connect() as client,
    ):
        assert "AUTH" not in client.command("EHLO x"), "PLAIN and LOGIN are plaintext"


def settings_of(directory: Path, service: str) -> list[object]:
    policy = Policy.load(directory, service)
    found = (policy.parameters.setting(name) for name in policy.parameters.names())
    return [setting for setting in found if setting is not None]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("smtpd_tls_security_level", "encrpyt"),
        ("smtpd_authorized_xclient_hosts", "localhost"),
        ("smtpd_tls_auth_only", "perhaps"),
    ],
)
def test_settings_that_can_not_be_read(tmp_path: Path, name: str, value: str) -> None:
    (tmp_path / "main.cf").write_text(f"# a comment\n{name} = {value}\n")
    (tmp_path / "master.cf").write_text(MASTER)
    with pytest.raises(MainCfError, match=r"main\.cf:2"):
        listener(tmp_path, "smtps")
