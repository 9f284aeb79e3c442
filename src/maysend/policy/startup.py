"""What smtpd checks before it serves anybody (smtpd(8), postconf(5) smtpd_relay_restrictions)."""

from maysend.maincf import tokens
from maysend.policy.errors import PolicyError
from maysend.restrictions.compilation import class_names
from maysend.restrictions.site import Site

REQUIRED = frozenset(
    {
        "reject",
        "reject_unauth_destination",
        "defer",
        "defer_if_permit",
        "defer_unauth_destination",
        "check_relay_domains",
    }
)
"""One of these must be in the relay or recipient list, or the server would be an open relay."""


TEMPFAIL_ACTIONS = (
    "unknown_address_tempfail_action",
    "unknown_helo_hostname_tempfail_action",
    "unverified_sender_tempfail_action",
    "unverified_recipient_tempfail_action",
)


BOUNDED_CODES = {
    "unverified_sender_reject_code": (200, 599),
    "unverified_sender_defer_code": (200, 499),
    "unverified_recipient_reject_code": (200, 599),
    "unverified_recipient_defer_code": (200, 499),
}
"""The least and the largest value of the reply codes that have such. smtpd takes any number for the
others."""


def require_known_values(site: Site) -> None:
    """Raise PolicyError for a value that smtpd does not start with.

    These are a *_tempfail_action that is none, an empty default_rbl_reply, a reply code that is
    out of bounds.
    """
    parameters = site.parameters
    for name, (least, largest) in BOUNDED_CODES.items():
        value = parameters.integer(name)
        if not least <= value <= largest:
            place = parameters.traced(name).place(0)
            bound = f"< {least}" if value < least else f"> {largest}"
            raise PolicyError(f"invalid {name} parameter value {value} {bound}", place)
    for name in TEMPFAIL_ACTIONS:
        if parameters[name].lower() not in ("defer", "defer_if_permit"):
            place = parameters.traced(name).place(0)
            message = f"{name} = {parameters[name]}: expected defer or defer_if_permit"
            raise PolicyError(message, place)
    if not parameters["default_rbl_reply"]:
        place = parameters.traced("default_rbl_reply").place(0)
        raise PolicyError("default_rbl_reply must not be empty", place)


def require_relay_control(site: Site) -> None:
    """Raise PolicyError where smtpd refuses to start: no relay control, an undefined class."""
    parameters = site.parameters
    for name in class_names(site):
        if not parameters.get(name, "").strip():
            place = parameters.traced("smtpd_restriction_classes").place(0)
            raise PolicyError(f"restriction class `{name}' needs a definition", place)
    lists = ("smtpd_recipient_restrictions", "smtpd_relay_restrictions")
    if not any(_has_required(site, parameters[name], set()) for name in lists):
        raise PolicyError(
            "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at "
            "least one working instance of: reject_unauth_destination, "
            "defer_unauth_destination, reject, defer or defer_if_permit",
            parameters.traced(lists[1]).place(0),
        )


def _has_required(site: Site, text: str, seen: set[str]) -> bool:
    """Whether the list refuses somebody for sure; what follows `permit` or only warns does not."""
    classes = set(class_names(site))
    words = iter(token.text for token in tokens.split(text))
    for word in words:
        name = word.lower()
        if name == "warn_if_reject":
            next(words, None)
        elif name == "permit":
            return False
        elif name in REQUIRED:
            return True
        elif word in classes and word not in seen:
            seen.add(word)
            if _has_required(site, site.parameters.get(word) or "", seen):
                return True
    return False
