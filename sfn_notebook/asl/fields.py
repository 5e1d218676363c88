"""The fields of the Amazon States Language as one table: which object may hold which field, of what kind, in which query language.

The checker, the engine and the editor's completion read this table, so that none of them knows a field by itself. An object kind is
a state type (`Task` …) or one of the smaller shapes (`Retrier`, `ReaderConfig` …). `fields_of(kind, language)` gives what may stand
there; `OBJECTS` also holds what stands there only in the other language. No rule lives here.

Adding a field is one line. The kinds are those of `KINDS`; a `shape` names the object kind that is inside, once or in a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sfn_notebook.errors import Json

JSONPATH = "JSONPath"
JSONATA = "JSONata"
LANGUAGES = (JSONPATH, JSONATA)

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "string": "a string",
        "boolean": "a boolean",
        "integer": "an integer",
        "number": "a number",
        "object": "an object",
        "array": "an array",
        "collection": "an array or an object",
        "any": "any value",
        "state": "the name of a state",
        "path": "a JSONPath",
        "reference": "a reference path",
        "single": "a reference path",
        "items": "a reference path",
        "expression": "a JSONPath or an intrinsic function",
        "template": "an object",
        "payload": "an object or another payload template",
        "timestamp": "a timestamp",
        "strings": "an array of strings",
    }
)
"""Every field kind, in the words of a message.

