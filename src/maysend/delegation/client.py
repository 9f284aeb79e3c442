"""Asks policy servers over UNIX-domain and TCP sockets, and keeps the connections.

Source: SMTPD_POLICY_README, postconf(5) "smtpd_policy_service_*".
"""

import itertools
import os
import time
from collections.abc import Mapping
from threading import Lock

from maysend.delegation.protocol import MalformedReplyError, ReplyReader, encode_request
from maysend.delegation.service import PolicyService, PolicyServiceError
from maysend.tables.connections import Connections, LostConnectionError
from maysend.tables.endpoint import Deadline, Endpoint, ReplyTooLongError, Stream
from maysend.tables.table import TableError


class SocketPolicyServices:
    """Real policy servers. Nothing is opened before the first question.

    Every item of a restriction list has connections of its own, as in smtpd: one for each of at
    most 32 threads that ask at the same time. So the requests about one message go over one
    connection only where nobody else asks meanwhile.
    """

    blocking = True

    def __init__(self) -> None:
        self._clients: dict[PolicyService, _Client] = {}
        self._lock = Lock()
        self._messages = itertools.count()

    def new_instance(self) -> str:
        """Process, time and number, as in smtpd: no other message of this host has it."""
        now = time.time_ns()
        seconds, microseconds = now // 10**9, now // 1000 % 10**6
        return f"{os.getpid():x}.{seconds:x}.{microseconds:x}.{next(self._messages):x}"

    def ask(self, service: PolicyService, attributes: Mapping[str, str], /) -> str:
        """Ask, again after `retry_delay` where that fails, `try_limit` times at most."""
        with self._lock:
            client = self._clients.setdefault(service, _Client(service))
        request = encode_request(attributes)
        for attempt in itertools.count(1):
            try:
                return client.ask(request)
            except TableError as error:
                if attempt >= service.try_limit:
                    raise PolicyServiceError(error.reason) from error
            time.sleep(service.retry_delay)
        raise AssertionError  # count() does not end

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()


class _Connection:
    """A connection to a policy server and how many requests it has taken."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.requests = 0

    def close(self) -> None:
        self.stream.close()


class _Client:
    """The connections to one policy server; what fails is a TableError, as with tables."""

    def __init__(self, service: PolicyService) -> None:
        self._service = service
        self._connections = Connections(
            service.server,
            self._connected,
            idle=service.max_idle,
            age=service.max_ttl,
            keep=self._may_be_asked_again,
        )

    def ask(self, request: bytes) -> str:
        """One attempt. Raises TableError."""
        return self._connections.ask(lambda connection: self._reply(connection, request))

    def close(self) -> None:
        self._connections.close()

    def _connected(self) -> _Connection:
        service = self._service
        endpoint = Endpoint.parse(service.endpoint, service.server)
        try:
            return _Connection(endpoint.connect(Deadline(service.timeout)))
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from error

    def _reply(self, connection: _Connection, request: bytes) -> str:
        is_new = connection.requests == 0
        connection.requests += 1
        try:
            connection.stream.discard_input()  # an answer to nothing that was asked
            connection.stream.send(request, Deadline(self._service.timeout))
            return self._read(connection.stream)
        except TimeoutError as error:
            raise self._failed(str(error)) from error
        except (OSError, EOFError) as error:
            if is_new:
                raise self._failed(str(error)) from error
            # Closed since the last request, which is the server's right: no attempt of ours.
            raise LostConnectionError(str(error)) from error
        except (MalformedReplyError, ReplyTooLongError) as error:
            raise self._failed(str(error)) from error

    def _read(self, stream: Stream) -> str:
        reader, deadline = ReplyReader(), Deadline(self._service.timeout)
        while not reader.take(stream.until(b"\n", reader.room, deadline)):
            pass
        return reader.action()

    def _may_be_asked_again(self, connection: _Connection) -> bool:
        limit = self._service.request_limit
        return not limit or connection.requests < limit

    def _failed(self, reason: str) -> TableError:
        return TableError(self._service.server, reason, "retry")
