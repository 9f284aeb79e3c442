"""Where a policy names its tables."""

from collections.abc import Iterator

import msgspec

from maysend.lint.configuration import Smtpd
from maysend.maincf import Place, tokens
from maysend.restrictions.index import RESTRICTIONS
from maysend.restrictions.node import Node
from maysend.tables import OpenedTable

TABLE_LISTS = (
    "smtpd_sender_login_maps",
    "local_recipient_maps",
    "virtual_alias_maps",
    "virtual_mailbox_maps",
    "relay_recipient_maps",
    "canonical_maps",
    "sender_canonical_maps",
    "recipient_canonical_maps",
    "relocated_maps",
    "transport_maps",
    "rbl_reply_maps",
)
"""The parameters that smtpd takes as lists of tables."""


class TableUse(msgspec.Struct, frozen=True):
    """One table where it is named: by a parameter, or as the argument of a restriction.

    `used_by` is the parameter, or the restriction's name; `written` is what stands at `place`.
    """

    spec: str
    written: str
    place: Place
    used_by: str
    table: OpenedTable


def table_uses(smtpd: Smtpd) -> Iterator[TableUse]:
    """Every table that somebody wrote into the configuration, in the order of use."""
    if smtpd.policy is None:
        return
    for _, node in smtpd.nodes():
        spec = table_named_in(node)
        if spec:
            word = node.written.partition(" ")[0]
            yield TableUse(spec, node.written, node.place, word, smtpd.policy.site.table(spec))
    for parameter in TABLE_LISTS:
        yield from tables_of(smtpd, parameter)


def table_named_in(node: Node) -> str:
    """The `type:name` that a restriction takes as its argument or stands for, "" for none."""
    if node.finding:
        return ""
    word, _, argument = node.written.partition(" ")
    restriction = RESTRICTIONS.get(word.lower())
    if restriction is None:
        return node.written if ":" in node.written else ""
    return argument.strip() if restriction.argument == "table" else ""


def tables_of(smtpd: Smtpd, parameter: str) -> Iterator[TableUse]:
    """The tables that a parameter lists, where somebody wrote it."""
    if smtpd.policy is None or not smtpd.is_set(parameter):
        return
    traced = smtpd.parameters.traced(parameter)
    for token in tokens.split(traced.text):
        table = smtpd.policy.site.table(token.text)
        yield TableUse(token.text, token.text, traced.place(token.start), parameter, table)
