"""What follows check_policy_service: a server, or `{ server, name=value, { name = value } }`.

smtpd reads these items when it starts, and ends with a fatal error where one can't be read. Names
within the braces are those of the smtpd_policy_service_* parameters without their beginning.
Source: SMTPD_POLICY_README, "Advanced policy client configuration"; postconf(5).
"""

from os.path import join

import msgspec

from maysend.delegation import PolicyService
from maysend.maincf import Parameters
from maysend.maincf.conversion import UNITS, integer, seconds
from maysend.maincf.tokens import split
from maysend.restrictions.restriction import FatalItem
from maysend.tables.braces import BraceError, enclosed

PREFIX = "smtpd_policy_service_"
TEXTS = ("default_action", "policy_context")
NUMBERS = {"try_limit": 1, "request_limit": 0}
"""The least that each may be."""
TIMES = ("timeout", "retry_delay", "max_idle", "max_ttl")


def read_policy_service(argument: str, parameters: Parameters) -> PolicyService:
    """The server and how to ask it. Raises FatalItem."""
    service = _configured(parameters)
    if not argument.startswith("{"):
        return _at(service, argument, parameters)
    try:
        words = [token.text for token in split(enclosed(argument))]
    except BraceError as error:
        raise FatalItem(f"policy service syntax error: {error}") from error
    if not words:
        raise FatalItem(f'empty policy service: "{argument}"')
    for word in words[1:]:
        service = _overridden(service, *_option(word))
    return _at(service, words[0], parameters)


def _configured(parameters: Parameters) -> PolicyService:
    """What the parameters say of every server."""
    return PolicyService(
        server="",
        endpoint="",
        default_action=parameters[PREFIX + "default_action"],
        policy_context=parameters[PREFIX + "policy_context"],
        timeout=parameters.seconds(PREFIX + "timeout"),
        try_limit=parameters.integer(PREFIX + "try_limit"),
        retry_delay=parameters.seconds(PREFIX + "retry_delay"),
        request_limit=parameters.integer(PREFIX + "request_limit"),
        max_idle=parameters.seconds(PREFIX + "max_idle"),
        max_ttl=parameters.seconds(PREFIX + "max_ttl"),
    )


def _at(service: PolicyService, server: str, parameters: Parameters) -> PolicyService:
    transport, colon, name = server.partition(":")
    if not (transport and colon and name):
        raise FatalItem(f'need service transport:endpoint instead of "{server}"')
    if transport not in ("inet", "unix", "local"):
        raise FatalItem(f"invalid transport name: {transport} in service: {server}")
    endpoint = server
    if transport != "inet":
        endpoint = f"unix:{join(parameters['queue_directory'], name)}"
    return msgspec.structs.replace(service, server=server, endpoint=endpoint)


def _option(word: str) -> tuple[str, str]:
    """The name and the value of one option, which may stand in braces."""
    if word.startswith("{"):
        try:
            word = enclosed(word).strip()
        except BraceError as error:
            raise FatalItem(f"policy service syntax error: {error}") from error
    name, equals, value = word.partition("=")
    if not equals:
        raise FatalItem(f"malformed option: missing '=' after attribute name: \"{word}\"")
    return name.strip(), value.strip()


def _overridden(service: PolicyService, name: str, text: str) -> PolicyService:
    value: str | int = text
    if name in TEXTS:
        if not text:
            raise FatalItem(f"bad string length 0 < 1: {name} = ")
    elif name in NUMBERS:
        value = _number(name, text, NUMBERS[name])
    elif name in TIMES:
        value = _time(name, text)
    else:
        raise FatalItem(f'unknown option: "{name} = {text}"')
    return msgspec.structs.replace(service, **{name: value})


def _number(name: str, text: str, least: int) -> int:
    try:
        number = integer(text)
    except ValueError:
        raise FatalItem(f"bad numerical configuration: {name} = {text}") from None
    if number < least:
        raise FatalItem(f"invalid {name} parameter value {number} < {least}")
    return number


def _time(name: str, text: str) -> int:
    try:
        if not text or (not text.isdigit() and text[-1] not in UNITS):
            raise ValueError
        number = seconds(text, "s")
    except ValueError:
        raise FatalItem(f"{name}: bad time value or unit: {text}") from None
    if number < 1:
        raise FatalItem(f"invalid {name}: {number} (min 1)")
    return number
