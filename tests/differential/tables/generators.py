"""Random tables of every type, each with keys to ask."""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.differential.tables import patterns, words
from tests.differential.tables.postmap import Postmap

ENVIRONMENT = {"bob": "a value", "empty@x": "", "x.y": "é", "broken": "\udcff"}
"""What the environ: tables find; the test puts it into the environment."""


_ODD_LINES = (
    "# comment", "", "  more", "key:  alias", "only", '"open x', "a\\", "\tx\r", "\x0b", " # x",
)  # fmt: skip
_MEMBER_TYPES = (
    "inline", "inline", "static", "texthash", "pcre", "regexp", "cidr", "sqlite", "hash", "fail",
    "environ", "internal", "randmap", "unix", "unionmap", "pipemap",
)  # fmt: skip
_CONDITIONS = (
    "address = '%s'", "address = '%u@%d'", "address = '%u'", "address LIKE '%%@%d'",
    "address = '%2.%1'", "address = '%S' OR address = '@%D'", "address = '%s' ORDER BY 1 DESC",
)  # fmt: skip


SUFFIXES = {"lmdb": ".lmdb", "cdb": ".cdb"}
"""What postmap appends to the name of the file it makes; ".db" for the others."""


class Table(NamedTuple):
    """A table to ask: its type, its spec, and some keys that it may know."""

    type_name: str
    spec: str
    known: Sequence[str]


