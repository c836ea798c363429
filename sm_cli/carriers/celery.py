"""Hints by Celery: a message of a Celery task in one Celery queue for each of ours, on Redis, Valkey or RabbitMQ.

A worker of ours reads them with kombu, Celery's own messaging; a worker of Celery runs the task that they name. A
message is acknowledged when it is read: what it tells of stands in the database.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from celery import Celery
from kombu.entity import Queue
from kombu.exceptions import KombuError

from sm_cli.carriers.port import Receiver
from sm_cli.errors import CarrierAway, ConfigurationError

#: The task that a hint is for a worker of Celery.
TASK = "sm.work"
#: Seconds that `receive` waits for a message before it looks whether it is to stop.
_WAIT = 0.5
#: Seconds between two looks for a free slot, of who has none.
_FULL = 0.01
#: Seconds for a connection to be made, and for an answer.
_PATIENCE = 5
#: A user and a password in a URL, and options, among which there may be another one: no sentence shows them.
_USER, _OPTIONS = re.compile(r"//.*@"), re.compile(r"\?.*")
#: Transports of Celery that reach other machines and whose queues may be declared: those that are tried here.
_TRANSPORTS = ("redis", "rediss", "sentinel", "amqp", "amqps", "pyamqp")
_HINT = "It is redis://HOST:PORT/NUMBER, for Valkey too, or amqp://HOST; %, @, /, # and : in a password are escaped."


def broker_for_people(url: str) -> str:
    """What people are shown of a broker's URL, or of several with ; between them."""
    return ";".join(_OPTIONS.sub("", _USER.sub("//", part)) for part in url.split(";"))


def queue_of(prefix: str, queue: str) -> str:
    """The name of the Celery queue that carries the hints of ours."""
    return f"{prefix}.{queue}"


def make_app(url: str) -> Celery:
    """An application of Celery that keeps no results and gives a message back to the broker if its worker is lost.
    Raises ConfigurationError for a broker of a kind that none is known to work with."""
    transport, is_url, _ = url.partition("://")
    if not is_url or transport.partition("+")[0] not in _TRANSPORTS:
        raise ConfigurationError(f"the broker {broker_for_people(url)} is none that Celery can use", hint=_HINT)
    app = Celery("sm", broker=url, set_as_current=False)
    app.conf.update(
        task_serializer="json", accept_content=["json"], task_ignore_result=True,
        task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1,
        task_publish_retry=False, broker_connection_timeout=_PATIENCE,
        broker_connection_retry=True, broker_connection_retry_on_startup=True, broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=False, worker_hijack_root_logger=False,
    )  # fmt: skip
    if url.startswith("redis"):
        app.conf.broker_transport_options = {
            "socket_connect_timeout": _PATIENCE, "socket_timeout": 2 * _PATIENCE, "socket_keepalive": True,
        }  # fmt: skip
    return app


def failures_of(app: Celery) -> tuple[type[BaseException], ...]:
    """What is raised where the broker of this application is away; each transport has errors of its own."""
    transport = app.connection_for_write()
    return (KombuError, OSError, *transport.connection_errors, *transport.channel_errors)


class CeleryCarrier:
    """Hints over a broker. queues: ours, which it receives from the beginning; those that it announces it receives
    from then on, unless `only_those`."""

    def __init__(self, url: str, prefix: str, queues: Collection[str], *, only_those: bool = False) -> None:
        self.place = broker_for_people(url)
        self.name = f"the broker {self.place}"
        self.app = make_app(url)
        self._prefix = prefix
        self._queues = dict.fromkeys(queues)
        self._only_those = only_those
        self._over = threading.Event()
        self._sender: Any = None

    def reach(self) -> None:
        """Raises CarrierAway for a broker that is away, ConfigurationError for one that refuses the user or the
        password, and for a URL that is none."""
        try:
            with self._errors(), self.app.connection_for_write() as connection:
                connection.connect()
        except CarrierAway as e:
            if _is_refusal(e.__cause__):
                raise ConfigurationError(f"{self.name} refuses the user or the password") from e
            raise
        except (KeyError, ValueError) as e:  # whose texts may hold a part of the password
            raise ConfigurationError(f"the URL of {self.name} cannot be read", hint=_HINT) from e
        except ImportError as e:
            raise ConfigurationError(f"what Celery needs for {self.name} is not installed: {e.name}") from e

    def announce(self, queue: str) -> None:
        """One message, unless one waits."""
        if not self._only_those:
            self._queues.setdefault(queue)
        with self._errors(self._drop_sender):
            if self._sender is None:
                self._sender = self.app.connection_for_write()
                self._sender.connect()
            target = self._queue(queue)
            channel = self._sender.default_channel
            if channel.queue_declare(target.name, durable=True, auto_delete=False).message_count == 0:
                with self.app.amqp.Producer(channel, auto_declare=False) as producer:
                    self.app.send_task(TASK, args=(queue,), queue=target, declare=[], producer=producer)

    def receive(self, receiver: Receiver) -> None:
        """Read and acknowledge messages, one at a time, as long as the receiver has room."""
        with self._errors(), self.app.connection_for_read() as connection:
            connection.connect()
            queues = list(self._queues)
            hear = partial(self._hear, receiver)
            with connection.Consumer([*map(self._queue, queues)], on_message=hear, prefetch_count=1) as consumer:
                receiver.comes_up()
                while not self._over.is_set():
                    if not receiver.has_room():
                        self._over.wait(_FULL)
                        continue
                    for queue in list(self._queues)[len(queues) :]:
                        queues.append(queue)
                        consumer.add_queue(self._queue(queue))
                        consumer.consume()
                    try:
                        connection.drain_events(timeout=_WAIT)
                    except TimeoutError:
                        continue

    def stop(self) -> None:
        """`receive` ends with its next look; the connections go with the process."""
        self._over.set()

    def _hear(self, receiver: Receiver, message: Any) -> None:
        message.ack()
        receiver.hear(message.delivery_info["routing_key"].removeprefix(f"{self._prefix}."))

    def _queue(self, queue: str) -> Queue:
        name = queue_of(self._prefix, queue)
        return Queue(name, self.app.amqp.default_exchange, routing_key=name)

    def _drop_sender(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.collect()

    @contextmanager
    def _errors(self, recover: Callable[[], None] = lambda: None) -> Iterator[None]:
        """What the transport raises of a broker that is away, as CarrierAway."""
        try:
            yield
        except failures_of(self.app) as e:
            recover()
            raise CarrierAway(f"{self.name} cannot be reached: {_reason(e)}") from e


def _reason(error: BaseException) -> str:
    """What went wrong, without anything that may hold a URL."""
    text = " ".join(str(error).split())
    return re.sub(r"\w+://\S+", "…", text)[:200] or type(error).__name__


def _is_refusal(error: BaseException | None) -> bool:
    """Whether a broker said no to who asks; Redis, Valkey and RabbitMQ each have their own words."""
    while error is not None:
        names = {kind.__name__ for kind in type(error).__mro__}
        if names & {
            "AuthenticationError",
            "AuthenticationWrongNumberOfArgsError",
            "AccessRefused",
            "NoPermissionError",
        }:
            return True
        if re.search(r"NOAUTH|WRONGPASS|ACCESS_REFUSED", str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False
