"""The smtpd_*_restrictions of one policy, compiled, and the words that each list's replies use."""

from dataclasses import dataclass
from typing import Final

from maysend.maincf import Place
from maysend.policy.errors import PolicyError
from maysend.restrictions import replies
from maysend.restrictions.compilation import (
    FatalRestriction,
    build_ruleset,
    compile_list,
    compile_parameter,
)
from maysend.restrictions.evaluation import Ruleset
from maysend.restrictions.index import RESTRICTIONS
from maysend.restrictions.node import Node
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site


@dataclass(frozen=True)
class Stage:
    """One list: its parameter, its nodes, and what a bare table or a reply stands for in it.

    `after` names the lists of earlier commands: what they deferred still stands here.
    """

    parameter: str
    nodes: tuple[Node, ...]
    words: str
    access: str | None
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stages:
    """All lists of a policy and the parameters that say when they apply."""

    rules: Ruleset
    client: Stage
    helo: Stage
    sender: Stage
    recipient_lists: tuple[Stage, Stage]
    data: Stage
    end_of_data: Stage
    etrn: Stage
    delay_reject: bool
    unlisted_sender: Node | None
    unlisted_recipient: Node | None


def compile_stages(site: Site) -> Stages:
    """Compile every list of a site. Raises PolicyError where smtpd would not start with one."""
    try:
        return _compiled(site)
    except FatalRestriction as fatal:
        raise PolicyError(fatal.message, fatal.place) from fatal


def _compiled(site: Site) -> Stages:
    rules = build_ruleset(site)
    parameters = site.parameters

    def stage(
        parameter: str, words: str, access: str | None, after: tuple[Stage, ...] = ()
    ) -> Stage:
        nodes = compile_parameter(parameter, rules)
        if parameter == "smtpd_relay_restrictions" and _is_backwards_compatible(site):
            nodes = compile_list(OLD_RELAY_CHECK, lambda offset: DEFAULT, rules)
        return Stage(parameter, nodes, words, access, tuple(s.parameter for s in after))

    client = stage("smtpd_client_restrictions", replies.CLIENT, "check_client_access")
    helo = stage("smtpd_helo_restrictions", replies.HELO, "check_helo_access", (client,))
    sender = stage(
        "smtpd_sender_restrictions", replies.SENDER, "check_sender_access", (client, helo)
    )
    names = ["smtpd_recipient_restrictions", "smtpd_relay_restrictions"]
    relay_first = parameters.boolean("smtpd_relay_before_recipient_restrictions")
    if relay_first and not _is_backwards_compatible(site):
        names.reverse()
    earlier = (client, helo, sender)
    first = stage(names[0], replies.RECIPIENT, "check_recipient_access", earlier)
    second = stage(names[1], replies.RECIPIENT, "check_recipient_access", (*earlier, first))
    return Stages(
        rules=rules,
        client=client,
        helo=helo,
        sender=sender,
        recipient_lists=(first, second),
        data=stage("smtpd_data_restrictions", replies.DATA, None),
        end_of_data=stage("smtpd_end_of_data_restrictions", replies.END_OF_DATA, None),
        etrn=stage("smtpd_etrn_restrictions", replies.ETRN, "check_etrn_access", (client, helo)),
        delay_reject=parameters.boolean("smtpd_delay_reject"),
        unlisted_sender=_implicit(site, "reject_unlisted_sender"),
        unlisted_recipient=_implicit(site, "reject_unlisted_recipient"),
    )


OLD_RELAY_CHECK: Final = "permit_mynetworks, permit_sasl_authenticated, permit_auth_destination"
"""What smtpd evaluates, only to log a warning, where the relay list is empty by its old default."""

DEFAULT: Final = Place("<default>", 0)


def _is_backwards_compatible(site: Site) -> bool:
    """Whether smtpd_relay_restrictions is not set, and empty by default (COMPATIBILITY_README).

    smtpd then looks whether the later default would have permitted: that can't refuse anybody,
    but a list that fails is a 451. It looks there after the recipient list, in whichever order the
    two are otherwise.
    """
    name = "smtpd_relay_restrictions"
    return site.parameters.setting(name) is None and not site.parameters[name]


def _implicit(site: Site, restriction: str) -> Node | None:
    """The reject_unlisted_* check that smtpd_reject_unlisted_* adds at the end of its stage."""
    parameter = f"smtpd_{restriction}"
    if not site.parameters.boolean(parameter):
        return None
    place = site.parameters.traced(parameter).place(0)
    check = RESTRICTIONS[restriction].compile(Item(restriction, "", place), site)
    return Node(restriction, place, check)
