"""`maysend explain`: the decision and its reason."""

import shlex
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TextIO

import click

from maysend.address import AddressSyntaxError, parse_path
from maysend.cli.exit_codes import EX_CONFIG, EX_DATAERR, PERMITTED, REJECTED, TEMPORARY
from maysend.cli.explanation_json import explanations_as_json, worst_outcome
from maysend.cli.explanation_text import render_explanations
from maysend.cli.finding_text import brief
from maysend.cli.policy_source import PolicySource
from maysend.delegation import RecordedPolicyServices
from maysend.directory.errors import DirectoryError
from maysend.dns import Zone, ZoneError
from maysend.header import Field
from maysend.maincf import MainCfError
from maysend.policy import PolicyError, ProtocolState, Request
from maysend.policy.explanation import Explanation
from maysend.policy.explanation import explain as explain_request

STAGES = {
    "connect": ProtocolState.CONNECT,
    "helo": ProtocolState.EHLO,
    "mail": ProtocolState.MAIL,
    "rcpt": ProtocolState.RCPT,
    "data": ProtocolState.DATA,
    "end-of-data": ProtocolState.END_OF_MESSAGE,
    "etrn": ProtocolState.ETRN,
}
"""What --at may say."""

MOST_FINDINGS = 3
"""Findings of lint that are shown beside a decision, the worst first."""


@click.command()
@click.option("-c", "postfix", metavar="DIR", help="Postfix configuration directory.")
@click.option("--service", metavar="NAME", help="Service in master.cf, with its -o settings.")
@click.option("--directory", metavar="URL", help="maysend's directory: sqlite:///FILE.")
@click.option("--config", metavar="FILE", help="maysend.toml that says where the directory is.")
@click.option("--login", default="", metavar="LOGIN", help="SASL login; none: not logged in.")
@click.option("--from", "sender", metavar="ADDRESS", help='MAIL FROM; "" is <>.')
@click.option(
    "--to", "recipients", multiple=True, metavar="ADDRESS", help="RCPT TO; may be repeated."
)
@click.option(
    "--at",
    "stage",
    type=click.Choice(list(STAGES)),
    default="rcpt",
    show_default=True,
    help="How far the dialogue goes.",
)
@click.option(
    "--header-from",
    metavar="VALUE",
    help="The header's From:, as written; goes on to the end of the data.",
)
@click.option("--header-sender", metavar="VALUE", help="The header's Sender:, beside From:.")
@click.option("--etrn", "etrn_domain", metavar="DOMAIN", help="What --at etrn asks for.")
@click.option("--client", default="192.0.2.1", metavar="IP", show_default=True)
@click.option("--client-name", default="unknown", metavar="NAME", show_default=True)
@click.option("--helo", default="client.example", metavar="NAME", show_default=True)
@click.option(
    "--dns",
    "zone",
    type=click.File(encoding="utf-8"),
    metavar="FILE",
    help="Ask this zone file, or lines of NAME TYPE VALUE, instead of DNS.",
)
@click.option(
    "--policy-service",
    "actions",
    multiple=True,
    metavar="SERVER=ACTION",
    help="Take ACTION as the policy server's answer, and ask no policy server; may be repeated.",
)
@click.option("--tls/--no-tls", default=True, help="Whether the session is encrypted.")
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def explain(
    postfix: str | None,
    service: str | None,
    directory: str | None,
    config: str | None,
    login: str,
    sender: str | None,
    recipients: tuple[str, ...],
    stage: str,
    header_from: str | None,
    header_sender: str | None,
    etrn_domain: str | None,
    client: str,
    client_name: str,
    helo: str,
    zone: TextIO | None,
    actions: tuple[str, ...],
    tls: bool,
    style: str,
) -> None:
    """Show whether LOGIN may send from ADDRESS to ADDRESS, and why.

    Reads main.cf and master.cf in DIR as Postfix does and changes nothing. Without -c it explains
    maysend's own policy. Exit status: 0 permitted, 1 rejected, 75 deferred (of several answers the
    worst counts), 78 the configuration is one that smtpd would not start with.

    Policy servers (check_policy_service) are asked as smtpd would ask them, and may remember that,
    as greylisting does; with --policy-service they are not.

    --at says after which command to stop: with data and end-of-data, the lists for these are
    explained too, after those for each recipient. With --header-from the message's header is
    checked as well (reject_header_from_login_mismatch). --format json is described by
    docs/schema/explanation.schema.json.

    \b
    maysend explain -c /etc/postfix --service submission \\
        --login tracy@example.com --from alice@example.com --to bob@example.net
    maysend explain --login tracy@example.com --from tracy@example.com \\
        --to bob@example.net --header-from 'The Boss <boss@example.com>'
    maysend explain -c /etc/postfix --at connect --client 198.51.100.9
    """
    header = _header(header_from, header_sender)
    stage = stage if header is None else "end-of-data"
    _require(stage, sender, recipients, etrn_domain)
    paths = [_path("--to", recipient) for recipient in recipients]
    request = Request(
        protocol_state=STAGES[stage],
        client_address=_client_address(client),
        client_name=client_name,
        reverse_client_name=client_name,
        helo_name=helo,
        sender=_path("--from", sender or ""),
        recipient=paths[0] if len(paths) == 1 else "",
        etrn_domain=etrn_domain or "",
        sasl_username=login,
        sasl_method="PLAIN" if login else "",
        encryption_protocol="TLSv1.3" if tls else "",
    )
    resolver = _zone(zone) if zone is not None else None
    services = RecordedPolicyServices(_actions(actions)) if actions else None
    source = PolicySource(postfix, service, directory, config, resolver, services)
    try:
        policy = source.policy()
        explanations = explain_request(policy, request, source.policy, paths, header)
    except (MainCfError, PolicyError, DirectoryError) as error:
        click.echo(f"maysend explain: {error}", err=True)
        if postfix is None:
            click.echo("To explain a Postfix configuration, give -c /etc/postfix.", err=True)
        sys.exit(EX_CONFIG)
    if style == "json":
        click.echo(explanations_as_json(explanations, policy))
    else:
        click.echo(render_explanations(explanations, policy))
        if postfix is not None:
            _point_to_findings(explanations, postfix, service)
    sys.exit(
        {"rejected": REJECTED, "deferred": TEMPORARY}.get(worst_outcome(explanations), PERMITTED)
    )


