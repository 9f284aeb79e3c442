"""What to write into main.cf and master.cf so that Postfix asks maysend. All of it fails closed.

Each smtpd that users log in to gets its lists with `-o`; strangers' mail on port 25 is not asked
about. What such a service says already stays, after ours: the first that refuses decides.
Sources: SMTPD_POLICY_README, MILTER_README, SASL_README, socketmap_table(5), master(5).
"""

from collections.abc import Iterable, Iterator, Sequence

from maysend.lint import Smtpd
from maysend.servers.beside_postfix.doors import Door

NO_ANSWER = "451 4.3.5 maysend does not answer, try again later"
"""What Postfix answers where maysend doesn't; its own default is a 451 too, and can be changed."""

PATIENCE = "10s"
"""How long Postfix waits for an answer: its own default, 100 s, keeps a client waiting for long."""
LONGEST_ANSWER = "60s"
"""The same at the end of a message, where `sleep` may take 30 s; Postfix's own default is 300."""

SENDERS = "maysend_sender_restrictions"
MILTERS = "maysend_milters"
LISTS = {"smtpd_sender_restrictions": SENDERS, "smtpd_milters": MILTERS}
"""The parameter of a service → that of main.cf which is put before what the service has."""

LOGIN_SERVICES = ("submission", "submissions")
"""The ports 587 and 465, where users log in (RFC 6409, RFC 8314)."""

DOCKER_MAILSERVER_LISTS = {"smtpd_sender_restrictions": "$mua_sender_restrictions"}
"""What docker-mailserver's two services have in their lists."""


def main_cf(doors: Sequence[Door]) -> dict[str, list[str]]:
    """The parameters for main.cf: name → the items of its value."""
    parameters: dict[str, list[str]] = {}
    by_kind = {kind: [door for door in doors if door.kind == kind] for kind in _kinds(doors)}
    for door in by_kind.get("policy", ()):
        parameters.setdefault(SENDERS, []).append(
            f"check_policy_service {{ {door.server}, timeout={PATIENCE},\n"
            f"{{ default_action = {NO_ANSWER} }} }}"
        )
    tables = by_kind.get("socketmap", [])
    if tables and "policy" not in by_kind:
        table = f"socketmap:{tables[0].server}"
        parameters["smtpd_sender_login_maps"] = [f"{table}:owners"]
        parameters[SENDERS] = [
            f"check_sasl_access {table}:suspended",
            "reject_authenticated_sender_login_mismatch",
        ]
    for door in by_kind.get("milter", ()):
        parameters.setdefault(MILTERS, []).append(
            f"{{ {door.server}, connect_timeout={PATIENCE},\n"
            f"content_timeout={LONGEST_ANSWER}, default_action=tempfail }}"
        )
    return parameters


def service_settings(doors: Sequence[Door], there: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What a service gets with `-o`: names and values. `there` is what its lists hold already."""
    given = main_cf(doors)
    for name, ours in LISTS.items():
        if ours in given:
            yield name, _first(ours, there.get(name, ""))
    for door in doors:
        if door.kind == "dovecot_auth":
            yield "smtpd_sasl_auth_enable", "yes"
            yield "smtpd_sasl_type", "dovecot"
            yield "smtpd_sasl_path", door.server
            return


def plain_lines(doors: Sequence[Door], smtpds: Iterable[Smtpd]) -> Iterator[str]:
    """main.cf and master.cf of a Postfix whose services with logins are `smtpds`, if known."""
    yield "# ----- main.cf -----"
    for name, items in main_cf(doors).items():
        yield f"{name} ="
        for number, item in enumerate(items, 1):
            comma = "," if number < len(items) else ""
            first, *rest = item.split("\n")
            yield f"    {first}{'' if rest else comma}"
            yield from (f"        {line}{comma}" for line in rest)
    yield from _tables(doors)
    yield ""
    yield "# ----- master.cf -----"
    known = list(smtpds)
    if not known:
        names = " and ".join(LOGIN_SERVICES)
        yield f"# Below the line of each smtpd that users log in to: {names}."
        yield from _options(service_settings(doors, {}))
    for smtpd in known:
        there = {name: _there(smtpd, name) for name in LISTS}
        yield f"# Below the line of {smtpd.name}, in place of what it has of the same names:"
        yield from _options(service_settings(doors, there))
    yield ""
    yield "# Then: postfix reload, and: maysend postfix --check"


def docker_mailserver_lines(doors: Sequence[Door]) -> Iterator[str]:
    """The same as docker-mailserver takes it, one line a setting, in its configuration folder."""
    yield "# ----- postfix-main.cf -----"
    for name, items in main_cf(doors).items():
        yield f"{name} = {', '.join(items)}".replace("\n", " ")
    yield from _tables(doors)
    yield ""
    yield "# ----- postfix-master.cf -----"
    for service in LOGIN_SERVICES:
        for name, value in service_settings(doors, DOCKER_MAILSERVER_LISTS):
            yield f"{service}/inet/{name}={value}"
    yield ""
    if any(door.address.path for door in doors):
        yield "# Mount the sockets' folder into the container at the same path. Users there have"
        yield '# other numbers than here: give the listeners mode = "0666", and close the folder'
        yield "# around theirs (chmod 700) to the other users of this host."
    yield "# Then restart the container."


def _tables(doors: Sequence[Door]) -> Iterator[str]:
    """Beside a policy service, which asks the directory itself, tables are there to be used."""
    if all(door.kind != "policy" for door in doors):
        return
    for door in doors:
        if door.kind == "socketmap":
            yield "# The directory as lookup tables, for whatever else Postfix may ask of it:"
            for name in ("owners", "suspended", "posters", "domains", "aliases", "accounts"):
                yield f"#   socketmap:{door.server}:{name}"


def _options(settings: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in settings:
        # Whitespace needs braces, since Postfix 3.0 (master(5)).
        yield f"  -o {{ {name} = {value} }}" if " " in value else f"  -o {name}={value}"


def _first(ours: str, there: str) -> str:
    """Our list, and what is there already."""
    rest = there.replace(f"${ours}", "").strip(" ,\n")
    # Without a space: postconf -P takes none in a value.
    return f"${ours},{rest}" if rest else f"${ours}"


def _there(smtpd: Smtpd, name: str) -> str:
    """The value of a service as written, on one line; main.cf's counts where it has none."""
    setting = smtpd.parameters.setting(name)
    return " ".join(setting.raw.split()) if setting is not None else ""


def _kinds(doors: Iterable[Door]) -> list[str]:
    return list(dict.fromkeys(door.kind for door in doors))
