"""What a view says can be done, as the command that does it."""

from __future__ import annotations

import shlex

from sm_cli.jsonvalue import dumps
from sm_cli.views.actions import Action, Do

#: AWS's command line, which is led to a server that runs.
_POLL = 'eval "$(sm env)"; aws stepfunctions get-activity-task --activity-arn'
_COMMANDS = {
    Do.COMPLETE_TASK: "sm task success",
    Do.LIST_TASKS: "sm task list",
    Do.START_WORKER: "sm worker",
    Do.POLL_ACTIVITY: _POLL,
    Do.REDRIVE: "sm redrive",
    Do.SHOW_OUTPUT: "sm output",
    Do.SHOW_EXECUTION: "sm show",
    Do.SHOW_REASONS: "sm why",
    Do.SHOW_MAP_RUNS: "sm map-runs",
    Do.SHOW_SCHEDULE: "sm schedule show",
    Do.RESUME_SCHEDULE: "sm schedule resume",
    Do.SHOW_BATCH: "sm batch show",
    Do.RESUME_BATCH: "sm batch resume",
    Do.RETRY_BATCH: "sm batch retry-failed",
}


def command_of(action: Action) -> str:
    """The command, ready to be pasted."""
    if action.do is Do.SEND_MESSAGE:
        return send_command(*action.arguments)
    return " ".join([_COMMANDS[action.do], *map(shlex.quote, action.arguments)])


def send_command(key: str, value: str) -> str:
    """The command that sends a message; `value` is a correlation value's `scalar_text`."""
    if value.startswith('"'):
        value = dumps(value)  # the command takes JSON strings for what they mean
    return f"sm send-message {shlex.quote(f'{key}={value}')}"
