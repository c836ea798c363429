"""JSONata 2.0.6 as jsonata-python parses it: what newer versions added is refused, what is wrong is said in a sentence.

Whatever the package's parser raises, a caller sees EngineSyntaxError with the offset at which the mistake begins.
"""

from __future__ import annotations

import re
from typing import Any

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types
from jsonata.parser import Parser  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.convert import from_engine
from sm_cli.expr.jsonata.engine import EngineError, EngineSyntaxError, UnsupportedResultError
from sm_cli.expr.jsonata.regex import compile_regex
from sm_cli.jsonvalue import dumps

_PLACEHOLDER = re.compile(r"\{\{\{\w+\}\}\}|\{\{\w+\}\}")
#: The words of T0412 for the letters of a signature.
_KINDS = {"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings"}


#: Parsers that nobody uses: making one takes longer than parsing. Taking from and adding to a list is atomic.
_IDLE: list[_Parser] = []


def parse_expression(source: str) -> Any:
    """The syntax tree. Raises EngineSyntaxError."""
    parser = _IDLE.pop() if _IDLE else _Parser()
    tree = _parse(parser, source)
    parser.ancestor_label = parser.ancestor_index = 0
    parser.ancestry = []
    _IDLE.append(parser)
    return tree


def _parse(parser: _Parser, source: str) -> Any:
    try:
        # The blank: the package reads one character beyond a comment.
        return parser.parse(f"{source} ", compile_regex)
    except JException as e:
        if e.error == "S0301" and e.current is not None:
            e.error = "S0103"  # the package's mistake: it is an escape sequence, not a regular expression
        code = e.error if e.error in JException.error_codes else "S0201"
        raise EngineSyntaxError(code, error_sentence(e), _start(source, e)) from None
    except re.error as e:
        message = f"the regular expression cannot be understood: {e.msg}"
        raise EngineSyntaxError("S0201", message, parser.lexer.position) from None
    except RecursionError:
        raise EngineSyntaxError("S0201", "the expression nests too deeply", 0) from None
    except IndexError:
        if source.rfind("/*") > source.rfind("*/"):
            raise EngineSyntaxError("S0106", "Comment has no closing tag", source.rfind("/*")) from None
        raise EngineSyntaxError("S0207", "Unexpected end of expression", len(source)) from None
    except EngineSyntaxError:
        raise
    except Exception as e:  # the package's own stumbling over what it did not expect
        raise EngineSyntaxError("S0201", f"Syntax error: {e}", min(parser.lexer.position, len(source))) from e


class _Parser(Parser):  # type: ignore[misc]  # the package ships no types
    def __init__(self) -> None:
        super().__init__()
        self.symbol_table["(literal)"] = _Literal(self, "(literal)")
        for sign in ("??", "?:"):
            newer = _Newer(self, sign)
            newer.lbp = newer.bp
            self.symbol_table[sign] = newer

    def expression(self, binding: int) -> Any:
        """What follows, as far as it binds tighter than `binding`; the package would let anything begin it."""
        token = self.node
        self.advance(None, True)
        if not hasattr(token, "nud"):
            message = f"The symbol {dumps(token.value)} cannot be used as a unary operator"
            raise EngineSyntaxError("S0211", message, token.position - len(token.value))
        left = token.nud()
        while binding < self.node.lbp:
            token = self.node
            self.advance(None, False)
            left = token.led(left)
        return left


class _Newer(Parser.Infix):  # type: ignore[misc]  # the package ships no types
    """An operator that JSONata has had since 2.1 only."""

    def led(self, _left: Any) -> Any:
        message = f"JSONata 2.0.6, which Step Functions has, knows no operator {self.id}"
        raise EngineSyntaxError("S0211", message, self.position - len(self.id))


class _Literal(Parser.Terminal):  # type: ignore[misc]  # the package ships no types
    """A literal, with the two halves of a character that was escaped as `\\ud83d\\ude00` put together."""

    value: Any

    def nud(self) -> Any:
        if self.type == "string" and not self.value.isascii():
            # Half of a pair alone is no character, and cannot be written as UTF-8.
            self.value = self.value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return self


def error_sentence(error: Any) -> str:
    """JSONata's words for an error of the package, with the values filled in as JSONata does."""
    template = JException.error_codes.get(error.error)
    if template is None:
        return str(error.error)
    # The package quotes with " what JSONata quotes with '; values bring their own.
    template = template.replace('"', "'")
    values = [error.current, error.expected, error.extra]
    if error.error == "T0411":
        values = [error.expected, error.current]  # the package has them the other way round
    if error.error == "D1002":
        values = [error.expected]
    if error.error == "T0412":
        values[2] = _KINDS.get(str(error.extra), error.extra)
    rest = iter(values)

    def fill(match: re.Match[str]) -> str:
        value = next(rest, None)
        return str(value) if match.group().startswith("{{{") else _quote(value)

    # Where JSONata says function, the package says Object.
    return _PLACEHOLDER.sub(fill, template.replace("Object", "function"))


def _quote(value: Any) -> str:
    if value is None:
        return "undefined"
    try:
        return dumps(from_engine(value))  # type: ignore[arg-type]  # undefined has gone above
    except (EngineError, TypeError, UnsupportedResultError):
        return str(value)


def _start(source: str, error: Any) -> int:
    """Where the token that the error is about begins; the package tells where it ends."""
    end = max(0, min(int(error.location), len(source)))
    token = error.expected if error.error == "S0202" else error.current
    text = str(token) if isinstance(token, (str, int, float)) else ""
    return end - len(text) if text and source[:end].endswith(text) else end
