"""Data flow without running: which shape of data enters each state, and what the paths in it can find there.

`analyse` follows the transitions from the start with what is known: the workflow's input is anything (or a sample), a Parallel yields
a list, a constant is itself, lambda:invoke wraps, a Catch without ResultPath leaves only the error. Where several ways lead to a
state, its data is one of several shapes, and the analysis goes on until nothing changes. Then every path is looked up; what cannot be
found, or not on every way, comes back as a `Miss`. It decides nothing about messages: see `asl.rules_data`.

Only plain chains of keys are followed; wildcards, filters and JSONata beyond `$states.input.a.b` give anything.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sfn_notebook.asl import shapes
from sfn_notebook.asl.fields import JSONPATH
from sfn_notebook.asl.results import each, intrinsic, jsonata_range, task_result
from sfn_notebook.asl.rule import Machine, Text
from sfn_notebook.asl.rules_maps import mode_of
from sfn_notebook.asl.shapes import (
    ANYTHING,
    Found,
    Keys,
    Listing,
    Maker,
    Object,
    Scalar,
    Shape,
    Unknown,
    either,
    joined,
    look_up,
)
from sfn_notebook.asl.substitutions import has_placeholder
from sfn_notebook.asl.topology import Edge, Scope, StateNode
from sfn_notebook.errors import ExpressionError, Json
from sfn_notebook.lang.jsonpath import Path, compile_path

MAX_VISITS = 12
"""How often a state's data may change before it counts as anything."""
RUNS_PER_STATE = 40
"""How much work an analysis may be; loops around loops in nested scopes multiply, and beyond this nothing is said."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A path that finds nothing, or not on every way.

    Attributes:
        state: pointer of the state that reads.
        pointer: where the path stands, and `offset` from which character on.
        path: the path as written.
        keys: its keys.
        found: the reason.
        writes: the path is a ResultPath that cannot be written.
    """

    state: str
    pointer: str
    offset: int
    path: str
    keys: Keys
    found: Found
    writes: bool = False


@dataclass
class Flow:
    """What an analysis finds: the data that enters each state and leaves it, the items of each Map, and the misses.

    States behind which nobody reads are left out.
    """

    entered: dict[str, Shape] = field(default_factory=dict)
    left: dict[str, Shape] = field(default_factory=dict)
    items: dict[str, Shape] = field(default_factory=dict)
    misses: list[Miss] = field(default_factory=list)


def analyse(machine: Machine) -> Flow:
    """Follow the data through a machine; from its sample input where there is one."""
    return _Analysis(machine).run()


@dataclass(slots=True)
class _Stages:
    """The data of one visit by stage; what a field's paths start at. `seen` is what InputPath lets through."""

    input: Shape
    seen: Shape = ANYTHING
    effective: Shape = ANYTHING
    result: Shape = ANYTHING
    placed: Shape = ANYTHING
    output: Shape = ANYTHING
    items: Shape = ANYTHING
    item: Shape = ANYTHING
    payload: Shape | None = None
    blocked: Shape | None = None


class _Run(NamedTuple):
    """What a scope did with an input: what it yields, what entered each of its states, and the data of their last visit."""

    start: Shape
    output: Shape
    entered: Mapping[str, Shape]
    visited: Mapping[str, _Stages]


class _TooMuch(Exception):
    """The analysis would take too long."""


