"""The kinds of random sessions: what their configurations and dialogues are made of."""

from collections.abc import Callable
from random import Random

import msgspec

from maysend.cases import Case
from maysend.cases.case import OK
from tests.differential.dns_postfix import DnsPostfix
from tests.differential.dns_sessions import configurations as dns_configurations
from tests.differential.dns_sessions.dialogues import dialogue as dns_dialogue
from tests.differential.dns_sessions.zones import zone
from tests.differential.live_postfix import LivePostfix
from tests.differential.sessions import configurations
from tests.differential.sessions.addresses import SHAPES, Address
from tests.differential.sessions.compare import REFUSES_TO_START
from tests.differential.sessions.dialogues import dialogue
from tests.differential.sessions.report import Coverage

PLAIN_COVERAGE = Coverage(
    restrictions=[*configurations.PLAIN, *configurations.CHECKS, *configurations.CLASSES],
    also_counted=[restriction.split()[0] for restriction in configurations.UNUSUAL],
    outcomes=[
        OK,
        "5xx rejected",
        "4xx deferred",
        "451 4.3.0 lookup failure",
        "451 4.3.5 configuration error",
        "421 disconnected",
        "501 syntax",
        REFUSES_TO_START,
    ],
    actions=["WARN", "INFO", "HOLD", "FILTER", "PREPEND", "REDIRECT", "BCC", "DISCARD"],
    shapes=list(SHAPES),
)
NAMES_COVERAGE = Coverage(restrictions=dns_configurations.EVERY)


class Kind(msgspec.Struct, frozen=True):
    """How a kind of session is drawn: `configuration` is a case without a dialogue, to which
    `dialogue` adds one; its addresses come along. The postfix is one to hold them with."""

    name: str
    postfix: Callable[[], LivePostfix]
    configuration: Callable[[Random], Case]
    dialogue: Callable[[Random, str, Case], tuple[Case, list[Address]]]
    coverage: Coverage


def _plain_configuration(random: Random) -> Case:
    drawn = configurations.Configuration(random)
    return Case(name="", main_cf=drawn.main_cf, files=drawn.files)


def _plain_dialogue(random: Random, name: str, case: Case) -> tuple[Case, list[Address]]:
    return dialogue(random, name, case.main_cf, case.files)


def _configuration_about_names(random: Random) -> Case:
    drawn = dns_configurations.Configuration(random)
    return Case(name="", main_cf=drawn.main_cf, files=drawn.files, dns=zone(random))


def _dialogue_about_names(random: Random, name: str, case: Case) -> tuple[Case, list[Address]]:
    drawn = dns_dialogue(random, name, case.main_cf, case.files)
    return msgspec.structs.replace(drawn, dns=case.dns), []


KINDS: dict[str, Kind] = {
    "sessions": Kind(
        "sessions", LivePostfix, _plain_configuration, _plain_dialogue, PLAIN_COVERAGE
    ),
    "sessions about names": Kind(
        "sessions about names",
        DnsPostfix,
        _configuration_about_names,
        _dialogue_about_names,
        NAMES_COVERAGE,
    ),
}
