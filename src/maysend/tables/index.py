"""The index of table types, and how a table is opened by its `type:name`."""

from collections.abc import Mapping
from importlib import import_module

import msgspec

from maysend.tables.file_table import FileTable
from maysend.tables.opened import OpenedTable
from maysend.tables.sources import Sources
from maysend.tables.table import Opener, TableContext, TableError, Warn
from maysend.tables.text import CheckedTable
from maysend.tables.unavailable import UnavailableTable

TYPES: Mapping[str, str] = {
    "btree": "maysend.tables.btree:open_btree",
    "cdb": "maysend.tables.cdb:open_cdb",
    "cidr": "maysend.tables.cidr:open_cidr",
    "environ": "maysend.tables.environ:open_environ",
    "fail": "maysend.tables.fail:open_fail",
    "hash": "maysend.tables.hash:open_hash",
    "inline": "maysend.tables.inline:open_inline",
    "internal": "maysend.tables.internal:open_internal",
    "ldap": "maysend.tables.ldap:open_ldap",
    "lmdb": "maysend.tables.lmdb:open_lmdb",
    "memcache": "maysend.tables.memcache:open_memcache",
    "mysql": "maysend.tables.mysql:open_mysql",
    "pcre": "maysend.tables.pcre:open_pcre",
    "pgsql": "maysend.tables.pgsql:open_pgsql",
    "pipemap": "maysend.tables.pipemap:open_pipemap",
    "proxy": "maysend.tables.proxy:open_proxy",
    "randmap": "maysend.tables.randmap:open_randmap",
    "regexp": "maysend.tables.regexp:open_regexp",
    "socketmap": "maysend.tables.socketmap:open_socketmap",
    "sqlite": "maysend.tables.sqlite:open_sqlite",
    "static": "maysend.tables.static:open_static",
    "tcp": "maysend.tables.tcp:open_tcp",
    "texthash": "maysend.tables.texthash:open_texthash",
    "unionmap": "maysend.tables.unionmap:open_unionmap",
    "unix": "maysend.tables.unix:open_unix",
}
"""Table type → its Opener, as module:function. A new type is its own file and one line here.

Named rather than imported, as the commands are: loading all of them would make up a third of the
time that `maysend lookup` takes. A test resolves every line.
"""

MAX_DEPTH = 100
"""How deep tables may nest; Postfix has no bound of its own."""

_FORWARDING = frozenset({"pipemap", "proxy", "unionmap"})
_DEFAULT_TYPE = "hash"


def open_table(spec: str, context: TableContext) -> OpenedTable:
    """Open the table `type:name`, or `name` of the type default_database_type.

    As in smtpd a broken table gives one whose every lookup raises TableError (retry), and
    `context.warn` is told. Only where the context is asked by postmap, TableError is raised. A
    table that is read from files is read again when they change (reloading).
    """
    sources = Sources()

    def read(sources: Sources, warn: Warn) -> OpenedTable:
        return _open(spec, msgspec.structs.replace(context, sources=sources, warn=warn))

    try:
        table: OpenedTable = read(sources, context.warn)
    except TableError as error:
        if context.asked_by == "postmap":
            raise
        context.warn(str(error))
        # What is opened around this table is to be opened again, too: the kind of the first member
        # is that of a unionmap.
        sources.mind_all()
        context.sources.add(sources)
        table = UnavailableTable(spec, error.reason)
    return FileTable(table, sources, read, context.warn) if sources else table


def _open(spec: str, context: TableContext) -> OpenedTable:
    type_name, colon, name = spec.partition(":")
    if not colon:
        type_name = context.parameters.get("default_database_type", _DEFAULT_TYPE)
        name = spec
    if not type_name or not name:
        raise TableError(spec, 'expecting "type:name"', "config")
    if context.depth >= MAX_DEPTH:
        raise TableError(spec, f"tables nest more than {MAX_DEPTH} deep", "config")
    opener = context.extra_types.get(type_name) or opener_of(type_name)
    if opener is None:
        from maysend.tables.unsupported import explain_unsupported

        reason = explain_unsupported(type_name, [*TYPES, *context.extra_types])
        raise TableError(spec, reason, "config")
    inner = msgspec.structs.replace(context, depth=context.depth + 1)
    table = CheckedTable(opener(name, inner), inner, forwards=type_name in _FORWARDING)
    if inner.tell is None:
        return table
    from maysend.tables.traced import TracedTable

    return TracedTable(table, inner.tell)


def opener_of(type_name: str) -> Opener | None:
    """The opener of a table type in the index, None where there is none."""
    if type_name not in TYPES:
        return None
    module_name, attribute = TYPES[type_name].split(":")
    opener: Opener = getattr(import_module(module_name), attribute)
    return opener
