"""A question of the policy delegation protocol, from the values that came for its attributes."""

from typing import Any, Final

import msgspec

from maysend.policy import ProtocolState, Request
from maysend.protocols.policy import Values

FIELDS: Final = Request.__struct_fields__
"""The attributes that a request is made of, in the order of their values."""

_STATE: Final = FIELDS.index("protocol_state")
_COUNT: Final = FIELDS.index("recipient_count")
_SIZE: Final = FIELDS.index("size")
_KEYSIZE: Final = FIELDS.index("encryption_keysize")
_STATES: Final = {state.value: state for state in ProtocolState}
_LONGEST_NUMBER: Final = 9
_SMALL: Final = {str(number): number for number in range(1000)}


def request_of(values: Values) -> Request:
    """The request; `values` are those of FIELDS, and used up. ValueError where it makes no sense.

    An attribute that did not come is not known, nor is one without a value where a value has to be
    there (SMTPD_POLICY_README). What smtpd sends is read in short; msgspec reads the rest, and
    would give the same request for all.
    """
    for value in values:
        if value is None:
            return _read_slowly(values)
    fields: list[Any] = values
    state = _STATES.get(fields[_STATE])
    count, size = _number(fields[_COUNT]), _number(fields[_SIZE])
    keysize = _number(fields[_KEYSIZE])
    if state is None or count is None or size is None or keysize is None:
        return _read_slowly(values)
    fields[_STATE] = state
    fields[_COUNT], fields[_SIZE], fields[_KEYSIZE] = count, size, keysize
    return Request(*fields)


def _number(digits: str) -> int | None:
    """The number, if it is written as msgspec takes it: short, and with no leading zero."""
    small = _SMALL.get(digits)
    if small is not None:
        return small
    if len(digits) > _LONGEST_NUMBER:
        return None
    try:
        number = int(digits)
    except ValueError:
        return None
    return number if str(number) == digits else None


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
