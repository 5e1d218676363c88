from collections.abc import Callable

import pytest

from sfn_notebook.errors import Diagnostic, Severity

SCHEMA = "SCHEMA_VALIDATION_FAILED"


def states(body: str, language: str = "") -> str:
    return '{"StartAt": "A", ' + language + '"States": {' + body + "}}"


JSONATA = '"QueryLanguage": "JSONata", '
TASK = '"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets", "End": true'


def test_a_small_machine_is_clean(clean: Callable[..., None]) -> None:
    clean(states('"A": {"Type": "Pass", "End": true}'))
    clean(states('"A": {"Type": "Succeed"}', JSONATA))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("»{}", "These fields are required: [States, StartAt]"),
        ('»{"States": {"A": {"Type": "Succeed"}}}', "These fields are required: [StartAt]"),
        ('»{"StartAt": "A"}', "These fields are required: [States]"),
        (states('»"A": {"Type": "Task", "End": true}'), "These fields are required: [Resource]"),
        (states('»"A": {"Next": "A"}'), "These fields are required: [Type]"),
        (states('»"A": {"Type": "Choice"}'), "These fields are required: [Choices]"),
        (states('»"A": {"Type": "Parallel", "End": true}'), "These fields are required: [Branches]"),
        (states('»"A": {"Type": "Map", "End": true}'), "These fields are required: [ItemProcessor]"),
        (states(f'"A": {{{TASK}, "Retry": [»{{}}]}}'), "These fields are required: [ErrorEquals]"),
        (states(f'"A": {{{TASK}, "Catch": [»{{"ErrorEquals": ["X"]}}]}}'), "These fields are required: [Next]"),
    ],
)
def test_missing_fields_are_told_in_one_message(expect: Callable[..., Diagnostic], text: str, message: str) -> None:
    expect(text, SCHEMA, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"StartAt": "A", "States": »{}}', "there are no states"),
        ('{"StartAt": "A", "States": »[]}', "States must be an object, found an array"),
        (states('"A": »"Pass"'), 'state "A" must be an object, found a string'),
        (states('"A": {"Type": »"Taks", "End": true}'), 'state "A" has the unknown type "Taks"'),
        (states('"A": {"Type": »5, "End": true}'), 'state "A" has the unknown type 5'),
    ],
)
def test_states_are_objects_of_a_known_type(expect: Callable[..., Diagnostic], text: str, message: str) -> None:
    expect(text, SCHEMA, message)


def test_an_unknown_type_comes_with_a_suggestion(expect: Callable[..., Diagnostic]) -> None:
    found = expect(states('"A": {"Type": »"task", "End": true}'), SCHEMA, "unknown type")
    assert found.hint == 'did you mean "Task"?'


def test_a_query_language_inside_states_gives_one_error(expect: Callable[..., Diagnostic]) -> None:
    text = states(
        f'»"QueryLanguage": "JSONata", "A": {{{TASK}, "Arguments": {{}}, "Output": "{{% $states.result %}}"}}'
    )
    found = expect(text, SCHEMA, 'state "QueryLanguage" must be an object')
    assert found.hint == '"QueryLanguage" belongs beside "States", not inside it'


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (states('"A": {"Type": "Pass", "End": true, »"Comnent": "x"}'), "Field 'Comnent' is not supported", 'did you mean "Comment"?'),
        (states('"A": {"Type": "Pass", »"END": true}'), "Field 'END' is not supported", 'did you mean "End"?'),
        (
            states('"A": {"Type": "Pass", "End": true, »"TimeoutSeconds": 5}'),
            "Field 'TimeoutSeconds' is not supported",
            "a Pass state has no TimeoutSeconds; it is a field of Task",
        ),
        (
            states('"A": {"Type": "Pass", "End": true, »"Catch": []}'),
            "Field 'Catch' is not supported",
            "a Pass state has no Catch; it is a field of Task, Parallel, Map",
        ),
        (
            states('"A": {"Type": "Pass", "End": true, »"Output": {}}'),
            "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage",
            "in JSONPath use ResultSelector, ResultPath or OutputPath",
        ),
        (
            states(f'"A": {{{TASK}, »"Parameters": {{}}}}', JSONATA),
            "The QueryLanguage is set to 'JSONata', but field 'Parameters' is only supported for the 'JSONPath' QueryLanguage",
            "in JSONata use Arguments",
        ),
        (
            states(f'"A": {{{TASK}, "Retry": [{{"ErrorEquals": ["X"], »"MaxAttempt": 1}}]}}'),
            "Field 'MaxAttempt' is not supported",
            'did you mean "MaxAttempts"?',
        ),
        (
            states('"A": {"Type": "Map", "End": true, "ItemProcessor": {»"QueryLanguage": "JSONata", "StartAt": "B", "States": {"B": {"Type": "Succeed"}}}}'),
            "Field 'QueryLanguage' is not supported",
            "set it on each state inside, or on the whole machine",
        ),
    ],
)  # fmt: skip
def test_a_field_in_the_wrong_place_is_an_error(
    expect: Callable[..., Diagnostic], text: str, message: str, hint: str | None
) -> None:
    assert expect(text, SCHEMA, message).hint == hint


