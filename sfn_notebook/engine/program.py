"""A definition, compiled once.

`compile_program` turns the plain dict of a definition into `State` objects that link directly to their successors; each carries one
closure, `run(engine, frame)`, which performs the state and says whether the frame can go straight on. Paths, templates, rules and
expressions are parsed here and never again. Which module compiles which state type is the table `COMPILERS`.

A program holds no data of any run: it is shared by all executions of a machine, in any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sfn_notebook.engine import distributed, fanout, states, task
from sfn_notebook.engine.dataflow import compile_flow
from sfn_notebook.engine.model import Program, Run, State
from sfn_notebook.engine.retry import compile_catchers, compile_retriers
from sfn_notebook.errors import DefinitionError, Diagnostic, ExpressionError, Json, Severity

COMPILERS: dict[str, Callable[[State, dict[str, State]], Run]] = {
    "Pass": states.compile_pass,
    "Choice": states.compile_choice,
    "Succeed": states.compile_succeed,
    "Fail": states.compile_fail,
    "Wait": states.compile_wait,
    "Task": task.compile_task,
    "Parallel": fanout.compile_parallel,
    "Map": distributed.compile_map,
}


def compile_program(definition: dict[str, Json]) -> Program:
    """Compile a definition that has passed the checks.

    Args:
        definition: the definition as plain JSON; it is referred to, so nobody may change it afterwards.

    Raises:
        DefinitionError: an expression cannot be compiled; code, JSON Pointer and text say which.
    """
    found: list[State] = []
    start = _scope(definition, "", str(definition.get("QueryLanguage", "JSONPath")), found)
    timeout = definition.get("TimeoutSeconds")
    return Program(definition, tuple(found), start, timeout if isinstance(timeout, int) else None)


def _scope(scope: dict[str, Json], pointer: str, language: str, found: list[State]) -> State:
    """Compile the states of one scope (the machine, a branch, an item processor) and give its first one."""
    here: dict[str, State] = {}
    for name, definition in scope["States"].items():
        own = str(definition.get("QueryLanguage", language))
        state = State(len(found), name, definition["Type"], f"{pointer}/States/{_escape(name)}", definition, own)
        found.append(state)
        here[name] = state
        state.starts = tuple(
            _scope(inner, state.pointer + at, language, found) for inner, at in _inner_scopes(definition)
        )
    for state in here.values():
        _link(state, here)
    return here[scope["StartAt"]]


def _inner_scopes(definition: dict[str, Json]) -> Iterator[tuple[dict[str, Json], str]]:
    for index, branch in enumerate(definition.get("Branches") or ()):
        yield branch, f"/Branches/{index}"
    for key in ("ItemProcessor", "Iterator"):
        if key in definition:
            yield definition[key], f"/{key}"
            return


def _link(state: State, here: dict[str, State]) -> None:
    definition = state.definition
    if "Next" in definition:
        state.next = here[definition["Next"]]
    try:
        state.flow = compile_flow(definition, state.language)
        state.retriers = compile_retriers(definition.get("Retry", ()))
        state.catchers = compile_catchers(definition.get("Catch", ()), state.language, here)
        state.run = COMPILERS[state.type](state, here)
    except ExpressionError as error:
        message = f'state "{state.name}": {error.message} in {error.expression!r}'
        raise DefinitionError(
            [Diagnostic("SCHEMA_VALIDATION_FAILED", Severity.ERROR, message, state.pointer)]
        ) from error


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
