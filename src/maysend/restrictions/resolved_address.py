"""What an address comes to (ADDRESS_CLASS_README)."""

from dataclasses import dataclass
from enum import Enum

from mypy_extensions import mypyc_attr


@dataclass(frozen=True)
class Undeliverable:
    """Why no mail is delivered to an address; only for now where it `may_pass` later."""

    text: str
    may_pass: bool = False


class AddressClass(Enum):
    """ADDRESS_CLASS_README's five classes, by the name of what makes an address one."""

    LOCAL = "mydestination"
    VIRTUAL_ALIAS = "virtual_alias_domains"
    VIRTUAL_MAILBOX = "virtual_mailbox_domains"
    RELAY = "relay_domains"
    DEFAULT = "default"


@mypyc_attr(acyclic=True)
class ResolvedAddress:
    """An address as the restrictions see it: internal form, folded.

    `routed` says that a remote destination's local part holds a further route ("a%b@c"); `invalid`
    that no mail can be sent there; `failed` that a list which decides the class has no answer now;
    `undeliverable` why its transport takes no mail; `plain` that it is name@domain.tld as it came.
    """

    __slots__ = (
        "address",
        "address_class",
        "domain",
        "failed",
        "invalid",
        "plain",
        "routed",
        "undeliverable",
    )

    def __init__(
        self,
        address: str,
        domain: str,
        address_class: AddressClass,
        routed: bool = False,
        invalid: bool = False,
        failed: bool = False,
        undeliverable: Undeliverable | None = None,
        plain: bool = False,
    ) -> None:
        self.address = address
        self.domain = domain
        self.address_class = address_class
        self.routed = routed
        self.invalid = invalid
        self.failed = failed
        self.undeliverable = undeliverable
        self.plain = plain
