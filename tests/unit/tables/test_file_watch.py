"""Whether an open file has been written to, by every way to write that there is."""

import mmap
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from maysend.tables.file_watch import Watch, watch

WRITES: dict[str, Callable[[Path], object]] = {
    "write": lambda path: path.write_bytes(b"other"),
    "the same again": lambda path: path.write_bytes(path.read_bytes()),
    "append": lambda path: _through(path, lambda fd: os.pwrite(fd, b"x", os.fstat(fd).st_size)),
    "a byte": lambda path: _through(path, lambda fd: os.pwrite(fd, b"x", 1)),
    "truncate": lambda path: os.truncate(path, 2),
    "grow": lambda path: os.truncate(path, 10_000),
    "sendfile": lambda path: _through(path, _sent),
    "another name": lambda path: _renamed(path).write_bytes(b"other"),
}


def _through(path: Path, write: Callable[[int], object]) -> None:
    descriptor = os.open(path, os.O_RDWR)
    write(descriptor)
    os.close(descriptor)


def _sent(descriptor: int) -> None:
    source = os.open("/etc/passwd", os.O_RDONLY)
    os.sendfile(descriptor, source, 0, 10)
    os.close(source)


def _renamed(path: Path) -> Path:
    return path.rename(path.with_name("another"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of 5,000 bytes that has settled."""
    path = tmp_path / "table"
    path.write_bytes(b"a" * 5000)
    return path


@contextmanager
def _watched(path: Path) -> Iterator[Watch]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        watched = watch(descriptor)
        assert watched
        yield watched
    finally:
        os.close(descriptor)


@contextmanager
def _no_more_descriptors() -> Iterator[None]:
    """As many as are open now, and one for what looks at them."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("way", WRITES)
def test_every_write_is_heard_of_at_once_and_for_good(way: str, path: Path) -> None:
    with _watched(path) as watched:
        assert not watched.changed()
        assert not watched.looks_changed()
        WRITES[way](path)
        assert watched.changed()
        assert watched.changed()


@pytest.mark.parametrize("way", WRITES)
def test_without_inotify_the_change_time_tells(way: str, path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    with _no_more_descriptors():
        assert watch(descriptor) is None, "a file that changed just now could change unseen"
        time.sleep(0.15)
        watched = watch(descriptor)
    assert watched
    assert not watched.changed()
    WRITES[way](path)
    assert watched.changed()
    os.close(descriptor)


def test_what_others_do_around_the_file_is_no_change(path: Path) -> None:
    with _watched(path) as watched:
        path.read_bytes()
        other = path.with_name("other")
        other.write_bytes(b"b")
        other.rename(path)
        assert not watched.changed()
        path.unlink()
        assert not watched.changed()


def test_a_write_through_a_mapping_shows_in_the_change_time(path: Path) -> None:
    with _watched(path) as watched, path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        time.sleep(0.02)  # a tick of the clock by which the kernel dates changes
        mapped[0] = 1
        mapped.flush()
        assert watched.looks_changed()


def test_a_process_and_its_child_both_hear_of_it(path: Path) -> None:
    with _watched(path) as watched:
        child = os.fork()
        if not child:
            path.write_bytes(b"other")
            os._exit(0 if watched.changed() else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert watched.changed()


def test_a_file_system_that_others_may_write_to_is_not_left_to_inotify() -> None:
    descriptor = os.open("/proc/version", os.O_RDONLY)
    watched = watch(descriptor)
    assert watched is None or watched.queue is None
    os.close(descriptor)


def test_nothing_stays_open(path: Path) -> None:
    with _watched(path):
        pass
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        with _watched(path):
            pass
    assert len(os.listdir("/proc/self/fd")) == before
