"""The source of a definition: whatever it arrives in, its value, its format, and the place of every key and value in it.

`parse` takes text, `read` also takes a dict, a path or an ARN. Both give a `Document`, or raise a `DefinitionError` with one
diagnostic that says where the text breaks, what was expected, and what to do. The text is kept byte for byte.

A text may be a definition in JSON (with comments, which are told as a warning) or YAML, a template with one or more machines, or a
notebook with `%%sfn` cells; `logical_ids` lists the machines in the last two. Reading is `asl.reading`'s, templates are
`asl.templates`'; this module brings them together. It knows nothing of states: see `asl.check`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sfn_notebook.asl import notebook_cells, templates
from sfn_notebook.asl.composed import Composed, aligned, filled, whole
from sfn_notebook.asl.document import Document, kind_of, start_of
from sfn_notebook.asl.files import SUFFIXES, decode, names_a_file, read_file
from sfn_notebook.asl.jsontext import Complaint, Offsets, scan
from sfn_notebook.asl.mending import behind_comments, mend
from sfn_notebook.asl.reading import (
    MAX_DEPTH,
    MAX_LENGTH,
    NOT_AN_OBJECT,
    SHAPE,
    RefusedError,
    definition_error,
    load_json,
    load_yaml,
    refuse_hopeless,
    refuse_strange,
    undecoded,
)
from sfn_notebook.asl.substitutions import PLACEHOLDER
from sfn_notebook.errors import CommandError, DefinitionError, Json

__all__ = [
    "ELSEWHERE",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "SUFFIXES",
    "Document",
    "documents",
    "from_value",
    "logical_ids",
    "notebook_lines",
    "parse",
    "read",
]

Fetch = Callable[[str], str]
"""ARN of a state machine (also with version or alias) or of an execution -> the text of its definition."""

NO_MACHINE = "NO_STATE_MACHINE"
ELSEWHERE = "DEFINITION_ELSEWHERE"
"""The code of an error that only says that the definition is out of reach, not that it is wrong."""


def parse(
    text: str,
    *,
    name: str | None = None,
    logical_id: str | None = None,
    substitutions: Mapping[str, Json] | None = None,
    folder: Path | None = None,
) -> Document:
    """Read the text of a definition, or of a template or notebook with definitions.

    Args:
        text: the whole text; a byte order mark is tolerated.
        name: what to call the source in messages.
        logical_id: which machine of a template or notebook; not needed where there is only one.
        substitutions: values for placeholders such as `${TableName}`.
        folder: where files that a template names are looked for.

    Raises:
        DefinitionError: the text is no JSON object; its one diagnostic says why and where.
    """
    refuse_hopeless(text, name)
    found = _loaded(whole(text), text, name, substitutions)
    if templates.is_template(found.value):
        return _from_template(_Template(found, name, folder, dict(substitutions or {})), logical_id)
    if notebook_cells.is_notebook(found.value):
        return _from_notebook(found.value, name, logical_id, substitutions)
    if logical_id is not None:
        raise _unknown_id(logical_id, (), text, name)
    return found


def from_value(value: Json, *, name: str | None = None) -> Document:
    """Make a document of a definition that is a dict already; its text is the dict as JSON, indented by 2.

    Raises:
        DefinitionError: the value is no dict, or holds something that JSON cannot say.
    """
    refuse_strange(value, name)
    if not isinstance(value, dict):
        raise definition_error("", name, Complaint(NOT_AN_OBJECT, 0, f"found {kind_of(value)}"), SHAPE)
    text = json.dumps(value, indent=2, ensure_ascii=False)
    refuse_hopeless(text, name)
    return Document(text, json.loads(text), "json", name, {"repeated": False})


def read(
    source: Json | os.PathLike[str],
    *,
    name: str | None = None,
    logical_id: str | None = None,
    substitutions: Mapping[str, Json] | None = None,
    fetch: Fetch | None = None,
) -> Document:
    """Read a definition from a dict, a path, an ARN, or text.

    A string of one line that names a file, or ends as definition files do, is a path; anything else is text. A dict may be a
    template too.

    Args:
        source: what to read.
        name: what to call it in messages.
        logical_id: which machine of a template or notebook.
        substitutions: values for placeholders.
        fetch: gets the definition that an ARN names.

    Raises:
        DefinitionError: the file or text is no definition.
        CommandError: the source is an ARN, and there is no `fetch`.
    """
    given: dict[str, Any] = {"logical_id": logical_id, "substitutions": substitutions}
    if isinstance(source, os.PathLike):
        return _parse_file(Path(source), name, given)
    if isinstance(source, bytes | bytearray):
        return parse(decode(bytes(source), name), name=name, **given)
    if not isinstance(source, str):
        document = from_value(source, name=name)
        if substitutions or templates.is_template(document.value) or notebook_cells.is_notebook(document.value):
            return parse(document.text, name=name, **given)
        return document
    line = source.strip()
    if "\n" not in source and "\r" not in source:
        if line.startswith("arn:"):
            return _parse_arn(line, name, fetch, substitutions)
        if names_a_file(line):
            return _parse_file(Path(line), name, given)
    return parse(source, name=name, **given)


def logical_ids(source: Json | os.PathLike[str]) -> tuple[str, ...]:
    """List the machines of a template or notebook by logical id; empty for a definition itself.

    Raises:
        DefinitionError: the text can be read as none of them.
    """
    if isinstance(source, os.PathLike) or (isinstance(source, str) and "\n" not in source and names_a_file(source)):
        source = read_file(Path(source), None)
    value = source if isinstance(source, dict) else _loaded(whole(source), source, None, None).value
    if templates.is_template(value):
        return tuple(entry.logical_id for entry in templates.entries(value))
    if notebook_cells.is_notebook(value):
        return tuple(cell.name for cell in notebook_cells.cells(value))
    return ()


def documents(
    path: Path, *, substitutions: Mapping[str, Json] | None = None
) -> list[tuple[str | None, Document | DefinitionError]]:
    """Read every definition in a file, each with its logical id; one that cannot be read comes as its error.

    A machine of a template comes as often as conditions of the template give it another definition.

    Raises:
        DefinitionError: the file itself cannot be read, or holds no machine.
    """
    path = path.expanduser()
    text, name = read_file(path, None), str(path)
    refuse_hopeless(text, name)
    found = _loaded(whole(text), text, name, substitutions)
    if templates.is_template(found.value):
        template = _Template(found, name, path.parent, dict(substitutions or {}))
        entries = templates.entries(found.value) or (_entry(template, None),)
        given = [(entry, one) for entry in entries for one in templates.definitions_of(entry)]
        return [(entry.logical_id, _tried(partial(_machine, template, entry, one))) for entry, one in given]
    if notebook_cells.is_notebook(found.value) and (cells := notebook_cells.cells(found.value)):
        names = dict.fromkeys(cell.name for cell in cells)
        return [(one, _tried(partial(_from_notebook, found.value, name, one, substitutions))) for one in names]
    return [(None, parse(text, name=name, substitutions=substitutions, folder=path.parent))]


def notebook_lines(path: Path) -> dict[str, tuple[int, ...]]:
    """Give, for each machine of a notebook, the line of the file for each line of its cell; empty for another file."""
    path = path.expanduser()
    text = read_file(path, None)
    found = _loaded(whole(text), text, str(path), None)
    lines: dict[str, tuple[int, ...]] = {}
    for cell in notebook_cells.cells(found.value) if notebook_cells.is_notebook(found.value) else ():
        pointer, source = f"/cells/{cell.number - 1}/source", found.value["cells"][cell.number - 1]["source"]
        places = [f"{pointer}/{i}" for i in range(len(source))] if isinstance(source, list) else [pointer]
        lines[cell.name] = notebook_cells.cell_lines(source, [found.spans[place].line for place in places])
    return lines


def _tried(reading: Callable[[], Document]) -> Document | DefinitionError:
    try:
        return reading()
    except DefinitionError as error:
        return error


def _parse_file(path: Path, name: str | None, given: Mapping[str, Any]) -> Document:
    text = read_file(path, name)
    return parse(text, name=name or str(path.expanduser()), folder=path.expanduser().parent, **given)


def _parse_arn(arn: str, name: str | None, fetch: Fetch | None, substitutions: Mapping[str, Json] | None) -> Document:
    if fetch is None:
        raise CommandError(f"a definition behind an ARN has to be fetched from AWS: {arn}")
    return parse(fetch(arn), name=name or arn.split(":", 6)[-1], substitutions=substitutions)


# --- one definition ------------------------------------------------------------------------------------------------------


def _loaded(inner: Composed, outer: str, name: str | None, substitutions: Mapping[str, Json] | None) -> Document:
    """Read a text that may stand inside another one."""
    start = start_of(inner.text)
    if start == len(inner.text):
        raise definition_error(outer, name, Complaint(NOT_AN_OBJECT, inner.at(0), "the text is empty"), SHAPE)
    is_json = inner.text[behind_comments(inner.text, start)] in "{["
    if substitutions:
        inner = _filled_in(inner, substitutions)
    lazy: dict[str, Any] = {}
    notices: tuple[Complaint, ...] = ()
    try:
        try:
            value = load_json(inner.text, start, lazy) if is_json else load_yaml(inner.text, lazy)
        except RefusedError:
            mended = mend(inner.text) if is_json else None
            if mended is None:
                raise
            lazy.clear()
            outside, complaints = mended
            notices = tuple(replace(found, offset=inner.at(found.offset)) for found in complaints)
            inner = Composed(outside.text, [inner.offsets[offset] for offset in outside.offsets])
            value = load_json(inner.text, start, lazy)
    except RefusedError as refused:
        complaint = undecoded(inner.text) or refused.complaint
        raise definition_error(
            outer, name, replace(complaint, offset=inner.at(complaint.offset)), refused.code
        ) from None
    if not isinstance(value, dict):
        hint = f'found {kind_of(value)}; a definition starts as in {{"StartAt": …, "States": {{…}}}}'
        raise definition_error(outer, name, Complaint(NOT_AN_OBJECT, inner.at(start), hint), SHAPE)
    kept = None if isinstance(inner.offsets, range) else inner
    return Document(outer, value, "json" if is_json else "yaml", name, lazy, inner=kept, notices=notices)


def _filled_in(inner: Composed, substitutions: Mapping[str, Json]) -> Composed:
    """Fill in placeholders; a value that is no string also takes the place of quotes that stand directly around it."""
    pieces: list[tuple[int, int, str]] = []
    for match in PLACEHOLDER.finditer(inner.text):
        if match.group(1) not in substitutions:
            continue
        value, (start, end) = substitutions[match.group(1)], match.span()
        if isinstance(value, str):
            pieces.append((start, end, value))
            continue
        around = inner.text[start - 1 : start], inner.text[end : end + 1]
        quoted = around in (('"', '"'), ("'", "'"))
        pieces.append((start - quoted, end + quoted, json.dumps(value)))
    return filled(inner, pieces) if pieces else inner


# --- templates -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Template:
    """A template that has been read, and what is needed to take a machine out of it."""

    document: Document
    name: str | None
    folder: Path | None
    substitutions: Mapping[str, Json]

    @property
    def text(self) -> str:
        return self.document.text

    def offsets(self) -> Offsets:
        """Give the offsets of every value in the text that was read."""
        lazy = self.document._lazy
        if "offsets" not in lazy:
            inner = self.document.inner
            lazy["offsets"] = scan(inner.text if inner else self.text, start_of(self.text))
        found: Offsets = lazy["offsets"]
        return found

    def span(self, pointer: str) -> tuple[int, int]:
        """Give start and end of a value, or of the nearest one around it, in the source."""
        values = self.offsets().values
        while pointer not in values:
            pointer = pointer.rpartition("/")[0]
        inner = self.document.inner
        return inner.span(*values[pointer]) if inner else values[pointer]

    def place(self, text: str, pointer: str) -> Composed:
        return aligned(text, self.text, *self.span(pointer))

    def error(self, pointer: str, message: str, hint: str | None, code: str = NO_MACHINE) -> DefinitionError:
        return definition_error(self.text, self.name, Complaint(message, self.span(pointer)[0], hint), code, pointer)


def _from_template(template: _Template, logical_id: str | None) -> Document:
    entry = _entry(template, logical_id)
    given = templates.definitions_of(entry)
    if len(given) > 1:
        message = f'the definition of "{entry.logical_id}" depends on a condition of the template'
        pointer = given[0].pointer.partition("/Fn::If")[0]
        raise template.error(pointer, message, "load one of its definitions itself", ELSEWHERE)
    return _machine(template, entry, given[0])


def _entry(template: _Template, logical_id: str | None) -> templates.Entry:
    """Choose a machine of a template."""
    entries = templates.entries(template.document.value)
    names = tuple(entry.logical_id for entry in entries)
    if not entries:
        hint = "a machine is a resource of the type " + " or ".join(templates.MACHINE_TYPES)
        raise template.error("", "this template has no state machine", hint)
    if logical_id is not None and logical_id not in names:
        raise _unknown_id(logical_id, names, template.text, template.name)
    if logical_id is None and len(entries) > 1:
        message = f"this template has {len(entries)} state machines"
        raise template.error("", message, "choose one by its logical id: " + ", ".join(names))
    return entries[0] if logical_id is None else entries[names.index(logical_id)]


def _machine(template: _Template, entry: templates.Entry, given: templates.Given) -> Document:
    document = _definition(template, entry, given)
    return replace(document, logical_id=entry.logical_id, workflow_type=entry.workflow_type)


def _definition(template: _Template, entry: templates.Entry, given: templates.Given) -> Document:
    resolver = templates.Resolver(template.substitutions)
    fills = {**resolver.fills(entry.properties), **template.substitutions}
    if given.form == "file":
        return _other_file(template, given, fills, resolver)
    if given.form == "s3":
        return _asset(template, given, fills, resolver)
    if given.form == "nothing":
        hint = (
            "it needs Definition, DefinitionString or DefinitionUri" if not entry.serverless else "it needs definition"
        )
        raise template.error(given.pointer, f'the state machine "{entry.logical_id}" has no definition', hint)
    if given.form == "object":
        return _object(template, given, fills, resolver)
    composed = templates.compose(given.value, given.pointer, resolver, template.place)
    if composed is None or not composed.text.strip().startswith(
        ("{", "StartAt", "Comment", "QueryLanguage", "//", "/*")
    ):
        message = f'the definition of "{entry.logical_id}" is not in this template, so that it cannot be checked here'
        known = not isinstance(given.value, dict) if composed is None else "${" not in composed.text
        hint = f"found {kind_of(given.value)}" if known else "only a deployment knows it; load the definition itself"
        raise template.error(given.pointer, message, hint, NO_MACHINE if known else ELSEWHERE)
    document = _loaded(composed, template.text, template.name, fills)
    return replace(document, filled=frozenset(resolver.filled))


def _object(
    template: _Template, given: templates.Given, fills: Mapping[str, Json], resolver: templates.Resolver
) -> Document:
    """Take a definition that is an object in the template."""
    value = _filled_tree(resolver.plain(given.value), fills)
    prefix, offsets = given.pointer, template.offsets()

    def below(table: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        return {
            pointer[len(prefix) :]: span
            for pointer, span in table.items()
            if pointer.startswith(prefix) and pointer[len(prefix) : len(prefix) + 1] in ("", "/")
        }

    repeated = [
        (pointer[len(prefix) :], span) for pointer, span in offsets.repeated if pointer.startswith(prefix + "/")
    ]
    inner = Offsets(below(offsets.values), below(offsets.keys), repeated)
    lazy: dict[str, Any] = {"offsets": inner, "repeated": bool(repeated)}
    whole_text = template.document
    return Document(
        whole_text.text,
        value,
        whole_text.format,
        template.name,
        lazy,
        inner=whole_text.inner,
        partial=True,
        notices=whole_text.notices,
        filled=frozenset(resolver.filled),
    )


def _filled_tree(value: Json, fills: Mapping[str, Json]) -> Json:
    if isinstance(value, dict):
        return {key: _filled_tree(inner, fills) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled_tree(inner, fills) for inner in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    alone = PLACEHOLDER.fullmatch(value)
    if alone and alone.group(1) in fills:
        return fills[alone.group(1)]
    return PLACEHOLDER.sub(lambda match: _as_text(fills.get(match.group(1), match.group())), value)


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _other_file(
    template: _Template, given: templates.Given, fills: Mapping[str, Json], resolver: templates.Resolver
) -> Document:
    """Read the file that a template names."""
    path = Path(given.value)
    if template.folder is None and not path.is_absolute():
        hint = "load the template by its path, or that file itself"
        raise template.error(given.pointer, f"the definition is in another file: {given.value}", hint)
    try:
        path = (template.folder or Path()) / path
        found = parse(read_file(path, None), name=str(path), substitutions=fills)
    except DefinitionError as error:
        if error.source is not None:
            raise
        reason = error.diagnostics[0]
        raise template.error(given.pointer, reason.message, reason.hint, reason.code) from None
    return replace(found, filled=frozenset(resolver.filled))


def _asset(
    template: _Template, given: templates.Given, fills: Mapping[str, Json], resolver: templates.Resolver
) -> Document:
    """Read the local copy of what `cdk synth` will put into S3; without one the definition is out of reach."""
    asset = templates.asset_of(given.value)
    if asset is not None and template.folder is not None and (template.folder / asset).is_file():
        return _other_file(template, replace(given, value=asset), fills, resolver)
    if not isinstance(given.value, dict | str):
        raise template.error(given.pointer, "this is no place in S3", f"found {kind_of(given.value)}")
    message = "the definition is in S3, not in this template, so that it cannot be checked here"
    raise template.error(given.pointer, message, "load the local file instead", ELSEWHERE)


def _unknown_id(logical_id: str, names: tuple[str, ...], text: str, name: str | None) -> DefinitionError:
    hint = "there are " + ", ".join(names) if names else "the text is one definition, without logical ids"
    return definition_error(text, name, Complaint(f'there is no state machine "{logical_id}"', 0, hint), NO_MACHINE)


# --- notebooks -----------------------------------------------------------------------------------------------------------


def _from_notebook(
    notebook: Json, name: str | None, logical_id: str | None, substitutions: Mapping[str, Json] | None
) -> Document:
    """Read the definition in a `%%sfn` cell; lines are those of the cell."""
    found = notebook_cells.cells(notebook)
    names = tuple(dict.fromkeys(cell.name for cell in found))
    if logical_id is None and len(names) == 1:
        logical_id = names[0]
    if not names or (logical_id is not None and logical_id not in names):
        if logical_id is not None:
            raise _unknown_id(logical_id, names, "", name)
        complaint = Complaint("this notebook has no %%sfn cell", 0, "a definition starts with %%sfn NAME")
        raise definition_error("", name, complaint, NO_MACHINE)
    if logical_id is None:
        complaint = Complaint(f"this notebook has {len(names)} machines", 0, "choose one by name: " + ", ".join(names))
        raise definition_error("", name, complaint, NO_MACHINE)
    cell = next(cell for cell in reversed(found) if cell.name == logical_id)
    called = f"{name or 'notebook'}, cell {cell.number}"
    start = cell.source.find("\n") + 1 or len(cell.source)
    body = Composed(cell.source[start:], range(start, len(cell.source) + 1))
    document = _loaded(_plain(body), cell.source, called, substitutions)
    return replace(document, logical_id=cell.name)


def _plain(body: Composed) -> Composed:
    """Make offsets a list, so that the text counts as one inside another."""
    return Composed(body.text, list(body.offsets))
