"""How main.cf and the -o options of a service change a listener (master(5), postconf(5))."""

from ipaddress import ip_network

import msgspec

from maysend.maincf import MainCfError, Parameters, tokens
from maysend.servers.submission.settings import GatewaySettings, Limits, Networks, Timeouts

SECURITY_LEVELS = ("none", "may", "encrypt")

SIZES = (
    "message_size_limit",
    "header_size_limit",
    "smtpd_recipient_limit",
    "smtpd_soft_error_limit",
    "smtpd_hard_error_limit",
    "smtpd_junk_command_limit",
    "smtpd_client_connection_count_limit",
)
"""Parameters that are a limit of the same name."""

TIMES = ("smtpd_timeout", "smtpd_starttls_timeout", "smtpd_error_sleep_time")


def with_parameters(settings: GatewaySettings, parameters: Parameters) -> GatewaySettings:
    """`settings` with what main.cf, or an -o of the service, says otherwise.

    Only parameters that are written there count: Postfix's defaults are those of another server.
    Raises MainCfError naming file and line.
    """
    written = {name for name in (*SIZES, *TIMES) if parameters.setting(name) is not None}
    limits = {name: parameters.integer(name) for name in SIZES if name in written}
    times = {name: float(parameters.seconds(name)) for name in TIMES if name in written}
    changes: dict[str, object] = {
        "limits": _replaced(settings.limits, limits),
        "timeouts": _replaced(settings.timeouts, times),
    }
    for name, field in (
        ("smtpd_tls_auth_only", "tls_auth_only"),
        ("smtpd_tls_wrappermode", "tls_wrapper"),
    ):
        if parameters.setting(name) is not None:
            changes[field] = parameters.boolean(name)
    if parameters.setting("smtpd_tls_security_level") is not None:
        changes |= _security_level(parameters)
    if parameters.setting("smtpd_authorized_xclient_hosts") is not None:
        changes["xclient_from"] = _networks(parameters, "smtpd_authorized_xclient_hosts")
    return msgspec.structs.replace(settings, **changes)


def _replaced(settings: Limits | Timeouts, changes: dict[str, int] | dict[str, float]) -> object:
    return msgspec.structs.replace(settings, **changes)


def _security_level(parameters: Parameters) -> dict[str, object]:
    name = "smtpd_tls_security_level"
    traced = parameters.traced(name)
    level = traced.text.strip().lower()
    if level not in ("", *SECURITY_LEVELS):
        raise MainCfError(f"{name}: expected one of {', '.join(SECURITY_LEVELS)}", traced.place(0))
    without = {"tls": None} if level == "none" else {}
    return {"tls_required": level == "encrypt", **without}


def _networks(parameters: Parameters, name: str) -> Networks:
    """A list of addresses and networks; names and tables can't be asked that early."""
    traced = parameters.traced(name)
    networks = []
    for token in tokens.split(traced.text):
        try:
            networks.append(ip_network(token.text.replace("[", "").replace("]", "")))
        except ValueError:
            raise MainCfError(
                f"{name}: {token.text!a} is no address or network", traced.place(token.start)
            ) from None
    return tuple(networks)
