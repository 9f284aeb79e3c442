"""A resolver that has all its answers in a dictionary."""

from collections.abc import Mapping

from maysend.dns.answer import NXDOMAIN, Answer, RecordType


class DictionaryResolver:
    """Answers `{("example.com", "MX"): Answer(…)}`; what is not in it does not exist."""

    blocking = False

    def __init__(self, answers: Mapping[tuple[str, RecordType], Answer]) -> None:
        self._answers = answers

    def query(self, name: str, type: RecordType, /) -> Answer:
        """The answer for this very name in lower case."""
        return self._answers.get((name.lower(), type), NXDOMAIN)
