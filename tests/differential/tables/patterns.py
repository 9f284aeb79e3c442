"""Random pattern files: rules, negations, if and endif, flags, and lines that are none of these."""

from random import Random

from tests.differential.tables.words import ip_address

_ATOMS = {
    "pcre": ("a", "b", "o", ".", "\\.", "@", "\\w", "\\d", "[a-e]", "[^@]", "\\S", "(?:a|b)", "é",
             "\\x61", "(?i)a", "x", "\\b", "[[:alpha:]]", "(?=a)", "\\/", " ", "\\Q.\\E", "A"),
    "regexp": ("a", "b", "o", ".", "\\.", "@", "[a-e]", "[^@]", "(a|b)", "é", "x", "[[:alpha:]]",
               "\\/", " ", "[[:upper:]]", "\\w", "\\<", "A", "[é]"),
}  # fmt: skip
_FLAGS = {"pcre": "imsxAEUX", "regexp": "imx"}
_BROKEN = (
    "if", "endif", "endif x", "foo bar", "!", "/a", "/a/q x", "/(/ x", "/[/ x", " /a/ indented",
    "if /a", "if !", "ifa", "/a\\", "/a/ $9", "/a/ ${1", "/a/ $", "!/(a)/ $1", "/a/", "xax x",
    "# comment", "", "\t", "IF /a/ extra", "/a/!/b/ x", "/a/!!/b/i x", "if /a/!/b/", "/a/i! x",
    "\\a\\ x", "if !!/a/", "ENDIF", "/a/ $0", "/(a)/ $1a", "/a/\tx\r", "/\udcff/ y", "/a/ \udcff",
    "/*/ x", "/a**/ x", "/a{1,0}/ x", "/(a)(b)/ $2$1$$", "|a|i x", "(a( x", "/a\\", "!/a\\",
)  # fmt: skip
_BROKEN_CIDR = (
    "if", "endif x", "1.2.3.4", "1.2.3 x", "0/0 x", "1.2.3.4/33 x", "1.2.3.4/8 x", "a.b x",
    "[::1 x", "[::1]x y", "# comment", " 1.2.3.4 x", "if foo", "1.2.3.4/ x", "! x", "endif",
    "if ! 1.2.3.0/24", "if!10.0.0.0/8", "ENDIF", "[1.2.3.0/24] br", "[1.2.3.0]/24 br",
    "010.0.0.1 x", "/24 x", "1.2.3.4/x x", "if 10.0.0.0/8 x", "1.2.3.4/032 y", "::/0/0 x", "[] x",
    "\udcff x", "10.0.0.0/8 \udcff",
)  # fmt: skip


def rules(random: Random, kind: str) -> str:
    """A file of rules for a table of this kind."""
    lines: list[str] = []
    level = 0
    for _ in range(random.randint(1, 14)):
        chance = random.random()
        if chance < 0.12:
            lines.append(random.choice(_BROKEN_CIDR if kind == "cidr" else _BROKEN))
        elif chance < 0.3 and level < 4:
            lines.append(random.choice(("if ", "IF ", "if\t", "if")) + _condition(random, kind))
            level += 1
        elif chance < 0.5 and level:
            lines.append(random.choice(("endif", "ENDIF", "endif ")))
            level -= 1
        else:
            lines.append(
                _condition(random, kind) + random.choice((" ", "\t", "  ")) + _answer(random, kind)
            )
            if random.random() < 0.1:
                lines.append("  continued " + random.choice(("", "$1", "x")))
    if random.random() < 0.8:  # else some if stays open
        lines += ["endif"] * level
        lines.append(_condition(random, kind) + " last")
    return "\n".join(lines) + random.choice(("\n", ""))


def pattern(random: Random, kind: str) -> str:
    """A regular expression. Quantifiers do not nest, so that no engine takes exponential time."""
    parts = []
    for _ in range(random.randint(1, 4)):
        atom = random.choice(_ATOMS[kind])
        chance = random.random()
        if chance < 0.2:
            atom += random.choice(("*", "+", "?", "{1,2}"))
        elif chance < 0.45:
            atom = f"({atom})"
        parts.append(atom)
    text = "".join(parts)
    if random.random() < 0.15:
        text = f"({text})|{random.choice(_ATOMS[kind])}"
    return random.choice(("", "", "^")) + text + random.choice(("", "", "$"))


def _condition(random: Random, kind: str) -> str:
    bang = random.choice(("", "", "", "!", "!!", "! "))
    if kind == "cidr":
        return bang + _network(random)
    delimiter = random.choice("//////|~,")
    flags = "".join(random.choices(_FLAGS[kind], k=random.choice((0, 0, 0, 1, 2))))
    if delimiter == "/":
        body = pattern(random, kind)
    else:
        body = pattern(random, kind).replace(delimiter, ".")
    second = f"!/{pattern(random, kind)}/" if kind == "regexp" and random.random() < 0.05 else ""
    return f"{bang}{delimiter}{body}{delimiter}{flags}{second}"


def _network(random: Random) -> str:
    chance = random.random()
    if chance < 0.25:
        return ip_address(random)
    if chance < 0.6:
        octets = [str(random.choice((0, 1, 2, 10, 127, 192, 255))) for _ in range(4)]
        length = random.choice((0, 8, 16, 24, 32))
        octets[length // 8 :] = ["0"] * (4 - length // 8)
        text = ".".join(octets)
    else:
        text, length = random.choice((("::", 0), ("2001:db8::", 32), ("fe80::", 10), ("::", 127)))
    return random.choice(("%s/%d", "%s/%d", "[%s]/%d", "[%s/%d]")) % (text, length)


def _answer(random: Random, kind: str) -> str:
    if kind == "cidr":
        return random.choice(("OK", "REJECT a", "$1 $$", "x"))
    return random.choice(
        ("OK", "REJECT", "$1", "${1}", "$(1)x", "a$$b", "x $1 y", "$2-$1", "[${1}]", "alice, bob")
    )
