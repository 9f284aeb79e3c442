"""Start Postfix daemons when somebody connects to their sockets, as master(8) does.

The tests run the real smtpd, trivial-rewrite, cleanup and proxymap, but not the real master:
after a `postfix reload` nothing tells which generation of processes answers next, and a smtpd that
refuses its configuration is not started again for a minute (service_throttle_time). Here the
processes of the old configuration are gone before the new one is read, and a daemon that dies is
reported at once with what it logged.

What master(8) and its children agree upon (postfix's master_proto.h): descriptors 3 and 4 are the
flow control pipe, 5 is a pipe on which a child says "taken" or "available", 6 is the socket it
accepts connections from. A child exits when the other end of 5 is closed, so nothing outlives the
test process, however it ends.
"""

import contextlib
import fcntl
import os
import pwd
import select
import selectors
import signal
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DAEMONS = Path("/usr/lib/postfix/sbin")
FLOW_READ, FLOW_WRITE, STATUS, LISTEN = 3, 4, 5, 6
STATUS_REPORT = struct.Struct("iIi")  # pid, generation, available (MASTER_STATUS)
DOVECOT_HANDSHAKE = (
    b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n"
    b"SPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef0123456789abcdef\nDONE\n"
)


@dataclass
class Service:
    """One line of master.cf: a socket in the queue directory and the program behind it."""

    socket_name: str  # "private/rewrite"
    program: str  # "trivial-rewrite"
    options: Sequence[str] = ()  # "-o" settings, and "-z" where the process limit is 0
    listener: socket.socket | None = None
    processes: dict[int, bool] = field(default_factory=dict)  # pid → idle?
    watched: bool = False

    @property
    def endpoint(self) -> socket.socket:
        """The listening socket, once the master has opened it."""
        assert self.listener is not None
        return self.listener


