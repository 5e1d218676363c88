"""The rule table, first half: fields, states and transitions."""

from __future__ import annotations

from sfn_notebook.asl import rules_fields, rules_flow, rules_maps, rules_service
from sfn_notebook.asl.fields import MAX_DEFINITION
from sfn_notebook.asl.rule import TARGET
from sfn_notebook.asl.rule_entry import END, Entry, jsonata, machine, task
from sfn_notebook.asl.rules_fields import INVALID_LABEL, INVALID_STATE_NAME, UNKNOWN_FIELD
from sfn_notebook.asl.rules_maps import DUPLICATE_LABEL, NO_EFFECT
from sfn_notebook.asl.rules_text import MISSING_ARGUMENT
from sfn_notebook.errors import Severity

_ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"
_ENDS = '"A": {"Type": "Pass", "End": true}'


def _map(fields: str, config: str = '"Mode": "INLINE"') -> str:
    inner = f'{{"ProcessorConfig": {{{config}}}, "StartAt": "I", "States": {{"I": {{"Type": "Pass", "End": true}}}}}}'
    return f'"A": {{"Type": "Map", {fields}"ItemProcessor": {inner}, "End": true}}'


_LOOP = '"A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": true, "Next": "Z"}], "Default": "A"}'
_DISTRIBUTED = '"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"'


def _reader(fields: str, action: str = "s3:getObject") -> str:
    reader = f'"ItemReader": {{"Resource": "arn:aws:states:::{action}", "Parameters": {{"Bucket": "b", "Key": "k"}}{fields}}}, '
    return _map(reader, _DISTRIBUTED)


