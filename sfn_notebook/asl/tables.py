"""What the checker asks of the field table at every object, worked out once per kind of object and query language.

`table_of` gives it. Everything here follows from `asl.fields`; no field is named in this module but the few that stand for each
other. A table holds only questions with a quick answer: a rule looks closer at what does not pass them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sfn_notebook.asl.fields import JSONPATH, LANGUAGES, OBJECTS, TEMPLATES, Field, fields_of

PATHS = ("path", "reference", "single", "items", "expression")
"""Kinds of fields that are a JSONPath or an intrinsic function."""
_STRINGS = (*PATHS, "string", "state", "timestamp")
_OBJECTS = ("object", *TEMPLATES)
_NO_TWIN = ("Result", "Input", "Output", "Items")
"""ResultPath is no twin of Result, nor OutputPath of Output."""
_SCOPES = ("Branch", "ItemProcessor")


@dataclass(frozen=True, slots=True)
class Table:
    """The fields of one object kind in one query language.

    Attributes:
        fields: the fields that it may have.
        names: their names.
        required: the fields that it must have in either language, but for Type.
        needed: the same as a set.
        plain: the class of which every value fits, by name; fields of which a value must be looked at are missing. The Type of a state
            has a rule of its own.
        dynamic: the kind of each field that may hold expressions, by name.
        inner: the fields whose objects have a kind themselves, with that kind, and whether it is a list of them; those of both
            languages. Scopes come by themselves.
        twins: pairs of fields of which only one may be given; the second ones, by themselves, are `seconds`.
    """

    fields: Mapping[str, Field]
    names: frozenset[str]
    required: tuple[str, ...]
    needed: frozenset[str]
    plain: Mapping[str, type]
    dynamic: Mapping[str, str]
    inner: tuple[tuple[str, str, bool], ...]
    twins: tuple[tuple[str, str], ...]
    seconds: frozenset[str]


def table_of(kind: str, language: str) -> Table:
    """Give the table of an object kind that exists."""
    return _TABLES[kind, language]


def _build(kind: str, language: str) -> Table:
    fields, all_fields = dict(fields_of(kind, language)), OBJECTS[kind]
    required = tuple(name for name, field in all_fields.items() if field.required and name != "Type")
    twins = tuple(_twins(fields)) if kind not in ("Wait", "ChoiceRule") else ()
    return Table(
        fields,
        frozenset(fields),
        required,
        frozenset(required),
        {
            name: plain
            for name, field in fields.items()
            if (plain := str if name == "Type" else _plain(field)) is not None
        },
        {name: field.kind for name, field in fields.items() if _is_dynamic(field, language)},
        tuple(
            (name, field.shape, field.kind == "array")
            for name, field in all_fields.items()
            if field.shape is not None and field.shape not in _SCOPES
        ),
        twins,
        frozenset(twin for _, twin in twins),
    )


def _plain(field: Field) -> type | None:
    if field.values or field.low is not None or field.high is not None:
        return None
    if field.kind in _STRINGS:
        return str
    if field.kind in _OBJECTS:
        return dict
    return bool if field.kind == "boolean" else None


def _is_dynamic(field: Field, language: str) -> bool:
    if language == JSONPATH:
        return field.kind in PATHS or field.kind in TEMPLATES
    return field.expression or field.kind in ("any", *TEMPLATES)


def _twins(fields: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
    if "Parameters" in fields and "ItemSelector" in fields:  # the first is the older name
        yield "Parameters", "ItemSelector"
    for twin in fields:
        name = twin[:-4] if twin.endswith("Path") else "Iterator" if twin == "ItemProcessor" else None
        if name is not None and name in fields and name not in _NO_TWIN:
            yield name, twin


_TABLES = {(kind, language): _build(kind, language) for kind in OBJECTS for language in LANGUAGES}
