"""Whether a Postfix asks maysend as it should: what its smtpds would do, and who gets through.

Main.cf and master.cf are read as each smtpd reads them, so a setting that another one outweighs,
or a list that permits before maysend is asked, is found where it is written.
"""

import fcntl
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from maysend.lint import Configuration, Smtpd
from maysend.maincf import MainCfError
from maysend.maincf.tokens import split
from maysend.policy.stages import Stage
from maysend.restrictions.node import Node
from maysend.restrictions.policy_service_item import read_policy_service
from maysend.restrictions.restriction import FatalItem
from maysend.servers.beside_postfix.doors import Door
from maysend.servers.beside_postfix.reach import Client, is_open_to_all, obstacle
from maysend.tables.braces import BraceError, enclosed

ASKED_OF_EACH_RECIPIENT = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
)
"""The lists that smtpd comes to at RCPT, with smtpd_delay_reject (postconf(5))."""

OWNERS_ARE_ASKED = (
    "reject_sender_login_mismatch",
    "reject_authenticated_sender_login_mismatch",
    "reject_known_sender_login_mismatch",
)
MAY_PERMIT = ("check_client_access", "check_helo_access", "check_sender_access")
REFUSALS = ("REJECT", "DEFER", "DEFER_IF_PERMIT")
"""Besides 4yz and 5yz, what fails closed (access(5))."""


class InForce(msgspec.Struct, frozen=True):
    """What was found: `holds` of what is as it should be, `findings` of what isn't."""

    holds: tuple[str, ...]
    findings: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def smtpds_with_logins(configuration: Configuration) -> list[Smtpd]:
    """The services that users log in to."""
    return [smtpd for smtpd in configuration.smtpds if _lets_log_in(smtpd)]


def in_force(configuration: Configuration, doors: Sequence[Door], service: str | None) -> InForce:
    """Check the services with logins, or `service`; and that each can reach the sockets."""
    smtpds = list(configuration.smtpds) if service else smtpds_with_logins(configuration)
    if not smtpds:
        place = f"{configuration.directory}/master.cf"
        return InForce((), (f"{place}: no smtpd lets anybody log in (smtpd_sasl_auth_enable)",))
    holds: list[str] = []
    findings: list[str] = []
    for smtpd in smtpds:
        name = smtpd.name or "smtpd"
        if smtpd.refusal is not None:
            findings.append(f"{name}: smtpd does not start: {smtpd.refusal}")
            continue
        for door in doors:
            found = [*_wrong(smtpd, door, doors)]
            hidden = obstacle(door, _client(smtpd))
            found += [hidden] if hidden else []
            findings += [f"{name}: {door.settings.name}: {text}" for text in found]
            if not found:
                verb = "asks" if _is_asked_for_sure(door, doors) else "can ask"
                holds.append(f"{name} {verb} {door.settings.name} at {door.server}")
    others = [smtpd.name for smtpd in configuration.smtpds if smtpd not in smtpds]
    remarks = [f"not looked at, nobody can log in there: {', '.join(others)}"] if others else []
    remarks += [
        f"{door.settings.name}: every user of this host may connect to {door.address}"
        for door in doors
        if is_open_to_all(door)
    ]
    if not _is_running(configuration):
        remarks.append("this Postfix is not running now")
    return InForce(tuple(holds), tuple(findings), tuple(remarks))


def _lets_log_in(smtpd: Smtpd) -> bool:
    try:
        return smtpd.parameters.boolean("smtpd_sasl_auth_enable")
    except MainCfError:
        return False


def _client(smtpd: Smtpd) -> Client:
    parameters = smtpd.parameters
    return Client(parameters["mail_owner"], parameters["queue_directory"], smtpd.is_chrooted)


def _is_running(configuration: Configuration) -> bool:
    """Whether its master(8) holds the lock on its pid file."""
    path = Path(configuration.main["queue_directory"], "pid", "master.pid")
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _is_asked_for_sure(door: Door, doors: Sequence[Door]) -> bool:
    """Whether it was looked for: beside a policy service nothing has to ask for tables."""
    return door.kind != "socketmap" or all(other.kind != "policy" for other in doors)


def _wrong(smtpd: Smtpd, door: Door, doors: Sequence[Door]) -> Iterator[str]:
    """What keeps the service from asking at this door."""
    if door.kind == "policy":
        yield from _policy_service(smtpd, door)
    elif door.kind == "milter":
        yield from _milter(smtpd, door)
    elif door.kind == "dovecot_auth":
        yield from _logins(smtpd, door)
    elif _is_asked_for_sure(door, doors):
        yield from _tables(smtpd, door)


# -- check_policy_service ----------------------------------------------------------------------


def _policy_service(smtpd: Smtpd, door: Door) -> Iterator[str]:
    for stage in smtpd.stages:
        if stage.parameter not in ASKED_OF_EACH_RECIPIENT:
            continue
        before: list[Node] = []
        for node in _with_classes(smtpd, stage.nodes):
            action = _default_action(smtpd, door, node)
            if action is not None:
                yield from _weakened(smtpd, stage, node, before)
                yield from _failing_open(action, node)
                return
            before.append(node)
    lists = ", ".join(ASKED_OF_EACH_RECIPIENT[2:])
    yield f"not asked: no check_policy_service names {door.server} in {lists}"