class _Analysis:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.graph = machine.graph
        self.flow = Flow()
        self.inner: dict[str, _Run] = {}
        self.guards = frozenset(_guards(machine))
        self.texts: dict[str, list[tuple[Text, str]]] = {}
        self.paths: dict[str, Path | None] = {}
        self.errors: dict[str, Object] = {}
        for text in machine.texts:
            state, stage = text.thing.state, self._stage_of(text)
            if state is not None and stage is not None:
                self.texts.setdefault(state, []).append((text, stage))
        self.silent = self._silent()
        self.start: Shape = shapes.INPUT
        if machine.has_sample:
            self.start = shapes.of_value(machine.sample, Maker("", "the sample input has no such field", lossy=False))
        self.budget = 500 + RUNS_PER_STATE * len(self.graph.nodes)

    def _silent(self) -> set[str]:
        """Give states that need not be looked at: neither they nor any behind them read data, or hand it to the states around them."""
        found: set[str] = set()
        for node in reversed(self.graph.nodes):  # a loop is looked at
            if node.pointer in self.texts or not _GROWS.isdisjoint(node.definition):
                continue
            if node.type == "Fail" or (node.type in _SMALL and not (node.terminal and node.scope)):
                targets = [edge.target_pointer for edge in self.graph.edges_from(node.pointer)]
                if found.issuperset(targets):
                    found.add(node.pointer)
        return found

    def run(self) -> Flow:
        scope = self.graph.scopes[0]
        try:
            self.scope(scope, self.start)
        except _TooMuch:
            return Flow()
        self.collect(scope)
        return self.flow

    def scope(self, scope: Scope, start: Shape) -> Shape:
        """Give what a scope yields for this input."""
        if scope.start_pointer is None:
            return ANYTHING
        known = self.inner.get(scope.pointer)
        if known is None or (known.start is not start and known.start != start):
            known = self.inner[scope.pointer] = self._fixpoint(scope.start_pointer, start)
        return known.output

    def collect(self, scope: Scope) -> None:
        """Note what the last run of a scope, and of those inside, has shown."""
        run = self.inner.get(scope.pointer)
        if run is None:
            return
        for pointer, shape in run.entered.items():
            self.flow.entered[pointer] = shape
            node, stages = self.graph.by_pointer[pointer], run.visited[pointer]
            if node.type in ("Map", "Parallel"):
                for inner in self.graph.scopes_of(pointer):
                    self.collect(inner)
            if node.type == "Map":
                self.flow.items[pointer] = stages.items
            self._collect(node, stages)

    def _fixpoint(self, start: str, shape: Shape) -> _Run:
        entered: dict[str, Shape] = {start: shape}
        ends: dict[str, Shape] = {}
        visits: dict[str, int] = {}
        visited: dict[str, _Stages] = {}
        waiting = deque([start])
        while waiting:
            pointer = waiting.popleft()
            node, data = self.graph.by_pointer[pointer], entered[pointer]
            stages = visited.get(pointer)
            if stages is None or stages.input is not data:  # it may wait twice
                stages = visited[pointer] = self.stages(node, data)
            if node.terminal and node.type != "Fail":
                ends[pointer] = stages.output
            for edge in self.graph.edges_from(pointer):
                target = edge.target_pointer
                before = entered.get(target) if target is not None else ANYTHING
                if target is None or before is ANYTHING or target in self.silent:
                    continue
                arriving = stages.output if edge.kind in _PLAIN else self.leaving(node, edge, stages)
                merged = arriving if before is None else joined(before, arriving)
                visits[target] = visits.get(target, 0) + 1
                if visits[target] > MAX_VISITS or merged.depth >= shapes.MAX_DEPTH:
                    merged = ANYTHING
                if before is None or (merged is not before and merged != before):
                    entered[target] = merged
                    waiting.append(target)
        return _Run(shape, either(ends.values()), entered, visited)

    # --- one state ---

    def leaving(self, node: StateNode, edge: Edge, stages: _Stages) -> Shape:
        """Give the data that a transition carries."""
        body = node.definition
        if edge.kind == "catch":
            return self._caught(node, edge, stages)
        if edge.kind == "choice" and node.query_language != JSONPATH:
            rules = body.get("Choices")
            rule = rules[edge.index] if isinstance(rules, list) and edge.index is not None else {}
            if isinstance(rule, dict) and "Output" in rule:
                return self.tree(rule["Output"], stages, _chosen(node, "Output"))
        return stages.output

    def _caught(self, node: StateNode, edge: Edge, stages: _Stages) -> Shape:
        error = self.errors.get(node.pointer)
        if error is None:
            error = self.errors[node.pointer] = _error_of(node)
        catchers = node.definition.get("Catch")
        catcher = catchers[edge.index] if isinstance(catchers, list) and edge.index is not None else {}
        if not isinstance(catcher, dict):
            return ANYTHING
        if node.query_language != JSONPATH:
            return ANYTHING if "Output" in catcher else error
        return self.placed(catcher.get("ResultPath", "$"), stages.input, error, node) or ANYTHING

    def stages(self, node: StateNode, data: Shape) -> _Stages:
        """Run one state on a shape."""
        self.budget -= 1
        if self.budget < 0:
            raise _TooMuch
        stages = _Stages(data)
        if node.query_language != JSONPATH:
            return self._jsonata(node, stages)
        body = node.definition
        if node.type in _HAND_ON and "InputPath" not in body and "OutputPath" not in body:
            stages.effective = stages.result = stages.placed = stages.output = data
            return stages
        stages.seen = stages.effective = seen = self.view(body["InputPath"], data) if "InputPath" in body else data
        if "Parameters" in body and node.type == "Task":
            stages.payload, stages.effective = self._payload(body["Parameters"], stages), ANYTHING
        elif "Parameters" in body and node.type in ("Parallel", "Pass"):
            stages.effective = self.template(body["Parameters"], stages, _chosen(node, "Parameters"))
        stages.result = selected = self.result(node, stages)
        if "ResultSelector" in body:
            inside = _Stages(data, stages.result)
            selected = self.template(body["ResultSelector"], inside, _chosen(node, "ResultSelector"))
        stages.placed = stages.effective
        if node.type in ("Task", "Parallel", "Map", "Pass"):
            placed = self.placed(body["ResultPath"], seen, selected, node) if "ResultPath" in body else selected
            if placed is None:
                stages.blocked = seen
            stages.placed = placed or ANYTHING
        stages.output = self.view(body["OutputPath"], stages.placed) if "OutputPath" in body else stages.placed
        return stages

    def _payload(self, template: Json, stages: _Stages) -> Shape:
        """Give what lambda:invoke hands to its function, which is all of Parameters that a result depends on."""
        if not isinstance(template, dict) or "Payload.$" not in template or "Payload" in template:
            return ANYTHING  # a payload that is put together was chosen: nothing is lost in it
        return self.expression(template["Payload.$"], stages)

    def _jsonata(self, node: StateNode, stages: _Stages) -> _Stages:
        body = node.definition
        stages.effective = stages.input
        if "Arguments" in body:
            arguments = body["Arguments"]
            if node.type == "Task" and isinstance(arguments, dict):
                stages.payload = self.tree(arguments.get("Payload"), stages, _chosen(node, "Output"))
                stages.effective = ANYTHING
            else:
                stages.effective = self.tree(arguments, stages, _chosen(node, "Output"))
        stages.result = self.result(node, stages)
        stages.output = stages.placed = stages.result if node.type in ("Task", "Parallel", "Map") else stages.input
        if "Output" in body:
            stages.output = self.tree(body["Output"], stages, _chosen(node, "Output"))
        return stages

    def result(self, node: StateNode, stages: _Stages) -> Shape:
        """Give what the work of a state yields."""
        if node.type == "Task":
            return task_result(node, stages.effective, stages.payload)
        if node.type == "Parallel":
            branches = [self.scope(scope, stages.effective) for scope in self.graph.scopes_of(node.pointer)]
            does = f'Parallel state "{node.name}" yields the list of its {len(branches)} branches\' results'
            advice = 'keep the input with a ResultPath such as "$.results", or read $[0] …'
            return Listing(tuple(branches), length=len(branches), maker=Maker(node.pointer, does, advice))
        if node.type == "Map":
            return self._map(node, stages)
        if node.type == "Pass" and "Result" in node.definition and node.query_language == JSONPATH:
            does = f'Pass state "{node.name}" yields only its Result'
            advice = 'keep the input with a ResultPath such as "$.constants"'
            return shapes.of_value(node.definition["Result"], Maker(node.pointer, does, advice))
        return stages.effective

    def _map(self, node: StateNode, stages: _Stages) -> Shape:
        items = stages.items = self._items(node, stages)
        stages.item = each(items)
        given = stages.item
        body = node.definition
        selector = body.get("ItemSelector", body.get("Parameters") if node.query_language == JSONPATH else None)
        if mode_of(body) != "INLINE":
            given = ANYTHING
        elif selector is not None:
            given = (
                self.template(selector, stages, _chosen(node, "ItemSelector"))
                if node.query_language == JSONPATH
                else self.tree(selector, stages, _chosen(node, "Output"))
            )
        results = [self.scope(scope, given) for scope in self.graph.scopes_of(node.pointer)]
        if "ResultWriter" in body and mode_of(body) != "INLINE":
            return ANYTHING
        does = f'Map state "{node.name}" yields the list of its iterations\' results'
        advice = 'keep the input with a ResultPath such as "$.results"'
        length = shapes.least_length(items) if mode_of(body) == "INLINE" else 0
        return Listing(None, either(results), length or None, Maker(node.pointer, does, advice))

    def _items(self, node: StateNode, stages: _Stages) -> Shape:
        body = node.definition
        if "ItemReader" in body and mode_of(body) != "INLINE":
            return ANYTHING
        if node.query_language == JSONPATH:
            return self.view(body.get("ItemsPath", "$"), stages.effective)
        return self.tree(body["Items"], stages, _chosen(node, "Output")) if "Items" in body else stages.input

    # --- paths and templates ---

    def view(self, text: Json, data: Shape) -> Shape:
        """Give what InputPath, OutputPath or ItemsPath selects."""
        if text is None:
            return Object({}, None, None)
        if text == "$":
            return data
        path = self.path(text)
        if path is None or path.keys is None or path.root != "$":
            return ANYTHING
        return look_up(data, path.keys).shape

    def placed(self, text: Json, base: Shape, value: Shape, node: StateNode) -> Shape | None:
        """Write a result at a ResultPath; None where that cannot be."""
        if text is None:
            return base
        path = self.path(text)
        if path is None or path.keys is None or path.root != "$":
            return ANYTHING
        return shapes.put(base, path.keys, value, node.pointer)

    def template(self, value: Json, stages: _Stages, maker: Maker) -> Shape:
        """Give the shape of a payload template."""
        if isinstance(value, str):
            return shapes.of_value(value, maker)
        if isinstance(value, dict):
            fields: dict[str, Shape] = {}
            for key, inner in value.items():
                if key.endswith(".$"):
                    fields[key[:-2]] = self.expression(inner, stages)
                else:
                    fields[key] = self.template(inner, stages, maker)
            return Object(fields, None, maker)
        if isinstance(value, list):
            return Listing(tuple(self.template(item, stages, maker) for item in value), length=len(value), maker=maker)
        return shapes.of_value(value, maker)

    def expression(self, text: Json, stages: _Stages) -> Shape:
        """Give the shape of a path or intrinsic function."""
        if not isinstance(text, str):
            return ANYTHING
        if text.startswith("States."):
            return ANYTHING if has_placeholder(text) else intrinsic(text)
        path = self.path(text)
        if path is None or path.keys is None:
            return ANYTHING
        if path.root == "$":
            return look_up(stages.effective, path.keys).shape
        return self.context(path, stages)

    def context(self, path: Path, stages: _Stages) -> Shape:
        """Give the shape of a path into the context object."""
        keys = path.keys or ()
        if path.root == "$$" and keys[:3] == ("Map", "Item", "Value"):
            return look_up(stages.item, keys[3:]).shape
        if path.root == "$$" and keys[:2] == ("Execution", "Input"):
            return look_up(self.start, keys[2:]).shape
        return ANYTHING

    def tree(self, value: Json, stages: _Stages, maker: Maker) -> Shape:
        """Give the shape of a tree with JSONata in it."""
        if isinstance(value, dict):
            return Object({key: self.tree(inner, stages, maker) for key, inner in value.items()}, None, maker)
        if isinstance(value, list):
            return Listing(tuple([self.tree(item, stages, maker) for item in value]), length=len(value), maker=maker)
        if not isinstance(value, str) or not value.startswith("{%"):
            return shapes.of_value(value, maker)
        chain = states_chain(value)
        if chain is None:
            return jsonata_range(value)
        member, keys, _ = chain
        base = {"input": stages.input, "result": stages.result}.get(member)
        return ANYTHING if base is None else look_up(base, keys, spread=True).shape

    def path(self, text: Json) -> Path | None:
        """Compile a path once; None for what is no path."""
        if not isinstance(text, str):
            return None
        if text in self.paths:
            return self.paths[text]
        found = None if has_placeholder(text) else self.machine.path(text)
        path = self.paths[text] = found if isinstance(found, Path) else None
        return path

    # --- collecting ---

    def _collect(self, node: StateNode, stages: _Stages) -> None:
        if stages.blocked is not None:
            self._cannot_write(node, stages.blocked)
        self.flow.left[node.pointer] = stages.output
        for text, stage in self.texts.get(node.pointer, ()):
            base: Shape = getattr(stages, stage)
            if base.__class__ is Unknown and base.given is None:
                continue
            for path, keys, offset in self._reads(text):
                found = look_up(base, keys, spread=text.kind == "jsonata")
                if found.status in ("missing", "unsure") and not self._guarded(keys):
                    self.flow.misses.append(Miss(node.pointer, text.pointer, offset, path, keys, found))

    def _stage_of(self, text: Text) -> str | None:
        """Name the data of a visit that an expression reads; None where there is none or that is not followed."""
        value, kind, thing, name = text.text, text.kind, text.thing, text.field
        if kind == "reference" or not isinstance(value, str) or thing.kind == "Catcher" or thing.state is None:
            return None
        if kind == "jsonata":
            chain = states_chain(value)
            return chain[0] if chain is not None and chain[0] in ("input", "result") else None
        if value == "$" or value.startswith("$$") or (thing.kind == "ChoiceRule" and "IsPresent" in thing.body):
            return None
        if name in _READ_AT:
            return _READ_AT[name]
        if name in _BEFORE_PARAMETERS and thing.pointer == thing.state:
            return "seen"
        node = self.graph.by_pointer[thing.state]
        if name == "Assign":
            if node.type not in ("Task", "Map", "Parallel"):
                return "effective" if node.type != "Pass" else None
            return "result" if "ResultSelector" not in node.definition else None
        if name == "ItemsPath" and "ItemReader" in node.definition and mode_of(node.definition) != "INLINE":
            return None  # recorded: it is ignored then
        return "effective"

    def _reads(self, text: Text) -> Sequence[tuple[str, Keys, int]]:
        """Give the plain chains that an expression reads: path, keys and offset."""
        if text.kind == "jsonata":
            chain = states_chain(text.text)
            return () if chain is None else ((chain[2], chain[1], text.text.index("$")),)
        if not text.text.startswith("States."):
            path = self.path(text.text)
            return () if path is None or path.keys is None or path.root != "$" else ((text.text, path.keys, 0),)
        bare = _QUOTED.sub(lambda match: "#" * len(match.group()), text.text)
        found = ((match, self.path(match.group())) for match in _IN_CALL.finditer(bare))
        return [
            (match.group(), path.keys, match.start())
            for match, path in found
            if path is not None and path.keys is not None and path.root == "$"
        ]

    def _guarded(self, keys: Keys) -> bool:
        """Tell whether the machine asks anywhere whether this, or something around it, is there."""
        return any(keys[: len(guard)] == guard or guard[: len(keys)] == keys for guard in self.guards)

    def _cannot_write(self, node: StateNode, base: Shape) -> None:
        path = self.path(node.definition.get("ResultPath"))
        maker = base.maker if isinstance(base, Listing | Scalar | Object) else None
        if path is not None and path.keys and maker is not None:
            found = Found("missing", maker=maker)
            pointer = f"{node.pointer}/ResultPath"
            self.flow.misses.append(Miss(node.pointer, pointer, 0, path.text, path.keys, found, writes=True))


