"""The data flow of JSONPath states: InputPath, Parameters, ResultSelector, ResultPath, OutputPath, Assign.

Order and meaning follow the ASL spec ("Input and Output Processing"); what a null path gives, which failure has which text, and that
`Result` and keys without `.$` stay literal follow recordings of the service. Each function returns closures; a field that is absent
leaves no closure behind. The names of the stages are those of TestState's `inspectionData`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sfn_notebook.errors import Json
from sfn_notebook.lang.environment import EvaluationFailure
from sfn_notebook.lang.jsonpath import ReferencePath, chain, compile_path, compile_reference
from sfn_notebook.lang.template import compile_expression, compile_template
from sfn_notebook.strictjson import json_size

if TYPE_CHECKING:
    from sfn_notebook.engine.frames import Frame

Stage = Callable[[Json, "Frame"], Json]
Growth = tuple[int, int] | None


def compile_parts(definition: dict[str, Json]) -> tuple[Any, Any, Any, Any, Growth]:
    """Give (view, effective, complete, assign, growth) of one state."""
    kind = definition["Type"]
    view, _ = path_stage(definition, "InputPath")
    effective, growth_in = _effective(definition, kind)
    if kind in ("Pass", "Task", "Parallel", "Map"):
        complete, growth_out = _complete(definition, kind, growth_in)
    else:
        output, bound = path_stage(definition, "OutputPath")
        complete = _after(output) if output else None
        growth_out = _compose(bound, growth_in)
    return view, effective, complete, compile_assign(definition.get("Assign"), "Assign"), growth_out


def path_stage(definition: dict[str, Json], field: str) -> tuple[Stage | None, Growth]:
    """Compile `InputPath` or `OutputPath`: absent or `$` changes nothing, null gives an empty object."""
    text = definition.get(field, "$")
    if text is None:
        return lambda data, frame: {}, (0, 2)
    if text == "$":
        return None, (1, 0)
    path = compile_path(text)
    return path.evaluate, (1, 0) if path.root == "$" and chain(path) is not None else None


def _effective(definition: dict[str, Json], kind: str) -> tuple[Stage | None, Growth]:
    stage, growth = path_stage(definition, "InputPath")
    if kind in ("Pass", "Task", "Parallel") and "Parameters" in definition:
        template = compile_template(definition["Parameters"], "Parameters")
        fill, growth = template.evaluate, _compose(template.growth, growth)
        if template.constant:
            constant = definition["Parameters"]
            if stage is None:
                return lambda data, frame: constant, growth
        stage = fill if stage is None else _then(stage, fill)
    return stage, growth


def _complete(definition: dict[str, Json], kind: str, growth_in: Growth) -> tuple[Callable[..., Json] | None, Growth]:
    """Compile ResultSelector, ResultPath and OutputPath into one closure (input, result, frame) -> output."""
    result_growth = growth_in
    if kind == "Pass" and "Result" in definition:
        result_growth = (0, json_size(definition["Result"]))
    selector = None
    if "ResultSelector" in definition:
        selector = compile_template(definition["ResultSelector"], "ResultSelector").evaluate
    place, growth = _place(definition.get("ResultPath", "$"), result_growth)
    output, bound = path_stage(definition, "OutputPath")
    return _chain_results(selector, place, output), _compose(bound, growth)


def _place(text: str | None, result: Growth) -> tuple[Callable[[Json, Json, Any], Json] | None, Growth]:
    """Compile ResultPath: None stands for `$` (the result is the output)."""
    if text == "$":
        return None, result
    if text is None:
        return lambda data, result, frame: data, (1, 0)
    reference = compile_reference(text)
    growth = (result[0] + 1, result[1] + json_size(text) + 2 * text.count(".") + 8) if result else None
    return put_result(reference), growth


def put_result(reference: ReferencePath) -> Callable[[Json, Json, Any], Json]:
    """Give (input, result, frame) -> the input with the result written at the reference path."""
    put = reference.put

    def place(data: Json, result: Json, frame: Any) -> Json:
        return put(data, result)

    return place


def _chain_results(selector: Stage | None, place: Any, output: Stage | None) -> Callable[..., Json] | None:
    if selector is None and output is None:
        return place  # type: ignore[no-any-return]  # one of the closures above
    steps = (selector, place, output)

    def complete(data: Json, result: Json, frame: Frame) -> Json:
        select, put, view = steps
        if select is not None:
            result = select(result, frame)
        if put is not None:
            result = put(data, result, frame)
        return view(result, frame) if view is not None else result

    return complete


def compile_assign(template: Json, field: str) -> Callable[..., dict[str, Json]] | None:
    """Compile an `Assign` field: its paths read the result (Choice and Wait: the effective input)."""
    if template is None:
        return None
    evaluate = compile_template(template, field).evaluate
    return lambda data, result, frame: evaluate(result, frame)


def compile_value(definition: dict[str, Json], field: str) -> Stage | None:
    """Compile `field`, or the reference in `<field>Path`; errors of the path are the path's own."""
    if field in definition:
        value = definition[field]
        return lambda data, frame: value
    if f"{field}Path" in definition:
        return compile_path(definition[f"{field}Path"]).evaluate
    return None


