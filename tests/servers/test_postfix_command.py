"""S2.14: what `maysend postfix` prints makes a real Postfix ask, and --check knows whether it does.

The lines are written into a private Postfix as they were printed, and mail is sent through it.
"""

import contextlib
import os
import pwd
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from maysend.cli.postfix import postfix as command
from maysend.directory import Directory
from tests.servers.real_postfix import RealPostfix
from tests.servers.serving import Serving, serving

pytestmark = pytest.mark.needs_postfix

BOB, EVE = "bob@example.com", "eve@example.com"
LISTENERS = """
[[listener]]
kind = "dovecot_auth"
address = "unix:{sockets}/auth"
group = "postfix"
[[listener]]
kind = "milter"
address = "unix:{sockets}/milter"
group = "postfix"
"""
POLICY = """
[[listener]]
kind = "policy"
address = "unix:{sockets}/policy"
group = "postfix"
"""
SOCKETMAP = POLICY.replace("policy", "socketmap")
RELAY = {"mynetworks": "", "smtpd_relay_restrictions": "permit_sasl_authenticated, reject"}


class Site:
    """A folder for maysend and a Postfix that is not started yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.toml = root / "maysend.toml"
        self.postfix = RealPostfix(root)

    def configure(self, listeners: str, sockets: Path) -> str:
        """Write maysend.toml; its text."""
        text = 'directory = "sqlite:///d.db"\ngrace = 1\n' + listeners.format(sockets=sockets)
        self.toml.write_text(text)
        return text

    def run(self, *options: str) -> Result:
        arguments = ["--config", str(self.toml), "-c", str(self.postfix.directory), *options]
        return CliRunner().invoke(command, arguments)

    def start_postfix_as_printed(self, *, is_chrooted: bool = False) -> None:
        """Start a plain one, ask for the lines, and start again with them."""
        self.postfix.start(RELAY, is_chrooted=is_chrooted)
        printed = self.run()
        assert printed.exit_code == 0, printed.output
        main_cf, _, master_cf = printed.output.partition("# ----- master.cf -----\n")
        self.postfix.stop()
        options = "".join(re.findall(r"^  -o .*\n", master_cf, re.MULTILINE))
        self.postfix.start(RELAY, main_cf=main_cf, options=options, is_chrooted=is_chrooted)


@pytest.fixture
def site() -> Iterator[Site]:
    root = Path(tempfile.mkdtemp(prefix="maysend-lines-"))
    root.chmod(0o755)
    with Directory.open(root / "d.db") as directory:
        for login in (BOB, EVE):
            directory.accounts.add(login, password_hash="{PLAIN}secret")
    site = Site(root)
    try:
        yield site
    finally:
        site.postfix.stop()
        shutil.rmtree(root)


def sent(site: Site, sender: str, author: str = BOB) -> str:
    """What one message of Bob's gets."""
    with smtplib.SMTP("127.0.0.1", site.postfix.port, timeout=30) as client:
        try:
            client.login(BOB, "secret")
            client.sendmail(sender, ["x@example.net"], f"From: {author}\r\n\r\nx\r\n")
        except smtplib.SMTPRecipientsRefused as refused:
            code, text = refused.recipients["x@example.net"]
        except smtplib.SMTPResponseException as error:
            code, text = error.smtp_code, error.smtp_error
        else:
            return "250"
    return f"{code} {text.decode() if isinstance(text, bytes) else text}"


def assert_enforced(site: Site, running: Serving) -> None:
    """Bob is Bob, in the envelope and in the header; without maysend nobody gets through."""
    assert sent(site, BOB) == "250"
    refusal = f"5.7.1 <{EVE}>: Sender address rejected: not owned by user {BOB}"
    assert sent(site, EVE) == f"553 {refusal}"
    assert sent(site, BOB, EVE).endswith(f"<{EVE}>: Header From address rejected: not owned by "
                                         f"user {BOB}")  # fmt: skip
    checked = site.run("--check")
    assert checked.exit_code == 0, checked.output
    assert checked.output.endswith("\nIn force.\n")
    assert "note" not in checked.output
    assert running.stop() == 0
    with contextlib.suppress(smtplib.SMTPServerDisconnected):
        assert sent(site, BOB).startswith("4"), "fails closed"
    checked = site.run("--check")
    assert checked.exit_code == 1
    assert "is `maysend serve` running?" in " ".join(checked.output.split())


