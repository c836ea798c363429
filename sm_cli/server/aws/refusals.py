"""Calls that are refused, in the names and words of AWS's exceptions."""

from __future__ import annotations

from typing import NoReturn

from sm_cli.errors import (
    Conflict,
    DatabaseAway,
    DatabaseBusy,
    DatabaseError,
    InvalidDefinition,
    NotFound,
    SmError,
    UsageError,
)
from sm_cli.jsonvalue import Json


class CallRefused(Exception):
    """A call that is not carried out: `name` is AWS's exception, the text its message.

    members: what its answer has beside the message. status: of the HTTP answer.
    """

    def __init__(self, name: str, message: str, *, status: int = 400, members: dict[str, Json] | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = status
        self.members = members or {}


def refusal_of(error: SmError) -> CallRefused:
    """The refusal that says the same as an error of ours that no operation has put in AWS's words."""
    message = f"{error.message} {error.hint}" if error.hint else error.message
    match error:
        case DatabaseAway() | DatabaseBusy():
            return CallRefused("ServiceUnavailableException", message, status=503)
        case DatabaseError():
            return CallRefused("InternalServerError", message, status=500)
        case InvalidDefinition():
            return CallRefused("InvalidDefinition", f"Invalid State Machine Definition: '{error.message}'")
        case UsageError():
            return CallRefused("ValidationException", message)
        case Conflict():
            return CallRefused("ConflictException", message)
        case NotFound():
            return CallRefused("ResourceNotFound", message)
        case _:
            return CallRefused("InternalServerError", message, status=500)


def invalid_arn(why: str) -> CallRefused:
    """The text is no ARN of the kind that is asked for."""
    return CallRefused("InvalidArn", f"Invalid Arn: '{why}'")


def no_machine(arn: str) -> CallRefused:
    """There is no such state machine, version or alias."""
    return CallRefused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def no_execution(arn: str) -> CallRefused:
    """There is no such execution."""
    return CallRefused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def no_resource(arn: str) -> CallRefused:
    """There is nothing of this ARN."""
    return CallRefused("ResourceNotFound", f"Resource not found: '{arn}'", members={"resourceName": arn})


def not_valid(message: str, reason: str | None = None) -> NoReturn:
    """Raises CallRefused: the request is not valid. reason: one of AWS's words for why."""
    raise CallRefused("ValidationException", message, members={} if reason is None else {"reason": reason})