class PrivateMaster:
    """Owns the sockets of one queue directory and the daemons that serve them."""

    def __init__(
        self,
        config: Path,
        queue: Path,
        services: Sequence[Service],
        within: Sequence[str] = (),
    ) -> None:
        """`within` is a command that runs the command after it elsewhere, as nsenter(1) does."""
        self._config = config
        self._within = ["env", *within]
        self._queue = queue
        self._services = services
        self._selector = selectors.DefaultSelector()
        self._pids: dict[int, tuple[Service, int]] = {}  # pid → its service, our end of its status
        self._lock = threading.RLock()
        self._stopping = False
        self.failed = ""  # why a daemon died; set once by the thread, read by sessions
        self.log: deque[str] = deque(maxlen=2000)
        self.on_log: Callable[[str], None] | None = None
        flow = os.pipe()
        self._flow = tuple(_above(descriptor) for descriptor in flow)
        os.set_blocking(self._flow[0], False)
        for service in services:
            service.listener = self._listen(queue / service.socket_name)
        self._auth = self._listen(queue / "private/auth")
        self._postlog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._postlog.bind(str(queue / "public/postlog"))
        (queue / "public/postlog").chmod(0o666)
        self._wake_reader, self._wake_writer = os.pipe()
        self._register(self._auth, self._greet_auth_client)
        self._register(self._postlog, self._read_log)
        self._register(self._wake_reader, lambda: None)
        for service in services:
            self._watch(service)
        self._thread = threading.Thread(target=self._run, name="private-master", daemon=True)
        self._thread.start()

    def restart(self) -> None:
        """End every daemon, so that the next ones read the configuration as it is now."""
        with self._lock:
            for pid in list(self._pids):
                self._end(pid)
            self.failed = ""
            self.log.clear()
            for service in self._services:
                self._drop_waiting(service)
                self._watch(service)
            self._wake()

    def processes(self, programs: Sequence[str]) -> list[int]:
        """The ids of the daemons of these programs."""
        with self._lock:
            return [pid for pid, (found, _) in self._pids.items() if found.program in programs]

    def wait_for_failure(self, seconds: float) -> None:
        """Give the master time to notice that a daemon died, after a connection broke."""
        deadline = time.monotonic() + seconds
        while not self.failed and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        """End every daemon and close every socket. May be called twice."""
        if self._stopping:
            return
        with self._lock:
            self._stopping = True
            for pid in list(self._pids):
                self._end(pid)
            self._wake()
        self._thread.join(5)
        for service in self._services:
            service.endpoint.close()
        self._auth.close()
        self._postlog.close()
        for key in list(self._selector.get_map().values()):
            with contextlib.suppress(OSError):
                os.close(key.fd)
        self._selector.close()
        for descriptor in (*self._flow, self._wake_writer):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    # -- sockets ---------------------------------------------------------------------------------

    def _listen(self, path: Path) -> socket.socket:
        first = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener = socket.socket(fileno=_above(first.detach()))
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen(64)
        return listener

    def _register(self, source: socket.socket | int, callback: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, callback)

    def _watch(self, service: Service) -> None:
        if not service.watched and not self._stopping:
            service.watched = True
            self._register(service.endpoint, lambda: self._start(service))

    def _unwatch(self, service: Service) -> None:
        if service.watched:
            service.watched = False
            self._selector.unregister(service.endpoint)

    def _drop_waiting(self, service: Service) -> None:
        while select.select([service.endpoint], [], [], 0)[0]:
            service.endpoint.accept()[0].close()

    def _wake(self) -> None:
        os.write(self._wake_writer, b"x")

    def _run(self) -> None:
        while not self._stopping:
            ready = self._selector.select(1.0)
            with self._lock:
                for key, _ in ready:
                    if self._stopping or key.fd not in self._selector.get_map():
                        continue  # another callback of this round closed it
                    if key.fd == self._wake_reader:
                        os.read(self._wake_reader, 4096)
                    else:
                        key.data()

    # -- daemons ---------------------------------------------------------------------------------

    def _start(self, service: Service) -> None:
        ours, theirs = (_above(descriptor) for descriptor in os.pipe())
        name = service.socket_name.partition("/")[2]
        program = str(DAEMONS / service.program)
        arguments = [program, "-n", name, "-t", "unix", "-u", *service.options]
        pid = os.posix_spawn(
            "/usr/bin/env",  # a daemon expects to be started in the queue directory
            [*self._within, "env", "-C", str(self._queue), *arguments],
            {
                "MAIL_CONFIG": str(self._config),
                "GENERATION": "0",
                "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
                "LC_ALL": "C",
            },
            file_actions=[
                (os.POSIX_SPAWN_DUP2, self._flow[0], FLOW_READ),
                (os.POSIX_SPAWN_DUP2, self._flow[1], FLOW_WRITE),
                (os.POSIX_SPAWN_DUP2, theirs, STATUS),
                (os.POSIX_SPAWN_DUP2, service.endpoint.fileno(), LISTEN),
            ],
        )
        os.close(theirs)
        os.set_blocking(ours, False)
        service.processes[pid] = True
        self._pids[pid] = (service, ours)
        self._register(ours, lambda: self._read_status(pid))
        self._unwatch(service)

    def _read_status(self, pid: int) -> None:
        service, status = self._pids[pid]
        try:
            octets = os.read(status, STATUS_REPORT.size * 64)
        except BlockingIOError:
            return
        if not octets:
            self._exited(pid)
            return
        for _, _, available in STATUS_REPORT.iter_unpack(octets):
            service.processes[pid] = bool(available)
        if any(service.processes.values()):
            self._unwatch(service)
        else:
            self._watch(service)

    def _exited(self, pid: int) -> None:
        service, status = self._forget(pid)
        _, wait_status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(wait_status)
        if code != 0:
            self._read_log()
            complaints = [line for line in self.log if "fatal:" in line or "panic:" in line]
            self.failed = f"{service.program} ended with {code}: " + "; ".join(complaints[-3:])
            self._drop_waiting(service)
        if not any(service.processes.values()):
            self._watch(service)
        os.close(status)

    def _forget(self, pid: int) -> tuple[Service, int]:
        service, status = self._pids.pop(pid)
        del service.processes[pid]
        self._selector.unregister(status)
        return service, status

    def _end(self, pid: int) -> None:
        """Kill a child of ours, by its id, and wait until it is gone."""
        _, status = self._forget(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(status)

    # -- what the daemons talk to ----------------------------------------------------------------

    def _read_log(self) -> None:
        """Collect what would go to maillog_file; a full socket would block the daemons."""
        while True:
            try:
                octets = self._postlog.recv(65536, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return
            line = octets.decode("utf-8", "surrogateescape").strip("\0\n")
            self.log.append(line)
            if self.on_log is not None:
                self.on_log(line)

    def _greet_auth_client(self) -> None:
        """Be just enough of a Dovecot auth server for smtpd's SASL to start."""
        connection, _ = self._auth.accept()
        connection.sendall(DOVECOT_HANDSHAKE)

        def read() -> None:
            if not connection.recv(65536):
                self._selector.unregister(connection)
                connection.close()

        self._register(connection, read)


def _above(descriptor: int) -> int:
    """The same descriptor at a number that can't collide with the ones the children expect."""
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 32)
    os.close(descriptor)
    return copy


def make_queue(queue: Path) -> None:
    """The parts of a queue directory that smtpd and cleanup need, as postfix-files(5) has them."""
    owner = pwd.getpwnam("postfix")
    queue.mkdir()
    for name in ("pid", "private", "public", "incoming", "active", "hold", "deferred"):
        (queue / name).mkdir()
        if name != "pid":
            os.chown(queue / name, owner.pw_uid, owner.pw_gid)