def _point_to_findings(
    explanations: Sequence[Explanation], postfix: str, service: str | None
) -> None:
    """Name what lint has to say about the restriction that decided, or its tables."""
    from maysend.lint.relevance import findings_about

    decisions = [explanation.decision for explanation in explanations]
    findings = findings_about(decisions, postfix, service)
    if findings:
        click.echo("\n" + click.style("Lint has something to say about this", bold=True))
    for finding in findings[:MOST_FINDINGS]:
        click.echo(brief(finding))
    if len(findings) > MOST_FINDINGS:
        more = len(findings) - MOST_FINDINGS
        click.echo(f"- and {more} more: maysend lint -c {shlex.quote(postfix)}")


def _require(
    stage: str, sender: str | None, recipients: tuple[str, ...], etrn_domain: str | None
) -> None:
    """What a dialogue up to that stage needs to say."""
    missing = ""
    if stage in ("mail", "rcpt", "data", "end-of-data") and sender is None:
        missing = "--from"
    elif stage in ("rcpt", "data", "end-of-data") and not recipients:
        missing = "--to"
    elif stage == "etrn" and not etrn_domain:
        missing = "--etrn"
    if missing:
        raise click.UsageError(f"Missing option '{missing}'.", click.get_current_context())


def _header(author: str | None, sender: str | None) -> tuple[Field, ...] | None:
    """The fields that say who the message is from, or None where nothing is said of it."""
    if author is None:
        if sender is not None:
            raise click.UsageError(
                "--header-sender needs --header-from beside it.", click.get_current_context()
            )
        return None
    fields = [("From", author)] + ([] if sender is None else [("Sender", sender)])
    return tuple(Field(name, f" {value}") for name, value in fields)


def _actions(written: tuple[str, ...]) -> dict[str, str]:
    """The answers of policy servers by server, or a usage error that says how to write them."""
    found = {}
    for text in written:
        server, equals, action = text.partition("=")
        if not (server and equals):
            raise click.BadParameter(
                f"{text!r}: expected SERVER=ACTION, as unix:private/policy=DUNNO",
                param_hint="--policy-service",
            )
        found[server] = action
    return found


def _zone(file: TextIO) -> Zone:
    """What the file says, or an end with the line that is wrong."""
    try:
        return Zone(file.read())
    except (ZoneError, UnicodeDecodeError) as error:
        click.echo(f"maysend explain: {file.name}: {error}", err=True)
        sys.exit(EX_DATAERR)


def _client_address(text: str) -> str:
    """An IP address, or a usage error that says so."""
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no IP address (as 192.0.2.7 or 2001:db8::7)", param_hint="--client"
        ) from error


def _path(option: str, text: str) -> str:
    """An address as it would stand in MAIL FROM or RCPT TO, in internal form."""
    try:
        return parse_path(text if text.startswith("<") else f"<{text}>", utf8=True)
    except AddressSyntaxError as error:
        raise click.BadParameter(
            f"{text!r} is no address (as user@example.com): {error}", param_hint=option
        ) from error
