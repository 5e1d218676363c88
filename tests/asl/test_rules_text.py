import json
from collections.abc import Callable

import pytest

from sfn_notebook.asl.check import check
from sfn_notebook.asl.rules_text import is_timestamp
from sfn_notebook.asl.source import parse
from sfn_notebook.errors import Diagnostic, Severity

SCHEMA = "SCHEMA_VALIDATION_FAILED"


def passing(fields: str) -> str:
    return '{"StartAt": "A", "States": {"A": {"Type": "Pass", ' + fields + ', "End": true}}}'


def task(resource: str, more: str = "") -> str:
    return (
        '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "' + resource + '", ' + more + '"End": true}}}'
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ('"InputPath": "»x"', "InputPath: "),
        ('"OutputPath": "$.a»["', "OutputPath: "),
        ('"ResultPath": "»$$.x"', "ResultPath: a reference path"),
        ('"Parameters": {"a.$": "»x"}', "a.$: "),
        ('"Parameters": {"deep": [{"b.$": "States.»Nope($.x)"}]}', "b.$: "),
        ('"Assign": {"v.$": "»x"}', "v.$: "),
        ('"Parameters": {"a.$": »5}', "the field 'a.$' ends in .$"),
    ],
)
def test_a_broken_expression_is_pointed_at(
    expect: Callable[..., Diagnostic], unmark: Callable[[str], tuple[str, int, int]], fields: str, message: str
) -> None:
    text = passing(fields)
    if "States." in fields or "[" in fields.split(":")[1]:
        expect_near(unmark, text, message)
    else:
        expect(text, SCHEMA, message)


def expect_near(unmark: Callable[[str], tuple[str, int, int]], marked: str, message: str) -> None:
    """The offending character is the expression language's to choose; it lies inside the string."""
    text, line, column = unmark(marked)
    (found,) = check(parse(text))
    assert found.code == SCHEMA
    assert message in found.message
    assert found.line == line
    assert abs(found.column - column) <= 8


@pytest.mark.parametrize(
    "fields",
    [
        '"InputPath": "$"', '"InputPath": "$$.Execution.Input"', '"InputPath": "$var.x"', '"OutputPath": "$.a[?(@.b == 1)]"', '"ResultPath": "$.a.b[0]"',
        '"Parameters": {"a.$": "States.Format(\'{} {}\', $.x, $$.State.Name)", "b": {"c.$": "$..x[0:2]"}, "d": "$ not a path"}',
        '"Result": {"a.$": 5, "b.$": "whatever"}',
    ],
)  # fmt: skip
def test_good_expressions(clean: Callable[..., None], fields: str) -> None:
    clean(passing(fields), ignore="UNDEFINED_VARIABLE")


def test_a_broken_expression_that_stands_twice_is_told_twice() -> None:
    assert len(check(parse(passing('"InputPath": "x", "OutputPath": "x"')))) == 2


@pytest.mark.parametrize(
    "text", ["2016-03-14T01:59:00Z", "2016-03-05T21:29:29.243167252Z", "2024-02-29T00:00:00-11:30"]
)
def test_timestamps_by_rfc_3339(text: str) -> None:
    assert is_timestamp(text)


@pytest.mark.parametrize(
    "text",
    ["05-12-2016T21:29:29Z", "2016-12-05T25:29:29Z", "2016-12-05T21:29:29", "2016-12-05 21:29:29Z", "2023-02-29T00:00:00Z", "2016-13-01T00:00:00Z",
     "2016-04-31T00:00:00Z", "2016-01-00T00:00:00Z", "{% '2016-03-14T01:59:00Z' %}", ""],
)  # fmt: skip
def test_no_timestamps_by_rfc_3339(text: str) -> None:
    assert not is_timestamp(text)


def test_a_wait_for_a_timestamp_needs_one(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    wait = '{"StartAt": "A", "States": {"A": {"Type": "Wait", %s"Timestamp": %s, "End": true}}}'
    expect(wait % ("", '»"2016-12-05T21:29:29"'), SCHEMA, "String does not match RFC3339 timestamp")
    clean(wait % ('"QueryLanguage": "JSONata", ', '"{% $now() %}"'))


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:lambda:us-east-1:123456789012:function:f", "arn:aws-cn:lambda:cn-north-1:x:function:f:PROD", "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "arn:aws:states:::states:startExecution.sync:2", "arn:aws:states:::aws-sdk:anything:doIt", "arn:aws:states:eu-west-1:1:activity:x",
        "arn:aws:states:::dynamodb:getItem", "arn:aws:states:::ecs:runTask.sync",
    ],
)  # fmt: skip
def test_resources_that_exist(clean: Callable[..., None], resource: str) -> None:
    clean(task(resource), "MISSING_ARGUMENT")


