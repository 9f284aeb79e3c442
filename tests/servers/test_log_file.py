"""The decision log's file: written by its own thread, rotated, followed, and never in the way."""

import os
import threading
from pathlib import Path

import pytest

from maysend.servers.log_file import AT_A_TIME, MOST_KEPT, LogFile


class Lost:
    """Told what was not written."""

    def __init__(self) -> None:
        self.lines = 0
        self.problem: OSError | None = None

    def __call__(self, problem: OSError, lines: int) -> None:
        self.problem = problem
        self.lines += lines


@pytest.fixture
def lost() -> Lost:
    return Lost()


def numbered(first: int, beyond: int) -> list[bytes]:
    return [b"line %d\n" % number for number in range(first, beyond)]


def write(file: LogFile, lines: list[bytes]) -> None:
    for line in lines:
        file.append(line)
    file.settle()


def test_lines_come_in_their_order_however_many_are_written_at_once(
    tmp_path: Path, lost: Lost
) -> None:
    file = LogFile(tmp_path / "log", 0, 0, lost)
    file.open()
    lines = numbered(0, 3 * AT_A_TIME + 1)
    for line in lines:
        file.append(line)
        file.flush()  # most find a write under way, and leave their line to a later one
    file.close()
    assert (tmp_path / "log").read_bytes() == b"".join(lines)
    assert lost.lines == 0


def test_a_long_file_is_rotated_and_only_so_many_stay(tmp_path: Path, lost: Lost) -> None:
    file = LogFile(tmp_path / "log", 40, 2, lost)
    file.open()
    for first in range(0, 40, 10):
        write(file, numbered(first, first + 10))
    write(file, [b"last\n"])
    file.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert (tmp_path / "log").read_bytes() == b"last\n"
    assert (tmp_path / "log.1").read_bytes() == b"".join(numbered(30, 40))
    assert (tmp_path / "log.2").read_bytes() == b"".join(numbered(20, 30))


def test_of_two_processes_one_rotates_and_the_other_follows(tmp_path: Path, lost: Lost) -> None:
    files = [LogFile(tmp_path / "log", 40, 20, lost) for _ in range(2)]
    for number, file in enumerate(files * 5):
        write(file, numbered(10 * number, 10 * number + 10))
    for file in files:
        file.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert sorted(written.splitlines(True)) == sorted(numbered(0, 100))


def test_a_file_that_somebody_renames_is_followed(tmp_path: Path, lost: Lost) -> None:
    file = LogFile(tmp_path / "log", 0, 0, lost)
    write(file, [b"before\n"])
    (tmp_path / "log").rename(tmp_path / "old")
    write(file, [b"after\n"])
    file.close()
    assert (tmp_path / "old").read_bytes() == b"before\n"
    assert (tmp_path / "log").read_bytes() == b"after\n"


def test_what_can_not_be_written_is_told_and_stops_nobody(tmp_path: Path, lost: Lost) -> None:
    """Also where the file is a full disk."""
    file = LogFile(tmp_path / "no folder" / "log", 0, 0, lost)
    write(file, numbered(0, 7))
    assert lost.lines == 7
    (tmp_path / "no folder").mkdir()
    write(file, [b"again\n"])
    file.close()
    assert (tmp_path / "no folder" / "log").read_bytes() == b"again\n"
    full = LogFile(Path("/dev/full"), 0, 0, lost)
    write(full, numbered(0, 3))
    full.close()
    assert lost.lines == 10
    assert lost.problem is not None
    assert lost.problem.strerror == "No space left on device"


def test_a_disk_that_hangs_holds_up_nobody_until_much_is_kept(tmp_path: Path, lost: Lost) -> None:
    """Memory is bounded: then whoever appends waits."""
    os.mkfifo(tmp_path / "log")  # opening it waits for a reader
    file = LogFile(tmp_path / "log", 0, 0, lost)
    line = b"x" * 65535 + b"\n"
    file.append(line)
    file.flush()
    for _ in range(MOST_KEPT // len(line) - 1):
        file.append(line)
        file.flush()
    over = threading.Thread(target=file.append, args=(line,), daemon=True)
    over.start()
    over.join(0.2)
    assert over.is_alive()
    with (tmp_path / "log").open("rb") as reader:
        while over.is_alive():
            reader.read1(1 << 20)
        closing = threading.Thread(target=file.close, daemon=True)
        closing.start()
        while closing.is_alive():
            reader.read1(1 << 20)
    assert lost.lines == 0
