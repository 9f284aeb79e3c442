"""Moments as people type them: 2h, 3d, 2030-12-31, 2030-12-31T18:00."""

import re
from datetime import UTC, date, datetime, time

from maysend.cli.directory_options import refuse

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdw])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
DAY = 86400


def parse_until(text: str, now: float, option: str = "--until") -> int:
    """When something ends, in seconds since 1970; a day ends with its last second (UTC).

    Refuses what is neither a duration nor a date nor a date with a time.
    """
    duration = _DURATION.fullmatch(text)
    if duration is not None:
        return int(now) + int(duration[1]) * _SECONDS[duration[2]]
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return _moment(text, option)
    return int(datetime.combine(day, time(0), UTC).timestamp()) + DAY


def parse_since(text: str, now: float, option: str = "--since") -> int:
    """When something begins: a duration goes back from now, a day begins with its first second."""
    duration = _DURATION.fullmatch(text)
    if duration is not None:
        return int(now) - int(duration[1]) * _SECONDS[duration[2]]
    try:
        return int(datetime.combine(date.fromisoformat(text), time(0), UTC).timestamp())
    except ValueError:
        return _moment(text, option)


def _moment(text: str, option: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        refuse(
            f"{option}: {text!a} is no time, expected 2h, 3d, YYYY-MM-DD or YYYY-MM-DDTHH:MM, "
            "like 2030-12-31"
        )
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