def compile_text(definition: dict[str, Json], field: str) -> Stage | None:
    """Compile `Error` and `Cause` of a Fail state; their `…Path` forms also take intrinsic functions and variables."""
    if field in definition:
        value = definition[field]
        return lambda data, frame: value
    if f"{field}Path" in definition:
        return compile_expression(definition[f"{field}Path"], f"{field}Path").evaluate
    return None


def compile_catch_output(rule: dict[str, Json], index: int) -> Callable[..., Json]:
    """Compile a Catch rule's ResultPath; the state's own ResultPath and OutputPath are ignored (recorded)."""
    text = rule.get("ResultPath", "$")
    if text is None:
        return lambda data, error, frame: data
    if text == "$":
        return lambda data, error, frame: error
    return put_result(compile_reference(text))


def compile_catch_assign(rule: dict[str, Json], index: int) -> Callable[..., dict[str, Json]] | None:
    """Compile the `Assign` of a Catch rule: its paths read the error output."""
    return compile_assign(rule.get("Assign"), "Assign")


def _then(first: Stage, second: Stage) -> Stage:
    return lambda data, frame: second(first(data, frame), frame)


def _after(stage: Stage) -> Callable[..., Json]:
    return lambda data, result, frame: stage(result, frame)


def _compose(outer: Growth, inner: Growth) -> Growth:
    if outer is None or inner is None:
        return None
    return outer[0] * inner[0], outer[0] * inner[1] + outer[1]


def compile_credentials(value: Json) -> Stage:
    """Compile `Credentials` into the `taskCredentials` of the Scheduled event."""
    template = compile_template(value, "Credentials")
    return lambda data, frame: {"roleArn": template.evaluate(data, frame).get("RoleArn")}


def compile_items(definition: dict[str, Json]) -> Callable[[Json, Frame], list[Json]]:
    """Compile ItemsPath: (effective input, frame) -> the array to iterate over."""
    text = definition.get("ItemsPath", "$")
    shown = text[1:] if text.startswith("$$") else text  # recorded: paths into the context object lose a dollar
    evaluate = compile_path(text).evaluate

    def items(data: Json, frame: Frame) -> list[Json]:
        found = evaluate(data, frame)
        if not isinstance(found, list):
            raise EvaluationFailure(f'Reference path "{shown}" must point to array.')
        return found

    return items


def compile_distributed_items(definition: dict[str, Json]) -> Callable[[Json, Frame], Any]:
    """Compile ItemsPath for a Distributed Map, which also takes an object."""
    text = definition.get("ItemsPath", "$")
    shown = text[1:] if text.startswith("$$") else text  # recorded: paths into the context object lose a dollar
    evaluate = compile_path(text).evaluate

    def items(data: Json, frame: Frame) -> Json:
        found = evaluate(data, frame)
        if not isinstance(found, list | dict):
            raise EvaluationFailure(f'Reference path "{shown}" must point to array or object.')
        return found

    return items


def compile_template_value(value: Json, field: str) -> Stage:
    """Compile a payload template that stands inside another field."""
    return compile_template(value, field).evaluate


def compile_selector(definition: dict[str, Json]) -> Callable[..., Json] | None:
    """Compile ItemSelector (or the older Parameters): (effective input, frame, index, item, more of `Map.Item`) -> its input."""
    template = definition.get("ItemSelector", definition.get("Parameters"))
    if template is None:
        return None
    evaluate = compile_template(template, "ItemSelector" if "ItemSelector" in definition else "Parameters").evaluate

    def select(data: Json, frame: Frame, index: int, item: Json, more: dict[str, Json] | None = None) -> Json:
        frame.item = {"Index": index, "Value": item, **(more or {})}
        try:
            return evaluate(data, frame)
        finally:
            frame.item = None

    return select
