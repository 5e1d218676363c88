"""Rules on Map states: what only a Distributed Map has, what its readers, batchers and writers need, and labels.

AWS accepts an inline Map that has what only a Distributed Map uses (tolerated failures, reader, batcher, writer, label) and ignores
it there, so that is a warning. A value with an unresolved placeholder is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfn_notebook.asl.integrations import READERS
from sfn_notebook.asl.rule import SCHEMA, Machine, Problem, Thing, at, quoted
from sfn_notebook.asl.rules_fields import INVALID_LABEL
from sfn_notebook.asl.substitutions import has_placeholder
from sfn_notebook.errors import Json, Severity

DUPLICATE_LABEL = "DUPLICATE_LABEL_NAME"
NO_EFFECT = "NO_EFFECT"
_ONLY_DISTRIBUTED = ("ItemReader", "ItemBatcher", "ResultWriter", "Label")
_TOLERANCE = (
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
)
_LABEL_REFUSED = frozenset(' \t\n\r?*<>{}[]:;,\\|^~$#%&`"/')


def mode_of(body: Mapping[str, Json]) -> str | None:
    """Give INLINE or DISTRIBUTED; None where a placeholder or a mistake hides it."""
    processor = body.get("ItemProcessor", body.get("Iterator"))
    config = processor.get("ProcessorConfig", {}) if isinstance(processor, dict) else None
    if not isinstance(config, dict):
        return None
    mode = config.get("Mode", "INLINE")
    return mode if mode in ("INLINE", "DISTRIBUTED") else None


def distributed_maps(machine: Machine) -> Iterator[Problem]:
    """A Distributed Map says the type of its child executions, an inline one has none."""
    for thing in machine.of("ProcessorConfig"):
        if thing.body.get("Mode") == "INLINE" and "ExecutionType" in thing.body:
            hint = 'remove it, or set "Mode": "DISTRIBUTED"'
            yield Problem(at(thing, "ExecutionType"), "Field 'ExecutionType' is not supported", key=True, hint=hint)
        if thing.body.get("Mode") == "DISTRIBUTED" and "ExecutionType" not in thing.body:
            message = "These fields are required: [ExecutionType]"
            hint = "STANDARD or EXPRESS: the type of the child executions"
            yield Problem(thing.pointer, message, key=True, hint=hint)


def only_distributed(machine: Machine) -> Iterator[Problem]:
    """ItemReader, ItemBatcher, ResultWriter and Label count only in a Distributed Map."""
    for thing in machine.of("Map"):
        if mode_of(thing.body) != "INLINE":
            continue
        for name in _ONLY_DISTRIBUTED:
            if name in thing.body:
                hint = (
                    'set "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"} in its ItemProcessor'
                )
                message = f"{name} does nothing in an inline Map: it is only for a Distributed Map"
                yield Problem(at(thing, name), message, NO_EFFECT, Severity.WARNING, key=True, hint=hint)


def tolerance_is_distributed(machine: Machine) -> Iterator[Problem]:
    """Tolerated failures count only in a Distributed Map."""
    for thing in machine.of("Map"):
        if mode_of(thing.body) == "INLINE":
            for name in _TOLERANCE:
                if name in thing.body:
                    message = f"{name} does nothing in an inline Map: its first failure fails the state"
                    hint = "make it a Distributed Map, or catch errors inside the iteration"
                    yield Problem(at(thing, name), message, NO_EFFECT, Severity.WARNING, key=True, hint=hint)


def labels(machine: Machine) -> Iterator[Problem]:
    """A Label has only characters that fit into an ARN, and is used once."""
    first: dict[str, str] = {}
    for thing in machine.of("Map"):
        label = thing.body.get("Label")
        if not isinstance(label, str) or has_placeholder(label):
            continue
        pointer = at(thing, "Label")
        bad = next((i for i, character in enumerate(label) if _refused(character)), None)
        if bad is not None:
            hint = "use letters, digits, - and _"
            yield Problem(pointer, f"a Label cannot contain {quoted(label[bad])}", INVALID_LABEL, offset=bad, hint=hint)
        if label in first:
            hint = f"labels are unique over the whole machine; the other one is at {first[label]}"
            yield Problem(pointer, f'the Label "{label}" is used twice', DUPLICATE_LABEL, hint=hint)
        first.setdefault(label, pointer)


def _refused(character: str) -> bool:
    code = ord(character)
    return character in _LABEL_REFUSED or code < 0x20 or 0x7F <= code <= 0x9F or character.isspace()


def _reads_s3(resource: str) -> bool:
    before, _, action = resource.rpartition(":s3:")
    return f"s3:{action}" in READERS and before.startswith("arn:")


def item_readers(machine: Machine) -> Iterator[Problem]:
    """An ItemReader reads with one of the two S3 actions, and an object says its format."""
    for thing in machine.of("ItemReader"):
        resource = thing.body.get("Resource")
        if not isinstance(resource, str) or has_placeholder(resource):
            continue
        if not _reads_s3(resource):
            hint = "use " + " or ".join(READERS)
            yield Problem(at(thing, "Resource"), f"an ItemReader cannot read with {quoted(resource)}", hint=hint)
        elif resource.endswith("s3:getObject"):
            config = thing.body.get("ReaderConfig")
            if config is None or (isinstance(config, dict) and "InputType" not in config):
                pointer = thing.pointer if config is None else at(thing, "ReaderConfig")
                missing = "ReaderConfig" if config is None else "InputType"
                hint = 'as in "ReaderConfig": {"InputType": "JSON"}; or CSV, JSONL, PARQUET, MANIFEST'
                yield Problem(pointer, f"These fields are required: [{missing}]", key=True, hint=hint)


_ONLY_FOR = {
    "CSVHeaderLocation": ("CSV",),
    "CSVHeaders": ("CSV",),
    "CSVDelimiter": ("CSV",),
    "ItemsPointer": ("JSON",),
    "ManifestType": ("MANIFEST", "CSV", "JSONL", "PARQUET"),
}
"""Which formats each field of a ReaderConfig is for."""


def reader_configs(machine: Machine) -> Iterator[Problem]:
    """The fields of a ReaderConfig fit its format, and CSV says where the headers are."""
    for thing in machine.of("ReaderConfig"):
        format_ = thing.body.get("InputType")
        if not isinstance(format_, str) or has_placeholder(format_):
            continue
        for name, formats in _ONLY_FOR.items():
            if name in thing.body and format_ not in formats and not _manifest(thing):
                message = f"{name} is only for the InputType {formats[0]}, found {quoted(format_)}"
                yield Problem(at(thing, name), message, key=True, hint="remove it")
        if format_ == "CSV":
            yield from _csv(thing)


def _manifest(thing: Thing) -> bool:
    return "ManifestType" in thing.body


def _csv(thing: Thing) -> Iterator[Problem]:
    location = thing.body.get("CSVHeaderLocation")
    if "CSVHeaderLocation" not in thing.body:
        if not _manifest(thing):
            hint = "FIRST_ROW, or GIVEN with CSVHeaders"
            yield Problem(thing.pointer, "These fields are required: [CSVHeaderLocation]", key=True, hint=hint)
    elif location == "GIVEN" and "CSVHeaders" not in thing.body:
        yield Problem(at(thing, "CSVHeaderLocation"), "the headers are GIVEN, but there are no CSVHeaders")
    elif location == "FIRST_ROW" and "CSVHeaders" in thing.body:
        hint = "remove them, or set CSVHeaderLocation to GIVEN"
        message = "CSVHeaders are given, but CSVHeaderLocation says FIRST_ROW"
        yield Problem(at(thing, "CSVHeaders"), message, SCHEMA, key=True, hint=hint)