@pytest.mark.parametrize(
    "asked", [POLICY, SOCKETMAP, POLICY + SOCKETMAP], ids=["policy", "socketmap", "both"]
)
def test_what_is_printed_is_enforced(site: Site, asked: str) -> None:
    """S2.14: policy service or tables, milter and logins, each line as it was printed."""
    text = site.configure(asked + LISTENERS, site.root)
    with serving(site.root, text) as running:
        site.start_postfix_as_printed()
        assert_enforced(site, running)


def test_a_chrooted_smtpd_finds_the_sockets_in_the_queue_directory(site: Site) -> None:
    private = site.postfix.queue / "private"
    private.mkdir()
    private.chmod(0o700)
    os.chown(private, pwd.getpwnam("postfix").pw_uid, 0)
    text = site.configure(POLICY + LISTENERS, private)
    with serving(site.root, text) as running:
        site.start_postfix_as_printed(is_chrooted=True)
        assert "unix:private/policy" in site.run().output
        assert_enforced(site, running)


def test_a_stopped_maysend_is_found(site: Site) -> None:
    """One that accepts connections and says nothing is not in force."""
    text = site.configure(POLICY, site.root)
    (site.postfix.directory / "main.cf").write_text(
        f"queue_directory = {site.postfix.queue}\ncompatibility_level = 3.6\n"
    )
    (site.postfix.directory / "master.cf").write_text("submission inet n - n - - smtpd\n")
    with serving(site.root, text.replace('group = "postfix"', 'mode = "0666"')) as running:
        workers = running.workers
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        try:
            checked = site.run("--check", "--service", "submission")
        finally:
            for worker in workers:
                os.kill(worker, signal.SIGCONT)
    assert checked.exit_code == 1
    said = " ".join(checked.output.split())
    assert "no answer from unix:" in said
    assert "note policy: every user of this host may connect to unix:" in said
    assert "note this Postfix is not running now" in said


OURS = "check_policy_service {{ unix:{root}/policy, {{ default_action = {action} }} }}"


@pytest.mark.parametrize(
    ("main_cf", "options", "finding"),
    [
        ("", "smtpd_sasl_auth_enable=no", "no smtpd lets anybody log in"),
        ("", "", "not asked: no check_policy_service names unix:{root}/policy"),
        ("smtpd_sender_restrictions = permit_mynetworks, {ours}", "",
         "main.cf:5: permit_mynetworks stands before it in smtpd_sender_restrictions"),
        ("smtpd_sender_restrictions = check_sender_access static:OK, {ours}", "",
         "whom that table answers OK, it is not asked about; write it after"),
        ("smtpd_sender_restrictions = warn_if_reject {ours}", "",
         "main.cf:5: warn_if_reject only logs what it refuses"),
        ("smtpd_restriction_classes = c\nc = permit\nsmtpd_sender_restrictions = c, {ours}", "",
         "main.cf:6: permit stands before it in smtpd_sender_restrictions"),
        ("smtpd_sender_restrictions = {open}", "",
         "default_action = DUNNO: without an answer, mail is let through"),
        ("smtpd_sender_restrictions = {ours}\nsmtpd_delay_reject = no", "",
         "main.cf:6: smtpd_delay_reject = no"),
        ("smtpd_sender_restrictions = {ours}", "smtpd_sender_restrictions=",
         "not asked: no check_policy_service names"),
        ("smtpd_end_of_data_restrictions = {ours}", "", "not asked: no check_policy_service names"),
        ("smtpd_sender_restrictions = check_policy_service nonsense", "",
         "smtpd does not start"),
    ],
)  # fmt: skip
def test_what_is_not_in_force_is_found_where_it_is_written(
    site: Site, main_cf: str, options: str, finding: str
) -> None:
    site.configure(POLICY, site.root)
    ours = OURS.format(root=site.root, action="451 4.3.5 later")
    text = main_cf.replace("{ours}", ours).replace(
        "{open}", OURS.format(root=site.root, action="DUNNO")
    )
    (site.postfix.directory / "main.cf").write_text(
        f"queue_directory = {site.postfix.queue}\nsmtpd_sasl_auth_enable = yes\n"
        f"mynetworks = 127.0.0.0/8\ncompatibility_level = 3.6\n{text}\n"
    )
    option = f"  -o {options}\n" if options else ""
    (site.postfix.directory / "master.cf").write_text(f"submission inet n - n - - smtpd\n{option}")
    checked = site.run("--check")
    assert checked.exit_code == 1, checked.output
    assert finding.format(root=site.root) in " ".join(checked.output.split())