def test_a_resource_is_an_arn(expect: Callable[..., Diagnostic]) -> None:
    expect(task("x").replace('"x"', '»"x"'), SCHEMA, "Value is not a valid resource ARN")


def test_an_integration_has_the_actions_that_it_has(expect: Callable[..., Diagnostic]) -> None:
    found = expect(
        task("arn:aws:states:::dynamodb:»query"),
        SCHEMA,
        "The resource provided arn:aws:states:::dynamodb:query is not recognized.",
    )
    assert found.hint == "for any AWS API use arn:aws:states:::aws-sdk:dynamodb:query"
    found = expect(task("arn:aws:states:::sqs:»sendMesage"), SCHEMA, "is not recognized")
    assert found.hint == 'did you mean "sendMessage"?'


def test_an_unknown_integration_is_a_warning(expect: Callable[..., Diagnostic]) -> None:
    expect(
        task("arn:aws:states:::»quantum:leap"),
        "UNKNOWN_INTEGRATION",
        'no optimised integration with "quantum"',
        Severity.WARNING,
    )


def test_express_workflows_do_not_wait_for_services(
    expect: Callable[..., Diagnostic], clean: Callable[..., None]
) -> None:
    expect(
        task("arn:aws:states:::batch:submitJob».sync"),
        SCHEMA,
        "Express state machine does not support '.sync'",
        workflow_type="EXPRESS",
    )
    expect(
        task("arn:aws:states:::apigateway:invoke».waitForTaskToken"),
        SCHEMA,
        "'.waitForTaskToken'",
        workflow_type="EXPRESS",
    )
    clean(task("arn:aws:states:::apigateway:invoke"), workflow_type="EXPRESS")


def test_an_item_reader_reads_from_s3(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    machine = '{"StartAt": "A", "States": {"A": {"Type": "Map", "End": true, "ItemReader": {"Resource": %s}, "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, "StartAt": "B", "States": {"B": {"Type": "Succeed"}}}}}}'
    clean(machine % '"arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}')
    expect(machine % '»"arn:aws:states:::s3:putObject"', SCHEMA, "an ItemReader cannot read with")


def test_placeholders_are_warnings_and_excuse_the_value(expect: Callable[..., Diagnostic]) -> None:
    for fields in (
        '"InputPath": "»${P}"',
        '"Parameters": "»${P}"',
        '"Parameters": {"a.$": "»${P}"}',
        '"Comment": "x »${P}"',
    ):
        expect(passing(fields), "UNRESOLVED_PLACEHOLDER", "the placeholder ${P} is not filled in", Severity.WARNING)
    expect(
        task("»${P}", '"TimeoutSeconds": "${P}", '),
        "UNRESOLVED_PLACEHOLDER",
        "${P} is not filled in, used 2 times",
        Severity.WARNING,
    )


def test_placeholders_are_errors_in_a_strict_check(expect: Callable[..., Diagnostic]) -> None:
    expect(passing('"Comment": "»${P}"'), "UNRESOLVED_PLACEHOLDER", "${P}", strict=True)


def test_a_state_may_be_called_like_a_broken_placeholder(clean: Callable[..., None]) -> None:
    name = "${a b=1}"
    states = {name: {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}
    clean(json.dumps({"StartAt": name, "States": states}))


def test_what_only_looks_like_a_placeholder_is_none(clean: Callable[..., None]) -> None:
    clean(passing('"Parameters": {"a.$": "States.Format(\'costs ${}\', $.x)", "b": "${!Literal}"}'))


def test_a_placeholder_may_name_several_variables(expect: Callable[..., Diagnostic]) -> None:
    text = (
        '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "»${a,b}", "TimeoutSeconds": 5, "End": true}}}'
    )
    expect(text, "UNRESOLVED_PLACEHOLDER", "the placeholder ${a,b} is not filled in", Severity.WARNING)


@pytest.mark.parametrize(
    ("resource", "hint"),
    [
        ("lambda:invoke».sync", "lambda has no job"),
        ("aws-sdk:s3:getObject».sync", "aws-sdk has no job"),
        ("sqs:sendMessage».sync:2", "sqs has no job"),
        ("dynamodb:getItem».sync", "dynamodb has no job"),
        ("dynamodb:getItem».waitForTaskToken", "dynamodb takes no task token"),
        ("glue:startJobRun».waitForTaskToken", "glue takes no task token"),
        ("athena:startQueryExecution».waitForTaskToken", "athena takes no task token"),
        ("ecs:runTask.sync»:2", "only states:startExecution has .sync:2"),
        ("ecs:runTask».Sync", 'did you mean ".sync"?'),
        ("lambda:invoke».waitForTasktoken", 'did you mean ".waitForTaskToken"?'),
    ],
)
def test_an_integration_has_the_call_patterns_that_it_has(resource: str, hint: str) -> None:
    text, _, offset = task(f"arn:aws:states:::{resource}").partition("»")
    found = [d for d in check(parse(text + offset)) if d.severity is Severity.ERROR]
    assert [(d.code, d.line, d.column) for d in found] == [(SCHEMA, 1, len(text) + 1)]
    assert found[0].message.startswith(
        f"The resource provided arn:aws:states:::{resource.replace('»', '')} is not recog"
    )
    assert hint in (found[0].hint or "")


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:::aws-sdk:sfn:startExecution.waitForTaskToken", "arn:aws:states:::states:startExecution.sync",
        "arn:aws:states:::eks:runJob.sync", "arn:aws:states:::bedrock:invokeModel.waitForTaskToken", "arn:aws:states:::athena:startQueryExecution.sync",
        "arn:aws:states:::events:putEvents.waitForTaskToken", "arn:aws:states:::http:invoke", "arn:aws:states:::ecs:runTask.someNewPattern",
        "arn:aws:states:us-east-1:123456789012:activity:x.sync", "arn:aws:states:::s3:${Action}.sync",
    ],
)  # fmt: skip
def test_call_patterns_that_exist_or_may(resource: str) -> None:
    assert [d for d in check(parse(task(resource))) if d.severity is Severity.ERROR] == []


