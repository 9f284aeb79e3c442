"""How often every restriction was reached, and what it said: a zero shows nothing equal."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from maysend.restrictions.outcome import Outcome
from maysend.restrictions.trace import Step

Said: TypeAlias = Literal["permitted", "objected", "passed by"]
SAID: tuple[Said, ...] = ("permitted", "objected", "passed by")
NEVER: dict[str, tuple[Said, ...]] = {
    # These say the same whenever they are reached (nothing here speaks TLS).
    "permit": ("passed by",),
    "reject": ("passed by",),
    "defer": ("passed by",),
    "reject_plaintext_session": ("passed by",),
    # It looks at the real socket, which XCLIENT does not change.
    "permit_inet_interfaces": ("permitted",),
    # It changes what another restriction answers.
    "defer_if_reject": ("objected",),
    # OK from an unverified name is a fault (postconf(5)).
    "check_reverse_client_hostname_access": ("permitted",),
}
"""What a restriction can't say here, with the reason."""


def said(step: Step) -> Said:
    """What one restriction said. One that warns instead has objected."""
    if step.reply is not None or step.outcome is Outcome.REJECT:
        return "objected"
    return "permitted" if step.outcome is Outcome.OK else "passed by"


class Outcomes:
    """Counts by restriction and what it said."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._counts: Counter[tuple[str, Said]] = Counter()

    def add(self, steps: Iterable[Step]) -> None:
        """Count the steps of one decision."""
        for step in steps:
            self._counts[step.restriction.split(" ", 1)[0], said(step)] += 1

    def join(self, other: "Outcomes") -> None:
        """Add what another has counted."""
        self._counts.update(other._counts)

    def never_exercised(self) -> list[str]:
        """Which restriction has never said what it can say."""
        return [
            f"{name} never {what}"
            for name in self._names
            for what in can_say(name)
            if not self._counts[name, what]
        ]

    def __str__(self) -> str:
        return "\n".join(self._rows())

    def _rows(self) -> Iterator[str]:
        yield f"{'restriction':44}" + "".join(f"{what:>12}" for what in SAID)
        for name in self._names:
            counts = (
                str(self._counts[name, what])
                if self._counts[name, what] or what in can_say(name)
                else "-"
                for what in SAID
            )
            yield f"{name:44}" + "".join(f"{count:>12}" for count in counts)


def can_say(name: str) -> list[Said]:
    """Both outcomes of a restriction, by its name; a table or a class may also do both."""
    if name.startswith("permit"):
        usual: tuple[Said, ...] = ("permitted", "passed by")
    elif name.startswith(("reject", "defer")):
        usual = ("objected", "passed by")
    elif name.endswith(("_mx_access", "_ns_access", "_a_access")):
        usual = ("objected", "passed by")  # OK is a fault there (access(5))
    else:
        usual = SAID
    return [what for what in usual if what not in NEVER.get(name, ())]
