"""What a rule gets and what it gives.

A rule is a plain generator function: it takes a `Machine` and yields a `Problem` for each thing it finds. It never sees lines and
columns: a problem names its place by JSON Pointer, says whether the key or the value is meant, and may name a character inside a
string; `asl.check` turns that into a position. The `Machine` is the definition walked once: its graph, and every object whose
fields the table knows. The helpers here are what several rules share: suggestions, and the reading of placeholders.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from sfn_notebook.asl.document import Document
from sfn_notebook.asl.fields import JSONPATH, LANGUAGES, OBJECTS, TEMPLATES, language_of
from sfn_notebook.asl.jsontext import escape
from sfn_notebook.asl.tables import Table, table_of
from sfn_notebook.asl.topology import topology
from sfn_notebook.errors import ExpressionError, Json, Severity, Span
from sfn_notebook.lang.jsonata import is_expression
from sfn_notebook.lang.jsonpath import Path, compile_path

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TARGET = "MISSING_TRANSITION_TARGET"


class Problem(NamedTuple):
    """One finding of a rule.

    Attributes:
        pointer: JSON Pointer of the value that it is about.
        message: what is wrong and what was found.
        code: AWS's code where it has one.
        severity: ERROR for what AWS refuses.
        key: the key is meant, not its value.
        offset: the character inside the string at `pointer`, from 0; None for the whole value.
        hint: what to do.
        span: the place itself, where a pointer cannot say it.
    """

    pointer: str
    message: str
    code: str = SCHEMA
    severity: Severity = Severity.ERROR
    key: bool = False
    offset: int | None = None
    hint: str | None = None
    span: Span | None = None


class Thing(NamedTuple):
    """One object of the definition whose kind the field table knows: the machine, a state, a retrier.

    Attributes:
        kind: its kind in the field table.
        pointer: where it is.
        body: the object itself.
        language: the query language that holds there.
        table: what the field table says of such objects.
        state: pointer of the state that it belongs to; None for the machine.
        nested: a Choice rule inside And, Or or Not.
    """

    kind: str
    pointer: str
    body: Mapping[str, Json]
    language: str
    table: Table
    state: str | None = None
    nested: bool = False


class Text(NamedTuple):
    """One expression of the definition.

    Attributes:
        pointer: where it is.
        kind: one of `asl.tables.PATHS`, or "jsonata".
        name: the key that holds it.
        text: the expression; in a `.$` field perhaps no string at all.
        field: the field of `thing` that it is in.
        thing: the state, rule, catcher … that the field belongs to.
    """

    pointer: str
    kind: str
    name: str
    text: Json
    field: str
    thing: Thing


class Hints:
    """Finds what a misspelt word may mean, up to a bound on comparisons: a text with thousands of slips is still checked fast."""

    def __init__(self, comparisons: int = 50_000) -> None:
        self.left = comparisons

    def did_you_mean(self, word: str, known: Iterable[str]) -> str | None:
        """Give the `did you mean …?` for a misspelt word, or None."""
        names = list(known)
        if self.left < len(names) or not isinstance(word, str):
            return None
        self.left -= len(names)
        other_case = next((name for name in names if name.lower() == word.lower() and name != word), None)
        if other_case is not None:
            return f'did you mean "{other_case}"?'
        close = difflib.get_close_matches(word[:200], names, n=1, cutoff=0.6)
        return f'did you mean "{close[0]}"?' if close else None


NO_SAMPLE = object()
"""There is no sample input; null is one."""


class Machine:
    """A definition as rules see it.

    Attributes:
        document: the definition with its text.
        definition: the whole definition.
        workflow_type: STANDARD or EXPRESS.
        strict: unresolved placeholders are errors.
        sample: an input that data flow is followed from.
        language: the query language of the machine.
        graph: the states and transitions.
        things: every object whose fields are known, outer ones first.
        by_kind: the things by their kind.
        texts: every expression, in no particular order.
        literals: what is odd in payload templates: a "literal" looks like an expression and is none, for want of a `.$` behind its key; a
            "collision" has a twin without it.
        doubtful: every field that its object may not have, or whose value is not at once right: the object, its name and its value.
        hints: finds what misspelt words mean.
        memo: what rules computed once for others.
    """

    def __init__(
        self, document: Document, workflow_type: str = "STANDARD", *, strict: bool = False, sample: Json = NO_SAMPLE
    ) -> None:
        self.document = document
        self.definition = document.value
        self.workflow_type = workflow_type
        self.strict = strict
        self.sample = sample
        self.hints = Hints()
        self.memo: dict[str, Any] = {}
        self._paths: dict[str, Path | ExpressionError] = {}
        self.language = _language(self.definition)
        self.graph = topology(self.definition, self.language)
        self.things = self._gathered()
        self.by_kind: dict[str, list[Thing]] = {}
        self.texts: list[Text] = []
        self.literals: list[Text] = []
        self.doubtful: list[tuple[Thing, str, Json]] = []
        for thing in self.things:
            self.by_kind.setdefault(thing.kind, []).append(thing)
            plain, dynamic = thing.table.plain, thing.table.dynamic
            for name, value in thing.body.items():
                if plain.get(name) is not value.__class__:
                    self.doubtful.append((thing, name, value))
                if name in dynamic and isinstance(value, _VALUES):
                    _gather_texts(thing, name, value, self.texts, self.literals)

    @property
    def has_sample(self) -> bool:
        """Tell whether there is a sample input."""
        return self.sample is not NO_SAMPLE

    def _gathered(self) -> list[Thing]:
        found: list[Thing] = []
        for scope in self.graph.scopes:
            owner = self.graph.by_pointer.get(scope.owner) if scope.owner is not None else None
            language = owner.query_language if owner is not None else self.language
            _gather(_SCOPES[scope.kind], scope.pointer, scope.definition, language, scope.owner, found)
        for node in self.graph.nodes:
            if node.type in OBJECTS:
                _gather(node.type, node.pointer, node.definition, node.query_language, node.pointer, found)
        return found

    def path(self, text: str) -> Path | ExpressionError:
        """Compile a path once for all rules; where it is none, give the error."""
        found = self._paths.get(text)
        if found is None:
            try:
                found = compile_path(text)
            except ExpressionError as error:
                found = error
            except RecursionError:
                found = ExpressionError("the path is nested too deeply", text)
            self._paths[text] = found
        return found

    def of(self, *kinds: str) -> Sequence[Thing]:
        """Give the things of these kinds, kind by kind."""
        if len(kinds) == 1:
            return self.by_kind.get(kinds[0], ())
        return [thing for kind in kinds for thing in self.by_kind.get(kind, ())]


_SCOPES = {"top": "StateMachine", "branch": "Branch", "processor": "ItemProcessor"}


def _language(definition: Mapping[str, Json]) -> str:
    """Give the query language of a machine.

    Where it was put inside States by mistake, it is taken as meant, so that one slip gives one error.
    """
    states = definition.get("States")
    if "QueryLanguage" not in definition and isinstance(states, dict) and states.get("QueryLanguage") in LANGUAGES:
        return str(states["QueryLanguage"])
    return language_of(definition)


def _gather(
    kind: str,
    pointer: str,
    body: Mapping[str, Json],
    language: str,
    state: str | None,
    found: list[Thing],
    *,
    nested: bool = False,
) -> None:
    """Collect a thing and the smaller ones in it, without the scopes, which come by themselves."""
    table = table_of(kind, language)
    found.append(Thing(kind, pointer, body, language, table, state, nested))
    for name, shape, is_list in table.inner:
        if name not in body:
            continue
        value, place, inside = body[name], f"{pointer}/{name}", kind == "ChoiceRule"
        if not is_list:
            if isinstance(value, dict):
                _gather(shape, place, value, language, state, found, nested=inside)
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, dict):
                    _gather(shape, f"{place}/{i}", item, language, state, found, nested=inside)


_TREES = (dict, list)
_VALUES = (str, dict, list)


def looks_evaluated(value: Json) -> bool:
    """Tell whether a value is a text that may be meant as a path or an intrinsic function."""
    return value.__class__ is str and value[:1] in ("$", "S") and _LOOKS_EVALUATED.match(value) is not None


_LOOKS_EVALUATED = re.compile(r"\$\$?(?:\.[^\W\d]|\.?\[|\.\.|$)|States\.[A-Z]\w*\(")


def _gather_texts(thing: Thing, name: str, value: Json, found: list[Text], literals: list[Text]) -> None:
    """Collect the expressions in a field that may hold some, and what is odd in a payload template."""
    pointer, kind = f"{thing.pointer}/{name}", thing.table.dynamic[name]
    if thing.language != JSONPATH:
        if kind != "strings" or not isinstance(value, list):  # the entries of CSVHeaders are no expressions
            _evaluated(pointer, name, value, (name, thing), found)
    elif kind in TEMPLATES:
        _dynamic(pointer, value, (name, thing), found, literals)
    elif isinstance(value, str):
        found.append(Text(pointer, kind, name, value, name, thing))


def _dynamic(place: str, value: Json, origin: tuple[str, Thing], found: list[Text], literals: list[Text]) -> None:
    """Collect the `.$` fields of a payload template at any depth, and the others that look as if they were meant so."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith(".$"):
                if key[:-2] in value and not key.endswith(".$.$"):
                    literals.append(Text(f"{place}/{escape(key)}", "collision", key, inner, *origin))
                found.append(Text(f"{place}/{escape(key)}", "expression", key, inner, *origin))
            elif isinstance(inner, _TREES):
                _dynamic(f"{place}/{escape(key)}", inner, origin, found, literals)
            elif looks_evaluated(inner):
                literals.append(Text(f"{place}/{escape(key)}", "literal", key, inner, *origin))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            if isinstance(item, _TREES):
                _dynamic(f"{place}/{i}", item, origin, found, literals)


