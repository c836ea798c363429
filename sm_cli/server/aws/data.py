"""JSON text in calls: inputs and outputs, read as AWS reads them."""

from __future__ import annotations

from sm_cli.errors import InvalidJson, UsageError
from sm_cli.jsonvalue import Json, loads_exact
from sm_cli.server.aws.refusals import CallRefused


def payload(text: str | None, error: str, what: str) -> Json:
    """The value of a JSON text; an empty object when there is no text. Raises CallRefused with this name, and a message
    that begins with `what`."""
    if text is None:
        return {}
    try:
        return loads_exact(text)
    except InvalidJson as e:
        raise CallRefused(error, f"{what}: '{e.message.removeprefix('the input is not JSON: ')}'") from None


def invalid_name(error: UsageError) -> CallRefused:
    """A name that AWS would refuse, too."""
    return CallRefused("InvalidName", f"Invalid Name: '{error.message}'")
