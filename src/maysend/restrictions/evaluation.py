"""One stage's evaluation: all that a restriction may see of the world, and how it answers.

The rules here are those of Postfix's smtpd for every restriction alike: `warn_if_reject`,
`defer_if_permit`, `defer_if_reject`, nesting, and the trace.
"""

from collections.abc import Callable
from typing import Final, NoReturn, TypeAlias

from mypy_extensions import mypyc_attr

from maysend.reply import Reply
from maysend.restrictions.dialogue import Dialogue
from maysend.restrictions.inquiry import Inquiry
from maysend.restrictions.keys import KeyKind, Keys, MakeKeys
from maysend.restrictions.node import Deferral, Node, Subject
from maysend.restrictions.outcome import Action, Outcome
from maysend.restrictions.outcomes import DUNNO, OK, REJECT
from maysend.restrictions.replies import consistent_reply
from maysend.restrictions.resolution import AddressResolver
from maysend.restrictions.resolved_address import ResolvedAddress
from maysend.restrictions.site import Site
from maysend.restrictions.trace import Step
from maysend.restrictions.transports import Transports
from maysend.tables import OpenedTable, TableError

DEEPEST_NESTING: Final = 100
"""How many answers and classes may be around a table's answer before smtpd gives up; classes on
their own may nest deeper (seen on a live 3.7 smtpd)."""

DEEPEST_CLASSES: Final = 300
"""How many classes may be within each other: more are refused before the stack is full, which
compiled code would not survive."""


NO_SUBJECT: Final = Subject("", "", None)
"""Of an evaluation before its first list."""


class Stop(Exception):
    """The whole stage ends here with the reply that was recorded."""


class Ruleset:
    """A site's restriction classes, and how an access table's answer becomes restrictions.

    `compile_answer` comes in from above, so that this floor needs no index of itself.
    """

    def __init__(self, site: Site, compile_answer: "Callable[[str], tuple[Node, ...]]") -> None:
        self.site = site
        self.classes: dict[str, tuple[Node, ...]] = {}
        self.compile_answer = compile_answer
        self.resolver = AddressResolver(site, Transports(site))


