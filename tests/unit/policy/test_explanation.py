"""S1.7: what stopped the search, what was never asked and would have said, and the fix."""

from collections.abc import Mapping

import pytest

from maysend.policy import Policy, Request
from maysend.policy.explanation import Explanation, explain

USERS = "inline:{alice@example.com=alice@example.com, tracy@example.com=tracy@example.com}"
OVERRIDES = "pcre:{{/.*@example.com/ tracy@example.com}}"

PARAMETERS = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sender_restrictions": "reject_sender_login_mismatch",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    "smtpd_recipient_restrictions": "",
}


def explained(maps: str, login: str, sender: str) -> Explanation:
    parameters = PARAMETERS | {"smtpd_sender_login_maps": maps}

    def policy_with(overrides: Mapping[str, str]) -> Policy:
        return Policy.from_parameters(parameters | overrides)

    request = Request(
        client_address="192.0.2.7",
        sasl_username=login,
        sender=sender,
        recipient="bob@example.net",
    )
    *_, explanation = explain(Policy.from_parameters(parameters), request, policy_with)
    return explanation


def test_s1_7_the_table_that_stopped_the_search_is_in_the_trace() -> None:
    explanation = explained(f"{USERS}, {OVERRIDES}", "tracy@example.com", "alice@example.com")
    step = explanation.decision.determined_by
    assert step is not None
    assert step.restriction == "reject_sender_login_mismatch"
    assert [(found.table, found.answer) for found in step.lookups] == [(USERS, "alice@example.com")]


def test_s1_7_the_table_never_asked_names_the_login() -> None:
    explanation = explained(f"{USERS}, {OVERRIDES}", "tracy@example.com", "alice@example.com")
    assert [(found.table, found.answer) for found in explanation.would_own()] == [
        (OVERRIDES, "tracy@example.com")
    ]


def test_s1_7_the_fix_is_a_union_that_was_tried() -> None:
    explanation = explained(f"{USERS}, {OVERRIDES}", "tracy@example.com", "alice@example.com")
    assert explanation.fix is not None
    assert explanation.fix.parameter == "smtpd_sender_login_maps"
    fixed = explained(explanation.fix.value, "tracy@example.com", "alice@example.com")
    assert fixed.decision.is_permitted


def test_s1_7_swapped_tables_shadow_every_user() -> None:
    explanation = explained(f"{OVERRIDES}, {USERS}", "alice@example.com", "alice@example.com")
    assert str(explanation.decision.reply) == (
        "553 5.7.1 <alice@example.com>: Sender address rejected: "
        "not owned by user alice@example.com"
    )
    assert [found.table for found in explanation.would_own()] == [USERS]
    assert explanation.fix is not None


@pytest.mark.parametrize("login", ["mallory@example.com", "", "bob@example.net"])
def test_no_fix_for_who_owns_nothing_in_any_table(login: str) -> None:
    explanation = explained(f"{USERS}, {OVERRIDES}", login, "alice@example.com")
    assert not explanation.decision.is_permitted
    assert explanation.would_own() == []
    assert explanation.fix is None
