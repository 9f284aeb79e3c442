"""A question of the policy delegation protocol, from the values that came for its attributes."""

from typing import Any, Final

import msgspec

from maysend.policy import ProtocolState, Request
from maysend.protocols.policy import Values

FIELDS: Final = Request.__struct_fields__
"""The attributes that a request is made of, in the order of their values."""

_NUMBERS: Final = tuple(
    number for number, field in enumerate(msgspec.structs.fields(Request)) if field.type is int
)
_STATE: Final = FIELDS.index("protocol_state")
_STATES: Final = {state.value: state for state in ProtocolState}
_LONGEST_NUMBER: Final = 9


def request_of(values: Values) -> Request:
    """The request; `values` are those of FIELDS. Raises ValueError where it makes no sense.

    An attribute that did not come is not known, nor is one without a value where a value has to be
    there (SMTPD_POLICY_README). What smtpd sends is read in short; msgspec reads the rest, and
    would give the same request for all.
    """
    fields: list[Any] = [*values]
    state = _STATES.get(values[_STATE] or "")
    if state is None or None in fields:
        return _read_slowly(values)
    fields[_STATE] = state
    for place in _NUMBERS:
        digits = values[place]
        if digits is None or not _is_number(digits):
            return _read_slowly(values)
        fields[place] = int(digits)
    return Request(*fields)


def _is_number(digits: str) -> bool:
    if not (digits.isdecimal() and digits.isascii() and len(digits) <= _LONGEST_NUMBER):
        return False
    return digits == "0" or not digits.startswith("0")  # msgspec takes no leading zeros


def _read_slowly(values: Values) -> Request:
    came = {name: value for name, value in zip(FIELDS, values, strict=True) if value is not None}
    try:
        return msgspec.convert(came, Request, strict=False)
    except msgspec.ValidationError:
        known = {name: value for name, value in came.items() if value}
    try:
        return msgspec.convert(known, Request, strict=False)
    except msgspec.ValidationError as problem:
        raise ValueError(f"a request that makes no sense: {problem}") from None