def test_a_field_that_nobody_knows_is_a_warning(expect: Callable[..., Diagnostic]) -> None:
    text = states('"A": {"Type": "Pass", "End": true, »"Priority": 5}')
    expect(
        text, "UNKNOWN_FIELD", 'the field "Priority" is not one that a Pass state is known to have', Severity.WARNING
    )


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ('"TimeoutSeconds": »"60"', "TimeoutSeconds must be an integer, found a string"),
        ('"TimeoutSeconds": »0', "TimeoutSeconds must be at least 1, found 0"),
        ('"TimeoutSeconds": »100000000', "TimeoutSeconds must be at most 99,999,999"),
        ('"TimeoutSeconds": »1.5', "TimeoutSeconds must be an integer, found a number: 1.5"),
        ('"TimeoutSeconds": »true', "TimeoutSeconds must be an integer, found a boolean: true"),
        ('"Comment": »5', "Comment must be a string, found a number: 5"),
        ('"Parameters": »null', "Parameters must be an object or another payload template, found null"),
        ('"Assign": »["x"]', "Assign must be an object, found an array"),
        ('"Credentials": »"role"', "Credentials must be an object, found a string"),
        ('"Retry": »{}', "Retry must be an array, found an object"),
        ('"Retry": [»"x"]', "each entry of Retry must be an object, found a string"),
        ('"Retry": [{"ErrorEquals": »"X"}]', "ErrorEquals must be an array of strings, found a string"),
        ('"Retry": [{"ErrorEquals": [»1]}]', "each entry of ErrorEquals must be a string, found a number"),
        ('"Retry": [{"ErrorEquals": ["X"], "BackoffRate": »0.5}]', "BackoffRate must be at least 1, found 0.5"),
        (
            '"Retry": [{"ErrorEquals": ["X"], "MaxDelaySeconds": »31622401}]',
            "MaxDelaySeconds must be at most 31,622,400",
        ),
        ('"Retry": [{"ErrorEquals": ["X"], "JitterStrategy": »"Full"}]', 'JitterStrategy cannot be "Full"'),
        ('"ResultPath": »5', "ResultPath must be a reference path, found a number: 5"),
        ('"InputPath": »{}', "InputPath must be a JSONPath, found an object"),
        ('"QueryLanguage": »"JSONPATH"', 'QueryLanguage cannot be "JSONPATH"'),
    ],
)
def test_types_and_ranges(expect: Callable[..., Diagnostic], field: str, message: str) -> None:
    expect(states(f'"A": {{{TASK}, {field}}}'), SCHEMA, message)


@pytest.mark.parametrize(
    "field",
    [
        '"TimeoutSeconds": 60', '"TimeoutSeconds": 60.0', '"InputPath": null', '"ResultPath": null', '"Retry": []',
        '"Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 1, "MaxAttempts": 0, "BackoffRate": 1, "MaxDelaySeconds": 2, "JitterStrategy": "NONE"}]',
        '"HeartbeatSecondsPath": "$.x"', '"Credentials": {"RoleArn.$": "$.role"}',
    ],
)  # fmt: skip
def test_right_types_and_ranges(clean: Callable[..., None], field: str) -> None:
    clean(states(f'"A": {{{TASK}, {field}}}'))


