"""The `maysend` command: an index of its commands, each imported only when it runs."""

from difflib import get_close_matches
from importlib import import_module

import click

from maysend.cli.usage import WrongUsage

COMMANDS: dict[str, tuple[str, str]] = {
    "explain": ("maysend.cli.explain:explain", "Show who may send as whom, and the reason."),
    "lookup": ("maysend.cli.lookup:lookup", "Ask a lookup table, as postmap -q does."),
    "tables": ("maysend.cli.tables:tables", "List the lookup table types that can be used."),
    "lint": ("maysend.cli.lint:lint", "Find what is wrong with a sender policy."),
    "rule": ("maysend.cli.rule:rule", "Print what a rule of lint is about."),
    "test": ("maysend.cli.test:test", "Run policy tests: dialogues and the replies they must get."),
    "init": ("maysend.cli.init:init", "Write a maysend.toml and create the directory."),
    "serve": ("maysend.cli.serve:serve", "Serve all listeners of maysend.toml."),
    "postfix": (
        "maysend.cli.postfix:postfix",
        "Print the lines that make Postfix ask; check them.",
    ),
    "systemd": ("maysend.cli.systemd:systemd", "Print systemd units for `maysend serve`."),
    "demo": ("maysend.cli.demo:demo", "Run a gateway with sample accounts, to try it out."),
    "account": ("maysend.cli.account:account", "Accounts: who can log in; suspend and resume."),
    "alias": ("maysend.cli.alias:alias", "Aliases: addresses that lead to others."),
    "grant": ("maysend.cli.grant:grant", "Let a login send as further addresses."),
    "list": ("maysend.cli.list:mail_list", "Lists: recipients that only some may write to."),
    "domain": ("maysend.cli.domain:domain", "Domains: which are ours to deliver."),
    "suspension": ("maysend.cli.suspension:suspension", "Suspend addresses, domains, networks."),
    "rights": ("maysend.cli.rights:rights", "Show who may send as whom, and to whom."),
    "observe": ("maysend.cli.observe:observe", "Report who would be refused, before refusing."),
    "import": ("maysend.cli.import_:import_", "Import docker-mailserver's files."),
    "directory": ("maysend.cli.directory:directory", "Dump and load the whole directory."),
    "audit": ("maysend.cli.audit:audit", "Show who changed what in the directory."),
    "completion": (
        "maysend.cli.completion:completion",
        "Complete commands in a shell.",
    ),
}
"""Command name → (module:attribute, one line of help)."""


class CommandIndex(click.Group):
    """A group that knows its commands by name, so that `maysend lookup` loads nothing else."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The command names, in the order of the index."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and return its click command."""
        if cmd_name not in COMMANDS:
            near = get_close_matches(cmd_name, COMMANDS, n=1)
            if near:
                message = f"No such command '{cmd_name}'; did you mean '{near[0]}'?"
                raise WrongUsage(message, ctx)
            return None
        module_name, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module_name), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command list from the index, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.command(cls=CommandIndex, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="maysend")
def main() -> None:
    """May this login send as this sender, to this recipient, and why?"""
