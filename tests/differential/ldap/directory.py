"""A random directory, random ldap: tables on it, and keys to ask them."""

from random import Random

from tests.differential.tables import words
from tests.servers.slapd import Slapd, ldif

PEOPLE = "ou=People,dc=example,dc=org"
HOSTILE = (
    "*", "*@*", "*)(uid=*", "u1@example.org)(mail=*", "u1@example.org*", "(", ")", "\\", "\\2a",
    "\\2A", "u1)(|(mail=*", "x))(|(mail=*))", "a,b+c\"d;e<f>#g", "#u1", " u1", "u1 ", "=", "%s",
    "%", "u1,ou=Groups", "u1@example.org\\", "uid=u1", "u1=u2@example.org", "&(uid=*)", "!", "u1@",
    "@", "@example.org",
)  # fmt: skip
_ODD_USERS = ("star*", "(paren)", "back\\slash", "comma,x", "plus+x", "é", "sp ace", "hash#", 'q"q')
_DOMAINS = ("example.org", "example.com", "sub.example.org", "a.b.example.net")
_FILTERS = (
    "(mail=%s)", "mail=%s", "(|(mail=%s)(uid=%u))", "(&(objectClass=mailPolicy)(mail=%u@%d))",
    "(mailacceptinggeneralid=%s)", "(uid=%u)", "(mail=%u@%2.%1)", "(mail=%S)", "(mail=*@%D)",
    "(&(mail=%s)(!(uid=u2)))", "(mail=%s*)", "(cn=%U)", "(mail~=%s)", "(mail:caseExactMatch:=%s)",
    "(objectClass=*)", "(|(mail=%s)(cn=group %u))", "(cn=group %u)", "(cn=group %u)", "(nosuch=%s)",
    "(mail=100%%%s)", "(mail=%s", "%s",
)  # fmt: skip
_BASES = (
    "dc=example,dc=org", PEOPLE, PEOPLE, f"uid=%u,{PEOPLE}", f"uid=%s,{PEOPLE}",
    "ou=%d,dc=example,dc=org", "dc=%2,dc=%1", "", "dc=nowhere", f"ou=Alias,{PEOPLE}",
)  # fmt: skip
_FORMATS = ("%s", "%s", "%s", "REJECT %s", "%u", "%d", "%u@%D", "%S=%s", "smtp:[%d]", "%1 %s",
            "fixed", "%s %%", "%U:%u")  # fmt: skip


