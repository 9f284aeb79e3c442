"""Lookup tables of the types that need no server, filled with keys that get asked."""

from collections.abc import Callable
from random import Random

CLIENT_NAMES = (
    "unknown",
    "mail.client.example",
    "[TEMPUNAVAIL]",
    "host-7.dyn.example",
    "localhost",
)
CLIENT_ADDRESSES = ("192.0.2.7", "198.51.100.9", "203.0.113.200", "2001:db8::25", "2001:db8:0:1::9")
HELO_NAMES = (
    "client.example",
    "mail.client.example",
    "localhost",
    "[192.0.2.7]",
    "[IPv6:2001:db8::25]",
    "[1.2.3]",
    "192.0.2.7",
    "-bad",
    "x..y",
    "under_score.example",
    "Upper.Example",
    "client.example.",
    "bücher.example",
    "x",
)
LOGINS = ("bob", "alice", "bob@example.com", "Bob@Example.COM", "admin", "jürgen", "a b")


def client_key(random: Random) -> str:
    """A key that check_client_access may ask."""
    names = (*CLIENT_NAMES[:2], "client.example", ".client.example", "example", "dyn.example")
    networks = ("192.0.2.7", "192.0.2", "192", "198.51", "2001:db8", "2001:db8::25", "2001:db8:0:1")
    return random.choice(names + networks)


def helo_key(random: Random) -> str:
    """A key that check_helo_access may ask."""
    return random.choice([*HELO_NAMES, "example", ".example", "client.example", "2.7"]).lower()


def login_key(random: Random) -> str:
    """A key that check_sasl_access may ask."""
    return random.choice(LOGINS).lower()


def owners(random: Random) -> str:
    """The right-hand side of a login map."""
    return random.choice(
        [*LOGINS[:3], "bob, alice", "bob alice,admin", "BOB@EXAMPLE.COM", "nobody", ",", "bob,,"]
    )


class Tables:
    """Makes tables; those that are files are collected in `files`."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.files: dict[str, str] = {}

    def table(self, key: Callable[[Random], str], answer: Callable[[], str]) -> str:
        """A table of a random type with such keys and such answers, as "type:name"."""
        makers = [self._texthash] * 6 + [self._inline] * 6 + [self._pcre] * 3 + [self._regexp] * 2
        makers += [self._static] * 2 + [self._unionmap] * 2 + [self._cidr, self._hash, self._broken]
        return self._random.choice(makers)(key, answer)

    def _file(self, text: str) -> str:
        name = f"table{len(self.files)}"
        self.files[name] = text
        return f"$config_directory/{name}"

    def _rows(
        self, key: Callable[[Random], str], answer: Callable[[], str]
    ) -> list[tuple[str, str]]:
        rows = {}
        for _ in range(self._random.randint(1, 4)):
            rows[key(self._random).lower()] = answer()
        return list(rows.items())

    def _texthash(self, key: Callable[[Random], str], answer: Callable[[], str]) -> str:
        rows = [row for row in self._rows(key, answer) if row[0] and " " not in row[0] and row[1]]
        if rows and self._random.random() < 0.02:
            rows.append(rows[0])  # a duplicate makes the table unavailable
        return "texthash:" + self._file("".join(f"{name} {value}\n" for name, value in rows))

    def _hash(self, key: Callable[[Random], str], answer: Callable[[], str]) -> str:
        return "hash:" + self._texthash(key, answer).partition(":")[2]

    def _inline(self, key: Callable[[Random], str], answer: Callable[[], str]) -> str:
        rows = [
            f"{{{name}={value}}}"
            for name, value in self._rows(key, answer)
            if not set("{}$") & set(name + value) and " " not in name
        ]
        return f"inline:{{ {', '.join(rows) or '{nothing=DUNNO}'} }}"

    def _static(self, key: Callable[[Random], str], answer: Callable[[], str]) -> str:
        text = answer()
        return "static:DUNNO" if set("{}$") & set(text) or not text else f"static:{{{text}}}"

    def _pcre(self, key: Callable[[Random], str], answer: Callable[[], str]) -> str:
        return "pcre:" + self._file(self._rules(key, answer, "i", "x"))

    def _regexp(self, key: Callable[[Random], str], answer: Callable[[], str]) -> str:
        return "regexp:" + self._file(self._rules(key, answer, "i"))

    def _rules(self, key: Callable[[Random], str], answer: Callable[[], str], *flags: str) -> str:
        lines = []
        for _ in range(self._random.randint(1, 4)):
            pattern = _escaped(key(self._random).lower())
            pattern = self._random.choice(
                [
                    f"^{pattern}$",
                    pattern,
                    f"{pattern}$",
                    f"^{pattern}",
                    "^(.*)$",
                    "^(bob)?(.*)@(.*)$",
                ]
            )
            value = answer().replace("$", "$$")
            if "(" in pattern and self._random.random() < 0.5:
                value = self._random.choice(["${1}", "$2", "550 asked $1", "${1}@${3}", "$1"])
                value = (
                    value if pattern.count("(") >= 3 else value.replace("2", "1").replace("3", "1")
                )
            negated = self._random.random() < 0.1 and "$" not in value
            flag = self._random.choice(flags) if self._random.random() < 0.1 else ""
            lines.append(f"{'!' if negated else ''}/{pattern}/{flag} {value}\n")
        return "".join(lines)

    def _cidr(self, key: Callable[[Random], str], answer: Callable[[], str]) -> str:
        networks = ["192.0.2.0/24", "192.0.2.7", "198.51.100.0/24", "2001:db8::/32", "!192.0.2.7"]
        rows = self._random.sample(networks, 2)
        return "cidr:" + self._file("".join(f"{network} {answer()}\n" for network in rows))

    def _unionmap(self, key: Callable[[Random], str], answer: Callable[[], str]) -> str:
        makers = (self._texthash, self._pcre, self._inline, self._static)
        members = [self._random.choice(makers)(key, answer) for _ in range(2)]
        return f"unionmap:{{ {', '.join(members)} }}"

    def _broken(self, key: Callable[[Random], str], answer: Callable[[], str]) -> str:
        return self._random.choice(
            ["fail:x", "texthash:$config_directory/missing", "nosuchtype:x", "pcre:/nonexistent"]
        )


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in r".+*?()[]{}|^$/\\" else char for char in text)