@pytest.mark.parametrize(
    ("mode", "folder_mode", "finding"),
    [
        ("0600", 0o755, "user postfix may not connect to"),
        ("0666", 0o700, "user postfix may not enter"),
    ],
)
def test_who_may_not_connect_is_told_why(
    site: Site, mode: str, folder_mode: int, finding: str
) -> None:
    sockets = site.root / "sockets"
    sockets.mkdir()
    sockets.chmod(folder_mode)
    listener = POLICY.replace('group = "postfix"', f'mode = "{mode}"')
    text = site.configure(listener, sockets)
    (site.postfix.directory / "main.cf").write_text(
        f"queue_directory = {site.postfix.queue}\nsmtpd_sasl_auth_enable = yes\n"
        "compatibility_level = 3.6\n"
    )
    (site.postfix.directory / "master.cf").write_text("submission inet n - y - - smtpd\n")
    with serving(site.root, text):
        assert "smtpd is chrooted to" in site.run("--check").output
        (site.postfix.directory / "master.cf").write_text("submission inet n - n - - smtpd\n")
        assert finding in " ".join(site.run("--check").output.split())


def test_docker_mailserver_takes_its_lines_with_postconf(site: Site) -> None:
    """Its start script gives each line to postconf(1): those of the services with -P."""
    site.configure(POLICY + LISTENERS, site.root)
    runner = CliRunner().invoke(command, ["--config", str(site.toml), "--docker-mailserver"])
    assert runner.exit_code == 0, runner.output
    main_cf, _, master_cf = runner.output.partition("# ----- postfix-master.cf -----\n")
    postfix = site.postfix.directory
    services = "submission inet n - n - - smtpd\nsubmissions inet n - n - - smtpd\n"
    (postfix / "main.cf").write_text(
        "compatibility_level = 3.6\nmua_sender_restrictions = reject_unlisted_sender\n"
    )
    (postfix / "master.cf").write_text(services)
    for option, text in (("-e", main_cf), ("-P", master_cf)):
        for line in re.findall(r"^[a-z].*=.*$", text, re.MULTILINE):
            subprocess.run(["postconf", "-c", postfix, option, line], check=True)
    checked = site.run("--check", "--service", "submissions").output
    assert "not asked" not in checked
    assert "default_action" not in checked
    assert "is `maysend serve` running?" in checked
    lists = subprocess.run(
        ["postconf", "-c", postfix, "-x", "-P", "submission/inet/smtpd_sender_restrictions"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert lists.index("check_policy_service") < lists.index("reject_unlisted_sender")


@pytest.mark.parametrize(
    ("options", "status", "text"),
    [
        (
            ["--listener", "polcy"],
            64,
            'no listener "polcy" that Postfix can ask; there are: policy',
        ),
        (["--service", "submision"], 78, 'no service "submision"'),
        (["--docker-mailserver"], 64, "--docker-mailserver stands alone"),
    ],
)
def test_what_is_mistyped_is_told(site: Site, options: list[str], status: int, text: str) -> None:
    site.configure(POLICY, site.root)
    (site.postfix.directory / "main.cf").write_text("")
    (site.postfix.directory / "master.cf").write_text("smtp inet n - n - - smtpd\n")
    said = site.run(*options)
    assert said.exit_code == status
    assert said.output.startswith("maysend postfix: ")
    assert text in said.output
