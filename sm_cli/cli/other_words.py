"""Words that people type for a command that is called otherwise here: it is named to them, and never run."""

from __future__ import annotations

from sm_cli.errors import UsageError

#: In these the second word of the command line takes the place of the name.
_PLACES = ("EXECUTION", "WORKFLOW", "KEY=VALUE", "TOKEN")

#: The word, and the command that is meant; several where it may be any of them.
MEANT: dict[str, tuple[str, ...]] = {
    "ls": ("list",),
    "executions": ("list",),
    "ps": ("list --status RUNNING",),
    "top": ("list --status RUNNING",),
    "status": ("show EXECUTION", "why EXECUTION", "list"),
    "describe": ("show EXECUTION",),
    "inspect": ("show EXECUTION",),
    "get": ("show EXECUTION", "output EXECUTION"),
    "info": ("show EXECUTION",),
    "result": ("output EXECUTION",),
    "logs": ("history EXECUTION --follow",),
    "log": ("history EXECUTION",),
    "events": ("history EXECUTION --events",),
    "follow": (
        "attach EXECUTION",
        "history EXECUTION --follow",
    ),
    "watch": (
        "attach EXECUTION",
        "history EXECUTION --follow",
    ),
    "tail": ("history EXECUTION --follow",),
    "start": ("run WORKFLOW --detach", "run WORKFLOW"),
    "submit": ("run WORKFLOW --detach",),
    "exec": ("run WORKFLOW",),
    "execute": ("run WORKFLOW",),
    "kill": ("stop EXECUTION",),
    "cancel": ("stop EXECUTION",),
    "abort": ("stop EXECUTION",),
    "terminate": ("stop EXECUTION",),
    "rm": ("delete EXECUTION", "stop EXECUTION", "messages delete MESSAGE"),
    "remove": ("delete EXECUTION", "stop EXECUTION", "messages delete MESSAGE"),
    "resume": ("redrive EXECUTION", "worker"),
    "retry": ("redrive EXECUTION",),
    "rerun": ("redrive EXECUTION", "run WORKFLOW"),
    "restart": ("redrive EXECUTION", "run WORKFLOW"),
    "continue": ("redrive EXECUTION", "worker"),
    "send": ("send-message KEY=VALUE",),
    "signal": ("send-message KEY=VALUE",),
    "publish": ("send-message KEY=VALUE",),
    "message": ("send-message KEY=VALUE", "messages list"),
    "callback": ("task success TOKEN", "task failure TOKEN"),
    "complete": ("task success TOKEN",),
    "fail": ("task failure TOKEN",),
    "heartbeat": ("task heartbeat TOKEN",),
    "tasks": ("task list",),
    "cron": ("schedule add WORKFLOW --cron EXPR", "schedule list"),
    "health": ("doctor",),
    "tokens": ("task list",),
    "check": ("validate WORKFLOW",),
    "lint": ("validate WORKFLOW",),
    "fmt": ("validate WORKFLOW --fix",),
    "fix": ("validate WORKFLOW --fix",),
    "draw": ("graph WORKFLOW",),
    "plot": ("graph WORKFLOW",),
    "new": ("init",),
    "create": ("init", "run WORKFLOW"),
    "work": ("worker",),
    "daemon": ("worker",),
    "debug": ("why EXECUTION", "history EXECUTION"),
}
#: Options before the command that take a value of their own.
_WITH_VALUE = ("--log-format",)


def first_word(arguments: list[str]) -> int | None:
    """Where in a command line the command stands; None when there is none."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if arguments[at] in _WITH_VALUE else 1
    return at if at < len(arguments) else None


def refuse(word: str, rest: list[str]) -> None:
    """Name the command that a word means, if it is such a word. Raises UsageError."""
    commands_meant = MEANT.get(word)
    if commands_meant is None:
        return
    commands = [f"`sm {_fill(command, rest)}`" for command in commands_meant]
    advice = commands[0] if len(commands) == 1 else f"{', '.join(commands[:-1])} or {commands[-1]}"
    raise UsageError(f"there is no command {word!r}; what is meant is {advice}")


def _fill(command: str, rest: list[str]) -> str:
    import shlex  # for a mistake; every command line comes through this module

    argument = rest[0] if rest and not rest[0].startswith("-") else None
    words = command.split()
    if argument is not None and len(argument) <= 200:
        place = next((i for i, word in enumerate(words) if word in _PLACES), None)
        if place is not None:
            words[place] = shlex.quote(argument)
    return " ".join(words)
