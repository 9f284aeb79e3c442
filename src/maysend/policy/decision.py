"""One answer: the reply, if anything objects, and the trace of how it came about."""

from mypy_extensions import mypyc_attr

from maysend.reply import Reply
from maysend.restrictions.outcome import Action
from maysend.restrictions.outcomes import OK
from maysend.restrictions.trace import Step


@mypyc_attr(acyclic=True)
class Decision:
    """What the policy says to one command.

    `reply` is None where nothing objects. `determined_by` is the step that refused, or the last
    one that permitted; None where every list ended without saying anything.
    """

    __slots__ = ("actions", "determined_by", "reply", "steps")

    def __init__(
        self,
        reply: Reply | None,
        steps: tuple[Step, ...] = (),
        determined_by: Step | None = None,
        actions: tuple[Action, ...] = (),
    ) -> None:
        self.reply = reply
        self.steps = steps
        self.determined_by = determined_by
        self.actions = actions

    @property
    def is_permitted(self) -> bool:
        """Whether nothing objects."""
        return self.reply is None

    @property
    def disconnect(self) -> bool:
        """Whether the server closes the connection with this reply."""
        return self.reply is not None and self.reply.disconnects


def permitting_step(steps: tuple[Step, ...]) -> Step | None:
    """The step that permitted last: the one that spared the request all that comes after it.

    Of a class or table answer and what it led to, the innermost.
    """
    for step in reversed(steps):
        if step.outcome is OK:
            return step
    return None