class Generator:
    """Makes tables in a directory of its own."""

    def __init__(self, random: Random, directory: Path, postmap: Postmap) -> None:
        self.random = random
        self._directory = directory
        self._postmap = postmap
        self._count = 0
        self._made: Counter[str] = Counter()
        self._files: list[Path] = []
        self._database = self._sqlite_database()
        self._makers: dict[str, Callable[[], Table]] = {
            "static": self._static,
            "inline": self._inline,
            "texthash": self._texthash,
            "hash": lambda: self._indexed("hash"),
            "btree": lambda: self._indexed("btree"),
            "cdb": lambda: self._indexed("cdb"),
            "lmdb": lambda: self._indexed("lmdb"),
            "pcre": lambda: self._rules("pcre"),
            "regexp": lambda: self._rules("regexp"),
            "cidr": lambda: self._rules("cidr"),
            "sqlite": self._sqlite,
            "unionmap": lambda: self._combined("unionmap"),
            "pipemap": lambda: self._combined("pipemap"),
            "randmap": self._randmap,
            "fail": lambda: Table("fail", "fail:x", ()),
            "environ": lambda: Table("environ", "environ:x", (*ENVIRONMENT, "HOME")),
            "internal": lambda: Table("internal", self._either("internal:x", "internal:", 0.3), ()),
            "unix": self._unix,
        }

    @property
    def types(self) -> Sequence[str]:
        """The types that can be made; `proxy:` is asked of these too."""
        return tuple(self._makers)

    def table(self, type_name: str) -> Table:
        """A random table of this type."""
        return self._makers[type_name]()

    def files(self) -> Sequence[Path]:
        """The files of the tables made since the last call."""
        made, self._files = self._files, []
        return made

    def _spoiled(self, type_name: str) -> bool:
        """Whether this table is to be one that can't be opened: every seventh."""
        self._made[type_name] += 1
        return self._made[type_name] % 7 == 3

    def _either(self, usual: str, rare: str, chance: float) -> str:
        return rare if self.random.random() < chance else usual

    def _written(self, text: str) -> Path:
        self._count += 1
        path = self._directory / f"table{self._count}"
        self._files.append(path)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return path

    def _static(self) -> Table:
        text = words.text(self.random)
        name = self.random.choice((
            text, text, f"{{{text}}}", f"{{ {text} }}", "{", "{a}b", "\udcff", "a{b", "{}",
        ))  # fmt: skip
        return Table("static", f"static:{name}", ())

    def _inline(self) -> Table:
        known = [words.address(self.random) for _ in range(self.random.randint(1, 6))]
        pairs = [self._pair(key) for key in known]
        if self.random.random() < 0.12:
            pairs.append(
                self.random.choice(("a", "{a}", "{ }", 'a"=b', "=e", "é=\udcff", "{a=b}c"))
            )
        separator = self.random.choice((",", " ", ", "))
        body = self._either(f"{{{separator.join(pairs)}}}", f"{{{separator.join(pairs)}", 0.03)
        return Table("inline", f"inline:{body}", known)

    def _pair(self, key: str) -> str:
        value = words.text(self.random).replace("{", "").replace("}", "")
        shaped = self.random.choice((key, key.upper(), f'"{key} x"', f"{key}é", f"{key}\\ x"))
        form = self.random.choice(("{ %s = %s }", "{%s=%s}", "%s={%s}", "{ %s =%s}"))
        simple = value if value.isalnum() else "OK"
        return self._either(form % (shaped.replace("\\ ", "."), value), f"{key}={simple}", 0.4)

    def _entries(self, *, longest: int) -> tuple[str, list[str]]:
        known: list[str] = []
        lines: list[str] = []
        for _ in range(self.random.choice((0, 3, 10, 40))):
            key, _ = words.key(self.random, known)
            key = self._written_key(key[:longest])
            lines.append(f"{key}{self.random.choice((' ', chr(9), '  '))}{words.text(self.random)}")
            known.append(key)
            if self.random.random() < 0.2:
                lines.append(self.random.choice(_ODD_LINES))
        return "\n".join(lines) + self.random.choice(("\n", "")), known

    def _written_key(self, key: str) -> str:
        """Mostly a key that a line can hold, else whatever it is."""
        if self.random.random() < 0.1:
            return key
        return "".join("_" if c in ' \t\x0b\x0c\r"\\#' else c for c in key).strip() or "k"

    def _texthash(self) -> Table:
        text, known = self._entries(longest=6000)
        path = self._written(text)
        suffix = ".none" if self._spoiled("texthash") else ""
        return Table("texthash", f"texthash:{path}{suffix}", known)

    def _indexed(self, type_name: str) -> Table:
        # LMDB takes no key of more than 511 bytes, and the others are to have some on extra pages.
        text, known = self._entries(longest=120 if type_name == "lmdb" else 9000)
        if self.random.random() < 0.15:
            many = [
                f"user{number}@example.com" for number in range(self.random.choice((300, 2000)))
            ]
            text = "\n".join(f"{key} value of {key}" for key in many) + "\n" + text
            known = [*known, *self.random.sample(many, 20)]
        if self.random.random() < 0.15:
            text += f"\nbig {'v' * self.random.choice((3000, 5000, 70000))}\n"
            known = [*known, "big"]
        path = self._written(text)
        options = self.random.choice(((), (), ("-N",), ("-n",), ("-f",)))
        self._postmap.build(f"{type_name}:{path}", *options)
        made = path.with_name(path.name + SUFFIXES.get(type_name, ".db"))
        self._files.append(made)
        if self._spoiled(type_name):
            # Of a file that ends between two pages Postfix would say "not found", we say an error.
            os.truncate(made, self.random.choice((0, 100)))
        return Table(type_name, f"{type_name}:{path}", known)

    def _rules(self, kind: str) -> Table:
        text = patterns.rules(self.random, kind)
        known = self._keys_for(kind)
        if self.random.random() < 0.3:
            lines = [line for line in text.split("\n") if line.count("{") == line.count("}")]
            body = " ".join(f"{{{line}}}" for line in lines)
            return Table(kind, f"{kind}:" + self._either(f"{{{body}}}", f"{{{body}", 0.08), known)
        path = self._written(text)
        return Table(kind, f"{kind}:{path}" + (".none" if self._spoiled(kind) else ""), known)

    def _keys_for(self, kind: str) -> list[str]:
        if kind == "cidr":
            return [words.ip_address(self.random) for _ in range(12)]
        return [
            "".join(self.random.choices("abo.@x ", k=self.random.randint(1, 6))) for _ in range(8)
        ]

    def _combined(self, kind: str) -> Table:
        members = [self._member() for _ in range(self.random.randint(1, 4))]
        known = [key for member in members for key in member.known]
        specs = self.random.choice((", ", ",", " ")).join(member.spec for member in members)
        broken = self.random.choice(("{}", "{a}", specs, f"{{{specs}", f"{{{specs}, nope:x}}"))
        return Table(kind, f"{kind}:" + self._either(f"{{{specs}}}", broken, 0.06), known)

    def _member(self) -> Table:
        """A table that can stand in a list: balanced braces, and no separator outside them."""
        while True:
            type_name = self.random.choice(_MEMBER_TYPES)
            if type_name == "fail" and self.random.random() < 0.7:
                continue
            member = self.table(type_name)
            if _can_be_member(member.spec):
                return member

    def _randmap(self) -> Table:
        """All choices are one, so that both programs have to choose the same."""
        choice = self.random.choice(("x", "{a b}", "smtp:[x]", "é", "\udcff"))
        body = self.random.choice(
            (f"{{{choice}}}", f"{{{choice}, {choice} {choice}}}", "{}", "{x", "x")
        )
        return Table("randmap", f"randmap:{body}", ())

    def _unix(self) -> Table:
        name = self.random.choice(("passwd.byname", "passwd.byname", "group.byname"))
        known = ("root", "daemon", "mail", "nobody", "postfix", "adm")
        return Table("unix", f"unix:{'passwd' if self._spoiled('unix') else name}", known)

    def _sqlite_database(self) -> Path:
        path = self._directory / "rows.db"
        rows = [(words.address(self.random).lower(), words.text(self.random)) for _ in range(60)]
        rows += [
            (key, value) for key in ("bob", "info@b.co") for value in (None, "", 1, 2.5, "x@y.z")
        ]
        self.sqlite_keys = [str(key) for key, _ in rows]
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE owners (address TEXT, login)")
            connection.executemany("INSERT INTO owners VALUES (?, ?)", rows)
            connection.execute("INSERT INTO owners VALUES ('broken', ?)", (b"\xff",))
        connection.close()
        return path

    def _sqlite(self) -> Table:
        where = self.random.choice(_CONDITIONS)
        lines = [f"dbpath = {self._database}", f"query = SELECT login FROM owners WHERE {where}"]
        if self.random.random() < 0.3:
            form = self.random.choice(("<%s>", "%u", "%d", "%s %S", "%D!%u", "%1", "%%", "x", "%U"))
            lines.append(f"result_format = {form}")
        if self.random.random() < 0.2:
            lines.append(f"expansion_limit = {self.random.choice((0, 1, 2, 5, -1))}")
        if self.random.random() < 0.2:
            domains = self.random.choice(
                ("example.com", "!b.co inline:{example.net=x}", "X, com", "é")
            )
            lines.append(f"domain = {domains}")
        if self._spoiled("sqlite"):
            lines.append(self.random.choice(
                ("query = SELEC", "query = SELECT '%x'", "result_format =", "nonsense", "query =")
            ))  # fmt: skip
        path = self._written("\n".join(lines) + "\n")
        return Table("sqlite", f"sqlite:{path}", [*self.sqlite_keys, "broken"])


def _can_be_member(spec: str) -> bool:
    level = 0
    for character in spec:
        if character in ", \t\r\n" and level == 0:
            return False
        level += {"{": 1, "}": -1}.get(character, 0)
        if level < 0:
            return False
    return level == 0
