"""State machines inside other files: CloudFormation and SAM templates, the output of `cdk synth`, Serverless Framework services.

`entries` lists the machines of a parsed template by logical id. `definitions_of` says how one of them is given: as an object, as a
text (plain, or put together by Fn::Sub and Fn::Join), or as another file. What only a deployment knows (`!Ref`, `!GetAtt`, imports)
becomes a placeholder such as `${Function.Arn}`, which rules leave alone; its name is noted as one that the deployment fills in.

The module reads values, not files, and knows neither states nor rules. Places are JSON Pointers into the template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sfn_notebook.asl.composed import Composed, constant, joined
from sfn_notebook.asl.jsontext import escape
from sfn_notebook.errors import Json

MACHINE_TYPES = ("AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine")
_FORMS = ("Definition", "DefinitionString", "DefinitionUri", "DefinitionS3Location")
_SUB_NAME = re.compile(r"\$\{(!?)([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One state machine of a template.

    Attributes:
        logical_id: its key in the template.
        pointer: where its properties are.
        properties: its properties as written.
        serverless: whether it is an entry of the Serverless Framework, whose field is called `definition`.
    """

    logical_id: str
    pointer: str
    properties: Mapping[str, Json]
    serverless: bool = False

    @property
    def workflow_type(self) -> str | None:
        """Give STANDARD or EXPRESS where the template says which."""
        for name in ("type",) if self.serverless else ("StateMachineType", "Type"):
            said = self.properties.get(name)
            if isinstance(said, str) and said.upper() in ("STANDARD", "EXPRESS"):
                return said.upper()
        return None


@dataclass(frozen=True, slots=True)
class Given:
    """How a machine's definition is given.

    Attributes:
        form: "object", "text", "file" or "s3"; "nothing" where it is missing.
        pointer: where that stands in the template.
        value: the object or text node as written, the path of the file, or the S3 location.
    """

    form: str
    pointer: str
    value: Json = None


def is_template(value: Json) -> bool:
    """Tell whether a parsed text holds state machines instead of being one."""
    if not isinstance(value, dict) or "States" in value or "StartAt" in value:
        return False
    return isinstance(value.get("Resources"), dict) or isinstance(value.get("stepFunctions"), dict)


def entries(template: Mapping[str, Json]) -> tuple[Entry, ...]:
    """List the state machines of a template in the order of the text."""
    return (*_resources(template), *_services(template))


def _resources(template: Mapping[str, Json]) -> Iterator[Entry]:
    resources = template.get("Resources")
    for name, resource in resources.items() if isinstance(resources, dict) else ():
        if isinstance(resource, dict) and resource.get("Type") in MACHINE_TYPES:
            properties = resource.get("Properties")
            pointer = f"/Resources/{escape(name)}/Properties"
            yield Entry(name, pointer, properties if isinstance(properties, dict) else {})


def _services(template: Mapping[str, Json]) -> Iterator[Entry]:
    service = template.get("stepFunctions")
    machines = service.get("stateMachines") if isinstance(service, dict) else None
    for name, machine in machines.items() if isinstance(machines, dict) else ():
        if isinstance(machine, dict):
            yield Entry(name, f"/stepFunctions/stateMachines/{escape(name)}", machine, serverless=True)


def definitions_of(entry: Entry) -> tuple[Given, ...]:
    """Say how the definition of a machine is given: one form, or each that an Fn::If chooses from."""
    if entry.serverless:
        return (_serverless(entry),)
    for form in _FORMS:
        if form in entry.properties:
            found = tuple(_alternatives(form, f"{entry.pointer}/{form}", entry.properties[form]))
            return found or (Given("nothing", entry.pointer),)
    return (Given("nothing", entry.pointer),)


def _alternatives(form: str, pointer: str, value: Json) -> Iterator[Given]:
    argument = value["Fn::If"] if _function(value) == "Fn::If" else None
    if not isinstance(argument, list) or len(argument) != 3:
        yield _given(form, pointer, value)
        return
    for i in (1, 2):
        if argument[i] != {"Ref": "AWS::NoValue"}:
            yield from _alternatives(form, f"{pointer}/Fn::If/{i}", argument[i])


def _given(form: str, pointer: str, value: Json) -> Given:
    if form == "DefinitionS3Location" or (form == "DefinitionUri" and not isinstance(value, str)):
        return Given("s3", pointer, value)
    if form == "DefinitionUri":
        return Given("s3" if value.startswith("s3:") else "file", pointer, value)
    if form == "Definition" and isinstance(value, dict) and not _function(value):
        return Given("object", pointer, value)
    return Given("text", pointer, value)


def _serverless(entry: Entry) -> Given:
    value, pointer = entry.properties.get("definition"), f"{entry.pointer}/definition"
    if isinstance(value, str):
        match = re.fullmatch(r"\s*\$\{file\(([^)]+)\)\}\s*", value)
        return Given("file", pointer, match.group(1).strip()) if match else Given("text", pointer, value)
    return Given("object", pointer, value) if isinstance(value, dict) else Given("nothing", entry.pointer)


def asset_of(location: Json) -> str | None:
    """Give the name of the file in `cdk.out` that an S3 location of a CDK asset stands for."""
    key = location.get("Key") if isinstance(location, dict) else None
    return f"asset.{key}" if isinstance(key, str) and "/" not in key and "\\" not in key else None


# --- intrinsic functions of templates ------------------------------------------------------------------------------------


