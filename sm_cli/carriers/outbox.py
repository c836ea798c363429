"""An outbox: hints that are to be announced after a commit, by a thread of its own.

Who commits never waits for a broker. What is put in while the thread pauses goes as one hint for each queue, and what
could not be sent stays in until it can.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from sm_cli.carriers.away import carrier_away
from sm_cli.errors import CarrierAway

#: Seconds between two rounds: a burst of commits makes one hint for each queue in that time.
PAUSE = 0.02


class Outbox:
    """Announces queues by `send`, which may wait and may raise CarrierAway; `away` says for how long to pause then, in
    seconds, and `back` is told when it works again. pause: seconds between two rounds."""

    def __init__(
        self, send: Callable[[str], None], away: Callable[[CarrierAway], float],
        back: Callable[[], None] = lambda: None, pause: float = PAUSE,
    ) -> None:  # fmt: skip
        self._send = send
        self._away = away
        self._back = back
        self._pause = pause
        #: Whether the carrier did not take what it was given last.
        self.is_stuck = False
        self._queues: dict[str, None] = {}  # in the order in which they were put in
        self._change = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sm-outbox", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(self, queues: Iterable[str]) -> None:
        """These queues have jobs that are ready; never waits."""
        with self._change:
            self._queues.update(dict.fromkeys(queues))
            self._change.notify()

    def retry(self, queues: Iterable[str]) -> None:
        """The same, of what the carrier did not take another way."""
        self.is_stuck = True
        self.put(queues)

    def close(self) -> None:
        """Send nothing more; waits for no answer of a broker."""
        self._over.set()
        with self._change:
            self._change.notify()

    def _run(self) -> None:
        while not self._over.is_set():
            with self._change:
                self._change.wait_for(lambda: self._queues or self._over.is_set())
                queues, self._queues = self._queues, {}
            pause = self._pause
            for queue in queues:
                if self._over.is_set():
                    return
                try:
                    self._send(queue)
                except Exception as e:  # of a library that is not ours: this thread goes on
                    self.is_stuck = True
                    pause = self._away(carrier_away(e))
                    self.put(queues)  # those that went twice say nothing new
                    break
                if self.is_stuck:
                    self.is_stuck = False
                    self._back()
            self._over.wait(pause)
