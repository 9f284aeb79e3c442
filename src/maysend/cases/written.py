"""The format of a case file as it is written; its JSON Schema is made of these types."""

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from maysend.cases.case import Stage

REPLY_PATTERN = r"^(ok|rejected|deferred|not asked|[45][0-9][0-9]([ -](.|\n)*)?)$"

Reply: TypeAlias = Annotated[
    str,
    Meta(
        pattern=REPLY_PATTERN,
        description='"ok" where nothing objects; the whole text of the reply, or its beginning '
        '"553" or "553 5.7.1"; "rejected" for any 5xx, "deferred" for any 4xx.',
    ),
]
Row: TypeAlias = Annotated[list[str], Meta(min_length=2, max_length=3)]
Text: TypeAlias = dict[str, str]


def _described(text: str) -> Meta:
    return Meta(description=text)


class Given(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a file can say once for all of its cases, and a case for itself."""

    config: Annotated[
        str | UnsetType,
        _described("Postfix configuration directory, relative to this file."),
    ] = UNSET
    service: Annotated[
        str | UnsetType, _described("Service of that directory's master.cf, with its -o settings.")
    ] = UNSET
    main_cf: Annotated[
        Text, _described("Parameters as they would stand in main.cf; they win over `config`.")
    ] = {}
    files: Annotated[
        Text, _described("Files beside main.cf, by name: texthash:$config_directory/NAME.")
    ] = {}
    tables: Annotated[
        Text,
        _described(
            "What a table holds, in place of the one of that type:name: lines of `key value`."
        ),
    ] = {}
    dns: Annotated[
        str, _described("What the only name server knows: lines of `name TYPE value`.")
    ] = ""
    client_address: Annotated[str | UnsetType, _described("Who connects: an IP address.")] = UNSET
    client_name: Annotated[
        str | UnsetType,
        _described('Verified name; "unknown", or "[TEMPUNAVAIL]" where DNS can\'t tell now.'),
    ] = UNSET
    reverse_client_name: Annotated[
        str | UnsetType, _described("Unverified name; the same as client_name unless said.")
    ] = UNSET
    helo: Annotated[str | UnsetType, _described('Name in EHLO, "" for no EHLO.')] = UNSET
    login: Annotated[str | UnsetType, _described('SASL login, "" for none.')] = UNSET
    tls: Annotated[bool | UnsetType, _described("Whether the session is encrypted.")] = UNSET
    sender: Annotated[
        str | UnsetType, _described('As between < and > in MAIL FROM; "" is the null sender.')
    ] = UNSET
    recipient: Annotated[str | UnsetType, _described("As between < and > in RCPT TO.")] = UNSET
    header: Annotated[
        str | UnsetType,
        _described("The message's header, for reject_header_from_login_mismatch at END."),
    ] = UNSET


class WrittenCase(Given, kw_only=True, forbid_unknown_fields=True):
    """One case."""

    name: Annotated[str, Meta(min_length=1, description="What the case shows; once in the file.")]
    at: Annotated[
        Stage,
        _described("The command that gets `reply`; those before it must be accepted."),
    ] = "RCPT"
    reply: Reply | UnsetType = UNSET
    decided_by: Annotated[
        str, _described("The restriction that decides: its name, or the beginning of it.")
    ] = ""
    dialogue: Annotated[
        list[Row] | UnsetType,
        _described(
            "Instead of sender, recipient, at and reply: rows of [command, reply] or "
            "[command, reply, decided_by]."
        ),
    ] = UNSET
    actions: Annotated[
        list[str] | UnsetType,
        _described('What access tables asked for beside a reply: "HOLD for the postmaster".'),
    ] = UNSET
    fatal: Annotated[
        str, _described("smtpd refuses to start; what it logs contains this text.")
    ] = ""
    postfix: Annotated[
        bool, _described("false: maysend's own tests do not ask a live Postfix.")
    ] = True


class WrittenFile(Given, kw_only=True, forbid_unknown_fields=True):
    """A case file."""

    case: Annotated[list[WrittenCase], Meta(min_length=1, description="One [[case]] each.")]
    about: Annotated[str, _described("What these cases are about.")] = ""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a case file, whose TOML is read as its JSON equivalent."""
    schema = msgspec.json.schema(WrittenFile)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Policy tests of maysend test",
        **schema,
    }
