"""One request and its answer, on a connection of its own.

Whatever the network does becomes States.Http.Socket with one sentence. A thread watches each call, and cuts its
connection when its time is up or nobody waits for it: a server that sends a byte a minute holds up nothing.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

from sm_cli.errors import TaskError
from sm_cli.handlers.handler import Context
from sm_cli.handlers.http.request import Address, Request

#: Seconds between two looks of the watching thread.
_GLANCE = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    headers: lower-case name to values, in the order in which they came.
    """

    #: Such as 200.
    status: int
    #: The words beside the status; may be empty.
    reason: str
    headers: dict[str, list[str]]
    #: As it came, in bytes.
    body: bytes


class Limit:
    """The time of one call. Inside the `with` block, `adopt`ed sockets are cut when it is over."""

    def __init__(self, seconds: float, context: Context) -> None:
        self.seconds = seconds
        self.ends = time.monotonic() + seconds
        self.context = context
        self.over = threading.Event()
        self.cut = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def __enter__(self) -> Limit:
        threading.Thread(target=self._watch, name="sm-http", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None) -> None:
        self.over.set()

    def time_left(self) -> float:
        """Seconds that are left, at least one thousandth."""
        return max(0.001, self.ends - time.monotonic())

    def adopt(self, connection: socket.socket) -> None:
        """The socket that is shut when the time is up; at once when it is."""
        with self._lock:
            self._socket = connection
            if self.cut:
                self._shut_down()

    def _watch(self) -> None:
        while not self.over.wait(min(_GLANCE, self.time_left())):
            if self.context.cancelled.is_set() or time.monotonic() >= self.ends:
                with self._lock:
                    self.cut = True
                    self._shut_down()
                return

    def _shut_down(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it is closed already, or was never connected
                # Not SSLSocket's own: that takes the cipher away from under who reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def exchange(request: Request, tls: Callable[[], ssl.SSLContext], limit: Limit, size_limit: int) -> Answer:
    """Send it, and read the answer. Raises TaskError, or Cancelled when nobody waits for it any more."""
    address = request.address
    try:
        connection = _connect(address, tls, limit)
        try:
            answer = _exchange(request, connection, size_limit)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as e:
        limit.context.check()
        raise TaskError("States.Http.Socket", _sentence(e, address, limit)) from None
    limit.context.check()
    if limit.cut:  # what came in one piece with the end of the connection may not be all
        raise TaskError("States.Http.Socket", _sentence(TimeoutError(), address, limit))
    return answer


def _connect(address: Address, tls: Callable[[], ssl.SSLContext], limit: Limit) -> socket.socket:
    """A connection to the first of the host's addresses that answers."""
    failure: OSError = OSError(f"{address.host} has no address")
    addresses = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    for i, (family, kind, protocol, _, place) in enumerate(addresses):
        plain = socket.socket(family, kind, protocol)
        try:
            limit.adopt(plain)
            plain.settimeout(limit.time_left() / (len(addresses) - i))  # one that is silent leaves time for the others
            plain.connect(place)
            plain.settimeout(limit.time_left())
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if address.scheme == "http":
                return plain
            secure = tls().wrap_socket(plain, server_hostname=address.host, do_handshake_on_connect=False)
        except OSError as e:
            plain.close()
            failure = e
            if limit.cut:
                break
            continue
        limit.adopt(secure)
        try:
            secure.do_handshake()
        except BaseException:
            secure.close()
            raise
        return secure
    raise failure


def _exchange(request: Request, channel: socket.socket, size_limit: int) -> Answer:
    address = request.address
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.host, address.port)
    connection.sock = channel
    connection.putrequest(request.method, address.target)
    for name, value in request.lines():
        connection.putheader(name, value.encode())
    connection.putheader("Connection", "close")
    if request.body is not None or request.method in ("POST", "PUT", "PATCH"):
        connection.putheader("Content-Length", str(len(request.body or b"")))
    with suppress(BrokenPipeError, ConnectionResetError):  # who refuses a body may have said so before its end
        connection.endheaders(request.body)
    with connection.getresponse() as response:
        length = response.length
        if length is not None and length > size_limit:
            raise _too_long(size_limit)
        body = response.read(size_limit + 1)
        if len(body) > size_limit:
            raise _too_long(size_limit)
        if length is not None and len(body) < length:
            raise http.client.IncompleteRead(body, length - len(body))
        headers: dict[str, list[str]] = {}
        for name, value in response.getheaders():
            headers.setdefault(name.lower(), []).append(value)
        return Answer(response.status, response.reason, headers, body)


def _too_long(size_limit: int) -> TaskError:
    return TaskError("States.DataLimitExceeded", f"the answer is longer than {size_limit:,} bytes")


def _sentence(error: Exception, address: Address, limit: Limit) -> str:
    """What went wrong, without anything that was sent or came back."""
    origin = address.origin
    if limit.cut or isinstance(error, TimeoutError):
        return f"{origin} did not answer within {limit.seconds:g} seconds"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {origin} cannot be trusted: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return f"the name {address.host} cannot be resolved: {error.strerror}"
    if isinstance(error, http.client.IncompleteRead):
        return f"{origin} ended the connection in the middle of its answer"
    if isinstance(error, (http.client.RemoteDisconnected, ConnectionError)):
        return f"{origin} closed or refused the connection"
    if isinstance(error, http.client.HTTPException):
        return f"what {origin} answered is not HTTP ({type(error).__name__})"
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
    return f"no connection to {origin}: {reason}"
