"""What is asked: each of its values comes to where restrictions look, and stands in JSON or not."""

import msgspec

from maysend.policy import Policy, ProtocolState, Request

NOT_OF_THE_SESSION = {
    *("protocol_state", "helo_name", "sender", "recipient", "recipient_count", "instance"),
    *("etrn_domain",),
}
"""What the commands say, one after the other."""
ALWAYS_WRITTEN = {"protocol_state", "protocol_name", "client_name", "reverse_client_name"}


def different_values() -> Request:
    """No two of its values are the same."""
    fields = enumerate(msgspec.structs.fields(Request), 1)
    values = {field.name: n if field.type is int else f"the {field.name}" for n, field in fields}
    return msgspec.convert(values | {"protocol_state": "RCPT"}, Request)


def test_each_value_comes_to_the_dialogue_by_its_name() -> None:
    """They are taken apart by position."""
    request = different_values()
    policy = Policy.from_parameters({"smtpd_relay_restrictions": "reject"})
    dialogue = policy.session_of(request).dialogue
    asked = set(Request.__struct_fields__) - NOT_OF_THE_SESSION
    assert len(asked) == 18
    for name in asked:
        assert getattr(dialogue, name) == getattr(request, name), name


def test_json_leaves_out_what_is_empty_and_is_read_as_the_same() -> None:
    empty = Request()
    assert set(msgspec.to_builtins(empty)) == ALWAYS_WRITTEN
    assert msgspec.to_builtins(empty)["protocol_state"] == "RCPT"
    for request in (empty, different_values(), Request(ProtocolState.MAIL, sender="a@b.example")):
        assert msgspec.json.decode(msgspec.json.encode(request), type=Request) == request
    assert set(msgspec.to_builtins(different_values())) == set(Request.__struct_fields__)
