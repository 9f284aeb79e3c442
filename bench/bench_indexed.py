"""lmdb, hash, btree and texthash tables in process beside postmap -q -, on the same files and keys.

Prints `NAME ours=… peer=… ratio=…` in microseconds of CPU time a key (see beside_postmap). Each
table has 10,000 entries, and half of the keys are among them. Every read of ours is fresh: a file
that postmap rebuilds is seen by the next lookup.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from random import Random

from beside_postmap import KEYS, measure

ENTRIES = 10_000
TYPES = ("lmdb", "hash", "btree", "texthash")


def main() -> None:
    """Measure all types."""
    random = Random(1)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "main.cf").write_text("compatibility_level = 3.6\n")
        path = directory / "access"
        path.write_text("".join(f"user{n}@example{n % 97}.com OK {n}\n" for n in range(ENTRIES)))
        keys = [_key(random) for _ in range(KEYS)]
        postmap = shutil.which("postmap") or shutil.which("postmap", path="/usr/sbin")
        for kind in TYPES:
            if kind != "texthash":
                if postmap is None:
                    print(f"{kind} ours=none peer=none ratio=none")
                    continue
                command = [postmap, "-c", str(directory), f"{kind}:{path}"]
                subprocess.run(command, check=True)
            print(measure(f"{kind}:{path}", keys, directory).line(kind), flush=True)


def _key(random: Random) -> str:
    number = random.randrange(2 * ENTRIES)
    return f"user{number}@example{number % 97}.com"


if __name__ == "__main__":
    main()
