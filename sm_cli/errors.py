"""What can go wrong, and with which exit code a command ends because of it.

Every exception that reaches a user is one of these and carries one plain sentence; a traceback on a
user's terminal means that the bug is ours.

    SmError                      70  (a bug of ours unless a subclass says otherwise)
    ├── InvalidDefinition         1  the definition breaks ASL's rules; `.diagnostics` says where
    ├── UsageError                2  the command line or its input makes no sense
    │   ├── InvalidJson           2  a text is not the JSON it should be
    │   └── TransformError        2  what is to make an input of an output raises, or makes no JSON
    ├── NotFound                  3  no such execution, workflow, file or message
    ├── Conflict                  4  the name is taken with another input, or the state forbids it
    ├── NotDelivered              5  a message that had to be delivered was not
    ├── StillRunning              6  running or waiting when asked not to wait
    ├── ConfigurationError        7  configuration, or a missing extra
    │   ├── DatabaseError         7  the database cannot be used
    │   └── CarrierAway           7  what carries hints cannot be reached
    ├── HandlerLoadError          8  a handler module cannot be loaded
    └── IllegalTransition        70  an event met a state that has no row for it

    TaskError                        raised by a handler: the error name and cause of its task
    StateFailure                     a state failed with an ASL error name; never leaves the interpreter
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sm_cli.diagnostics import Diagnostic


class SmError(Exception):
    """The root of the tree: `exit_code` is the process's, `hint` an optional second sentence.

    `topic` says what the error is about, for a front end that has advice of its own: rooms below know no commands.
    """

    exit_code = 70

    def __init__(self, message: str, *, hint: str | None = None, topic: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.topic = topic


class InvalidDefinition(SmError):
    """A definition that AWS would refuse too. `diagnostics` holds every problem, errors first; the text is the first
    error with its place and code: `order.yaml:7:5: SM201 …`."""

    exit_code = 1

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        errors = [d for d in diagnostics if d.severity == "error"]
        first = _placed(errors[0]) if errors else "the definition is not valid"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{first}{more}")
        self.diagnostics = list(diagnostics)


def _placed(d: Diagnostic) -> str:
    """The message of a diagnostic with its code, and its place in the text or (of a dict) its JSON pointer."""
    if d.position is None:
        return f"{d.code} at {d.pointer or '/'}: {d.message}"
    return f"{d.file or 'definition'}:{d.position.line}:{d.position.column}: {d.code} {d.message}"


class UsageError(SmError):
    """What was asked for makes no sense, or its input is not what it should be."""

    exit_code = 2


class InvalidJson(UsageError):
    """A text that is not JSON, or JSON that cannot be kept exactly. `line` and `column` are 1-based."""

    def __init__(self, message: str, *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class TransformError(UsageError):
    """What was to make the input of an execution from the output of another one raised, or found nothing, or made what
    is not JSON."""


class NotFound(SmError):
    """There is nothing under the name or id that was given."""

    exit_code = 3


class Conflict(SmError):
    """It exists, and its state does not let this happen."""

    exit_code = 4


class TaskTimedOut(Conflict):
    """A callback for a task that has ended; AWS's error of this name."""


class KeyReused(Conflict):
    """An idempotency key came with another request than the one that it was made for."""


class NotDelivered(SmError):
    """No execution received the message, and one had to."""

    exit_code = 5


class StillRunning(SmError):
    """The execution goes on, and nobody waits for its end any more."""

    exit_code = 6


class ConfigurationError(SmError):
    """The configuration or the database cannot be used as it is."""

    exit_code = 7


class DatabaseError(ConfigurationError):
    """The database cannot be opened, read or written."""


class DatabaseBusy(DatabaseError):
    """Others held the database for longer than was waited for; nothing was written, and trying again may help."""


class DatabaseAway(DatabaseError):
    """The database cannot be reached, or cannot be written for now; nothing was written, and later may do."""


class CarrierAway(ConfigurationError):
    """What carries hints between workers cannot be reached for now; nothing is lost, and later may do."""


class HandlerLoadError(SmError):
    """A file with handlers cannot be loaded, or a handler that is needed is missing."""

    exit_code = 8


class IllegalTransition(SmError):
    """Our own bug: TRANSITIONS has no row for this state and this event."""


class TaskError(Exception):
    """Raised by a handler to fail its task with exactly this error name and cause."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}" if cause else error)
        self.error = error
        self.cause = cause


class StateFailure(Exception):
    """A state failed with an ASL error name.

    `located` asks for AWS's prefix "An error occurred while executing the state 'X' (entered at the
    event id #N). " before the cause; the interpreter adds it, because only it knows X and N.
    `also` is a second name that ErrorEquals may use for it.
    """

    def __init__(self, error: str | None, cause: str | None, *, located: bool = True, also: str | None = None) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause
        self.located = located
        self.also = also
