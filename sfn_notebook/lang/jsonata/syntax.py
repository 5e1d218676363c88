"""From the text of an expression to its tree, and what AWS says about the text without running it.

The parser is that of `jsonata-python`; this is the only module that knows it, together with `pictures`. Its dialect is
brought back to JSONata 2.0.6, which has no `??` and `?:`, and its messages to the service's. The tree is only read, never
run by that library: `compiler` turns it into closures.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from typing import Any, TypeAlias

from sfn_notebook.errors import ExpressionError
from sfn_notebook.lang.jsonata.failures import JsonataError
from sfn_notebook.lang.jsonata.regexes import BadPattern, Regex
from sfn_notebook.lang.jsonata.signature import Parameter, Signature

Tree: TypeAlias = Any
"""A node of the parser's tree: it has no types, and its attributes are None where they do not apply."""

RESERVED = "states"


class UnsupportedExpression(ExpressionError):
    """An expression that JSONata knows and the service does not support: its code is UNSUPPORTED_JSONATA_EXPRESSION."""


class TooDeep(Exception):
    """The text nests deeper than it could ever be evaluated."""


_local = threading.local()


def parse(text: str) -> Tree:
    """Parse `text`.

    Raises:
        ExpressionError: the text is not JSONata 2.0.6; the message is AWS's.
        TooDeep: the text nests too deeply to be read.
    """
    try:
        return _parser().parse(text)
    except RecursionError:
        raise TooDeep from None
    except ExpressionError as error:
        raise ExpressionError(error.message, text, error.position) from None
    except Exception as error:  # noqa: BLE001 - the parser's own errors, and IndexError or KeyError where it slips
        raise _expression_error(error, text) from None


def _parser() -> Any:
    """Give this thread's parser: building its table of symbols costs more than parsing."""
    found = getattr(_local, "parser", None)
    if found is None:
        found = _local.parser = _parser_class()()
    return found


def library() -> Any:
    """Import the library, when it is needed first: that takes longer than all the rest of this package."""
    limit = sys.getrecursionlimit()
    import jsonata
    import jsonata.datetimeutils
    import jsonata.parser
    import jsonata.tokenizer

    sys.setrecursionlimit(limit)  # the library raises it to 10,000 for the whole process
    return jsonata


def _parser_class() -> type[Any]:
    found = library()

    class Lexer(found.tokenizer.Tokenizer):  # type: ignore[misc, name-defined]
        def next(self, prefix: bool) -> Any:  # noqa: FBT001 - the library's signature
            token = super().next(prefix)
            if token is not None and token.type == "operator" and token.value in {"??", "?:"}:
                self.position -= 1
                return self.create("operator", "?")
            return token

    class Parser206(found.parser.Parser):  # type: ignore[misc, name-defined]
        def parse(self, jsonata: str) -> Any:
            self.source = jsonata
            self.errors: list[Exception] = []
            self.ancestry: list[Any] = []
            self.ancestor_label = self.ancestor_index = 0
            self.lexer = Lexer(jsonata, _regex)
            self.advance()
            tree = self.expression(0)
            if self.node.id != "(end)":
                raise _parse_error("S0201", self.node.position, jsonata, token=self.node.value)
            tree = self.process_ast(tree)
            if tree.type == "parent" or tree.seeking_parent is not None:
                raise _parse_error("S0217", tree.position, jsonata)
            return tree

    return Parser206


def _regex(pattern: str, flags: Any) -> Regex:
    try:
        return Regex(pattern, ignore_case=flags.case_insensitive, multiline=flags.multiline)
    except BadPattern as error:
        raise ExpressionError(f"Invalid regular expression /{pattern}/: {error}") from None


def _parse_error(code: str, end: int, text: str = "", **values: Any) -> ExpressionError:
    """Give an error with the service's text; `end` is where the offending token ends."""
    token = values.get("token")
    start = end - len(token) if isinstance(token, str) and text[:end].endswith(token) else end
    return ExpressionError(JsonataError(code, **values).text(), text, max(0, start))


def _expression_error(error: Exception, text: str) -> ExpressionError:
    """Give the service's text for what the library found: same codes, other words."""
    code = getattr(error, "error", None)
    if code is None:
        if isinstance(error, KeyError) and error.args:
            return _parse_error("S0204", text.find(str(error.args[0])), text, token=error.args[0])
        if isinstance(error, IndexError):
            return _parse_error(_unterminated(text), len(text), text)
        return _parse_error("S0201", 0, text, token=text)
    current, expected = getattr(error, "current", None), getattr(error, "expected", None)
    position = getattr(error, "location", 0)
    if code == "S0301" and current is not None:
        code = "S0103"
    if code in {"S0202", "S0203", "S0208", "S0213"}:
        return _parse_error(code, position, text, value=current, token=expected)
    if code == "S0102":
        return _parse_error(code, position, text, token=re.split(r"[^\w.+-]", text[position:], maxsplit=1)[0])
    return _parse_error(code, position, text, token=current)


