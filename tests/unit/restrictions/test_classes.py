"""S3.1: classes that lead to themselves, and unknown words, are named with their line."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from maysend.policy import Policy, Request

BASE = {
    "myhostname": "mail.example.com",
    "mydestination": "example.com",
    "local_recipient_maps": "",
    "smtpd_relay_restrictions": "reject_unauth_destination",
}
REQUEST = Request(client_address="192.0.2.7", sender="a@example.org", recipient="b@example.com")
CLASSES = ("c1", "c2", "c3", "c4")
WORDS = (*CLASSES, "reject_non_fqdn_sender", "reject_invalid_helo_hostname")


def findings(main_cf: str, tmp_path: Path) -> list[str]:
    (tmp_path / "main.cf").write_text(
        "".join(f"{name} = {value}\n" for name, value in BASE.items()) + main_cf
    )
    policy = Policy.load(tmp_path)
    return [f"{node.place.line}: {node.finding}" for node in policy.findings]


def test_a_loop_is_found_at_load_with_its_line_and_its_way(tmp_path: Path) -> None:
    main_cf = (
        "smtpd_restriction_classes = again, other, fine\n"
        "again = reject_non_fqdn_sender,\n  other\n"
        "other = fine, again\n"
        "fine = reject_non_fqdn_sender\n"
        "smtpd_sender_restrictions = again\n"
    )
    loop = "restriction class loop: again → other → again: smtpd would crash here"
    assert findings(main_cf, tmp_path) == [f"8: {loop}"]
    reply = Policy.load(tmp_path).decide(REQUEST).reply
    assert str(reply) == "451 4.3.5 Server configuration error"


def test_a_misspelt_restriction_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    main_cf = "smtpd_client_restrictions =\n  permit_mynetwork,\n  check_client_access\n"
    assert findings(main_cf, tmp_path) == [
        '6: unknown smtpd restriction: "permit_mynetwork"; did you mean "permit_mynetworks"?',
        '7: check_client_access: bad argument "": need maptype:mapname',
    ]


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), min_size=4, max_size=4))
def test_a_dialogue_ends_in_a_fault_only_where_a_loop_was_found(lists: list[list[str]]) -> None:
    """Every loop that can be reached is found, whatever the classes are made of."""
    classes = {name: " ".join(words) for name, words in zip(CLASSES, lists, strict=True)}
    policy = Policy.from_parameters(
        {
            **BASE,
            **classes,
            "smtpd_restriction_classes": ", ".join(CLASSES),
            "smtpd_sender_restrictions": ", ".join(CLASSES),
        }
    )
    faulty = policy.decide(REQUEST).reply is not None
    assert faulty == any("loop" in node.finding for node in policy.findings)


def test_hundreds_of_classes_in_each_other_are_a_fault_and_no_crash() -> None:
    names = [f"class{number}" for number in range(2000)]
    lists = dict(zip(names, [*names[1:], "permit"], strict=True))
    policy = Policy.from_parameters(
        {
            **BASE,
            **lists,
            "smtpd_restriction_classes": " ".join(names),
            "smtpd_sender_restrictions": names[0],
        }
    )
    decision = policy.decide(REQUEST)
    assert str(decision.reply) == "451 4.3.5 Server configuration error"
    assert policy.findings == []
