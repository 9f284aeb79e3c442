"""What main.cf says about AUTH (postconf(5), SASL_README)."""

import msgspec

from maysend.maincf import MainCfError, Parameters, tokens
from maysend.sasl.mechanisms import SECURITY_OPTIONS

SECURITY_PARAMETERS = ("smtpd_sasl_security_options", "smtpd_sasl_tls_security_options")


class SaslSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Named as in postconf(5), without `smtpd_sasl_`; the values that Postfix has by default."""

    security_options: frozenset[str] = frozenset({"noanonymous"})
    tls_security_options: frozenset[str] = frozenset({"noanonymous"})
    broken_clients: bool = False
    authenticated_header: bool = False
    response_limit: int = 12288

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> "SaslSettings":
        """Those of a main.cf. Raises MainCfError for an option that smtpd would die of."""
        plain, tls = (_options(parameters, name) for name in SECURITY_PARAMETERS)
        return cls(
            security_options=plain,
            tls_security_options=tls,
            broken_clients=parameters.boolean("broken_sasl_auth_clients"),
            authenticated_header=parameters.boolean("smtpd_sasl_authenticated_header"),
            response_limit=parameters.integer("smtpd_sasl_response_limit"),
        )


def _options(parameters: Parameters, name: str) -> frozenset[str]:
    traced = parameters.traced(name)
    words = tokens.split(traced.text)
    for word in words:
        if word.text.lower() not in SECURITY_OPTIONS:
            known = ", ".join(SECURITY_OPTIONS)
            raise MainCfError(
                f"{name}: {word.text!a} is no security option, expected some of {known}",
                traced.place(word.start),
            )
    return frozenset(word.text.lower() for word in words)
