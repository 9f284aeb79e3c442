"""Reading a main.cf of 300 lines and expanding every value, beside postconf -x doing the same.

postconf is a process of its own, so that its figure holds its start; a maysend process starts
once for as many decisions as it makes.
"""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from maysend.maincf import Host, Parameters

LINES = 300
ROUNDS = 20


def write_main_cf(directory: Path) -> None:
    """A third comments, a third settings, a third continuation lines; old, or postconf waits."""
    text = "user_0 =\n" + "".join(
        f"# setting {n}\nuser_{n} = $myhostname,\n   ${{user_{n - 1}?{{a}}:{{b}}}}\n"
        for n in range(1, LINES // 3 + 1)
    )
    for name, content in (("main.cf", text), ("master.cf", "")):
        (directory / name).write_text(content)
        os.utime(directory / name, (1e9, 1e9))


def milliseconds(act: Callable[[], object]) -> float:
    """The median time of one call."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    """Print load alone, and load with every value expanded."""
    with tempfile.TemporaryDirectory() as directory:
        write_main_cf(Path(directory))

        host = Host()  # asked once for its name, interfaces and mail_version

        def expand_all() -> None:
            parameters = Parameters.load(directory, host=host)
            for name in parameters:
                parameters[name]

        asked = ["postconf", "-c", directory, "-x"]
        load = milliseconds(lambda: Parameters.load(directory))
        ours = milliseconds(expand_all)
        peer = milliseconds(lambda: subprocess.run(asked, capture_output=True, check=True))
    print(f"maincf_load ours={load:.2f}ms peer={peer:.2f}ms ratio={peer / load:.2f}")
    print(f"maincf_expand_all ours={ours:.2f}ms peer={peer:.2f}ms ratio={peer / ours:.2f}")


if __name__ == "__main__":
    main()