def _function(value: Json) -> str | None:
    """Give the name of the intrinsic function that an object calls, such as Ref or Fn::Sub."""
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        if name in ("Ref", "Condition") or name.startswith("Fn::"):
            return str(name) if name != "Condition" or not isinstance(value[name], dict) else None
    return None


@dataclass
class Resolver:
    """Turns what calls intrinsic functions into plain JSON; `filled` collects the placeholders that a deployment fills in."""

    substitutions: Mapping[str, Json] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)

    def plain(self, value: Json) -> Json:
        """Give a tree without intrinsic functions, what they stand for as placeholders."""
        if _function(value):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.plain(inner) for inner in value]
        return value

    def text(self, value: Json) -> Json:
        """Give what a call stands for: a text with placeholders."""
        name = _function(value)
        if name is None:
            return value
        argument = value[name]
        if name == "Fn::Sub":
            return self._sub(argument)
        if name == "Fn::Join":
            return self._join(argument)
        return self._reference(name, argument)

    def _reference(self, name: str, argument: Json) -> Json:
        if name == "Ref" and isinstance(argument, str):
            called = argument
        elif name == "Fn::GetAtt":
            parts = argument if isinstance(argument, list) else [argument]
            called = ".".join(part if isinstance(part, str) else "…" for part in parts)
        else:
            called = name
        if called in self.substitutions:
            return self.substitutions[called]
        called = re.sub(r"[^A-Za-z0-9_.:\-]", "_", called) or name
        self.filled.add(called)
        return f"${{{called}}}"

    def _sub(self, argument: Json) -> Json:
        own: Mapping[str, Json] = {}
        if isinstance(argument, list) and argument:
            own = argument[1] if len(argument) > 1 and isinstance(argument[1], dict) else {}
            argument = argument[0]
        return self.named(argument, own) if isinstance(argument, str) else argument

    def named(self, text: str, own: Mapping[str, Json]) -> str:
        """Fill in the names of an Fn::Sub text."""
        return "".join(piece for _, _, piece in self.pieces(text, own))

    def pieces(self, text: str, own: Mapping[str, Json]) -> Iterator[tuple[int, int, str]]:
        """Cut an Fn::Sub text: (start, end, what it becomes)."""
        done = 0
        for match in _SUB_NAME.finditer(text):
            yield done, match.start(), text[done : match.start()]
            yield match.start(), match.end(), self._name(match, own)
            done = match.end()
        yield done, len(text), text[done:]

    def _name(self, match: re.Match[str], own: Mapping[str, Json]) -> str:
        literal, name = match.group(1), match.group(2).strip()
        if literal:
            return f"${{{name}}}"
        value = self.text(own[name]) if name in own else self.substitutions.get(name)
        if isinstance(value, str):
            return value
        if value is not None:
            return str(value).lower() if isinstance(value, bool) else str(value)
        self.filled.add(name)
        return match.group()

    def _join(self, argument: Json) -> Json:
        if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list)):
            return self._reference("Fn::Join", argument)
        return str(argument[0]).join(str(self.text(part)) for part in argument[1])

    def fills(self, properties: Mapping[str, Json]) -> dict[str, Json]:
        """Give what DefinitionSubstitutions puts in for each name; a value that a deployment knows stays a placeholder."""
        given = properties.get("DefinitionSubstitutions")
        found: dict[str, Json] = {}
        for name, value in given.items() if isinstance(given, dict) else ():
            if name in self.substitutions:
                found[name] = self.substitutions[name]
            elif _function(value):
                self.text(value)
                self.filled.add(name)
            else:
                found[name] = value
        return found


Place = Callable[[str, str], Composed]
"""(text, pointer of the string that spells it) -> the text with the place of its characters."""


def compose(node: Json, pointer: str, resolver: Resolver, place: Place) -> Composed | None:
    """Put a definition's text together from a string, Fn::Sub or Fn::Join; None where the text is not in the template."""
    if isinstance(node, str):
        return place(node, pointer)
    name = _function(node)
    if name == "Fn::Sub":
        return _compose_sub(node[name], f"{pointer}/Fn::Sub", resolver, place)
    if name == "Fn::Join" and isinstance(node[name], list) and len(node[name]) == 2:
        return _compose_join(node[name], f"{pointer}/Fn::Join", resolver, place)
    return None


def _compose_sub(argument: Json, pointer: str, resolver: Resolver, place: Place) -> Composed | None:
    own: Mapping[str, Json] = {}
    if isinstance(argument, list) and argument:
        own = argument[1] if len(argument) > 1 and isinstance(argument[1], dict) else {}
        argument, pointer = argument[0], f"{pointer}/0"
    if not isinstance(argument, str):
        return None
    spelled = place(argument, pointer)
    parts = []
    for start, end, text in resolver.pieces(argument, own):
        same = text == argument[start:end]
        offsets = spelled.offsets[start : end + 1] if same else [spelled.offsets[start]] * (len(text) + 1)
        parts.append(Composed(text, offsets))
    return joined(parts)


def _compose_join(argument: list[Json], pointer: str, resolver: Resolver, place: Place) -> Composed | None:
    between, parts = argument
    if not isinstance(between, str) or not isinstance(parts, list):
        return None
    found: list[Composed] = []
    for i, part in enumerate(parts):
        here = f"{pointer}/1/{i}"
        inner = compose(part, here, resolver, place)
        if inner is None:
            inner = constant(str(resolver.text(part)), place("", here).offsets[0])
        if found and between:
            found.append(constant(between, found[-1].offsets[-1]))
        found.append(inner)
    return joined(found) if found else None