def people(random: Random, count: int) -> tuple[str, list[str]]:
    """The directory as LDIF, and the addresses in it."""
    entries = [ldif(f"ou=Groups,{PEOPLE}", ("objectClass", "organizationalUnit"), ("ou", "Groups"))]
    addresses: list[str] = []
    for number in range(count):
        user = random.choice(_ODD_USERS) + str(number) if random.random() < 0.2 else f"u{number}"
        mails = [f"{user}@{random.choice(_DOMAINS)}" for _ in range(random.choice((1, 1, 2)))]
        mails = list(dict.fromkeys(mails))
        addresses += mails
        ascii_mails = [mail for mail in mails if mail.isascii()]
        entries.append(ldif(
            f"uid=u{number},{PEOPLE}",
            *(("objectClass", name) for name in ("inetOrgPerson", "mailPolicy")),
            ("uid", f"u{number}"), ("cn", user), ("sn", "x"),
            *(("mail", mail) for mail in ascii_mails),
            *(("mailacceptinggeneralid", mail) for mail in mails),
            *(("maildrop", drop) for drop in _drops(random, number)),
            *((("routeto", f"relay{number}"),) if random.random() < 0.1 else ()),
            *((("mail;lang-de", f"de{number}@example.org"),) if random.random() < 0.05 else ()),
        ))  # fmt: skip
    entries += [_group(random, number, count) for number in range(count // 4)]
    entries.append(ldif(
        f"uid=alias,{PEOPLE}", ("objectClass", "alias"), ("objectClass", "extensibleObject"),
        ("uid", "alias"), ("aliasedObjectName", f"uid=u1,{PEOPLE}"),
    ))  # fmt: skip
    return "".join(entries), addresses


def table(random: Random, server: Slapd) -> str:
    """The file of a random table."""
    base = random.choices(_BASES, (6, 6, 4, 1, 1, 1, 1, 0.3, 0.3, 0.5))[0]
    lines = [*_server(random, server), f"search_base = {base}"]
    if random.random() < 0.95:
        lines.append(f"query_filter = {random.choice(_FILTERS)}")
    lines += _attributes(random)
    if random.random() < 0.5:
        name = "result_filter" if random.random() < 0.2 else "result_format"
        lines.append(f"{name} = {random.choice(_FORMATS)}")
    for name, values, chance in (
        (
            "domain",
            ("example.org", "!example.com, sub.example.org", "example.org example.com"),
            0.2,
        ),
        ("scope", ("sub", "one", "base", "SUB", "other"), 0.2),
        ("expansion_limit", ("0", "1", "2", "5"), 0.2),
        ("size_limit", ("0", "1", "3"), 0.15),
        ("recursion_limit", ("1", "2", "3", "10"), 0.3),
        ("dereference", ("0", "1", "2", "3", "7"), 0.2),
        ("chase_referrals", ("no", "yes"), 0.1),
        ("version", ("3", "4"), 0.1),
        ("timeout", ("5",), 0.5),
    ):
        if random.random() < chance:
            lines.append(f"{name} = {random.choice(values)}")
    return "\n".join(lines) + "\n"


def key(random: Random, addresses: list[str]) -> str:
    """A key: most are in the directory, or near something that is."""
    found = random.random()
    if found < 0.12:
        return random.choice(HOSTILE)
    if found < 0.3:
        return random.choice((f"{random.randrange(60)}", f"u{random.randrange(200)}", "alias"))
    if found < 0.45:
        return f"{random.randrange(60)}@{random.choice(_DOMAINS)}"
    return words.key(random, addresses)[0]


def _drops(random: Random, number: int) -> list[str]:
    drops = [f"box{number}@store.example.org", f"box{number}", f"a b{number}", f"é{number}@x.y",
             f"@only{number}", f"user{number}@", f"a,b{number}@c"]  # fmt: skip
    return random.sample(drops, random.choice((0, 1, 1, 1, 2, 4)))


def _group(random: Random, number: int, count: int) -> str:
    members: list[str] = []
    for _ in range(random.choice((0, 1, 2, 3))):
        other = random.randrange(count)
        group = random.randrange(max(1, count // 4))
        members.append(random.choices((
            f"uid=u{other},{PEOPLE}",
            f"cn=group {group},ou=Groups,{PEOPLE}",
            f"ldap:///{PEOPLE}?maildrop?one?(uid=u{other})",
            f"ldap://elsewhere.example.com/{PEOPLE}??sub?(uid=u{other})",
            f"ldap:///uid=u{other},{PEOPLE}?mail,maildrop",
            f"ldap:///uid=u{other},{PEOPLE}?mail;lang-de",
            f"LDAP:///{PEOPLE}?MAIL?sub?(%7C(uid=u{other})(uid=u1))",
            f"ldap:///{PEOPLE}?memberdn?sub?(cn=group%20{group})",
            f"ldap:///{PEOPLE}?nothing?one",
            f"ldap:///uid=u{other},{PEOPLE}",
            f"<URL:ldap:///uid=u{other},{PEOPLE}?mail>",
            f"uid=missing,{PEOPLE}",
            "not a name",
            f"ldap:///{PEOPLE}?mail?wrong",
            f"ldap:///{PEOPLE}?mail?sub?(uid=",
        ), (8, 4, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 0.3, 0.3, 0.3))[0])  # fmt: skip
    return ldif(
        f"cn=group {number},ou=Groups,{PEOPLE}",
        *(("objectClass", name) for name in ("inetOrgPerson", "mailPolicy")),
        ("cn", f"group {number}"), ("sn", "x"),
        *(("mail", f"{number}@{domain}") for domain in random.sample(_DOMAINS, 2)),
        *(("memberdn", member) for member in dict.fromkeys(members)),
        *((("routeto", f"lists{number}"),) if random.random() < 0.15 else ()),
    )  # fmt: skip


def _server(random: Random, server: Slapd) -> list[str]:
    match random.choices(range(7), (6, 2, 2, 2, 1, 1, 1))[0]:
        case 0:
            lines = [f"server_host = {server.url}"]
        case 1:
            lines = ["server_host = 127.0.0.1", f"server_port = {server.port}"]
        case 2:
            lines = [f"server_host = 127.0.0.1:{server.port}", "server_port = 1"]
        case 3:
            lines = [f"server_host = {server.socket_url}"]
        case 4:
            lines = [f"server_host = ldap://127.0.0.1:1, {server.url}"]
        case 5:
            lines = [f"server_host = {server.tls_url}", "tls_require_cert = yes",
                     f"tls_ca_cert_file = {server.ca}"]  # fmt: skip
        case _:
            lines = [f"server_host = {server.url}", "start_tls = yes"]
    return lines + random.choice(([], [], ["bind = no"], ["bind = none"], ["bind = simple"]))


def _attributes(random: Random) -> list[str]:
    names = ("result", "special_result", "leaf_result", "terminal_result")
    lists = random.choice((
        ("maildrop",), ("MailDrop, mail",), ("mail",), (), ("uid maildrop",), ("",), ("*",),
        ("maildrop", "memberdn"),
        ("", "memberdn", "mail, maildrop"),
        ("mail", "memberdn", "", "routeto"),
        ("maildrop", "memberdn", "mail", "routeto, cn"),
        ("mail;lang-de", "memberdn"),
        ("memberdn", "memberdn"),
        ("maildrop", "", "", "routeto"),
    ))  # fmt: skip
    return [f"{name}_attribute = {value}" for name, value in zip(names, lists, strict=False)]
