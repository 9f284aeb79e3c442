"""How long `maysend lint` takes for 200 restrictions, 50 tables and 10,000 patterns.

Prints `lint_200_50_10000 ours=S peer=S ratio=R`: seconds for the whole process, the median of some
rounds, and `postfix check` of the same directory beside it, which looks at the files' owners and
modes and reads none of the tables. No other program checks a sender policy. Wanted: under 3 s.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
CLASSES = 10
TEXT_TABLES, ENTRIES = 28, 1000
PATTERN_TABLES, PATTERNS = 20, 500
FILLING = 52
"""Restrictions without a table, so that all in all there are 200 of them."""


def main() -> None:
    """Measure, and say what was found, so that nobody takes a refused configuration for speed."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        _write_configuration(directory)
        ours = [str(Path(sys.executable).with_name("maysend")), "lint", str(directory)]
        found = subprocess.run(ours, capture_output=True, text=True, check=False)
        if "MS208" not in found.stdout:
            raise SystemExit(f"a class that nobody uses was not found:\n{found.stdout}")
        postfix = shutil.which("postfix") or shutil.which("postfix", path="/usr/sbin")
        peer = [postfix, "-c", name, "check"] if postfix else None
        taken = [(_seconds(ours), _seconds(peer) if peer else 0.0) for _ in range(ROUNDS)]
    our_median, peer_median = (statistics.median(each) for each in zip(*taken, strict=True))
    line = f"lint_200_50_10000 ours={our_median:.2f}"
    if peer:
        print(f"{line} peer={peer_median:.2f} ratio={our_median / peer_median:.1f}")
    else:
        print(f"{line} peer=none ratio=none")


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, check=False)
    return time.perf_counter() - started


def _write_configuration(directory: Path) -> None:
    senders = [_text_table(directory, number) for number in range(TEXT_TABLES)]
    clients = [_pattern_table(directory, number) for number in range(PATTERN_TABLES)]
    restrictions = [
        *(f"check_sender_access {table}" for table in senders),
        *(f"check_client_access {table}" for table in clients),
        *["reject_non_fqdn_sender", "reject_unlisted_sender"] * (FILLING // 2),
        "reject_unauth_destination",
    ]
    classes = [f"class{number}" for number in range(CLASSES)]
    inside = "reject_non_fqdn_sender, reject_non_fqdn_recipient, reject"
    owners = [f"inline:{{user{n}@example.com=user{n}, info@example.com=user{n}}}" for n in (1, 2)]
    lines = [
        "compatibility_level = 3.6",
        "myhostname = mail.example.com",
        "mydestination = example.com",
        "smtpd_sasl_auth_enable = yes",
        f"smtpd_sender_login_maps = {', '.join(owners)}",
        f"smtpd_restriction_classes = {', '.join(classes)}, unused",
        *(f"{each} = {inside}" for each in (*classes, "unused")),
        "smtpd_sender_restrictions = reject_sender_login_mismatch",
        "smtpd_recipient_restrictions = " + ",\n  ".join(restrictions),
    ]
    (directory / "main.cf").write_text("\n".join(lines) + "\n")
    (directory / "master.cf").write_text("")


def _text_table(directory: Path, number: int) -> str:
    answers = ("OK", "DUNNO", "REJECT not here", *(f"class{each}" for each in range(CLASSES)))
    path = directory / f"senders{number}"
    path.write_text(
        "".join(
            f"user{each}@list{number}.example.com  {answers[each % len(answers)]}\n"
            for each in range(ENTRIES)
        )
    )
    return f"texthash:{path}"


def _pattern_table(directory: Path, number: int) -> str:
    path = directory / f"clients{number}"
    path.write_text(
        "".join(
            f"/^(mx|smtp)[0-9]*\\.customer{each}\\.isp{number}\\.example$/  REJECT not here\n"
            for each in range(PATTERNS)
        )
    )
    return f"pcre:{path}"


if __name__ == "__main__":
    main()
