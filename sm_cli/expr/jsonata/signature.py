"""The check of a function's arguments against its signature, with what jsonata-python gets wrong put right.

The package holds null for missing, and blames the first argument for each mistake.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types
from jsonata.signature import Signature  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.convert import NULL


class CheckedSignature(Signature):  # type: ignore[misc]  # the package ships no types
    """A function's signature that tells null from missing and blames the argument that is wrong."""

    def get_symbol(self, value: Any) -> str:
        """The letter of the value's type: `l` is null, `m` missing."""
        return "l" if value is NULL else str(super().get_symbol(value))

    def validate(self, arguments: Any, context: Any) -> Any:
        """The arguments as the function gets them. Raises JException."""
        try:
            return super().validate(arguments, context)
        except JException as e:
            if e.error == "T0411":
                e.current = self.function_name  # the package names the context item
            raise
        except TypeError:
            if self.get_symbol(context) != "f":
                raise
            # It is a function of the user's that does not fit, which the package cannot name.
            raise JException("T0411", -1, self.function_name, 1) from None

    def throw_validation_error(self, _arguments: Any, arguments: str, name: str) -> NoReturn:
        """Blame the first argument that no reading of the ones before it leaves room for. Raises JException (T0410),
        always."""
        pattern, good = "", 0
        for parameter in self._params:
            pattern += parameter.regex
            match = re.match(pattern, arguments)
            if match is None:
                break
            good = match.end()
        raise JException("T0410", -1, good + 1, name)


def copy_signature(signature: Any) -> CheckedSignature:
    """A copy of a signature of the package's, which may be shared by threads."""
    copy = CheckedSignature.__new__(CheckedSignature)
    copy.__dict__.update(signature.__dict__)
    return copy
