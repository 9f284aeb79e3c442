"""A Postfix configuration as lint sees it: each smtpd of master.cf with its compiled policy."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from os.path import exists, join
from pathlib import Path

from maysend.delegation import RecordedPolicyServices
from maysend.dns import Zone
from maysend.maincf import MainCfError, Parameters, Place, master
from maysend.policy import Decision, Policy, PolicyError, ProtocolState, Request
from maysend.policy.stages import Stage
from maysend.restrictions.node import Node
from maysend.tables import OpenedTable
from maysend.tables.table import Opener

NO_DNS = ""
"""The zone that lint asks: a finding must not depend on what the network says today."""

HELO = "client.example"
ANYBODY = "192.0.2.1"
"""A client address that no sound mynetworks holds (RFC 5737)."""


class Smtpd:
    """One smtpd service: its parameters with master.cf's -o, and its policy.

    `main` are the parameters of main.cf alone, which other daemons read. `name` is
    "submission/inet", or "" for main.cf alone. `policy` is None where smtpd would not start;
    `refusal` then says why.
    """

    def __init__(
        self,
        name: str,
        parameters: Parameters,
        main: Parameters,
        tables: Mapping[str, Opener] | None = None,
        *,
        is_chrooted: bool = False,
    ) -> None:
        self.name = name
        self.is_chrooted = is_chrooted
        self.main = main
        self.parameters = parameters
        self._tables = tables
        self._opened: dict[str, OpenedTable] = {}
        self.policy: Policy | None = None
        self.refusal: MainCfError | PolicyError | None = None
        try:
            self.policy = self.policy_with({})
        except (MainCfError, PolicyError) as error:
            self.refusal = error

    def policy_with(self, overrides: Mapping[str, str]) -> Policy:
        """The policy with other values of some parameters, to try a fix or prove a point."""
        parameters = self.parameters.replaced(overrides) if overrides else self.parameters
        return Policy(
            parameters,
            self._tables,
            Zone(NO_DNS),
            RecordedPolicyServices({}),
            opened=self._opened,
        )

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The restriction lists in the order in which smtpd comes to them; none if it can't."""
        if self.policy is None:
            return ()
        stages = self.policy.stages
        return (
            stages.client,
            stages.helo,
            stages.sender,
            *stages.recipient_lists,
            stages.data,
            stages.end_of_data,
            stages.etrn,
        )

    @cached_property
    def classes(self) -> Mapping[str, tuple[Node, ...]]:
        """The restriction classes by name."""
        return self.policy.stages.rules.classes if self.policy is not None else {}

    def nodes(self) -> Iterator[tuple[str, Node]]:
        """Every restriction with the list or class that it stands in."""
        for stage in self.stages:
            for node in stage.nodes:
                yield stage.parameter, node
        for name, nodes in self.classes.items():
            for node in nodes:
                yield name, node

    def place_of(self, parameter: str) -> Place:
        """Where the value of a parameter is written."""
        return self.parameters.traced(parameter).place(0)

    def is_set(self, parameter: str) -> bool:
        """Whether somebody wrote the parameter, in main.cf or for this service."""
        return self.parameters.setting(parameter) is not None


class Configuration:
    """A configuration directory, read-only. Raises MainCfError where main.cf can't be read.

    `service` limits it to one service of master.cf. Without a master.cf there is one Smtpd for
    main.cf alone.
    """

    def __init__(
        self,
        directory: str | Path,
        service: str | None = None,
        tables: Mapping[str, Opener] | None = None,
    ) -> None:
        self.directory = str(directory)
        self.main = Parameters.load(self.directory)
        self.services = self._smtpd_services(service)
        self.smtpds = tuple(self._smtpds(service, tables))

    def _smtpd_services(self, wanted: str | None) -> tuple[master.Service, ...]:
        path = join(self.directory, "master.cf")
        if not exists(path) and wanted is None:
            return ()
        services = master.parse(Path(path).read_text(errors="surrogateescape"), path)
        if wanted is not None:
            return (master.select(services, wanted, path),)
        return tuple(service for service in services if service.command == "smtpd")

    def _smtpds(self, wanted: str | None, tables: Mapping[str, Opener] | None) -> Iterator[Smtpd]:
        if not self.services:
            yield Smtpd("", self.main, self.main, tables)
        for service in self.services:
            name = f"{service.name}/{service.type}"
            yield Smtpd(
                name,
                Parameters.load(self.directory, name),
                self.main,
                tables,
                is_chrooted=service.is_chrooted,
            )


def asked(
    policy: Policy,
    *,
    login: str = "",
    sender: str = "",
    recipient: str = "postmaster@example.invalid",
    client_address: str = ANYBODY,
    helo_name: str = HELO,
) -> Decision:
    """What the policy answers at RCPT, to a client on an encrypted session."""
    return policy.decide(
        Request(
            protocol_state=ProtocolState.RCPT,
            client_address=client_address,
            helo_name=helo_name,
            sender=sender,
            recipient=recipient,
            sasl_username=login,
            sasl_method="PLAIN" if login else "",
            encryption_protocol="TLSv1.3",
        )
    )
