"""# proxy-not-listed: proxymap(8) refuses to open the table

## What it does
Reports `proxy:` tables that are not in `proxy_read_maps` of main.cf.

## Why it is bad
proxymap opens only what is listed there, so the table is unusable and clients get a 451. Its
default names the usual parameters, but proxymap reads main.cf alone: a table that only an `-o` in
master.cf names is not among them.

## Example
    # master.cf
    submission inet n - y - - smtpd
      -o smtpd_sender_login_maps=proxy:mysql:/etc/postfix/senders.cf

## Use instead
    # main.cf
    mua_sender_login_maps = proxy:mysql:/etc/postfix/senders.cf
    proxy_read_maps = $mua_sender_login_maps, …

## Limits
None.

## Source
proxymap(8), postconf(5) "proxy_read_maps".
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.lint.table_uses import table_uses
from maysend.maincf import tokens


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The proxy: tables that proxymap would not open."""
    listed = {token.text for token in tokens.split(smtpd.main["proxy_read_maps"])}
    seen = set()
    for use in table_uses(smtpd):
        if not use.spec.startswith("proxy:") or use.spec in listed or use.spec in seen:
            continue
        seen.add(use.spec)
        yield Problem(
            place=use.place,
            written=use.written,
            message=f"{use.spec} is not in main.cf's proxy_read_maps: proxymap refuses to open it",
            fix=f"proxy_read_maps = {use.spec}, …",
        )