STRUCTURE: tuple[Entry, ...] = (
    Entry(
        rules_fields.definition_size,
        "The definition is larger than AWS takes",
        "AWS takes at most",
        "»" + machine('"A": {"Type": "Pass", "End": true, "Comment": "' + "x" * MAX_DEFINITION + '"}'),
        machine(_ENDS),
    ),
    Entry(
        rules_fields.duplicate_keys,
        "A key stands twice in one object",
        "stands twice",
        machine('"A": {"Type": "Pass", "Comment": "one", »"Comment": "two", "End": true}'),
        machine('"A": {"Type": "Pass", "Comment": "one", "End": true}'),
        "DUPLICATE_KEY",
    ),
    Entry(
        rules_fields.duplicate_keys,
        "A state stands twice in one scope",
        "stands twice",
        machine(_ENDS, '»"A": {"Type": "Succeed"}'),
        machine('"A": {"Type": "Pass", "Next": "Z"}', END),
        "DUPLICATE_STATE_NAME",
    ),
    Entry(
        rules_fields.required_fields,
        "A field is missing that its object must have",
        "These fields are required: [Resource]",
        machine('»"A": {"Type": "Task", "End": true}'),
        machine(task("")),
    ),
    Entry(
        rules_fields.states_are_objects,
        "The type of a state does not exist",
        "unknown type",
        machine('"A": {"Type": »"Tsk", "End": true}'),
        machine(_ENDS),
    ),
    Entry(
        rules_fields.states_are_objects,
        "A state is no object",
        "must be an object",
        machine('"A": {"Type": "Succeed"}', '"B": »"Succeed"'),
        machine('"A": {"Type": "Succeed"}'),
    ),
    Entry(
        rules_fields.known_fields,
        "A field is misspelt, or belongs to another state type",
        "Field 'Coment' is not supported",
        machine('"A": {"Type": "Pass", »"Coment": "first", "End": true}'),
        machine('"A": {"Type": "Pass", "Comment": "first", "End": true}'),
    ),
    Entry(
        rules_fields.known_fields,
        "A field belongs to the other query language",
        "only supported for the 'JSONPath' QueryLanguage",
        jsonata('»"InputPath": "$.a"'),
        jsonata('"Output": "{% $states.input.a %}"'),
    ),
    Entry(
        rules_fields.known_fields,
        "Nobody knows this field; AWS adds some now and then",
        "is not one that",
        machine('"A": {"Type": "Pass", »"Colour": "red", "End": true}'),
        machine(_ENDS),
        UNKNOWN_FIELD,
        Severity.WARNING,
    ),
    Entry(
        rules_fields.field_types,
        "A value has the wrong type, or lies outside of its range",
        "TimeoutSeconds must be an integer",
        machine(task('"TimeoutSeconds": »"60", ')),
        machine(task('"TimeoutSeconds": 60, ')),
    ),
    Entry(
        rules_fields.field_types,
        "A Retry's numbers lie outside of their ranges",
        "BackoffRate must be at least 1",
        machine(task('"Retry": [{"ErrorEquals": ["E"], "BackoffRate": »0.5}], ')),
        machine(task('"Retry": [{"ErrorEquals": ["E"], "BackoffRate": 1.5}], ')),
    ),
    Entry(
        rules_fields.query_languages,
        "A state is JSONPath in a JSONata machine",
        "can not be 'JSONPath'",
        jsonata('"QueryLanguage": »"JSONPath"'),
        machine('"A": {"Type": "Pass", "QueryLanguage": "JSONata", "End": true}'),
    ),
    Entry(
        rules_fields.state_names,
        "The name of a state is longer than 80 characters",
        "may have 80 characters",
        machine('»"' + "A" * 81 + '": {"Type": "Succeed"}', start="A" * 81),
        machine('"' + "A" * 80 + '": {"Type": "Succeed"}', start="A" * 80),
        INVALID_STATE_NAME,
    ),
    Entry(
        rules_fields.state_names,
        "Two states of the machine have one name, in whatever scopes",
        "is used twice",
        machine(
            '"A": {"Type": "Parallel", "End": true, "Branches": [\n   '
            '{"StartAt": "A", "States": {»"A": {"Type": "Succeed"}}}]}'
        ),
        machine(
            '"A": {"Type": "Parallel", "End": true, "Branches": [\n   '
            '{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}]}'
        ),
        "DUPLICATE_STATE_NAME",
    ),
    Entry(
        rules_flow.start_exists,
        "StartAt names no state",
        "Missing 'Next' target: B",
        machine(_LOOP, END).replace('"A"', '»"B"', 1),
        machine(_LOOP, END),
        TARGET,
    ),
    Entry(
        rules_flow.targets_exist,
        "A transition leads nowhere, or out of its branch or processor",
        "Missing 'Next' target: Y",
        machine(task('"Catch": [{"ErrorEquals": ["E"], "Next": »"Y"}], ')),
        machine(task('"Catch": [{"ErrorEquals": ["E"], "Next": "Z"}], '), END),
        TARGET,
    ),
    Entry(
        rules_flow.next_or_end,
        "A state has neither Next nor End, or both",
        'has no "Next" or "End"',
        machine('»"A": {"Type": "Pass"}'),
        machine(_ENDS),
    ),
    Entry(
        rules_flow.next_or_end,
        "A state has a false End beside its Next",
        'has "End": false',
        machine('"A": {"Type": "Pass", "End": »false, "Next": "Z"}', END),
        machine('"A": {"Type": "Pass", "Next": "Z"}', END),
        NO_EFFECT,
        Severity.WARNING,
    ),
    Entry(
        rules_flow.states_are_reachable,
        "No transition leads to a state",
        "is not reachable",
        machine(_ENDS, '»"Z": {"Type": "Succeed"}'),
        machine('"A": {"Type": "Pass", "Next": "Z"}', END),
        TARGET,
    ),
    Entry(
        rules_flow.has_an_end,
        "The workflow runs in circles",
        "no terminal state",
        "»" + machine('"A": {"Type": "Pass", "Next": "A"}'),
        machine(_ENDS),
        "MISSING_END_STATE",
    ),
    Entry(
        rules_flow.choices_not_empty,
        "A Choice has no rules",
        "has no rules",
        machine('"A": {"Type": "Choice", "Choices": »[], "Default": "Z"}', END),
        machine('"A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": true, "Next": "Z"}], "Default": "Z"}', END),
    ),
    Entry(
        rules_flow.choice_rules,
        "A Choice rule has no test, several, no Variable, or no Next",
        "one operator",
        machine('"A": {"Type": "Choice", "Default": "Z", "Choices": [{"Variable": "$.a", "IsNull": true, »"IsString": true, "Next": "Z"}]}', END),
        machine('"A": {"Type": "Choice", "Default": "Z", "Choices": [{"Variable": "$.a", "IsNull": true, "Next": "Z"}]}', END),
    ),
    Entry(
        rules_flow.choice_rules,
        "A Choice rule has a Variable beside And, Or or Not",
        "only one of",
        machine('"A": {"Type": "Choice", "Default": "Z", "Choices": [{»"Variable": "$.a", "And": [{"Variable": "$.a", "IsNull": true}], "Next": "Z"}]}', END),
        machine('"A": {"Type": "Choice", "Default": "Z", "Choices": [{"And": [{"Variable": "$.a", "IsNull": true}], "Next": "Z"}]}', END),
    ),
    Entry(
        rules_flow.wait_has_one_form,
        "A Wait does not say how long, or does so twice",
        "does not say how long",
        machine('»"A": {"Type": "Wait", "End": true}'),
        machine('"A": {"Type": "Wait", "Seconds": 5, "End": true}'),
    ),
    Entry(
        rules_flow.one_of_two,
        "A value and its …Path stand together",
        "cannot stand together",
        machine(task('"TimeoutSeconds": 5, »"TimeoutSecondsPath": "$.t", ')),
        machine(task('"TimeoutSecondsPath": "$.t", ')),
    ),
    Entry(
        rules_flow.branches_not_empty,
        "A Parallel has no branches",
        "has no branches",
        machine('"A": {"Type": "Parallel", "Branches": »[], "End": true}'),
        machine('"A": {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}], "End": true}'),
    ),
    Entry(
        rules_flow.error_names,
        "States.ALL does not stand alone in the last entry",
        "States.ALL must stand alone",
        machine(task('"Retry": [{"ErrorEquals": ["E", »"States.ALL"]}], ')),
        machine(task('"Retry": [{"ErrorEquals": ["E"]}, {"ErrorEquals": ["States.ALL"]}], ')),
    ),
    Entry(
        rules_maps.distributed_maps,
        "A Distributed Map does not say what its child executions are",
        "[ExecutionType]",
        machine(_map("", '"Mode": "DISTRIBUTED"').replace('"ProcessorConfig"', '»"ProcessorConfig"')),
        machine(_map("", _DISTRIBUTED)),
    ),
    Entry(
        rules_maps.distributed_maps,
        "An inline Map has a type of child executions",
        "'ExecutionType' is not supported",
        machine(_map("", '"Mode": "INLINE", »"ExecutionType": "STANDARD"')),
        machine(_map("", _DISTRIBUTED)),
    ),
    Entry(
        rules_maps.only_distributed,
        "An inline Map has what only a Distributed Map can",
        "only for a Distributed Map",
        machine(_map('»"Label": "orders", ')),
        machine(_map('"Label": "orders", ', _DISTRIBUTED)),
        NO_EFFECT,
        Severity.WARNING,
    ),
    Entry(
        rules_maps.tolerance_is_distributed,
        "An inline Map sets tolerated failures, which do nothing there",
        "does nothing in an inline Map",
        machine(_map('»"ToleratedFailureCount": 3, ')),
        machine(_map('"ToleratedFailureCount": 3, ', _DISTRIBUTED)),
        NO_EFFECT,
        Severity.WARNING,
    ),
    Entry(
        rules_maps.labels,
        "A Label has characters that do not fit into an ARN",
        "a Label cannot contain",
        machine(_map('"Label": "my»:orders", ', _DISTRIBUTED)),
        machine(_map('"Label": "my-orders", ', _DISTRIBUTED)),
        INVALID_LABEL,
    ),
    Entry(
        rules_maps.labels,
        "Two Maps have one Label",
        "is used twice",
        machine(
            _map('"Label": "orders", ', _DISTRIBUTED).replace('"End": true}\n', "").removesuffix('"End": true}') + '"Next": "B"}',
            _map('"Label": »"orders", ', _DISTRIBUTED).replace('"A"', '"B"').replace('"I"', '"J"'),
        ),
        machine(_map('"Label": "orders", ', _DISTRIBUTED)),
        DUPLICATE_LABEL,
    ),
    Entry(
        rules_maps.item_readers,
        "An ItemReader does not read from S3",
        "cannot read with",
        machine(_reader("", "dynamodb:scan").replace('"arn:', '»"arn:')),
        machine(_reader("", "s3:listObjectsV2")),
    ),
    Entry(
        rules_maps.item_readers,
        "An ItemReader does not say the format of its file",
        "[InputType]",
        machine(_reader(', »"ReaderConfig": {"MaxItems": 5}')),
        machine(_reader(', "ReaderConfig": {"InputType": "JSON", "MaxItems": 5}')),
    ),
    Entry(
        rules_maps.reader_configs,
        "A field of a ReaderConfig does not fit its format",
        "only for the InputType CSV",
        machine(_reader(', "ReaderConfig": {"InputType": "JSON", »"CSVHeaderLocation": "FIRST_ROW"}')),
        machine(_reader(', "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}')),
    ),
    Entry(
        rules_service.heartbeats,
        "A heartbeat is not shorter than the timeout",
        "must be smaller than TimeoutSeconds",
        machine(task('"TimeoutSeconds": 30, "HeartbeatSeconds": »60, ')),
        machine(task('"TimeoutSeconds": 60, "HeartbeatSeconds": 30, ')),
    ),
    Entry(
        rules_service.credentials,
        "Credentials stand at an activity",
        "not supported for activities",
        machine(task('»"Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/r"}, ', resource=_ACTIVITY)),
        machine(task('"Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/r"}, ')),
    ),
    Entry(
        rules_service.credentials,
        "Credentials do not name a role",
        "The field 'RoleArn' is required",
        machine(task('»"Credentials": {"Role": "arn:aws:iam::123456789012:role/r"}, ')),
        machine(task('"Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/r"}, ')),
        MISSING_ARGUMENT,
        Severity.WARNING,
    ),
    Entry(
        rules_service.retry_delays,
        "A Retry's longest delay is shorter than its first",
        "is smaller than IntervalSeconds",
        machine(task('"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 30, "MaxDelaySeconds": »10}], ')),
        machine(task('"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 10, "MaxDelaySeconds": 30}], ')),
        NO_EFFECT,
        Severity.WARNING,
    ),
    Entry(
        rules_service.express,
        "An Express workflow waits for a job, a token or an activity",
        "does not support '.sync'",
        machine(task("", resource="arn:aws:states:::ecs:runTask».sync")),
        machine(task("", resource="arn:aws:states:::ecs:runTask")),
        workflow_type="EXPRESS",
    ),
    Entry(
        rules_service.express,
        "An Express workflow has a Distributed Map",
        "'Mode' with value 'DISTRIBUTED' is not supported",
        machine(_map("", _DISTRIBUTED).replace('"DISTRIBUTED"', '»"DISTRIBUTED"')),
        machine(_map("")),
        workflow_type="EXPRESS",
    ),
    Entry(
        rules_service.express_timeouts,
        "An Express workflow waits longer than it may take",
        "ends after 300 s",
        machine('"A": {"Type": "Wait", "Seconds": »600, "End": true}'),
        machine('"A": {"Type": "Wait", "Seconds": 60, "End": true}'),
        "EXPRESS_DURATION",
        Severity.WARNING,
        workflow_type="EXPRESS",
    ),
)  # fmt: skip
