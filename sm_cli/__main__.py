"""`sm`, `sm-cli` and `python -m sm_cli`.

`sm --version` is answered before anything is imported.
"""

from __future__ import annotations

import gc
import sys

from sm_cli._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line, without the program's name; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in (["--version"], ["-V"], ["version"]):
        sys.stdout.write(f"sm {__version__}\n")
        return 0
    # Collecting garbage while modules are imported costs a tenth of a short command; who works long enables it.
    gc.disable()
    try:
        from sm_cli.cli.app import run_command_line

        return run_command_line(arguments)
    finally:
        gc.enable()


if __name__ == "__main__":
    sys.exit(main())