# --- small facts ---------------------------------------------------------------------------------------------------------

_READ_AT = {"InputPath": "input", "ResultSelector": "result", "OutputPath": "placed"}
_BEFORE_PARAMETERS = ("Parameters", "Credentials", "TimeoutSecondsPath", "HeartbeatSecondsPath")
"""Fields whose paths start at the data before Parameters [recorded]."""
_SMALL = ("Task", "Choice", "Wait", "Succeed")
"""States that yield what they are given or, instead of it, an answer; with none of `_GROWS`, no more than that."""
_GROWS = frozenset(("Output", "OutputPath", "ResultPath", "ResultSelector"))
_PLAIN = ("next", "default")
"""Transitions that carry a state's output."""
_HAND_ON = ("Choice", "Wait", "Succeed", "Fail")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'")
_IN_CALL = re.compile(r"(?<![\w$])\$(?:[.\[][^\s,()]*)")
_CHAIN = re.compile(r"\{%\s*(\$states\.(input|result|errorOutput|context)((?:\.[A-Za-z_]\w*|\[\d+\])*))\s*%\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def states_chain(text: str) -> tuple[str, Keys, str] | None:
    """Read an expression that is nothing but a chain from $states: the member, the keys, the chain as written."""
    match = _CHAIN.fullmatch(text)
    if match is None:
        return None
    keys = tuple(step.group(1) or int(step.group(2)) for step in _STEP.finditer(match.group(3)))
    return match.group(2), keys, match.group(1)


def _guards(machine: Machine) -> Iterator[Keys]:
    for thing in machine.of("ChoiceRule"):
        variable = thing.body.get("Variable")
        if "IsPresent" in thing.body and isinstance(variable, str):
            try:
                keys = compile_path(variable).keys
            except ExpressionError:
                continue
            if keys:
                yield keys


_ERROR: Mapping[str, Shape] = {"Error": Scalar(2), "Cause": Scalar(2)}


def _error_of(node: StateNode) -> Object:
    does = f'Catch of "{node.name}" passes on only Error and Cause'
    advice = 'keep the data with "ResultPath": "$.error" in the Catch'
    return Object(_ERROR, None, Maker(node.pointer, does, advice))


def _chosen(node: StateNode, field_name: str) -> Maker:
    return Maker(node.pointer, f'{field_name} of "{node.name}" passes on only what it names', lossy=False)
