"""The rule table, second half: expressions, variables, placeholders, data, and advice."""

from __future__ import annotations

from sfn_notebook.asl import (
    rules_advice,
    rules_data,
    rules_literals,
    rules_placeholders,
    rules_service,
    rules_text,
    rules_variables,
)
from sfn_notebook.asl.rule_entry import END, LAMBDA, Entry, jsonata, machine, task
from sfn_notebook.errors import Severity

_WARNING = Severity.WARNING
_TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"  # noqa: S105 - an ARN
_ENDS = '"A": {"Type": "Pass", "End": true}'


def _lambda(name: str, fields: str) -> str:
    return f'"{name}": {{"Type": "Task", "Resource": "{LAMBDA}", {fields}}}'


_BRANCH = '{"StartAt": "X", "States": {"X": {"Type": "Pass", "End": true}}}'
_CHOICE = '"A": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "Z"}]'
_BLOCK = '"Result": "' + "x" * 30_000 + '", '
_BRANCHES = ", ".join(
    f'{{"StartAt": "X{i}", "States": {{"X{i}": {{"Type": "Pass", {_BLOCK}"End": true}}}}}}' for i in range(10)
)

CONTENT: tuple[Entry, ...] = (
    Entry(
        rules_text.expressions,
        "A JSONPath, reference path or intrinsic function cannot be read",
        "InputPath",
        machine('"A": {"Type": "Pass", "InputPath": "$».a[", "End": true}'),
        machine('"A": {"Type": "Pass", "InputPath": "$.a[0]", "End": true}'),
    ),
    Entry(
        rules_text.expressions,
        "A field that needs one value has a path that may find several",
        "names exactly one node",
        machine('"A": {"Type": "Map", "ItemsPath": "$.a»[*].b", "ItemProcessor": ' + _BRANCH + ', "End": true}'),
        machine('"A": {"Type": "Map", "ItemsPath": "$.a[0].b", "ItemProcessor": ' + _BRANCH + ', "End": true}'),
    ),
    Entry(
        rules_text.jsonata,
        "A JSONata expression cannot be read",
        'Expected ")"',
        jsonata('"Output": "{% ($a := 1; 5»} %}"'),
        jsonata('"Output": "{% ($a := 1; 5) %}"'),
        "INVALID_JSONATA_EXPRESSION",
    ),
    Entry(
        rules_text.jsonata,
        "A JSONata expression uses what the service leaves out",
        "",
        jsonata('"Output": "{% »name %}"'),
        jsonata('"Output": "{% $states.input.name %}"'),
        "UNSUPPORTED_JSONATA_EXPRESSION",
    ),
    Entry(
        rules_text.timestamps,
        "A timestamp is none by RFC 3339",
        "String does not match RFC3339 timestamp",
        machine('"A": {"Type": "Wait", "Timestamp": »"2024-08-18 17:33:00", "End": true}'),
        machine('"A": {"Type": "Wait", "Timestamp": "2024-08-18T17:33:00Z", "End": true}'),
    ),
    Entry(
        rules_text.resources,
        "A Resource is no ARN, or an integration that does not exist",
        "is not recognized",
        machine(task("", resource="arn:aws:states:::dynamodb:»query")),
        machine(task("", resource="arn:aws:states:::dynamodb:getItem")),
    ),
    Entry(
        rules_text.resources,
        "A call waits in a way that its service does not have",
        "is not recognized",
        machine(task("", resource="arn:aws:states:::aws-sdk:s3:getObject».sync")),
        machine(task("", resource="arn:aws:states:::aws-sdk:s3:getObject.waitForTaskToken")),
    ),
    Entry(
        rules_text.sdk_spelling,
        "A call of the AWS SDK is spelt wrongly",
        "the SDK integration S3:GetObject is not known",
        machine(task("", resource="arn:aws:states:::aws-sdk:»S3:GetObject")),
        machine(task('"Parameters": {"Bucket": "b"}, ', resource="arn:aws:states:::aws-sdk:s3:getObject")),
        rules_text.SDK_SPELLING,
        _WARNING,
    ),
    Entry(
        rules_text.arguments,
        "A call lacks an argument that AWS does not take it without",
        "The field 'MessageBody' is required but was missing",
        machine(task('»"Parameters": {"QueueUrl": "u"}, ', resource="arn:aws:states:::sqs:sendMessage")),
        machine(
            task(
                '"Parameters": {"QueueUrl": "u", "MessageBody.$": "$.text"}, ',
                resource="arn:aws:states:::sqs:sendMessage",
            )
        ),
        rules_text.MISSING_ARGUMENT,
        _WARNING,
    ),
    Entry(
        rules_text.resources,
        "No optimised integration with this service is known",
        "no optimised integration",
        machine(task("", resource="arn:aws:states:::»s3:putObject")),
        machine(task("", resource="arn:aws:states:::aws-sdk:s3:putObject")),
        "UNKNOWN_INTEGRATION",
        _WARNING,
    ),
    Entry(
        rules_literals.literals,
        "A path or function in a payload template lacks the .$ behind its key",
        "is not evaluated",
        machine('"A": {"Type": "Pass", "Parameters": {»"id": "$.order.id"}, "End": true}'),
        machine('"A": {"Type": "Pass", "Parameters": {"id.$": "$.order.id"}, "End": true}'),
        rules_literals.NO_DOLLAR,
        _WARNING,
    ),
    Entry(
        rules_literals.colliding_keys,
        "A payload template gives a key with .$ and without",
        "give the same field",
        machine('"A": {"Type": "Pass", "Parameters": {"id": 1, »"id.$": "$.order.id"}, "End": true}'),
        machine('"A": {"Type": "Pass", "Parameters": {"id.$": "$.order.id"}, "End": true}'),
        rules_literals.COLLIDING,
        _WARNING,
    ),
    Entry(
        rules_literals.plain_fields,
        "A path stands in a field that takes its text as it is",
        "not what is found there",
        machine('"A": {"Type": "Fail", »"Cause": "$.error.Cause"}'),
        machine('"A": {"Type": "Fail", "CausePath": "$.error.Cause"}'),
        rules_literals.NO_PATH,
        _WARNING,
    ),
    Entry(
        rules_literals.static_results,
        "The Result of a Pass state has a path, which is not evaluated",
        "a Result is a constant",
        machine('"A": {"Type": "Pass", "Result": {"id": »"$.order.id"}, "End": true}'),
        machine('"A": {"Type": "Pass", "Result": {"id": 1}, "End": true}'),
        rules_literals.STATIC,
        _WARNING,
    ),
    Entry(
        rules_service.variable_names,
        "The name of a variable is no identifier",
        "is no name of a variable",
        jsonata('"Assign": {»"a.b": 1}'),
        jsonata('"Assign": {"a": {"b": 1}}'),
        rules_service.INVALID_VARIABLE,
    ),
    Entry(
        rules_service.variable_names,
        "A variable is called states, like the service's own",
        "is reserved",
        jsonata('"Assign": {»"states": 1}'),
        jsonata('"Assign": {"state": 1}'),
        rules_service.RESERVED_VARIABLE,
    ),
    Entry(
        rules_service.delimiters,
        "A JSONata expression is not closed, or not opened",
        "must start with {% and end with %}",
        jsonata('"Output": »"{% $states.input"'),
        jsonata('"Output": "{% $states.input %}"'),
    ),
    Entry(
        rules_service.delimiters,
        "An expression stands inside other text, and is not evaluated",
        "plain text",
        jsonata('"Output": »"Hello {% $states.input.name %}"'),
        jsonata('"Output": "{% \'Hello \' & $states.input.name %}"'),
        "NOT_EVALUATED",
        _WARNING,
    ),
    Entry(
        rules_variables.duplicate_variables,
        "An inner scope sets a variable of an outer one",
        "exists in an outer scope",
        machine(
            '"A": {"Type": "Pass", "Assign": {"n": 1}, "Next": "B"}',
            '"B": {"Type": "Parallel", "Branches": [{"StartAt": "X", "States": {'
            '"X": {"Type": "Pass", "Assign": {»"n": 2}, "End": true}}}], "End": true}',
        ),
        machine(
            '"A": {"Type": "Pass", "Assign": {"n": 1}, "Next": "B"}',
            '"B": {"Type": "Parallel", "Branches": [{"StartAt": "X", "States": {'
            '"X": {"Type": "Pass", "Assign": {"m.$": "$n"}, "End": true}}}], "End": true}',
        ),
        "DUPLICATE_VARIABLE_NAME",
    ),
    Entry(
        rules_variables.undefined_variables,
        "A variable is not set, or not on every way to a state",
        "is not guaranteed to be set",
        machine(
            '"A": {"Type": "Choice", "Choices": [{"Variable": "$.n", "IsPresent": true, "Next": "B"}], "Default": "C"}',
            '"B": {"Type": "Pass", "Assign": {"n.$": "$.n"}, "Next": "C"}',
            '"C": {"Type": "Wait", "SecondsPath": "»$n", "End": true}',
        ),
        machine(
            '"A": {"Type": "Choice", "Assign": {"n": 5}, "Choices": [{"Variable": "$.n", "IsPresent": true, "Next": "B"}],'
            ' "Default": "C"}',
            '"B": {"Type": "Pass", "Assign": {"n.$": "$.n"}, "Next": "C"}',
            '"C": {"Type": "Wait", "SecondsPath": "$n", "End": true}',
        ),
        "UNDEFINED_VARIABLE",
        _WARNING,
    ),
    Entry(
        rules_variables.states_members,
        "$states.result or $states.errorOutput is read where there is none",
        "$states.result does not exist here",
        jsonata('"Output": "{% »$states.result %}"'),
        jsonata('"Output": "{% $states.input %}"'),
        "UNSUPPORTED_JSONATA_EXPRESSION",
    ),
    Entry(
        rules_placeholders.placeholders,
        "A placeholder is not filled in",
        "is not filled in",
        machine(task("", resource="»${FunctionArn}")),
        machine(task("")),
        "UNRESOLVED_PLACEHOLDER",
        _WARNING,
    ),
    Entry(
        rules_placeholders.malformed_placeholders,
        "A placeholder is malformed",
        "this is no placeholder",
        machine(task("", resource="»${FunctionArn")),
        machine(task("", resource="${FunctionArn}")),
        "MALFORMED_PLACEHOLDER",
    ),
    Entry(
        rules_placeholders.comments,
        "A JSON definition has comments",
        "JSON has no comments",
        '{"StartAt": "A", »// first\n "States": {' + _ENDS + "}}",
        machine('"A": {"Type": "Pass", "Comment": "first", "End": true}'),
        "JSON_COMMENT",
        _WARNING,
    ),
    Entry(
        rules_data.data_exists,
        "A path reads what cannot be there",
        "$.orderId cannot exist",
        machine(
            f'"A": {{"Type": "Parallel", "Branches": [{_BRANCH}], "Next": "B"}}',
            '"B": {"Type": "Pass", "InputPath": "»$.orderId", "End": true}',
        ),
        machine(
            f'"A": {{"Type": "Parallel", "Branches": [{_BRANCH}], "ResultPath": "$.results", "Next": "B"}}',
            '"B": {"Type": "Pass", "InputPath": "$.orderId", "End": true}',
        ),
        "DATA_CANNOT_EXIST",
        _WARNING,
    ),
    Entry(
        rules_data.data_exists,
        "A path reads what is not there on every way, or only if a function returns it",
        "$.orderId is not guaranteed to exist",
        machine(
            f'"A": {{"Type": "Parallel", "Branches": [{_BRANCH}], "Next": "B"}}',
            _lambda("B", '"Next": "C"'),
            '"C": {"Type": "Pass", "InputPath": "»$.orderId", "End": true}',
        ),
        machine(_lambda("A", '"Next": "C"'), '"C": {"Type": "Pass", "InputPath": "$.orderId", "End": true}'),
        "DATA_NOT_GUARANTEED",
        _WARNING,
    ),
    Entry(
        rules_data.payload_limit,
        "A state yields more than 256 KiB, whatever its input",
        "AWS takes 262,144",
        machine(f'»"A": {{"Type": "Parallel", "Branches": [{_BRANCHES}], "End": true}}'),
        machine(f'"A": {{"Type": "Parallel", "ResultPath": null, "Branches": [{_BRANCHES}], "End": true}}'),
        "PAYLOAD_LIMIT",
        _WARNING,
    ),
    Entry(
        rules_data.event_limit,
        "A run has more than 25,000 events, whatever its input",
        "events",
        machine(
            '»"A": {"Type": "Map", "Items": "{% [1..7000] %}", "ItemProcessor": {"StartAt": "I", "States": {'
            '"I": {"Type": "Pass", "End": true}}}, "End": true}',
            top='"QueryLanguage": "JSONata", ',
        ),
        machine(
            '"A": {"Type": "Map", "Items": "{% [1..700] %}", "ItemProcessor": {"StartAt": "I", "States": {'
            '"I": {"Type": "Pass", "End": true}}}, "End": true}',
            top='"QueryLanguage": "JSONata", ',
        ),
        "EVENT_LIMIT",
        _WARNING,
    ),
    Entry(
        rules_advice.task_timeouts,
        "A task waits for an answer without a time limit",
        "without a time limit",
        machine(f'»"A": {{"Type": "Task", "Resource": "{_TOKEN}", "End": true}}'),
        machine(f'"A": {{"Type": "Task", "Resource": "{_TOKEN}", "TimeoutSeconds": 3600, "End": true}}'),
        rules_advice.NO_TIMEOUT,
        _WARNING,
    ),
    Entry(
        rules_advice.task_retries,
        "A Lambda function is called without a Retry",
        "without a Retry",
        machine("»" + _lambda("A", '"End": true')),
        machine(_lambda("A", '"Retry": [{"ErrorEquals": ["Lambda.TooManyRequestsException"]}], "End": true')),
        rules_advice.NO_RETRY,
        _WARNING,
    ),
    Entry(
        rules_advice.choice_defaults,
        "A Choice has no Default",
        "has no Default",
        machine("»" + _CHOICE + "}", END),
        machine(_CHOICE + ', "Default": "Z"}', END),
        rules_advice.NO_DEFAULT,
        _WARNING,
    ),
    Entry(
        rules_advice.swallowed_errors,
        "Every error is caught and thrown away",
        "as if nothing had happened",
        machine(task('"Catch": [{"ErrorEquals": »["States.ALL"], "ResultPath": null, "Next": "Z"}], '), END),
        machine(task('"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Z"}], '), END),
        rules_advice.SWALLOWED,
        _WARNING,
    ),
)
