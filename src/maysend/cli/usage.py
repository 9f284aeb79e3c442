"""Wrong usage that ends with EX_USAGE of sysexits(3), as mail tools do, and not with click's 2."""

import click

from maysend.cli.exit_codes import EX_USAGE


class WrongUsage(click.UsageError):
    """Wrong arguments; ends with EX_USAGE."""

    exit_code = EX_USAGE


class MailToolCommand(click.Command):
    """A command whose wrong usage ends with EX_USAGE."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise WrongUsage(error.format_message(), ctx) from error
