"""smtpd_reject_footer and its maps: the replies of a live smtpd, and ours."""

from collections.abc import Iterator

import pytest

from maysend.policy import Policy
from maysend.policy.reject_footer import RejectFooter
from tests.differential.live_postfix import LivePostfix

pytestmark = pytest.mark.needs_postfix

REFUSAL = "550 5.7.1 <a@example.org>: Sender address rejected: go"
FOOTERS = (
    "",
    "plain footer",
    "\\c. For help",
    "\\c",
    "\\c\\nx",
    "one\\ntwo",
    "one\\n",
    "\\n",
    "a\\n\\nb",
    "$client_address|$client_port|$server_name|$sender|$recipient",
    "$$x",
    "${client_address?yes}",
    "${x?yes} and $x",
    "a\\cb",
    "tab\tx é",
    "$client_address;`'<>",
    "\\\\n",
    "$ x",
    "a $",
    "${client_address",
)
MAPS = (
    "regexp:$config_directory/footers",
    "static:{mapped $$client_address}",
    "inline:{x=y}",
    "fail:x",
    "static:{\\c mapped}",
)
FOOTERS_FILE = "/^550 5.7.1 (.*) go$/ \\c$1 $$client_address\n/^550-/ lines\n"


@pytest.fixture(scope="module")
def postfix() -> Iterator[LivePostfix]:
    with LivePostfix() as instance:
        yield instance


@pytest.mark.parametrize("footer", FOOTERS)
def test_a_footer_is_added_as_smtpd_adds_it(postfix: LivePostfix, footer: str) -> None:
    live, ours = both_reply(postfix, {"smtpd_reject_footer": footer})
    assert ours == live


@pytest.mark.parametrize("maps", MAPS)
@pytest.mark.parametrize("footer", ["", "default"])
def test_a_map_knows_the_footer(postfix: LivePostfix, maps: str, footer: str) -> None:
    live, ours = both_reply(
        postfix, {"smtpd_reject_footer": footer, "smtpd_reject_footer_maps": maps}
    )
    assert ours == live


def both_reply(postfix: LivePostfix, parameters: dict[str, str]) -> tuple[str, str]:
    refusing = {
        "smtpd_sender_restrictions": "check_sender_access inline:{ {a@example.org=550 go} }"
    }
    postfix.configure({**refusing, **parameters}, {"footers": FOOTERS_FILE})
    with postfix.session(helo="client.example") as smtp:
        smtp.command("MAIL FROM:<a@example.org>")
        live = smtp.command("RCPT TO:<bob@example.com>")
    policy = Policy.load(postfix.directory)
    session = policy.session(client_address="192.0.2.7")
    session.mail("a@example.org")
    reply = session.rcpt("bob@example.com").reply
    assert str(reply) == REFUSAL
    lines = RejectFooter(policy.site).added_to(550, [REFUSAL[4:]], session.dialogue, "now")
    return live, "\n".join(
        f"550{' ' if number == len(lines) else '-'}{line}"
        for number, line in enumerate(lines, start=1)
    )
