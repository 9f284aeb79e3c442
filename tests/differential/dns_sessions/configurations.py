"""Random configurations made of the restrictions that ask DNS."""

from random import Random

from tests.differential.dns_sessions.zones import DOMAINS, HOSTS

ALONE = (
    "reject_unknown_sender_domain",
    "reject_unknown_recipient_domain",
    "reject_unknown_helo_hostname",
    "permit_mx_backup",
)
OLD = ("reject_unknown_address", "reject_unknown_hostname", "reject_maps_rbl")
LISTS = {
    "reject_rbl_client": ("rbl.example", "two.example"),
    "permit_dnswl_client": ("rbl.example", "two.example"),
    "reject_rhsbl_client": ("rhs.example", "two.example"),
    "reject_rhsbl_reverse_client": ("rhs.example", "two.example"),
    "reject_rhsbl_helo": ("rhs.example", "two.example"),
    "reject_rhsbl_sender": ("rhs.example", "two.example"),
    "reject_rhsbl_recipient": ("rhs.example", "two.example"),
    "permit_rhswl_client": ("rhs.example", "two.example"),
}
FILTERS = ("", "", "", "=127.0.0.2", "=127.0.[0..1].[2;4..9]", "=127.0.1.4", "=[127].0.5.1")
SERVERS = tuple(
    f"check_{subject}_{type}_access"
    for subject in ("client", "reverse_client_hostname", "helo", "sender", "recipient")
    for type in ("mx", "ns", "a")
)
OTHERS = (
    "permit",
    "reject",
    "defer",
    "defer_if_permit",
    "defer_if_reject",
    "permit_mynetworks",
    "reject_unauth_destination",
    "reject_unlisted_sender",
    "check_client_access static:OK",
    "check_client_access static:DUNNO",
    "check_sender_access inline:{example.org=DISCARD}",
    "reject_non_fqdn_helo_hostname",
)
EVERY = (*ALONE, *OLD, *LISTS, *SERVERS)
STAGES = ("client", "helo", "sender", "relay", "recipient", "data")
SERVER_KEYS = (
    *HOSTS,
    "hosts.example",
    ".hosts.example",
    "other.example",
    "example",
    *DOMAINS,
    "192.0.2",
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.65",
    "198.51.100",
    "203",
    "2001:db8",
    "2001:db8::a",
    "2001:db8:5",
    "127.0.0.1",
    "nowhere.example",
    "mail.example.com",
)
SERVER_ANSWERS = (
    "REJECT",
    "REJECT not here",
    "550 5.1.1 no",
    "450 wait",
    "DUNNO",
    "DUNNO",
    "OK",
    "DISCARD",
    "WARN look",
    "DEFER_IF_PERMIT",
    "DEFER_IF_REJECT later",
    "reject_unknown_sender_domain",
    "permit_mx_backup",
    "reject_rbl_client rbl.example",
)
PARAMETERS: dict[str, tuple[str, ...]] = {
    "unknown_address_reject_code": ("550", "554"),
    "unknown_hostname_reject_code": ("550",),
    "unknown_address_tempfail_action": ("defer", "defer_if_permit"),
    "unknown_helo_hostname_tempfail_action": ("defer", "Defer_If_Permit"),
    "reject_tempfail_action": ("defer",),
    "maps_rbl_reject_code": ("550", "450", "571"),
    "maps_rbl_domains": ("rbl.example", "two.example=127.0.0.9, rbl.example"),
    "default_rbl_reply": (
        "550 5.7.1 $rbl_what is in $rbl_domain: $rbl_reason",
        "$rbl_code ${rbl_txt?{because $rbl_txt}:{just so}} [$sender_domain] [$recipient_name]",
        "450 4.1.1 $client $helo_name ${sender:nobody} $$",
        "no code",
        "$rbl_code $rbl_class $reverse_client_name",
    ),
    "rbl_reply_maps": (
        "inline:{{rbl.example=553 5.1.8 $$rbl_what}}",
        "inline:{{two.example=$$rbl_code mapped ${rbl_nothing}}, {rhs.example=421 $$rbl_class}}",
        "static:{$$rbl_code static}",
        "fail:x",
    ),
    "smtpd_expansion_filter": ("\\040abcdefghijklmnopqrstuvwxyz.",),
    "permit_mx_backup_networks": (
        "0.0.0.0/0 [::]/0",
        "192.0.2.0/24 [2001:db8::]/32",
        "hosts.example",
        "!192.0.2.65 0.0.0.0/0",
        "inline:{{192.0.2.1=x},{192.0.2.2=x}}",
        "fail:x",
    ),
    "relay_domains": ("relay.example", "alpha.example"),
    "virtual_alias_domains": ("beta.example",),
    "virtual_mailbox_domains": ("alpha.example",),
    "mydestination": ("example.com, mail.example.com, d.other.example",),
    "parent_domain_matches_subdomains": ("", "permit_mx_backup_networks"),
    "inet_protocols": ("ipv4",),
    "smtpd_delay_reject": ("no",),
    "soft_bounce": ("yes",),
    "allow_untrusted_routing": ("yes",),
    "append_dot_mydomain": ("yes",),
}
DNS_FILTERS = (
    "/ MX / IGNORE\n",
    "/ A 192\\.0\\.2\\./ ignore\n",
    "/hosts\\.example\\.$/ IGNORE\n",
    "/ TXT / IGNORE\n",
    "/ A 127\\.0\\.0\\./ IGNORE\n",
    "/^example\\.org\\. 3600 IN / IGNORE\n",
    "/ NS / nonsense\n",
)


