"""Configurations made of every restriction that needs neither DNS nor another server."""

from collections.abc import Callable
from random import Random

from tests.differential.sessions.addresses import table_key
from tests.differential.sessions.tables import Tables, client_key, helo_key, login_key, owners

PLAIN = (
    "permit",
    "reject",
    "defer",
    "defer_if_permit",
    "defer_if_reject",
    "permit_mynetworks",
    "permit_sasl_authenticated",
    "permit_inet_interfaces",
    "permit_auth_destination",
    "reject_plaintext_session",
    "reject_invalid_helo_hostname",
    "reject_non_fqdn_helo_hostname",
    "reject_non_fqdn_sender",
    "reject_non_fqdn_recipient",
    "reject_unlisted_sender",
    "reject_unlisted_recipient",
    "reject_sender_login_mismatch",
    "reject_known_sender_login_mismatch",
    "reject_authenticated_sender_login_mismatch",
    "reject_unauthenticated_sender_login_mismatch",
    "reject_unauth_destination",
    "defer_unauth_destination",
    "reject_multi_recipient_bounce",
    "reject_unknown_client_hostname",
    "reject_unknown_reverse_client_hostname",
    "reject_unknown_client",
    "reject_invalid_hostname",
    "reject_non_fqdn_hostname",
)
"""Restrictions without an argument."""
UNUSUAL = (
    "check_relay_domains",
    "permit_naked_ip_address",
    "permit_tls_clientcerts",
    "permit_tls_all_clientcerts",
    "reject_maps_rbl",
    "reject_unauth_pipelining",
    "sleep 0",
)
"""Obsolete ones, and ones that have nothing to say to a client such as ours."""
DRASTIC = ("permit", "reject", "defer", "reject_plaintext_session")
"""Restrictions that end nearly every list they are in: chosen less often."""
CHECKS: dict[str, Callable[[Random], str]] = {
    "check_client_access": client_key,
    "check_reverse_client_hostname_access": client_key,
    "check_helo_access": helo_key,
    "check_sender_access": table_key,
    "check_recipient_access": table_key,
    "check_sasl_access": login_key,
}
"""check_*_access → the keys it asks."""
MISTAKES = ("no_such_restriction", "check_sender_access", "REJECT", "OK", "warn_if_reject", "550")
STAGES = ("client", "helo", "sender", "relay", "recipient", "data", "end_of_data")
REQUIRED = ("reject_unauth_destination", "defer_unauth_destination", "reject", "defer")
CLASSES = ("class1", "class2", "class3")
TRANSPORTS = (
    "smtp:", "smtp:[relay.example]", "error:gone fishing", "error:5.2.1 full", "error", ":",
    "retry:4.3.2 later", "retry:", "local:", ":nexthop", "discard:",
)  # fmt: skip
"""What transport(5) may answer; those of error(8) refuse the address."""
# No "550 5.7.1" without a text: there smtpd sends what happens to lie behind it in its memory.
ANSWERS = (
    "OK",
    "ok",
    "DUNNO",
    "DUNNO",
    "550",
    "550 text",
    "450 wait a little",
    "554 5.1.1 who is this",
    "451 4.1.8 odd",
    "552 4.2.2 wrong class",
    "5.7.1 no code",
    "250 fine",
    "421 4.7.0 come back later",
    "521 5.7.0 and stay away",
    "600 too high",
    "REJECT",
    "reject not here",
    "REJECT 5.1.0 text with a status",
    "DEFER",
    "DEFER please wait",
    "DEFER_IF_PERMIT",
    "DEFER_IF_PERMIT 4.2.1 busy",
    "DEFER_IF_REJECT",
    "DEFER_IF_REJECT later",
    "WARN",
    "WARN look",
    "INFO look",
    "DISCARD",
    "DISCARD quietly",
    "HOLD",
    "HOLD for inspection",
    "FILTER smtp:[127.0.0.1]:10025",
    "FILTER nonsense",
    "PREPEND X-Test: yes",
    "PREPEND nonsense",
    "REDIRECT archive@example.com",
    "REDIRECT archive",
    "BCC archive@example.com",
    "nonsense",
    "texthash:/nowhere",
    "no such, words here",
    "REJECT Grüße",
)
PARAMETERS: dict[str, tuple[str, ...]] = {
    "compatibility_level": ("0", "2", "3.5", "3.6"),
    "smtpd_delay_reject": ("no",),
    "smtpd_relay_before_recipient_restrictions": ("yes", "no"),
    "parent_domain_matches_subdomains": ("", "smtpd_access_maps", "relay_domains, mynetworks"),
    "recipient_delimiter": ("", "+", "+", "+-", "-"),
    "mydestination": (
        "example.com",
        "$myhostname",
        "example.com, inline:{example.org=x}",
        "fail:x",
    ),
    "virtual_alias_domains": ("alias.example", "", "alias.example, example.com", "fail:x"),
    "virtual_mailbox_domains": ("mailbox.example", "inline:{mailbox.example=x}", "fail:x"),
    "relay_domains": ("relay.example", "", "example.net sub.relay.example", "fail:x"),
    "mynetworks": (
        "192.0.2.0/24",
        "192.0.2.7 [2001:db8::]/32",
        "!192.0.2.7 192.0.2.0/24",
        "fail:x",
    ),
    "access_map_reject_code": ("550", "450", "571"),
    "access_map_defer_code": ("451", "421"),
    "maps_rbl_reject_code": ("550",),
    "invalid_hostname_reject_code": ("550",),
    "non_fqdn_reject_code": ("550", "450"),
    "reject_code": ("550",),
    "defer_code": ("451",),
    "relay_domains_reject_code": ("550", "450"),
    "plaintext_reject_code": ("550",),
    "unknown_client_reject_code": ("550",),
    "multi_recipient_bounce_reject_code": ("550",),
    "unknown_local_recipient_reject_code": ("450",),
    "unknown_virtual_alias_reject_code": ("450",),
    "unknown_virtual_mailbox_reject_code": ("450",),
    "unknown_relay_recipient_reject_code": ("450",),
    "smtpd_reject_unlisted_recipient": ("yes", "no"),
    "smtpd_reject_unlisted_sender": ("yes", "no"),
    "show_user_unknown_table_name": ("no",),
    "smtpd_null_access_lookup_key": ("<>", "nobody@example.com", ""),
    "append_dot_mydomain": ("yes", "no"),
    "append_at_myorigin": ("no",),
    "myorigin": ("$myhostname", "example.org"),
    "allow_percent_hack": ("no",),
    "swap_bangpath": ("no",),
    "allow_untrusted_routing": ("yes",),
    "resolve_dequoted_address": ("no",),
    "resolve_null_domain": ("yes",),
    "resolve_numeric_domain": ("yes",),
    "strict_rfc821_envelopes": ("yes",),
    "smtputf8_enable": ("no",),
    "smtpd_sasl_auth_enable": ("no",),
    "soft_bounce": ("yes",),
    "luser_relay": ("bob",),
    "inet_interfaces": ("127.0.0.1",),
    "proxy_interfaces": ("192.0.2.9",),
    "empty_address_recipient": ("bob",),
}
"""Parameters that decide, and values to try beside the default."""


