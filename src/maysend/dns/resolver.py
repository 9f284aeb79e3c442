"""Who answers questions about names."""

from typing import Protocol

from maysend.dns.answer import Answer, RecordType


class Resolver(Protocol):
    """Asked by restrictions through `Evaluation.query_dns`."""

    @property
    def blocking(self) -> bool:
        """Whether a question may have to wait for a name server."""
        ...

    def query(self, name: str, type: RecordType, /) -> Answer:
        """The records of a name in ASCII, CNAMEs followed, no search list; never raises."""
        ...