class Configuration:
    """One random configuration: `main_cf` and `files`."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.main_cf: dict[str, str] = {"proxy_interfaces": "192.0.2.99"}
        self.files: dict[str, str] = {}
        for name, values in PARAMETERS.items():
            if random.random() < (0.3 if "rbl" in name or "mx" in name else 0.12):
                self.main_cf[name] = random.choice(values)
        if random.random() < 0.15:
            self.files["filter"] = random.choice(DNS_FILTERS)
            self.main_cf["smtpd_dns_reply_filter"] = "pcre:$config_directory/filter"
        for stage in STAGES:
            if random.random() < 0.6:
                self.main_cf[f"smtpd_{stage}_restrictions"] = self._list()
        self._require_relay_control()
        if self.main_cf.get("smtpd_delay_reject") == "no":
            self._spare_the_real_client()

    def _list(self) -> str:
        return ", ".join(self._restriction() for _ in range(self._random.randint(1, 4)))

    def _restriction(self) -> str:
        random = self._random
        warn = "warn_if_reject " if random.random() < 0.06 else ""
        kind = random.random()
        if kind < 0.2:
            return warn + random.choice(OTHERS)
        if kind < 0.4:
            return warn + random.choice([*ALONE, *ALONE, *OLD])
        if kind < 0.65:
            name = random.choice(list(LISTS))
            return f"{warn}{name} {random.choice(LISTS[name])}{random.choice(FILTERS)}"
        return f"{warn}{random.choice(SERVERS)} {self._table()}"

    def _table(self) -> str:
        random = self._random
        rows = {
            random.choice(SERVER_KEYS): random.choice(SERVER_ANSWERS)
            for _ in range(random.randint(2, 7))
        }
        kind = random.random()
        if kind < 0.04:
            return "fail:x"
        if kind < 0.1:
            return f"static:{{{random.choice(SERVER_ANSWERS)}}}"
        name = f"table{len(self.files)}"
        if kind < 0.25:
            text = "".join(f"/{key.replace('.', '[.]')}/ {rows[key]}\n" for key in rows)
            self.files[name] = text
            return f"pcre:$config_directory/{name}"
        self.files[name] = "".join(f"{key} {answer}\n" for key, answer in rows.items())
        return f"texthash:$config_directory/{name}"

    def _require_relay_control(self) -> None:
        """Without one of these smtpd refuses to start; behind a permit they don't count."""
        random = self._random
        ends = ("reject_unauth_destination", "check_client_access static:OK, reject", "reject")
        end = random.choices(ends, [3, 5, 1])[0]
        before = self.main_cf.get("smtpd_relay_restrictions", "")
        before = before.replace("permit,", "permit_mynetworks,")
        if before.endswith("permit"):
            before += "_mynetworks"
        self.main_cf["smtpd_relay_restrictions"] = f"{before}, {end}" if before else end

    def _spare_the_real_client(self) -> None:
        """XCLIENT comes after the real client's own check, which a rejection would end."""
        name = "smtpd_client_restrictions"
        spare = "check_client_access inline:{127.0.0.1=OK}"
        if name in self.main_cf:
            self.main_cf[name] = f"{spare}, {self.main_cf[name]}"