class Configuration:
    """One random configuration: `main_cf` and `files`."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._tables = Tables(random)
        self.main_cf: dict[str, str] = {}
        self._choose_parameters()
        self._choose_maps()
        self._choose_classes()
        for stage in STAGES:
            if random.random() < 0.55:
                self.main_cf[f"smtpd_{stage}_restrictions"] = self._list(0, random.randint(1, 4))
        if random.random() < 0.1:
            self.main_cf["smtpd_data_restrictions"] = "reject_multi_recipient_bounce"
        if random.random() < 0.985:
            self._require_relay_control()
        if self.main_cf.get("smtpd_delay_reject") == "no":
            self._spare_the_real_client()

        self._keep_unlisted_senders_late()
        self._keep_smtpd_alive()

    @property
    def files(self) -> dict[str, str]:
        """The files beside main.cf."""
        return self._tables.files

    def _choose_parameters(self) -> None:
        random = self._random
        for name, values in PARAMETERS.items():
            often = name in ("recipient_delimiter", "mynetworks", "virtual_alias_domains")
            if random.random() < (0.5 if often else 0.08):
                self.main_cf[name] = random.choice(values)

    def _choose_maps(self) -> None:
        random = self._random
        if random.random() < 0.8:
            maps = [
                self._tables.table(table_key, lambda: owners(random))
                for _ in range(random.choice([1, 1, 2, 3]))
            ]
            self.main_cf["smtpd_sender_login_maps"] = " ".join(maps)
        recipients = ("local_recipient_maps", "virtual_mailbox_maps", "relay_recipient_maps")
        others = ("virtual_alias_maps", "canonical_maps", "recipient_canonical_maps")
        for name in (*recipients, *others, "sender_canonical_maps", "relocated_maps"):
            if random.random() < (0.35 if name in recipients else 0.15):
                self.main_cf[name] = self._tables.table(
                    table_key, lambda: random.choice(["bob", "bob@example.com", "gone@example.net"])
                )

        if random.random() < 0.15:
            self.main_cf["transport_maps"] = self._tables.table(
                table_key, lambda: random.choice(TRANSPORTS)
            )

    def _choose_classes(self) -> None:
        if self._random.random() < 0.3:
            return
        self.main_cf["smtpd_restriction_classes"] = ", ".join(CLASSES)
        for level, name in enumerate(CLASSES, start=1):
            self.main_cf[name] = self._list(level, self._random.randint(1, 3))

    def _list(self, level: int, length: int) -> str:
        return ", ".join(self._restriction(level) for _ in range(length))

    def _restriction(self, level: int) -> str:
        """A restriction that may name classes above `level` only: a loop crashes smtpd."""
        random = self._random
        kind = random.random()
        warn = "warn_if_reject " if random.random() < 0.06 else ""
        classes = self._classes_above(level)
        if kind < 0.02:
            return warn + random.choice(MISTAKES)
        if kind < 0.05:
            return warn + random.choice(UNUSUAL)
        if kind < 0.14 and classes:
            return warn + random.choice(classes)
        if kind < 0.55:
            check = random.choice(list(CHECKS))
            table = self._tables.table(CHECKS[check], lambda: self._answer(level))
            return f"{warn}{check} {table}"
        restriction = random.choice(PLAIN)
        if restriction in DRASTIC and random.random() < 0.7:
            restriction = random.choice(PLAIN)
        return warn + restriction

    def _classes_above(self, level: int) -> tuple[str, ...]:
        return CLASSES[level:] if "smtpd_restriction_classes" in self.main_cf else ()

    def _answer(self, level: int) -> str:
        random = self._random
        kind = random.random()
        classes = self._classes_above(level)
        if kind < 0.15 and classes:
            return random.choice(classes)
        if kind < 0.35:
            words = [random.choice(PLAIN) for _ in range(random.choice([1, 1, 2]))]
            return random.choice(["", "", "", "warn_if_reject "]) + ", ".join(words)
        return random.choice(ANSWERS)

    def _require_relay_control(self) -> None:
        """Without one of these smtpd refuses to start; behind a permit they don't count."""
        name = self._random.choice(["smtpd_relay_restrictions", "smtpd_recipient_restrictions"])
        required = self._random.choices(REQUIRED, [6, 3, 1, 1])[0]
        before = self.main_cf.get(name, "")
        self.main_cf[name] = f"{before}, {required}" if before else required

    def _keep_unlisted_senders_late(self) -> None:
        """smtpd forgets only in the sender's list that it has checked an unlisted sender: before
        that list the check depends on what the same process did for an earlier client."""
        early = ("smtpd_client_restrictions", "smtpd_helo_restrictions", *CLASSES)
        for texts, names in ((self.main_cf, early), (self.files, tuple(self.files))):
            for name in names:
                if name in texts:
                    texts[name] = texts[name].replace(
                        "reject_unlisted_sender", "reject_unlisted_recipient"
                    )

    def _keep_smtpd_alive(self) -> None:
        """check_relay_domains ends the process where relay_domains can't be read."""
        texts = [*self.main_cf.values(), *self.files.values()]
        if any("check_relay_domains" in text for text in texts):
            self.main_cf["relay_domains"] = "relay.example"

    def _spare_the_real_client(self) -> None:
        """XCLIENT comes after the real client's own check, which a rejection would end."""
        name = "smtpd_client_restrictions"
        spare = "check_client_access inline:{127.0.0.1=OK}"
        if name in self.main_cf:
            self.main_cf[name] = f"{spare}, {self.main_cf[name]}"
