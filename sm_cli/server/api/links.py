"""What can be done about something, as a request: the facts of a view, with where to send it."""

from __future__ import annotations

from urllib.parse import quote

from sm_cli.jsonvalue import Json
from sm_cli.views.actions import Action, Do

API = "/api/v1"
#: (method, path below the API) of each action; `{}` takes its first argument.
_REQUESTS = {
    Do.SEND_MESSAGE: ("POST", "/messages"),
    Do.COMPLETE_TASK: ("POST", "/tasks/success"),
    Do.LIST_TASKS: ("GET", "/tasks"),
    Do.REDRIVE: ("POST", "/executions/{}/redrive"),
    Do.SHOW_OUTPUT: ("GET", "/executions/{}/output"),
    Do.SHOW_EXECUTION: ("GET", "/executions/{}"),
    Do.SHOW_REASONS: ("GET", "/executions/{}/why"),
    Do.SHOW_MAP_RUNS: ("GET", "/map-runs/{}"),
    Do.SHOW_SCHEDULE: ("GET", "/schedules/{}"),
    Do.RESUME_SCHEDULE: ("POST", "/schedules/{}/resume"),
    Do.SHOW_BATCH: ("GET", "/batches/{}"),
    Do.RESUME_BATCH: ("POST", "/batches/{}/resume"),
    Do.RETRY_BATCH: ("POST", "/batches/{}/retry"),
}


def path_to(*path: str) -> str:
    """The address of a resource on this server."""
    return "/".join((API, *(quote(part, safe="") for part in path)))


def action_document(action: Action | None) -> Json:
    """`do` is what, `arguments` with what; `method` and `href` a request that does it, null for what no request does
    (a worker has to be started); `body` what that request says."""
    if action is None:
        return None
    method, path = _REQUESTS.get(action.do, (None, ""))
    arguments = action.arguments
    href = None if method is None else API + path.format(*(quote(each, safe="") for each in arguments))
    body: Json = None
    if action.do is Do.SEND_MESSAGE:
        body = {"key": arguments[0], "value": arguments[1]}
    elif action.do is Do.COMPLETE_TASK:
        body = {"token": arguments[0]}
    return {"do": action.do.name.lower(), "arguments": [*arguments], "method": method, "href": href, "body": body}
