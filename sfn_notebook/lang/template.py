"""Payload templates: JSON in which the value of a key that ends in `.$` is a path or an intrinsic function.

Owns how a template is taken apart once (what is constant, what must be evaluated) and put together at each visit, and which
state variables a template names. It knows nothing of which field a template stands in, but for the name in an error.

A template without a dynamic part is its own result, always the same object. Otherwise objects are built from a skeleton that
holds the constants and the order of keys; the most common template, an object of one-key paths, is a single comprehension.
`growth` bounds the size of the output by that of the input, so that the engine need not measure every payload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.environment import Environment, Evaluate, EvaluationFailure, TemplateFailure, compact
from sfn_notebook.lang.intrinsics import Growth, compile_intrinsic
from sfn_notebook.lang.jsonpath import Keys, chain, compile_path

MAX_DEPTH = 200


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template.

    Attributes:
        evaluate: gives the value; raises an EvaluationFailure where a path finds nothing or a function fails.
        constant: whether nothing in it is dynamic.
        growth: `(a, b)` such that the JSON text of the output has at most `a * len(input) + b` bytes, or None.
        keys: the keys of the path below `$` where the whole template is such a path.
    """

    evaluate: Evaluate
    constant: bool
    growth: Growth | None
    keys: Keys | None = None


def compile_template(value: Json, field: str = "Parameters") -> Template:
    """Compile a payload template; `field` names it in the error where the template is nested too deeply.

    Raises:
        ExpressionError: a key ends in `.$` and its value is neither a path nor an intrinsic function.
    """
    return _compile(value, field, 0)


def compile_expression(text: str, field: str) -> Template:
    """Compile one path or intrinsic function, the value of the key or field named `field`.

    Raises:
        ExpressionError: the text is neither.
    """
    if not isinstance(text, str):
        raise ExpressionError(f'"{field}" holds a path or a function as text, found {compact(text)[:60]}')
    if text.startswith("States."):
        call = compile_intrinsic(text)
        return Template(call.evaluate, constant=False, growth=call.growth)
    if not text.startswith("$"):
        raise ExpressionError(f'"{field}" holds a path ($…) or a function (States.…), found "{text[:60]}"', text)
    path = compile_path(text)

    def fail(data: Json, _reason: str) -> EvaluationFailure:
        return TemplateFailure(text, field, data)

    keys = chain(path)
    return Template(path.bind(fail), constant=False, growth=(1, 0) if keys is not None else None, keys=keys)


def expressions(template: Json) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """Give where each dynamic value of a template stands and what it holds, in the order of the text."""
    waiting: list[tuple[tuple[str | int, ...], Json]] = [((), template)]
    while waiting:
        where, value = waiting.pop()
        if where and isinstance(where[-1], str) and where[-1].endswith(".$"):
            yield where, value
        elif isinstance(value, dict):
            waiting.extend(((*where, key), item) for key, item in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend(((*where, index), value[index]) for index in reversed(range(len(value))))


def variable_names(value: Json) -> frozenset[str]:
    """Give the state variables that a path, an intrinsic function or a payload template refers to.

    A text that is neither path nor function refers to none; what cannot be compiled raises ExpressionError.

    >>> sorted(variable_names({"a.$": "States.Format('{}', $name)", "b": "$literal"}))
    ['name']
    """
    if isinstance(value, str):
        return _variables_of(value)
    found = (_variables_of(text) for _where, text in expressions(value) if isinstance(text, str))
    return frozenset().union(*found)


def _variables_of(text: str) -> frozenset[str]:
    if text.startswith("States."):
        return compile_intrinsic(text).variables
    if not text.startswith("$"):
        return frozenset()
    variable = compile_path(text).variable
    return frozenset() if variable is None else frozenset((variable,))


def _compile(value: Json, field: str, depth: int) -> Template:
    if depth > MAX_DEPTH:
        raise ExpressionError(f'"{field}" is nested more than {MAX_DEPTH} deep')
    if isinstance(value, dict):
        return _compile_object(value, field, depth)
    if isinstance(value, list):
        return _compile_array(value, field, depth)
    return _constant(value)


def _constant(value: Json) -> Template:
    return Template(lambda _data, _environment: value, constant=True, growth=(0, _size(value)))


def _size(value: Json) -> int:
    return len(compact(value).encode("utf-8", "surrogatepass"))


def _compile_array(values: list[Json], field: str, depth: int) -> Template:
    parts = [_compile(value, field, depth + 1) for value in values]
    if all(part.constant for part in parts):
        return _constant(values)
    evaluators = [part.evaluate for part in parts]

    def evaluate(data: Json, environment: Environment) -> Json:
        return [part(data, environment) for part in evaluators]

    return Template(evaluate, constant=False, growth=_sum(parts, 1 + len(parts)))


def _compile_object(value: dict[str, Json], field: str, depth: int) -> Template:
    parts: dict[str, Template] = {}
    for key, item in value.items():
        if key.endswith(".$"):
            parts[key[:-2]] = compile_expression(item, key)
        else:
            parts[key] = _compile(item, field, depth + 1)
    if all(part.constant for part in parts.values()):
        return _constant(value)
    growth = _sum(list(parts.values()), 1 + sum(_size(key) + 2 for key in parts))
    return Template(_builder(parts, value), constant=False, growth=growth)


def _sum(parts: list[Template], punctuation: int) -> Growth | None:
    factor, rest = 0, punctuation
    for part in parts:
        if part.growth is None:
            return None
        factor += part.growth[0]
        rest += part.growth[1]
    return factor, rest


def _builder(parts: dict[str, Template], value: dict[str, Json]) -> Evaluate:
    dynamic = [(key, part.evaluate) for key, part in parts.items() if not part.constant]
    single = [
        (key, part.keys[0])
        for key, part in parts.items()
        if part.keys is not None and len(part.keys) == 1 and isinstance(part.keys[0], str)
    ]
    if len(single) == len(parts):
        return _build_from_keys(single, dynamic)
    if len(dynamic) == len(parts):
        return _build_all(dynamic)
    skeleton = {key: value[key] if part.constant else None for key, part in parts.items()}
    return _build_on(skeleton, dynamic)


Dynamic = list[tuple[str, Evaluate]]


def _build_from_keys(pairs: list[tuple[str, str]], dynamic: Dynamic) -> Evaluate:
    slow = _build_all(dynamic)

    def evaluate(data: Json, environment: Environment) -> Json:
        try:
            return {key: data[name] for key, name in pairs}
        except (KeyError, TypeError):
            return slow(data, environment)  # raises the failure of the first path that finds nothing

    return evaluate


def _build_all(dynamic: Dynamic) -> Evaluate:
    def evaluate(data: Json, environment: Environment) -> Json:
        built = {}  # a loop, because a comprehension is a call of its own before Python 3.12
        for key, part in dynamic:
            built[key] = part(data, environment)
        return built

    return evaluate


def _build_on(skeleton: dict[str, Json], dynamic: Dynamic) -> Evaluate:
    copy: Callable[[], dict[str, Json]] = skeleton.copy

    def evaluate(data: Json, environment: Environment) -> Json:
        built = copy()
        for key, part in dynamic:
            built[key] = part(data, environment)
        return built

    return evaluate
