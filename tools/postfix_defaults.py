"""Write src/maysend/maincf/defaults.cf anew from the installed postconf (run by hand).

Parameters that postconf makes up for each service of master.cf are left out by asking it with an
empty one; those that depend on the host are worked out by maysend.maincf.defaults instead.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "maysend" / "maincf" / "defaults.cf"
FROM_THE_HOST = {
    "config_directory", "mail_version", "mydomain", "myhostname", "mynetworks", "process_id",
    "process_name",
}  # fmt: skip
HEADER = """\
# What Postfix {version} assumes for each parameter that is not set, as `postconf -d` prints it on
# Debian. Made by tools/postfix_defaults.py; maysend.maincf.defaults adds what depends on the host.
"""


def main() -> int:
    """Ask postconf and write the file."""
    with tempfile.TemporaryDirectory() as directory:
        for name in ("main.cf", "master.cf"):
            Path(directory, name).touch()
        asked = subprocess.run(
            ["postconf", "-c", directory, "-d"], capture_output=True, text=True, check=True
        ).stdout
    rows = dict(line.split(" =", 1) for line in asked.splitlines())
    kept = [f"{name} ={raw}".rstrip() for name, raw in rows.items() if name not in FROM_THE_HOST]
    header = HEADER.format(version=rows["mail_version"].strip())
    TARGET.write_text(header + "\n".join(kept) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