def _default_action(smtpd: Smtpd, door: Door, node: Node) -> str | None:
    """What stands in for the answer, where `node` asks at this door."""
    name, _, argument = node.written.partition(" ")
    if name.lower() != "check_policy_service":
        return None
    try:
        service = read_policy_service(argument, smtpd.parameters)
    except FatalItem:
        return None
    if not door.is_named_by(service.server, smtpd.parameters["queue_directory"]):
        return None
    return service.default_action


def _weakened(smtpd: Smtpd, stage: Stage, node: Node, before: Sequence[Node]) -> Iterator[str]:
    """What stands before it in its list and may end that list, or take its refusal back."""
    if before and before[-1].warns:
        yield f"{before[-1].place}: warn_if_reject only logs what it refuses"
    for earlier in before:
        if earlier.written.lower().startswith("permit"):
            yield (
                f"{earlier.place}: {earlier.written} stands before it in {stage.parameter}: "
                f"whom that permits, it is not asked about; write it after {node.place}"
            )
        elif earlier.written.partition(" ")[0].lower() in MAY_PERMIT or ":" in earlier.written:
            if earlier.written.lower().startswith(("check_sasl_access", "reject_")):
                continue
            yield (
                f"{earlier.place}: {earlier.written} stands before it in {stage.parameter}: "
                f"whom that table answers OK, it is not asked about; write it after {node.place}"
            )
    if not smtpd.parameters.boolean("smtpd_delay_reject"):
        place = smtpd.place_of("smtpd_delay_reject")
        yield f"{place}: smtpd_delay_reject = no: it is asked before there are recipients"


def _failing_open(action: str, node: Node) -> Iterator[str]:
    word = action.split()[0].upper() if action.split() else ""
    if word in REFUSALS or (len(word) == 3 and word.isdigit() and word[0] in "45"):
        return
    yield f"{node.place}: default_action = {action}: without an answer, mail is let through"


# -- the others --------------------------------------------------------------------------------


def _milter(smtpd: Smtpd, door: Door) -> Iterator[str]:
    parameters = smtpd.parameters
    place = smtpd.place_of("smtpd_milters")
    for token in split(parameters["smtpd_milters"]):
        words = _words(token.text)
        if not words or not door.is_named_by(words[0], parameters["queue_directory"]):
            continue
        options = dict(_option(word) for word in words[1:])
        action = options.get("default_action", parameters["milter_default_action"])
        if action.lower() == "accept":
            yield f"{place}: default_action = accept: without an answer, mail is let through"
        return
    yield f"not asked: smtpd_milters does not name {door.server}"


def _words(item: str) -> list[str]:
    try:
        return [word.text for word in split(enclosed(item))] if item.startswith("{") else [item]
    except BraceError:
        return []


def _option(word: str) -> tuple[str, str]:
    name, _, value = word.strip("{} ").partition("=")
    return name.strip(), value.strip()


def _logins(smtpd: Smtpd, door: Door) -> Iterator[str]:
    parameters = smtpd.parameters
    if not _lets_log_in(smtpd):
        yield "not asked: smtpd_sasl_auth_enable = no"
    if parameters["smtpd_sasl_type"] != "dovecot":
        place = smtpd.place_of("smtpd_sasl_type")
        yield f"{place}: smtpd_sasl_type = {parameters['smtpd_sasl_type']}, expected dovecot"
    path = parameters["smtpd_sasl_path"]
    # Postfix's dovecot client takes a path without "unix:" too (SASL_README).
    server = path if path.startswith(("inet:", "unix:")) else f"unix:{path}"
    if not door.is_named_by(server, parameters["queue_directory"]):
        yield (
            f"{smtpd.place_of('smtpd_sasl_path')}: smtpd_sasl_path = {path}, expected {door.server}"
        )


def _tables(smtpd: Smtpd, door: Door) -> Iterator[str]:
    owners = smtpd.parameters["smtpd_sender_login_maps"]
    if not _names_map(smtpd, door, owners, "owners"):
        yield f"not asked: smtpd_sender_login_maps does not name socketmap:{door.server}:owners"
    nodes = [
        node
        for stage in smtpd.stages
        if stage.parameter in ASKED_OF_EACH_RECIPIENT
        for node in _with_classes(smtpd, stage.nodes)
    ]
    if not any(node.written.lower() in OWNERS_ARE_ASKED for node in nodes):
        yield "no list has reject_authenticated_sender_login_mismatch: owners are not asked for"
    if not any(
        node.written.lower().startswith("check_sasl_access")
        and _names_map(smtpd, door, node.written, "suspended")
        for node in nodes
    ):
        yield f"no list has check_sasl_access socketmap:{door.server}:suspended"


def _names_map(smtpd: Smtpd, door: Door, text: str, name: str) -> bool:
    """Whether a table of `text`, in whatever braces, is this door's map `name`."""
    for word in text.replace("{", " ").replace("}", " ").replace(",", " ").split():
        kind, _, rest = word.partition(":")
        server, _, map_name = rest.rpartition(":")
        if kind == "socketmap" and map_name == name:
            return door.is_named_by(server, smtpd.parameters["queue_directory"])
    return False


def _with_classes(smtpd: Smtpd, nodes: Sequence[Node], depth: int = 0) -> Iterator[Node]:
    """The restrictions of a list, those of its classes in their place."""
    for node in nodes:
        inner = smtpd.classes.get(node.written)
        if inner is not None and depth < 10:
            yield from _with_classes(smtpd, inner, depth + 1)
        else:
            yield node
