"""The commands there are, and how one command line runs.

Whatever happens, `run_command_line` returns an exit code; it raises nothing but a second Ctrl-C's exit.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from sm_cli.cli.commands import COMMANDS, SUMMARIES
from sm_cli.cli.other_words import first_word, refuse
from sm_cli.cli.terminal import failures, output
from sm_cli.cli.terminal.options import LogFormat, Verbose, note_source
from sm_cli.errors import UsageError

_HELP = "Run Amazon States Language workflows on this machine and keep them alive."
_EPILOG = "`sm help COMMAND` and `sm COMMAND -h` tell more of each."
#: What asks for help, of `sm` and of each command.
HELP = ["-h", "--help"]
#: Options of `sm` itself; all others are some command's.
_BEFORE_COMMANDS = (*HELP, "-V", "--version", "-v", "--verbose", "--log-format")
#: What a variable that is a flag may hold.
_YES, _NO = ("1", "true", "t", "yes", "y", "on"), ("0", "false", "f", "no", "n", "off", "")


def run_command_line(arguments: list[str]) -> int:
    """Run one command line; returns its exit code."""
    output.ensure_streams()
    try:
        return _finish(_invoke(arguments))
    except SystemExit as e:
        return _finish(e.code if isinstance(e.code, int) else 1)
    except BrokenPipeError:
        return output.end_silently()
    except KeyboardInterrupt:
        return 130
    except Exception as e:
        return failures.report(e)


def _finish(code: int) -> int:
    try:
        output.flush()
    except BrokenPipeError:
        return output.end_silently()
    return code


def _invoke(arguments: list[str]) -> int:
    _refuse_early_option(arguments)
    arguments = _other_ways(arguments)
    command = _command_for(arguments)
    if "_SM_COMPLETE" in os.environ:
        from sm_cli.cli.completing import offer_words

        offer_words(command)
    result = command.main(args=arguments or ["--help"], prog_name="sm", standalone_mode=False)
    return result if isinstance(result, int) else 0


def _other_ways(arguments: list[str]) -> list[str]:
    """`sm help run` is `sm run --help`, `sm version` is `sm --version`. Raises UsageError for a word that
    people type for a command of another name."""
    at = None if arguments and arguments[0] in COMMANDS else first_word(arguments)
    if at is None or arguments[at] in COMMANDS:
        return arguments
    before, word, rest = arguments[:at], arguments[at], arguments[at + 1 :]
    if word == "help":
        if rest:
            refuse(rest[0], rest[1:])
        return [*before, *rest, "--help"]
    if word == "version":
        return [*before, "--version", *rest]
    refuse(word, rest)
    return arguments


def _refuse_early_option(arguments: list[str]) -> None:
    """Tell who writes `sm --db FILE list` where a command's option stands. Raises UsageError."""
    name = arguments[0].partition("=")[0] if arguments else ""
    command = next((word for word in arguments[1:] if word in COMMANDS), None)
    if not name.startswith("-") or name in _BEFORE_COMMANDS or command is None:
        return
    parameters = getattr(get_command(build([COMMANDS[command]])), "commands", {})[command].params
    if any(name in parameter.opts for parameter in parameters):
        raise UsageError(f"{name} stands behind the command: sm {command} {name} …")


def _command_for(arguments: list[str]) -> Any:
    """`sm` with as few commands as the line needs: importing them all takes longer than most of them do."""
    first = arguments[0] if arguments else "--help"
    if "_SM_COMPLETE" in os.environ or (first.startswith("-") and first not in HELP):
        return _command(None)
    return _command(first if first in COMMANDS else "")


@cache
def _command(first: str | None) -> Any:
    """`sm` with this command, with none for "", with all for None. Kept, because typer looks at every option for longer
    than many a command takes: who has several lines in one process waits for that once."""
    modules = [*dict.fromkeys(COMMANDS.values())] if first is None else [COMMANDS[first]] if first else []
    app = build(modules)
    if first:
        # The others of the module cost typer's look at every one of their options.
        app.registered_commands = [each for each in app.registered_commands if each.name == first] or (
            app.registered_commands
        )
    command: Any = get_command(app)
    _take_text(command)
    if not modules:
        # Names for the list of `sm --help`, and for what a misspelt word may have meant. Made here: typer would look
        # for options in each.
        for name in COMMANDS:
            command.add_command(TyperCommand(name, help=SUMMARIES[name], rich_markup_mode=None))
    return command


def build(modules: list[str]) -> typer.Typer:
    """The app with the commands of these modules."""
    app = typer.Typer(
        add_completion=len(modules) != 1,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"max_content_width": 100, "help_option_names": HELP},
    )
    app.callback(help=_HELP, epilog=_EPILOG)(_root)
    for module in modules:
        import_module(f"sm_cli.cli.{module}").register(app)
    return app


def _show_version(show: bool) -> None:
    if show:
        from sm_cli._version import __version__

        output.text(f"sm {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", "-V", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
    _verbose: Verbose = False,
    _log_format: LogFormat = None,
) -> None:
    """What stands before the command; the callbacks of the options do it all."""


def _take_text(command: Any) -> None:
    for parameter in command.get_params(typer.Context(command, help_option_names=HELP)):
        _take_text_as_it_is(parameter)
    for below in getattr(command, "commands", {}).values():
        _take_text(below)


def _read_flag(text: str, variable: str) -> bool:
    """Whether a variable says yes. Raises UsageError for what is neither yes nor no."""
    if text.lower() not in (*_YES, *_NO):
        raise UsageError(f"{variable} takes true or false, not {text!r}")
    return text.lower() in _YES


def _take_text_as_it_is(parameter: Any) -> None:
    """Keep typer from converting text to text: newer versions import 60 ms of pydantic for it."""
    convert: Callable[[Any, Any], Any] = parameter.process_value

    def process(context: Any, value: Any) -> Any:
        if getattr(parameter, "envvar", None):
            source = getattr(context.get_parameter_source(parameter.name), "name", None)
            note_source(parameter.opts[-1], parameter.envvar if source == "ENVIRONMENT" else None)
        if getattr(parameter, "is_flag", False) and isinstance(value, str):  # from SM_*
            value = _read_flag(value, parameter.envvar)
        if parameter.required and not value:
            return convert(context, value)
        if value is None and (parameter.nargs == -1 or getattr(parameter, "multiple", False)):
            value = ()
        return value if parameter.callback is None else parameter.callback(context, parameter, value)

    parameter.process_value = process