def test_a_number_in_quotes_has_a_hint(expect: Callable[..., Diagnostic]) -> None:
    found = expect(states(f'"A": {{{TASK}, "TimeoutSeconds": »"60"}}'), SCHEMA, "must be an integer")
    assert found.hint == "write 60 without quotes"
    assert found.length == 4


def test_jsonata_allows_expressions_where_the_table_says_so(
    clean: Callable[..., None], expect: Callable[..., Diagnostic]
) -> None:
    clean(
        states(f'"A": {{{TASK}, "TimeoutSeconds": "{{% $x %}}", "Assign": "{{% $y %}}"}}', JSONATA),
        ignore="UNDEFINED_VARIABLE",
    )
    expect(states(f'"A": {{{TASK}, "TimeoutSeconds": »"x"}}', JSONATA), SCHEMA, "an integer or a {% … %} expression")
    expect(states(f'"A": {{{TASK}, "TimeoutSeconds": »"{{% $x %}}"}}'), SCHEMA, "must be an integer")


def test_no_state_goes_back_to_jsonpath(expect: Callable[..., Diagnostic]) -> None:
    text = states('"A": {"Type": "Pass", "End": true, "QueryLanguage": »"JSONPath"}', JSONATA)
    expect(text, SCHEMA, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")


def test_names_are_at_most_80_characters(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    machine = '{{"StartAt": "{0}", "States": {{{1}"{0}": {{"Type": "Succeed"}}}}}}'
    clean(machine.format("x" * 80, ""))
    expect(machine.format("x" * 81, "»"), "INVALID_STATE_NAME", "this one has 81")


def test_names_are_unique_over_the_whole_machine(expect: Callable[..., Diagnostic]) -> None:
    branch = '{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}'
    other = '{"StartAt": "B", "States": {»"B": {"Type": "Succeed"}}}'
    found = expect(
        states(f'"A": {{"Type": "Parallel", "End": true, "Branches": [{branch}, {other}]}}'),
        "DUPLICATE_STATE_NAME",
        '"B" is used twice',
    )
    assert found.hint is not None
    assert "/States/A/Branches/0/States/B" in found.hint


def test_a_key_may_not_be_given_twice(expect: Callable[..., Diagnostic]) -> None:
    expect(states('"A": {"Type": "Pass", "End": true, »"Type": "Succeed", "Type2": 1}').replace(', "Type2": 1', "").replace('"Pass", "End": true', '"Pass"'),
           "DUPLICATE_KEY", 'the key "Type" stands twice')  # fmt: skip
    expect(
        states('"A": {"Type": "Succeed"}, »"A": {"Type": "Succeed"}'),
        "DUPLICATE_STATE_NAME",
        'the key "A" stands twice',
    )


def test_a_definition_is_at_most_one_mebibyte(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    machine = '{"StartAt": "A", "Comment": "%s", "States": {"A": {"Type": "Succeed"}}}'
    room = 1024 * 1024 - len(machine % "")
    clean(machine % ("x" * room))
    expect("»" + machine % ("x" * (room + 1)), SCHEMA, "1,048,577 bytes")


def test_items_of_a_jsonata_map_are_an_array_an_object_or_an_expression(
    expect: Callable[..., Diagnostic], clean: Callable[..., None]
) -> None:
    def machine(items: str) -> str:
        processor = '{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}'
        return states(f'"A": {{"Type": "Map", "Items": {items}, "ItemProcessor": {processor}, "End": true}}', JSONATA)

    for items in ("[1]", '{"a": 1}', '"{% $states.input %}"'):
        clean(machine(items))
    expect(machine('»"x"'), SCHEMA, "Items must be an array or an object or a {% … %} expression")


@pytest.mark.parametrize(
    "fields",
    [
        '"Type": "Pass", "Parameters": "fixed"',
        '"Type": "Pass", "Parameters": 7',
        '"Type": "Pass", "Parameters": [{"id.$": "$$.Execution.Id"}]',
        '"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Parameters": ["x", 1], "ResultSelector": "done"',
    ],
)
def test_a_payload_template_need_not_be_an_object(fields: str, clean: Callable[..., None]) -> None:
    clean(states(f'"A": {{{fields}, "End": true}}'))


def test_a_path_inside_a_list_of_a_payload_template_is_still_read(expect: Callable[..., Diagnostic]) -> None:
    text = states('"A": {"Type": "Pass", "Parameters": [1, {"id.$": "$».["}], "End": true}')
    expect(text, SCHEMA, "id.$: ")


def test_zero_seconds_are_allowed_where_aws_takes_them(
    clean: Callable[..., None], expect: Callable[..., Diagnostic]
) -> None:
    retry = '"Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": %s}]'
    clean(states(f'"A": {{{TASK}, {retry % 0}}}'))
    clean(states('"A": {"Type": "Succeed"}', '"TimeoutSeconds": 0, '))
    expect(states(f'"A": {{{TASK}, {retry % "»-1"}}}'), SCHEMA, "IntervalSeconds must be at least 0, found -1")
    expect(states('"A": {"Type": "Succeed"}', '"TimeoutSeconds": »-1, '), SCHEMA, "TimeoutSeconds must be at least 0")


def test_a_branch_has_no_query_language(expect: Callable[..., Diagnostic]) -> None:
    branch = '{»"QueryLanguage": "JSONata", "StartAt": "B", "States": {"B": {"Type": "Succeed"}}}'
    found = expect(
        states(f'"A": {{"Type": "Parallel", "Branches": [{branch}], "End": true}}'),
        SCHEMA,
        "Field 'QueryLanguage' is not supported",
    )
    assert "on each state inside" in (found.hint or "")


def test_credentials_name_a_role_and_are_not_for_activities(
    expect: Callable[..., Diagnostic], clean: Callable[..., None]
) -> None:
    missing = "The field 'RoleArn' is required but was missing"
    expect(states(f'"A": {{{TASK}, »"Credentials": {{"x": "y"}}}}'), "MISSING_ARGUMENT", missing, Severity.WARNING)
    expect(
        states(f'"A": {{{TASK}, »"Credentials": {{"RoleArn.$": "y"}}}}', JSONATA),
        "MISSING_ARGUMENT",
        missing,
        Severity.WARNING,
    )
    clean(states(f'"A": {{{TASK}, "Credentials": "{{% $states.input.role %}}"}}', JSONATA))
    clean(states(f'"A": {{{TASK}, "Credentials": {{"RoleArn": "{{% $states.input.role %}}"}}}}', JSONATA))
    activity = '"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "End": true'
    role = '"Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/r"}'
    expect(states(f'"A": {{{activity}, »{role}}}'), SCHEMA, "not supported for activities")


def test_a_jsonpath_state_in_a_jsonata_machine_is_one_error(expect: Callable[..., Diagnostic]) -> None:
    state = '"A": {"Type": "Pass", "QueryLanguage": »"JSONPath", "Output": {"a": 1}, "End": true}'
    expect(states(state, JSONATA), SCHEMA, "'QueryLanguage' can not be 'JSONPath'")
    choice = '"A": {"Type": "Choice", "QueryLanguage": »"JSONPath", "Choices": [{"Condition": true, "Next": "B"}]}'
    expect(states(choice + ', "B": {"Type": "Succeed"}', JSONATA), SCHEMA, "'QueryLanguage' can not be 'JSONPath'")


def test_the_hint_for_an_input_path_in_jsonata_names_what_there_is(expect: Callable[..., Diagnostic]) -> None:
    found = expect(states('"A": {"Type": "Pass", »"InputPath": "$.x", "End": true}', JSONATA), SCHEMA, "'InputPath'")
    assert found.hint == "in JSONata use $states.input in Arguments or Output"
