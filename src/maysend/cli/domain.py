"""maysend domain: which domains are ours to deliver."""

from typing import TYPE_CHECKING

import click

from maysend.cli.completion import complete_domains
from maysend.cli.directory_options import (
    DirectoryGroup,
    on_directory,
    print_json,
    print_result,
    print_rows,
    refuse,
    time_text,
)

if TYPE_CHECKING:
    from maysend.directory import Directory
    from maysend.directory.domains import Domain


@click.group(cls=DirectoryGroup)
def domain() -> None:
    """Domains: which are ours to deliver, and which are not.

    A domain with accounts in it is managed, unless something else is said here. Aliases, their
    targets and grants never make a domain ours.

    \b
    managed    ours to deliver
    local      managed, and names without a domain (root) are addresses in it
    send-only  used as sender; its mail is delivered elsewhere
    excluded   not ours at all: only a grant lets a login send as an address in it

    \b
    maysend domain list
    maysend domain add example.com
    maysend domain add external.example --send-only
    maysend domain update gmail.com --excluded
    """


_domain_argument = click.argument("name", metavar="DOMAIN", shell_complete=complete_domains)
_kind_options = (
    click.option("--managed", "kind", flag_value="managed", help="Ours to deliver."),
    click.option("--local", "kind", flag_value="local", help="Names like root count in it."),
    click.option("--send-only", "kind", flag_value="send-only", help="Delivered elsewhere."),
    click.option("--excluded", "kind", flag_value="excluded", help="Not ours at all."),
)


@domain.command("add")
@click.argument("name", metavar="DOMAIN")
@_kind_options[0]
@_kind_options[1]
@_kind_options[2]
@_kind_options[3]
@on_directory
def add(opened: "Directory", name: str, kind: str | None, output_format: str) -> None:
    """Register DOMAIN, as managed unless something else is said; replaces what was said before."""
    made = opened.domains.add(name, kind or "managed")
    print_result(output_format, _sentence(made), _as_json(made))


@domain.command("list")
@on_directory
def list_domains(opened: "Directory", output_format: str) -> None:
    """List every domain that is registered or has accounts."""
    domains = opened.domains.list()
    if output_format == "json":
        print_json([_as_json(each) for each in domains])
        return
    print_rows(
        ("DOMAIN", "KIND", "ACCOUNTS", "FROM"),
        [(each.domain, each.kind, str(each.accounts), _from(each)) for each in domains],
        "no domains yet: maysend domain add DOMAIN, or maysend account add user@DOMAIN",
    )


@domain.command("show")
@_domain_argument
@on_directory
def show(opened: "Directory", name: str, output_format: str) -> None:
    """Show what DOMAIN is, and from what that is known."""
    found = opened.domains.get(name)
    print_result(output_format, _sentence(found), _as_json(found))


@domain.command("update")
@_domain_argument
@_kind_options[0]
@_kind_options[1]
@_kind_options[2]
@_kind_options[3]
@on_directory
def change(opened: "Directory", name: str, kind: str | None, output_format: str) -> None:
    """Make DOMAIN one of another kind."""
    if kind is None:
        refuse("nothing to change: give --managed, --local, --send-only or --excluded")
    changed = opened.domains.update(name, kind)
    print_result(output_format, _sentence(changed), _as_json(changed))


@domain.command("remove")
@_domain_argument
@on_directory
def remove(opened: "Directory", name: str, output_format: str) -> None:
    """Forget what was registered about DOMAIN; accounts in it make it managed."""
    gone = opened.domains.get(name)
    opened.domains.remove(name)
    text = f"forgot {gone.domain}"
    if gone.accounts:
        text += f": it is managed, because {_accounts(gone)} in it"
    print_result(output_format, text, _as_json(gone))


def _sentence(each: "Domain") -> str:
    return f"{each.domain} is {each.kind} ({_from(each)})"


def _from(each: "Domain") -> str:
    return "its accounts" if each.created is None else "registered"


def _accounts(each: "Domain") -> str:
    return f"{each.accounts} account{' is' if each.accounts == 1 else 's are'}"


def _as_json(each: "Domain") -> dict[str, object]:
    return {
        "domain": each.domain,
        "kind": each.kind,
        "accounts": each.accounts,
        "registered": each.created is not None,
        "created": time_text(each.created),
    }
