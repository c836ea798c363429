"""The commands there are. A new one is a line in both tables here, and a module with `register(app)`."""

from __future__ import annotations

#: Command to the module that has it; each has `register(app)`. In the order of `sm --help`.
COMMANDS = {
    "init": "project.init",
    "validate": "validate.command",
    "explain": "validate.explain",
    "schema": "project.schema",
    "graph": "show.graph",
    "run": "run.command",
    "attach": "run.attaching",
    "wait": "run.waiting",
    "list": "show.executions",
    "show": "show.executions",
    "output": "show.executions",
    "history": "show.history",
    "stop": "show.stop",
    "redrive": "show.redrive",
    "test-state": "run.test_state",
    "task": "show.task",
    "why": "show.why",
    "map-runs": "show.map_runs",
    "waits": "messages.waits",
    "send-message": "messages.send",
    "messages": "messages.list",
    "worker": "run.worker",
    "db": "database.command",
}

#: What `sm --help` says of each, so that it need not import them.
SUMMARIES = {
    "init": "Make a project that runs at once.",
    "validate": "Check workflows: OK, or every problem.",
    "explain": "Tell what a code of validate means.",
    "schema": "Print a JSON Schema of workflows, for editors.",
    "graph": "Draw a workflow.",
    "run": "Run a workflow and print its output.",
    "attach": "Show an execution that others work on.",
    "wait": "Wait until executions are closed.",
    "list": "List executions, newest first.",
    "show": "Show an execution and what it waits for.",
    "output": "Print the output of an execution.",
    "history": "Show what happened in an execution.",
    "stop": "Stop executions as ABORTED.",
    "redrive": "Go on with executions that failed or were stopped.",
    "test-state": "Run one state of a workflow alone.",
    "task": "End tasks that wait for a callback with their token.",
    "why": "Say why an execution does not go on.",
    "map-runs": "List the map runs of distributed Maps.",
    "waits": "List the messages that executions wait for.",
    "send-message": "Send a message to who waits for it.",
    "messages": "See what was sent and what became of it.",
    "worker": "Work on all executions until Ctrl-C.",
    "db": "Back up, check, shorten and ask the database.",
}