A reference is a place in the data that a result is written to; a single is a reference path that only reads, in the data or a
variable; items is one that may also read the context object.
A template is an object that may hold `.$` fields; a payload is one too, or a list with such objects in it, or a plain text or number.
"""

TEMPLATES = ("template", "payload")
"""Kinds of fields in which `.$` fields are evaluated."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one object kind.

    Attributes:
        name: as it is written.
        kind: one of KINDS.
        language: JSONPath or JSONata where only that one has the field, else None.
        required: the object is refused without it.
        nullable: `null` is a meaning of its own, as in ResultPath.
        expression: in a JSONata state a `{% … %}` string may stand in its place.
        low, high: the range of a number, or the lengths of a string.
        values: the strings that are allowed, where there are few.
        shape: the object kind inside; inside an array when the kind is array.
        doc: one line for completion and tooltips.
    """

    name: str
    kind: str
    doc: str = ""
    language: str | None = None
    required: bool = False
    nullable: bool = False
    expression: bool = False
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    shape: str | None = None


STATE_TYPES = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")
WAIT_FIELDS = ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")
MAX_SECONDS = 99_999_999
MAX_NAME = 80
MAX_DEFINITION = 1024 * 1024


def _operators() -> Mapping[str, str]:
    """Build the 39 comparison operators with the kind of their operand."""
    found: dict[str, str] = {}
    for family, kind in (("String", "string"), ("Numeric", "number"), ("Timestamp", "timestamp")):
        for relation in ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"):
            found[family + relation] = kind
            found[family + relation + "Path"] = "path"
    found |= {"StringMatches": "string", "BooleanEquals": "boolean", "BooleanEqualsPath": "path"}
    found |= dict.fromkeys(("IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp"), "boolean")
    return MappingProxyType(found)


OPERATORS = _operators()
"""The comparison operators of a JSONPath Choice rule, each with the kind of the value that it takes."""

COMBINATORS = ("And", "Or", "Not")

# The blocks that several state types share.
_EVERY = (
    Field("Type", "string", "the type of the state", required=True, values=STATE_TYPES),
    Field("Comment", "string", "text for people"),
    Field("QueryLanguage", "string", "JSONPath or JSONata, for this state only", values=LANGUAGES),
)
_GOES_ON = (
    Field("Next", "state", "the state that runs after this one"),
    Field("End", "boolean", "true where the workflow, branch or iteration ends here"),
)
_IN_OUT = (
    Field("InputPath", "path", "the part of the input that this state sees; null for {}", JSONPATH, nullable=True),
    Field("OutputPath", "path", "the part of the output that goes on; null for {}", JSONPATH, nullable=True),
)
_PARAMETERS = Field("Parameters", "payload", "what the work is given, built from the input", JSONPATH)
_CALL = Field("Parameters", "template", "what to read or write, built from the input", JSONPATH)
_SELECTOR = Field("ResultSelector", "payload", "what is taken from the result", JSONPATH)
_RESULT_PATH = Field(
    "ResultPath", "reference", "where the result goes in the input; null drops it", JSONPATH, nullable=True
)
_ARGUMENTS = Field("Arguments", "any", "what the work is given", JSONATA)
_OUTPUT = Field("Output", "any", "what goes on to the next state", JSONATA)
_ASSIGN = Field("Assign", "template", "variables to set when this state succeeds", expression=True)
_RETRY = Field("Retry", "array", "which errors to try again, and how", shape="Retrier")
_CATCH = Field("Catch", "array", "where to go on after which errors", shape="Catcher")


def _seconds(name: str, doc: str, low: float = 1) -> tuple[Field, Field]:
    return (
        Field(name, "integer", doc, expression=True, low=low, high=MAX_SECONDS),
        Field(name + "Path", "path", doc + ", from the input", JSONPATH),
    )


def _counted(
    name: str, doc: str, low: float = 0, high: float | None = None, kind: str = "integer"
) -> tuple[Field, Field]:
    return (
        Field(name, kind, doc, expression=True, low=low, high=high),
        Field(name + "Path", "single", doc + ", from the input", JSONPATH),
    )


_TASK = (
    Field("Resource", "string", "the ARN of what does the work", required=True, low=1),
    *_IN_OUT, _PARAMETERS, _SELECTOR, _RESULT_PATH, _ARGUMENTS, _OUTPUT, _ASSIGN, _RETRY, _CATCH,
    *_seconds("TimeoutSeconds", "how long the task may take"),
    *_seconds("HeartbeatSeconds", "how long the task may stay silent"),
    Field("Credentials", "template", "the role that the task is run with", expression=True),
)  # fmt: skip
_MAP = (
    Field("ItemProcessor", "object", "the workflow that each item goes through", shape="ItemProcessor"),
    Field("Iterator", "object", "the old name of ItemProcessor", shape="ItemProcessor"),
    *_IN_OUT, _PARAMETERS, _SELECTOR, _RESULT_PATH, _OUTPUT, _ASSIGN, _RETRY, _CATCH,
    Field("ItemsPath", "items", "the array in the input", JSONPATH),
    Field("Items", "collection", "the array or object to go through", JSONATA, expression=True),
    Field("ItemSelector", "payload", "what each iteration is given", expression=True),
    Field("ItemReader", "object", "where a Distributed Map reads its items", shape="ItemReader"),
    Field("ItemBatcher", "object", "how a Distributed Map puts items together", shape="ItemBatcher"),
    Field("ResultWriter", "object", "where a Distributed Map writes its results", shape="ResultWriter"),
    *_counted("MaxConcurrency", "how many iterations may run at once; 0 for the service's own limit"),
    *_counted("ToleratedFailureCount", "how many items may fail"),
    *_counted("ToleratedFailurePercentage", "which share of the items may fail", high=100, kind="number"),
    Field("Label", "string", "the name of a Distributed Map in its ARNs", low=1, high=40),
)  # fmt: skip

_TABLE: dict[str, tuple[Field, ...]] = {
    "StateMachine": (
        Field("Comment", "string", "text for people"),
        Field("QueryLanguage", "string", "JSONPath (the default) or JSONata", values=LANGUAGES),
        Field("Version", "string", "the version of the language", values=("1.0",)),
        Field("TimeoutSeconds", "integer", "how long an execution may take; 0 for no limit of its own", low=0, high=MAX_SECONDS),
        Field("States", "object", "the states by name", required=True),
        Field("StartAt", "state", "the state that runs first", required=True),
    ),
    "Branch": (
        Field("Comment", "string", "text for people"),
        Field("States", "object", "the states of this branch by name", required=True),
        Field("StartAt", "state", "the state that runs first in this branch", required=True),
    ),
    "ItemProcessor": (
        Field("Comment", "string", "text for people"),
        Field("ProcessorConfig", "object", "inline or distributed", shape="ProcessorConfig"),
        Field("States", "object", "the states that each item goes through", required=True),
        Field("StartAt", "state", "the state that runs first for each item", required=True),
    ),
    "ProcessorConfig": (
        Field("Mode", "string", "inside this execution, or as child executions", values=("INLINE", "DISTRIBUTED")),
        Field("ExecutionType", "string", "the type of the child executions", values=("STANDARD", "EXPRESS")),
    ),
    "Task": (*_EVERY, *_GOES_ON, *_TASK),
    "Pass": (
        *_EVERY, *_GOES_ON, *_IN_OUT, _PARAMETERS, _RESULT_PATH,
        Field("Result", "any", "a constant result", JSONPATH), _OUTPUT, _ASSIGN,
    ),
    "Choice": (
        *_EVERY, *_IN_OUT,
        Field("Choices", "array", "the rules, tried in order", required=True, shape="ChoiceRule"),
        Field("Default", "state", "where to go when no rule matches"), _OUTPUT, _ASSIGN,
    ),
    "Wait": (
        *_EVERY, *_GOES_ON, *_IN_OUT,
        *_seconds("Seconds", "how long to wait", low=0),
        Field("Timestamp", "timestamp", "until when to wait", expression=True),
        Field("TimestampPath", "path", "until when to wait, from the input", JSONPATH), _OUTPUT, _ASSIGN,
    ),
    "Succeed": (*_EVERY, *_IN_OUT, _OUTPUT),
    "Fail": (
        *_EVERY,
        Field("Error", "string", "the name of the error", expression=True),
        Field("Cause", "string", "what happened, for people", expression=True),
        Field("ErrorPath", "expression", "the name of the error, from the input", JSONPATH),
        Field("CausePath", "expression", "what happened, from the input", JSONPATH),
    ),
    "Parallel": (
        *_EVERY, *_GOES_ON, *_IN_OUT, _PARAMETERS, _SELECTOR, _RESULT_PATH, _ARGUMENTS, _OUTPUT, _ASSIGN, _RETRY, _CATCH,
        Field("Branches", "array", "the workflows that run side by side", required=True, shape="Branch"),
    ),
    "Map": (*_EVERY, *_GOES_ON, *_MAP),
    "Retrier": (
        Field("ErrorEquals", "strings", "the error names that this one is for", required=True),
        Field("IntervalSeconds", "integer", "seconds before the first retry (1)", low=0, high=MAX_SECONDS),
        Field("MaxAttempts", "integer", "how many retries (3); 0 for none", low=0, high=MAX_SECONDS),
        Field("BackoffRate", "number", "by what each wait grows (2.0)", low=1),
        Field("MaxDelaySeconds", "integer", "the longest wait", low=1, high=31_622_400),
        Field("JitterStrategy", "string", "FULL for a random wait up to the computed one", values=("FULL", "NONE")),
        Field("Comment", "string", "text for people"),
    ),
    "Catcher": (
        Field("ErrorEquals", "strings", "the error names that this one is for", required=True),
        Field("Next", "state", "where to go on", required=True),
        Field("Comment", "string", "text for people"),
        _RESULT_PATH, _OUTPUT, _ASSIGN,
    ),
    "ChoiceRule": (
        Field("Next", "state", "where to go when this rule matches"),
        Field("Comment", "string", "text for people"),
        Field("Variable", "path", "what is compared", JSONPATH),
        *(Field(name, kind, "comparison operator", JSONPATH) for name, kind in OPERATORS.items()),
        Field("And", "array", "all of these rules", JSONPATH, shape="ChoiceRule"),
        Field("Or", "array", "one of these rules", JSONPATH, shape="ChoiceRule"),
        Field("Not", "object", "the opposite of this rule", JSONPATH, shape="ChoiceRule"),
        Field("Condition", "boolean", "a JSONata expression that gives true or false", JSONATA, expression=True),
        _OUTPUT, _ASSIGN,
    ),
    "ItemReader": (
        Field("Resource", "string", "s3:getObject or s3:listObjectsV2", required=True, low=1),
        _CALL, _ARGUMENTS,
        Field("ReaderConfig", "object", "how the data is written", shape="ReaderConfig"),
    ),
    "ReaderConfig": (
        Field("InputType", "string", "the format of the file", values=("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST")),
        Field("ManifestType", "string", "the format of the manifest", values=("ATHENA_DATA", "S3_INVENTORY")),
        Field("Transformation", "string", "load the listed objects too", values=("NONE", "LOAD_AND_FLATTEN")),
        Field("CSVDelimiter", "string", "what stands between columns", values=("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB")),
        Field("CSVHeaderLocation", "string", "where the column names are", values=("FIRST_ROW", "GIVEN")),
        Field("CSVHeaders", "strings", "the column names", expression=True),
        Field("ItemsPointer", "string", "the place of the array in a JSON file"),
        *_counted("MaxItems", "how many items to read at most", high=100_000_000),
    ),
    "ItemBatcher": (
        *_counted("MaxItemsPerBatch", "how many items go together; 0 for as many as fit"),
        *_counted("MaxInputBytesPerBatch", "how many bytes go together; 0 for as many as fit", high=262_144),
        Field("BatchInput", "payload", "what every batch is given as well", expression=True),
    ),
    "ResultWriter": (
        Field("Resource", "string", "s3:putObject"), _CALL, _ARGUMENTS,
        Field("WriterConfig", "object", "how the results are written", shape="WriterConfig"),
    ),
    "WriterConfig": (
        Field("Transformation", "string", "how much of each execution to write", values=("NONE", "COMPACT", "FLATTEN")),
        Field("OutputType", "string", "the format of the files", values=("JSON", "JSONL")),
    ),
}  # fmt: skip

OBJECTS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {kind: MappingProxyType({field.name: field for field in fields}) for kind, fields in _TABLE.items()}
)
"""Every object kind with its fields by name, those of both query languages."""

_BY_LANGUAGE = {
    (kind, language): MappingProxyType(
        {name: field for name, field in fields.items() if field.language in (None, language)}
    )
    for kind, fields in OBJECTS.items()
    for language in LANGUAGES
}


def fields_of(kind: str, language: str = JSONPATH) -> Mapping[str, Field]:
    """Give the fields that an object kind may have in a query language; none for a kind that does not exist."""
    return _BY_LANGUAGE.get((kind, language), MappingProxyType({}))


def language_of(value: Json, inherited: str = JSONPATH) -> str:
    """Give the query language of a machine or state.

    AWS reads any value other than the string JSONPath as JSONata, whether it then refuses the value or not.
    """
    if not isinstance(value, dict) or "QueryLanguage" not in value:
        return inherited
    return JSONPATH if value["QueryLanguage"] == JSONPATH else JSONATA