def _unterminated(text: str) -> str:
    """Tell what a text lacks that ends too early for the library."""
    if "/*" in text and "*/" not in text[text.rfind("/*") :]:
        return "S0106"
    return "S0101" if text.rstrip().endswith("\\") else "S0207"


def signature(tree: Tree) -> Signature | None:
    """Give the signature of a function definition, or None."""
    found = tree.signature
    if found is None:
        return None
    return Signature(Parameter(p.regex.rstrip("?+"), _mark(p), p.type == "a", p.subtype) for p in found._params)


def _mark(parameter: Any) -> str:
    if parameter.context:
        return "-"
    last = str(parameter.regex)[-1]
    return last if last in "?+" else ""


def check(tree: Tree, text: str) -> None:
    """Refuse what reads the context where there is none.

    Raises:
        UnsupportedExpression: a name, `$`, `$$` or a wildcard stands at the top level.
    """
    for error in unsupported(tree, text):
        raise error


def unsupported(tree: Tree, text: str) -> Iterator[UnsupportedExpression]:
    """Give an error for each name, `$`, `$$` or wildcard at the top level."""
    for name, position in _top_level(tree):
        where = "" if name == "$$" else " at the top level"
        message = f"Reference to '{name}'{where} is not supported."
        yield UnsupportedExpression(message, text, max(0, position - len(name)))


def _top_level(tree: Tree) -> Iterator[tuple[str, int]]:
    """Find the nodes that read the context item, as far as no step of a path has provided one."""
    kind = tree.type
    if kind == "path":
        yield from _top_level(tree.steps[0])
    elif kind == "name":
        yield str(tree.value), tree.position
    elif kind == "variable" and tree.value in {"", "$"}:
        yield "$" + tree.value, tree.position
    elif kind in {"wildcard", "descendant"}:
        yield ("*" if kind == "wildcard" else "**"), tree.position
    elif kind != "transform":
        for child in children(tree):
            yield from _top_level(child)


def children(tree: Tree) -> Iterator[Tree]:
    """Give the nodes directly below `tree` that see the same context item, in the order of evaluation."""
    kind = tree.type
    if kind in {"binary", "apply"}:
        yield from (tree.lhs, tree.rhs)
    elif kind == "bind":
        yield tree.rhs
    elif kind in {"function", "partial"}:
        yield tree.procedure
        yield from (argument for argument in tree.arguments if argument.type != "operator")
    elif kind == "lambda":
        yield tree.body
    elif kind == "condition":
        yield from (part for part in (tree.condition, tree.then, tree._else) if part is not None)
    elif kind == "block" or (kind == "unary" and tree.value == "["):
        yield from tree.expressions
    elif kind == "unary" and tree.value == "{":
        yield from (part for pair in tree.lhs_object for part in pair)
    elif kind == "unary":
        yield tree.expression


def _inner(tree: Tree) -> Iterator[Tree]:
    """Give the nodes below `tree` that see another context item, but for its stages: later steps, sort terms, transforms."""
    if tree.type == "path":
        yield from tree.steps
    elif tree.type == "sort":
        yield from (term.expression for term in tree.terms)
    elif tree.type == "transform":
        yield from (part for part in (tree.pattern, tree.update, tree.delete) if part is not None)


def _grouped(tree: Tree) -> Iterator[Tree]:
    """Give the nodes of a group behind `tree`."""
    if tree.group is not None:
        yield from (part for pair in tree.group.lhs_object for part in pair)


def _names(*values: Any) -> set[str]:
    """Give the names of bindings such as `@$name` and `#$name`, as far as they are there."""
    return {str(value) for value in values if isinstance(value, str)}


def free_variables(tree: Tree) -> set[str]:
    """Give the names of the variables that the expression does not bind itself."""
    found: set[str] = set()
    _collect(tree, frozenset(), found)
    return found


def _collect(tree: Tree, bound: frozenset[str], found: set[str]) -> frozenset[str]:
    """Add what is free below `tree`; gives the names that are bound behind it in the same scope."""
    if tree.type == "variable" and tree.value not in {"", "$"} and tree.value not in bound:
        found.add(str(tree.value))
    inside = bound
    if tree.type == "lambda":
        inside = bound | {str(argument.value) for argument in tree.arguments}
    for child in [*children(tree), *_inner(tree)]:
        inside = _collect(child, inside, found)
    inside |= _names(tree.focus, tree.index)  # what stands behind the step sees them, its own predicates too
    for stage in [*(tree.predicate or ()), *(tree.stages or ())]:
        if stage.type == "filter":
            inside = _collect(stage.expr, inside, found)
        elif stage.type == "index":
            inside |= {str(stage.value)}
    for child in _grouped(tree):
        inside = _collect(child, inside, found)
    if tree.type in {"lambda", "block"}:
        return bound
    return inside | {str(tree.lhs.value)} if tree.type == "bind" else inside
