"""From a restriction list as written to nodes that are evaluated.

What can't work compiles to a node that answers what smtpd answers when it gets there, with the
reason as its finding: smtpd finds these only when mail arrives.
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import TypeAlias

from maysend.maincf import Place, tokens
from maysend.restrictions.class_loops import with_loops_found
from maysend.restrictions.evaluation import Check, Evaluation, Ruleset
from maysend.restrictions.index import RESTRICTIONS
from maysend.restrictions.node import Node
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.restriction import FatalItem, IgnoredItem, InvalidItem, Item, Restriction
from maysend.restrictions.site import Site

ACCESS_COMMANDS = (
    "check_client_access",
    "check_helo_access",
    "check_sender_access",
    "check_recipient_access",
    "check_etrn_access",
)
"""What a bare `type:table` can stand for, by the list it is in."""

MOST_ANSWERS = 4096
"""Compiled answers kept; tables with more distinct restriction lists are compiled again."""

OBSOLETE = {
    "check_relay_domains": "reject_unauth_destination",
    "permit_naked_ip_address": "permit_mynetworks or permit_sasl_authenticated",
    "reject_maps_rbl": "reject_rbl_client domain-name",
}
"""Restrictions that smtpd warns of, and what to use instead. Other old names it just takes."""

Locate: TypeAlias = Callable[[int], Place]


def build_ruleset(site: Site) -> Ruleset:
    """Compile the restriction classes of a site.

    A class without a definition keeps smtpd from starting: see `policy.startup`.
    """
    answers: dict[str, tuple[Node, ...]] = {}

    def compile_answer(text: str) -> tuple[Node, ...]:
        nodes = answers.get(text)
        if nodes is None:
            if len(answers) >= MOST_ANSWERS:
                answers.clear()
            nodes = compile_list(text, lambda offset: ANSWER_PLACE, rules)
            answers[text] = nodes
        return nodes

    rules = Ruleset(site, compile_answer)
    for name in class_names(site):
        rules.classes[name] = ()
    for name in rules.classes:
        rules.classes[name] = compile_parameter(name, rules)
    rules.classes.update(with_loops_found(rules.classes))
    return rules


ANSWER_PLACE = Place("<table answer>", 0)


def class_names(site: Site) -> list[str]:
    """The names in $smtpd_restriction_classes."""
    return [token.text for token in tokens.split(site.parameters["smtpd_restriction_classes"])]


def compile_parameter(name: str, rules: Ruleset) -> tuple[Node, ...]:
    """Compile a parameter that holds a restriction list; unset is an empty one."""
    try:
        traced = rules.site.parameters.traced(name)
    except KeyError:
        return ()
    return compile_list(traced.text, traced.place, rules)


def compile_list(text: str, locate: Locate, rules: Ruleset) -> tuple[Node, ...]:
    """Compile one list. `locate` gives the place in main.cf of an offset in `text`."""
    return tuple(_nodes(tokens.split(text), locate, rules))


def _nodes(words: list[tokens.Token], locate: Locate, rules: Ruleset) -> Iterator[Node]:
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        place = locate(word.start)
        name = word.text.lower()
        if name == "warn_if_reject":
            yield Node(word.text, place, _never, warns=True)
        elif ":" in word.text:
            yield Node(word.text, place, _bare_table(word.text, place, rules.site))
        elif name in RESTRICTIONS:
            restriction = RESTRICTIONS[name]
            argument = ""
            if restriction.argument and position < len(words):
                argument = words[position].text
                position += 1
            yield _restriction_node(word.text, argument, place, restriction, rules.site)
        elif word.text in rules.classes:
            yield Node(word.text, place, _class(word.text))
        else:
            finding = f'unknown smtpd restriction: "{word.text}"{_meant(word.text, rules)}'
            yield Node(word.text, place, _broken(finding), finding=finding)


def _meant(word: str, rules: Ruleset) -> str:
    """What was probably meant by a word that is no restriction."""
    near = get_close_matches(word, [*RESTRICTIONS, *rules.classes], n=1, cutoff=0.8)
    return f'; did you mean "{near[0]}"?' if near else ""


class FatalRestriction(Exception):
    """smtpd would not start with the restriction that stands at `place`."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(f"{place}: {message}")
        self.message = message
        self.place = place


def _restriction_node(
    word: str, argument: str, place: Place, restriction: Restriction, site: Site
) -> Node:
    written = f"{word} {argument}".rstrip()
    instead = OBSOLETE.get(word.lower())
    if instead is not None:
        site.warn(f"{place}: restriction {word} is deprecated: use {instead} instead")
    try:
        if restriction.argument == "table" and ":" not in argument:
            raise InvalidItem(f'{word}: bad argument "{argument}": need maptype:mapname')
        if restriction.argument == "word" and not argument:
            raise InvalidItem(f"{word} needs an argument")
        if restriction.argument == "domain" and not argument:
            raise IgnoredItem(f"{word} needs a domain name: ignored")
        check = restriction.compile(Item(word.lower(), argument, place), site)
    except FatalItem as fatal:
        if place is not ANSWER_PLACE:
            raise FatalRestriction(f"{word}: {fatal}", place) from fatal
        return Node(written, place, _broken(str(fatal)), finding=str(fatal))
    except IgnoredItem as ignored:
        return Node(written, place, _never, finding=str(ignored))
    except InvalidItem as invalid:
        return Node(written, place, _broken(str(invalid)), finding=str(invalid))
    return Node(written, place, check)


def _bare_table(spec: str, place: Place, site: Site) -> Check:
    """A table with no command before it: checked as its list's stage does by default."""
    checks = {
        command: RESTRICTIONS[command].compile(Item(command, spec, place), site)
        for command in ACCESS_COMMANDS
    }

    def check(evaluation: Evaluation) -> Outcome:
        command = evaluation.subject.access
        if command is None:
            return evaluation.server_fault(f'specify check_..._access before "{spec}"')
        return checks[command](evaluation)

    return check


def _class(name: str) -> Check:
    def check(evaluation: Evaluation) -> Outcome:
        return evaluation.run_class(name)

    return check


def _broken(finding: str) -> Check:
    def check(evaluation: Evaluation) -> Outcome:
        return evaluation.server_fault(finding)

    return check


def _never(evaluation: Evaluation) -> Outcome:
    """`warn_if_reject` is carried out by the list it stands in; an ignored item by nobody."""
    return DUNNO
