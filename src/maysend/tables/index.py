"""The index of table types, and how a table is opened by its `type:name`."""

from collections.abc import Mapping

import msgspec

from maysend.tables.btree import open_btree
from maysend.tables.cidr import open_cidr
from maysend.tables.combined import open_members
from maysend.tables.environ import open_environ
from maysend.tables.fail import open_fail
from maysend.tables.hash import open_hash
from maysend.tables.inline import open_inline
from maysend.tables.internal import open_internal
from maysend.tables.lmdb import open_lmdb
from maysend.tables.pcre import open_pcre
from maysend.tables.pipemap import PipeTable
from maysend.tables.proxy import ProxiedTable
from maysend.tables.randmap import open_randmap
from maysend.tables.regexp import open_regexp
from maysend.tables.sqlite import open_sqlite
from maysend.tables.static import open_static
from maysend.tables.table import LookupTable, Opener, TableContext, TableError
from maysend.tables.text import CheckedTable
from maysend.tables.texthash import open_texthash
from maysend.tables.unavailable import UnavailableTable
from maysend.tables.unionmap import UnionTable
from maysend.tables.unsupported import explain_unsupported

MAX_DEPTH = 100
"""How deep tables may nest; Postfix has no bound of its own."""

_DEFAULT_TYPE = "hash"


def open_table(spec: str, context: TableContext) -> LookupTable:
    """Open the table `type:name`, or `name` of the type default_database_type.

    Never raises for a broken table: as in smtpd, that gives a table whose every lookup raises
    TableError (config), and `context.warn` is told.
    """
    try:
        return CheckedTable(_open(spec, context), context)
    except TableError as error:
        context.warn(str(error))
        return UnavailableTable(spec, error.reason)


def _open(spec: str, context: TableContext) -> LookupTable:
    type_name, colon, name = spec.partition(":")
    if not colon:
        type_name = context.parameters.get("default_database_type", _DEFAULT_TYPE)
        name = spec
    if not type_name or not name:
        raise TableError(spec, 'expecting "type:name"', "config")
    if context.depth >= MAX_DEPTH:
        raise TableError(spec, f"tables nest more than {MAX_DEPTH} deep", "config")
    opener = context.extra_types.get(type_name) or TYPES.get(type_name)
    if opener is None:
        reason = explain_unsupported(type_name, [*TYPES, *context.extra_types])
        raise TableError(spec, reason, "config")
    return opener(name, msgspec.structs.replace(context, depth=context.depth + 1))


def _open_unionmap(name: str, context: TableContext) -> LookupTable:
    spec = f"unionmap:{name}"
    return UnionTable(spec, open_members(spec, context, open_table))


def _open_pipemap(name: str, context: TableContext) -> LookupTable:
    spec = f"pipemap:{name}"
    return PipeTable(spec, open_members(spec, context, open_table))


def _open_proxy(name: str, context: TableContext) -> LookupTable:
    return ProxiedTable(f"proxy:{name}", _open(name, context))


TYPES: Mapping[str, Opener] = {
    "btree": open_btree,
    "cidr": open_cidr,
    "environ": open_environ,
    "fail": open_fail,
    "hash": open_hash,
    "inline": open_inline,
    "internal": open_internal,
    "lmdb": open_lmdb,
    "pcre": open_pcre,
    "pipemap": _open_pipemap,
    "proxy": _open_proxy,
    "randmap": open_randmap,
    "regexp": open_regexp,
    "sqlite": open_sqlite,
    "static": open_static,
    "texthash": open_texthash,
    "unionmap": _open_unionmap,
}
"""Table type → how it is opened. A new type is its own file and one line here."""