@mypyc_attr(acyclic=True)
class Evaluation(Inquiry):
    """The evaluation of one SMTP dialogue against one site, stage after stage."""

    def __init__(self, rules: Ruleset, dialogue: Dialogue) -> None:
        super().__init__(rules.site, dialogue, rules.resolver)
        self.rules = rules
        self.steps: list[Step] = []
        self.actions: tuple[Action, ...] = ()
        self.reply: Reply | None = None
        self.deciding: Step | None = None
        self.subject = NO_SUBJECT
        self.stage = ""
        self.discard = False
        self.takes_default_action = False
        self.sender_was_checked: bool = False
        self.recipient_was_checked: bool = False
        self.defer_if_permit: Deferral | None = None
        self.defer_if_reject: Deferral | None = None
        self._deferring_step: Step | None = None
        self._depth = 0
        self._warn_depth = 0
        self._classes: tuple[str, ...] = ()
        self._keys: dict[tuple[MakeKeys, str], Keys] = {}

    # -- what a restriction asks, beside what every inquiry does ---------------------------------

    def resolved(self, address: str) -> ResolvedAddress:
        """The address rewritten, resolved and folded as trivial-rewrite does.

        Raises Stop with a 451 where a list that decides its class can't be read now.
        """
        known = self._resolved.get(address) or self.resolution_of(address)
        if known.failed:
            self.data_fault(address)
        return known

    def keys_for(self, table: OpenedTable, name: str, kind: KeyKind) -> Keys:
        """The keys of a name or address that a table is asked; several are found once a message."""
        if table.pattern:
            return kind.whole(self, name)
        keys = self._keys.get((kind.every, name))
        if keys is None:
            keys = self._keys[kind.every, name] = kind.every(self, name)
        return keys

    # -- what a restriction answers ------------------------------------------------------------

    def refuse(self, code: int, dsn: str, text: str, *, fault: bool = False) -> Outcome:
        """Refuse, unless `warn_if_reject` or a pending `defer_if_reject` says otherwise.

        A `fault` (of configuration or data) can't be turned into a warning.
        """
        warned = bool(self._warn_depth) and not fault
        reply = consistent_reply(code, dsn, text, self.site)
        if self.site.observed and code >= 500 and self._is_observed():
            return self._observe(reply)
        if not warned and code >= 500 and self.defer_if_reject is not None:
            deferral, self.defer_if_reject = self.defer_if_reject, None
            self._warn_depth = 0
            if self._current is not None:
                self._current.note = "deferred by an earlier defer_if_reject"
            return self.refuse(deferral.code, deferral.dsn, deferral.text, fault=fault)
        step = self._current
        if step is not None:
            step.reply = reply
            step.warned = warned
        if warned:
            return DUNNO
        self.reply = reply
        self.deciding = step
        return REJECT

    def _is_observed(self) -> bool:
        step = self._current
        return step is not None and step.restriction.partition(" ")[0].lower() in self.site.observed

    def _observe(self, reply: Reply) -> Outcome:
        """Note what would have been refused (smtpd_observe_restrictions), and go on."""
        if self._current is not None:
            self._current.reply = reply
            self._current.observed = True
        return DUNNO

    def defer_unless_rejected(self, code: int, dsn: str, text: str) -> Outcome:
        """`defer_if_permit`: refuse for now if nothing else refuses for good."""
        if self._warn_depth:
            return self.refuse(code, dsn, text)
        if self.defer_if_permit is None:
            self.defer_if_permit = Deferral(code, dsn, text)
            self._deferring_step = self._current
        return DUNNO

    def defer_instead_of_reject(self, code: int, dsn: str, text: str) -> Outcome:
        """`defer_if_reject`: turn the next 5xx into this 4xx."""
        if self.defer_if_reject is None:
            self.defer_if_reject = Deferral(code, dsn, text)
        return DUNNO

    def server_fault(self, finding: str = "") -> NoReturn:
        """Somebody has to mend the configuration: 451 4.3.5, and the stage ends."""
        if finding:
            self.note(finding)
        self.refuse(451, "4.3.5", "Server configuration error", fault=True)
        raise Stop

    def data_fault(self, name: str) -> NoReturn:
        """A list or map has no answer now: 451 4.3.0, and the stage ends."""
        self.refuse(451, "4.3.0", f"<{name}>: Temporary lookup failure", fault=True)
        raise Stop

    def table_fault(self, error: TableError, name: str) -> NoReturn:
        """The reply for a map that failed: 4.3.0 where it may answer later, else 4.3.5."""
        if error.kind == "retry":
            self.data_fault(name)
        self.server_fault()

    @property
    def only_warns(self) -> bool:
        """Whether `warn_if_reject` stands before the restriction that is evaluated."""
        return bool(self._warn_depth)

    def act(self, name: str, argument: str = "") -> Outcome:
        """Note an action other than an answer (WARN, SLEEP, …)."""
        self.actions += (Action(name, argument),)
        return DUNNO

    def act_on_message(self, name: str, argument: str = "") -> Outcome:
        """Note what is to be done with the message (FILTER, HOLD, PREPEND, …), if there is one.

        Before MAIL, and at ETRN, smtpd has nothing to do it with and goes on as if it had not
        been asked.
        """
        if self.dialogue.sender is None:
            self.note(f"{name} before there is a message: ignored")
            return DUNNO
        return self.act(name, argument)

    def discard_message(self) -> Outcome:
        """DISCARD: claim success and ask nothing more of this message (access(5))."""
        self.act_on_message("DISCARD")
        if self.dialogue.sender is None:
            return DUNNO
        self.discard = True
        return OK

    # -- evaluating lists ----------------------------------------------------------------------

    def run(self, nodes: tuple[Node, ...]) -> Outcome:
        """Evaluate restrictions in order until one decides, as smtpd's generic_checks() does."""
        self._depth += 1
        depth = self._depth
        caller = self._current
        outcome = DUNNO
        for node in nodes:
            if self.discard:
                break
            if node.warns:
                self._warn_depth = self._warn_depth or depth
                continue
            step = Step(self.stage, node.written, node.place, depth - 1)
            self.steps.append(step)
            self._current = step
            outcome = node.check(self)
            step.outcome = outcome
            self._current = caller
            if self._warn_depth >= depth:
                self._warn_depth = 0
            if outcome is not DUNNO:
                break
            if self.defer_if_permit is not None and self.defer_if_reject is not None:
                break
        if self._warn_depth >= depth:
            self._warn_depth = 0  # it stood last in the list, with nothing to warn of
        self._depth = depth - 1
        return outcome

    def run_class(self, name: str) -> Outcome:
        """Evaluate a restriction class; within itself, where smtpd would crash, a server fault."""
        if name in self._classes:
            self.server_fault(f"the class {name} within itself")
        if self._depth > DEEPEST_CLASSES:
            self.server_fault(f"classes nested more than {DEEPEST_CLASSES} deep")
        classes = self._classes
        self._classes = (*classes, name)
        outcome = self.run(self.rules.classes[name])
        self._classes = classes
        return outcome

    def run_answer(self, nodes: tuple[Node, ...], name: str, words: str) -> Outcome:
        """Evaluate an access table's answer: its refusals speak of what the table was asked.

        One that stands too deep, within other answers and classes, is a server fault.
        """
        if self._depth > DEEPEST_NESTING:
            self.server_fault(f"nested more than {DEEPEST_NESTING} deep")
        classes, self._classes = self._classes, ()
        subject = self.subject
        self.subject = Subject(name, words, subject.access)
        outcome = self.run(nodes)
        self.subject = subject
        self._classes = classes
        return outcome

    def run_list(
        self, stage: str, nodes: tuple[Node, ...], subject: Subject, *, continued: bool = False
    ) -> Outcome:
        """Evaluate one list, from a clean slate as each smtpd_check_*() does.

        The second of the relay and recipient lists is `continued`: a defer_if_reject of the
        first still stands.
        """
        if not continued:
            self.defer_if_reject = None
        if not nodes:
            return DUNNO
        self.stage = stage
        self.subject = subject
        self._depth = 0
        self._warn_depth = 0
        self._classes = ()
        self._current = None
        try:
            try:
                return self.run(nodes)
            except RecursionError:
                # Hundreds of classes within each other are more than Python's stack holds.
                self.server_fault("classes nested too deep")
        except Stop:
            for step in reversed(self.steps):
                if step is self.deciding:
                    step.outcome = REJECT
                    break
            return REJECT
        finally:
            self._current = None

    def run_check(self, stage: str, node: Node, subject: Subject) -> Outcome:
        """Evaluate an implicit check (reject_unlisted_*), which continues its stage's list."""
        return self.run_list(stage, (node,), subject, continued=True)

    def apply_defer_if_permit(self) -> Outcome:
        """Refuse for now what would be permitted, because of an earlier temporary error."""
        if self.defer_if_permit is None:
            return DUNNO
        deferral = self.defer_if_permit
        self._current = self._deferring_step
        outcome = self.refuse(deferral.code, deferral.dsn, deferral.text)
        self._current = None
        return outcome

    def forget_addresses(self) -> None:
        """Resolve afresh from the next message on; smtpd too remembers for a while."""
        self._resolved.clear()
        self._keys.clear()


Check: TypeAlias = Callable[[Evaluation], Outcome]
"""A compiled restriction: binds its name, argument and tables, and answers for one request."""
