"""Fuzz the named targets, or all, with atheris: python -m tests.fuzz.run --seconds 60 [TARGET…]

Each target runs in a process of its own, as libFuzzer ends its process. Inputs that reach new code
are kept in .fuzz/TARGET and where one fails it is named: put it into tests/fuzz/seeds/TARGET, so
that every `make test` tries it.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEEDS = Path(__file__).parent / "seeds"
KEPT = ROOT / ".fuzz"
LONGEST_INPUT = 20000
LONGEST_TRY = 10
"""Seconds that one input may take: a parser that hangs is a failure too."""
MEMORY = 1024
"""Megabytes."""


def main(arguments: list[str]) -> int:
    """Fuzz each target; 1 where one failed."""
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target {unknown[0]!r}: expected {', '.join(TARGETS)}")
    failed = [name for name in chosen.targets or TARGETS if not _fuzz(name, chosen.seconds)]
    for name in failed:
        print(f"FAILED {name}: see the input that is named above")
    return 1 if failed else 0


def _fuzz(name: str, seconds: int) -> bool:
    corpus = KEPT / name
    corpus.mkdir(parents=True, exist_ok=True)
    (SEEDS / name).mkdir(exist_ok=True)
    print(f"{name}: {seconds} s", flush=True)
    process = subprocess.run(
        [sys.executable, "tools/from_source.py", "-m", "tests.fuzz.atheris_target",
         name, str(corpus), str(SEEDS / name),
         f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", f"-timeout={LONGEST_TRY}",
         f"-rss_limit_mb={MEMORY}", f"-artifact_prefix={KEPT}/{name}-", "-print_final_stats=1"],
        cwd=ROOT, check=False, stderr=subprocess.PIPE, text=True, errors="replace",
    )  # fmt: skip
    lines = process.stderr.splitlines()
    wanted = ("stat::number_of_executed_units", "DONE", "Done ")
    shown = lines[-60:] if process.returncode else [x for x in lines if x.startswith(wanted)]
    print("\n".join(f"  {line}" for line in shown), flush=True)
    return process.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
