"""A policy follows main.cf and master.cf; a broken one keeps the policy before."""

import time
from pathlib import Path

import pytest

from maysend.policy import Policy, ReloadingPolicy

SETTLED = 0.5  # seconds after which a file counts as written


def _write(directory: Path, sender_restrictions: str) -> None:
    (directory / "main.cf").write_text(
        "smtpd_relay_restrictions = reject_unauth_destination\n"
        "mydestination = example.com\n"
        f"smtpd_sender_restrictions = {sender_restrictions}\n"
    )


def _reply(policy: Policy) -> str:
    session = policy.session(client_address="192.0.2.1")
    session.connect()
    session.mail("a@example.org")
    return str(session.rcpt("bob@example.com").reply)


@pytest.fixture
def warnings() -> list[str]:
    """What was told."""
    return []


@pytest.fixture
def reloading(tmp_path: Path, warnings: list[str]) -> ReloadingPolicy:
    """The policy of a small main.cf."""
    _write(tmp_path, "permit")
    (tmp_path / "master.cf").write_text("")
    time.sleep(SETTLED)
    return ReloadingPolicy(lambda: Policy.load(tmp_path), tmp_path, warnings.append)


def test_a_new_main_cf_is_used_by_the_next_session(
    reloading: ReloadingPolicy, tmp_path: Path
) -> None:
    before = reloading.policy
    assert not reloading.refresh()
    _write(tmp_path, "reject")
    assert not reloading.refresh(), "somebody may still be writing"
    time.sleep(SETTLED)
    assert reloading.refresh()
    assert "Access denied" in _reply(reloading.policy)
    assert "Access denied" not in _reply(before)
    assert not reloading.refresh()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("smtpd_relay_restrictions = permit\n", "reject_unauth_destination"),
        ("a b\n", "main.cf:1"),
        (None, "main.cf"),
    ],
)
def test_a_broken_main_cf_keeps_the_policy_before_and_is_told_once(
    reloading: ReloadingPolicy,
    warnings: list[str],
    tmp_path: Path,
    text: str | None,
    told: str,
) -> None:
    before = reloading.policy
    if text is None:
        (tmp_path / "main.cf").unlink()
    else:
        (tmp_path / "main.cf").write_text(text)
    time.sleep(SETTLED)
    assert not reloading.refresh()
    assert not reloading.refresh()
    assert reloading.policy is before
    assert len(warnings) == 1
    assert told in warnings[0]
    assert "the configuration before is still used" in warnings[0]
    _write(tmp_path, "reject")
    time.sleep(SETTLED)
    assert reloading.refresh()