def test_a_call_has_the_arguments_that_it_needs(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    invoke, code = "arn:aws:states:::lambda:invoke", "MISSING_ARGUMENT"
    message = f"Parameters field is required for resource ARN: {invoke}"
    expect(task(invoke).replace('"arn', '»"arn'), code, message, Severity.WARNING)
    expect(
        task(invoke, '"QueryLanguage": "JSONata", ').replace('"arn', '»"arn'),
        code,
        "Arguments field is",
        Severity.WARNING,
    )
    found = expect(
        task(invoke, '»"Parameters": {"FunctionNam": "f"}, '), code, "The field 'FunctionName' is", Severity.WARNING
    )
    assert found.hint == '"FunctionNam" looks like it'
    for fields in (
        '"Parameters": {"FunctionName.$": "$.f"}',
        '"Parameters": "${Given}"',
        '"QueryLanguage": "JSONata", "Arguments": {"FunctionName": "f"}',
        '"QueryLanguage": "JSONata", "Arguments": "{% $states.input %}"',
    ):
        clean(task(invoke, f"{fields}, "), "UNRESOLVED_PLACEHOLDER")
    keyed = '"QueryLanguage": "JSONata", »"Arguments": {"FunctionName.$": "f"}, '
    expect(task(invoke, keyed), code, "The field 'FunctionName'", Severity.WARNING)


@pytest.mark.parametrize(
    "resource",
    [
        '»"arn:aws:::123456789012:resource"',
        '»"arn:aws:lambda"',
        '"arn:aws:lambda:us-east-1:123456789012:function:f»:"',
        '"arn:aws:lambda:us-east-1:123456789012:function:f»:$*#$7485"',
    ],
)
def test_an_arn_has_a_service_and_a_function_a_version_that_may_be(
    expect: Callable[..., Diagnostic], resource: str
) -> None:
    expect(task("x").replace('"x"', resource), SCHEMA, "Value is not a valid resource ARN")


@pytest.mark.parametrize(
    "end", ["f", "f:$LATEST", "f:PROD_1-a", "f:7", "<function_name>", "<name>:<version>", "${F}:", "my.f"]
)
def test_functions_and_versions_that_may_be(clean: Callable[..., None], end: str) -> None:
    clean(task(f"arn:aws:lambda:us-east-1:<account>:function:{end}"), "UNRESOLVED_PLACEHOLDER")


def test_sdk_calls_are_spelt_in_one_way(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    call = "arn:aws:states:::aws-sdk:"
    found = expect(task(f"{call}»S3:GetObject.waitForTaskToken"), "SDK_SPELLING", "S3:GetObject", Severity.WARNING)
    assert (found.hint or "").endswith("s3:getObject")
    keys = '"Parameters": {»"bucket.$": "$.b", "Key": "k"}, '
    found = expect(task(f"{call}s3:getObject", keys), "SDK_SPELLING", 'parameter "bucket.$"', Severity.WARNING)
    assert (found.hint or "").endswith("Bucket.$")
    clean(task(f"{call}s3:${{Action}}"), "UNRESOLVED_PLACEHOLDER")
    clean(task(f"{call}sfn:startExecution", '"Parameters": {"StateMachineArn": "a", "Input": {"low": 1}}, '))