def _evaluated(place: str, key: str, value: Json, origin: tuple[str, Thing], found: list[Text]) -> None:
    """Collect the `{% %}` strings of a tree."""
    if isinstance(value, str):
        if is_expression(value):
            found.append(Text(place, "jsonata", key, value, *origin))
    elif isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, _VALUES):
                _evaluated(f"{place}/{escape(name)}", name, inner, origin, found)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            if isinstance(item, _VALUES):
                _evaluated(f"{place}/{i}", key, item, origin, found)


Rule: TypeAlias = Callable[[Machine], Iterator[Problem]]


def near(word: str, known: Iterable[str]) -> str | None:
    """Give the known name that `word` misspells: another case, or at most two letters away."""
    for name in known:
        if name != word and (name.lower() == word.lower() or _edits(word, name, 2 if len(name) > 5 else 1)):
            return name
    return None


def _edits(a: str, b: str, limit: int) -> bool:
    """Tell whether `a` becomes `b` with at most `limit` letters put in, left out, changed or swapped."""
    if abs(len(a) - len(b)) > limit or len(set(a) ^ set(b)) > 2 * limit:
        return False
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before = before, row
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return False
    return row[-1] <= limit


def at(thing: Thing, name: str) -> str:
    """Give the pointer of a field of `thing`."""
    return f"{thing.pointer}/{escape(name)}"


def named(pointer: str, machine: Machine) -> str:
    """Name the object at `pointer` for a message: `state "Pay"`."""
    node = machine.graph.by_pointer.get(pointer)
    return (
        f'state "{node.name}"' if node is not None else "the definition" if not pointer else pointer.rpartition("/")[2]
    )


def quoted(value: Json, limit: int = 60) -> str:
    """Write a value into a message, cut to a readable length."""
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= limit else f'"{value[: limit - 1]}…"'
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return (
        {True: "true", False: "false", None: "null"}.get(value, str(value)[:limit])
        if isinstance(value, bool | None)
        else str(value)[:limit]
    )
