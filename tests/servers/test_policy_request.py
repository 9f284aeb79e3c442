"""What is read in short is what msgspec reads."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maysend.policy import ProtocolState, Request
from maysend.protocols.policy import Values
from maysend.servers.policy.request import FIELDS, request_of

numbers = st.sampled_from(
    ["", "0", "7", "007", "00", "-1", "+1", " 1", "1_0", "1e2", "\u0663", "9" * 9, "9" * 10]
)
texts = st.sampled_from(["", "a@b.example", "\u00e9", "\udcff"])
states = st.sampled_from([*(state.value for state in ProtocolState), "", "rcpt", "NONE"])
drawn = {"protocol_state": states} | {
    field.name: numbers if field.type is int else texts
    for field in msgspec.structs.fields(Request)
    if field.name != "protocol_state"
}
values = st.tuples(*[st.none() | drawn[name] for name in FIELDS]).map(list)
complete = st.tuples(*[drawn[name] for name in FIELDS]).map(list)


def as_msgspec(values: Values) -> Request | None:
    """By names, without what did not come or has no value where one is needed."""
    came = {name: value for name, value in zip(FIELDS, values, strict=True) if value is not None}
    for asked in (came, {name: value for name, value in came.items() if value}):
        try:
            return msgspec.convert(asked, Request, strict=False)
        except msgspec.ValidationError:
            pass
    return None


@given(values | complete)
@example(["RCPT" if name == "protocol_state" else "007" for name in FIELDS])
def test_every_request_is_what_msgspec_makes_of_it(values: Values) -> None:
    expected = as_msgspec(values)
    if expected is None:
        with pytest.raises(ValueError, match="a request that makes no sense"):
            request_of(values)
    else:
        assert request_of(values) == expected


def test_what_smtpd_sends_is_read_in_short() -> None:
    """Each value comes to the field of its name."""
    smtpd = {"protocol_state": "RCPT", "size": "12345", "recipient_count": "0"}
    smtpd |= {"encryption_keysize": "256"}
    request = request_of([smtpd.get(name, f"the {name}") for name in FIELDS])
    for name in FIELDS:
        told = getattr(request, name)
        expected = smtpd.get(name, f"the {name}")
        assert str(told.value if isinstance(told, ProtocolState) else told) == expected
