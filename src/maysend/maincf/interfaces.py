"""This host's own addresses, and the networks it trusts when $mynetworks is not set.

Source: postconf(5), inet_interfaces, proxy_interfaces, inet_protocols, mynetworks_style.
"""

import socket
from typing import TYPE_CHECKING

from maysend.maincf import tokens
from maysend.maincf.errors import MainCfError
from maysend.maincf.host import Host, Interface

if TYPE_CHECKING:
    from maysend.maincf.parameters import Parameters

PROTOCOLS = ("all", "ipv4", "ipv6")
STYLES = ("class", "subnet", "host")


def own_addresses(parameters: "Parameters") -> frozenset[str]:
    """The addresses that this host receives mail on, $inet_interfaces.

    Raises MainCfError where a host name in it is unknown.
    """
    return frozenset(_own(parameters, parameters.host))


def proxy_addresses(parameters: "Parameters") -> frozenset[str]:
    """The addresses of $proxy_interfaces; raises MainCfError where a name in it is unknown."""
    return frozenset(_listed(parameters, "proxy_interfaces", parameters.host))


def default_mynetworks(parameters: "Parameters", host: Host) -> str:
    """What Postfix takes for $mynetworks: the networks of its addresses, by $mynetworks_style.

    Raises MainCfError for an unknown style, or an $inet_interfaces that is not this host's.
    """
    style = parameters["mynetworks_style"].strip(", \t\r\n").lower()
    if style not in STYLES:
        raise _wrong(parameters, "mynetworks_style", f"expected one of {', '.join(STYLES)}")
    local = {interface.address: interface for interface in host.interfaces}
    networks: dict[str, None] = {}
    for address in _own(parameters, host):
        if address not in local:
            message = f"no local interface found for {address}"
            raise _wrong(parameters, "inet_interfaces", message)
        networks[_network(local[address], style)] = None
    return " ".join(networks)


def _own(parameters: "Parameters", host: Host) -> list[str]:
    """$inet_interfaces as addresses, in Postfix's order."""
    wanted = parameters["inet_interfaces"]
    if wanted not in ("all", "loopback-only"):
        return _listed(parameters, "inet_interfaces", host)
    families = _families(parameters)
    return [
        interface.address
        for interface in host.interfaces
        if _family(interface.address) in families
        and (wanted == "all" or _is_loopback(interface.address))
    ]


def _listed(parameters: "Parameters", name: str, host: Host) -> list[str]:
    """The addresses of the host names and addresses in a list parameter."""
    families = _families(parameters)
    found: dict[str, None] = {}
    for token in tokens.split(parameters[name]):
        literal = _canonical(token.text.removeprefix("[").removesuffix("]"))
        addresses = [literal] if literal else host.resolve(token.text)
        if not addresses:
            raise MainCfError(
                f"{name}: host not found: {token.text}", parameters.traced(name).place(token.start)
            )
        found.update((address, None) for address in addresses if _family(address) in families)
    return list(found)


def _families(parameters: "Parameters") -> set[int]:
    words = [token.text.lower() for token in tokens.split(parameters["inet_protocols"])]
    unknown = [word for word in words if word not in PROTOCOLS]
    if unknown or not words:
        raise _wrong(parameters, "inet_protocols", f"expected one of {', '.join(PROTOCOLS)}")
    both = "all" in words
    wanted = {socket.AF_INET: both or "ipv4" in words, socket.AF_INET6: both or "ipv6" in words}
    return {family for family, is_wanted in wanted.items() if is_wanted}


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def _canonical(text: str) -> str | None:
    """An address in the form that inet_ntop(3) writes, None where `text` is none."""
    family = _family(text)
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, text))
    except (OSError, UnicodeError, ValueError):
        return None


def _network(interface: Interface, style: str) -> str:
    """The network that an address stands for, as Postfix writes it."""
    family = _family(interface.address)
    octets = socket.inet_pton(family, interface.address)
    bits = 8 * len(octets)
    prefix = interface.prefix
    if style == "host":
        prefix = bits
    elif style == "class" and family == socket.AF_INET:
        prefix = _class_prefix(octets[0])
    mask = ((1 << prefix) - 1) << (bits - prefix)
    network = (int.from_bytes(octets, "big") & mask).to_bytes(len(octets), "big")
    text = socket.inet_ntop(family, network)
    return f"[{text}]/{prefix}" if family == socket.AF_INET6 else f"{text}/{prefix}"


def _class_prefix(first_octet: int) -> int:
    """The length of a class A, B, C or D network's prefix."""
    limits = ((128, 8), (192, 16), (224, 24))
    return next((prefix for limit, prefix in limits if first_octet < limit), 4)


def _wrong(parameters: "Parameters", name: str, message: str) -> MainCfError:
    return MainCfError(f"{name}: {message}", parameters.traced(name).place())
