from collections.abc import Callable

import pytest

from sfn_notebook.asl.check import check
from sfn_notebook.asl.source import parse
from sfn_notebook.errors import Diagnostic, Severity

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TARGET = "MISSING_TRANSITION_TARGET"
END = '"End": {"Type": "Succeed"}'
TASK = '"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets"'


def states(body: str, start: str = "A") -> str:
    return '{"StartAt": "' + start + '", "States": {' + body + "}}"


def test_a_state_goes_on_or_ends(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    clean(states('"A": {"Type": "Pass", "Next": "End"}, ' + END))
    expect(states('»"A": {"Type": "Pass"}'), SCHEMA, 'state "A" has no "Next" or "End"')
    expect(states('"A": {"Type": "Pass", "Next": "End", »"End": true}, ' + END), SCHEMA, "has both Next and End")
    expect(states('"A": {"Type": "Pass", "End": »false}'), SCHEMA, '"End": false')
    both = states('"A": {"Type": "Pass", "End": »false, "Next": "B"}, "B": {"Type": "Succeed"}')
    assert expect(both, "NO_EFFECT", '"End": false', Severity.WARNING).hint == "remove it"


def test_a_misspelt_next_is_one_error(expect: Callable[..., Diagnostic]) -> None:
    expect(states('"A": {"Type": "Pass", »"Edn": true}'), SCHEMA, "Field 'Edn' is not supported")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (states('"A": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": true, "Next": »"end"}], "Default": "End"}, ' + END), 'did you mean "End"?'),
        (states('"A": {' + TASK + ', "Next": "End", "Catch": [{"ErrorEquals": ["X"], "Next": »"Ent"}]}, ' + END), 'did you mean "End"?'),
        (states('"A": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": true, "Next": »"Ent"}], "Default": "End"}, ' + END), 'did you mean "End"?'),
        (states('"A": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": true, "Next": "End"}], "Default": »"Zzz"}, ' + END), "the states here are A, End"),
        (
            states('"A": {"Type": "Parallel", "Next": "End", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "Next": »"End"}}}]}, ' + END),
            'the state "End" is outside of this branch or processor; a transition cannot leave its branch, processor or machine',
        ),
        (
            states('"A": {"Type": "Parallel", "Next": "End", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}], "Catch": [{"ErrorEquals": ["X"], "Next": »"B"}]}, ' + END),
            'the state "B" is inside "A"; a transition cannot leave its branch, processor or machine',
        ),
    ],
)  # fmt: skip
def test_a_transition_leads_to_a_state_of_its_scope(
    expect: Callable[..., Diagnostic], text: str, hint: str | None
) -> None:
    assert expect(text, TARGET, "Missing 'Next' target: ").hint == hint


def test_every_state_is_reachable(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    expect(
        states('"A": {"Type": "Succeed"}, »"B": {"Type": "Pass", "Next": "A"}'), TARGET, 'State "B" is not reachable.'
    )
    clean(
        states(
            '"A": {'
            + TASK
            + ', "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]}, "B": {"Type": "Fail"}'
        )
    )


def test_a_target_that_is_a_placeholder_may_be_any_state(expect: Callable[..., Diagnostic]) -> None:
    text = states('"A": {"Type": "Pass", "Next": "»${Where}"}, ' + END)
    expect(text, "UNRESOLVED_PLACEHOLDER", "${Where}", Severity.WARNING)


def test_a_workflow_can_end(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    loop = '"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Wait", "Seconds": 1, "Next": "A"}'
    expect("»" + states(loop), "MISSING_END_STATE", "Workflow has no terminal state")
    expect(states(loop + ', »"C": {"Type": "Succeed"}'), TARGET, 'State "C" is not reachable.')


def choice(rule: str, default: str = ', "Default": "End"') -> str:
    return states('"A": {"Type": "Choice", "Choices": [' + rule + "]" + default + "}, " + END)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ('»{"Variable": "$.x", "Next": "End"}', "this rule has no operator"),
        ('»{"IsNull": true, "Next": "End"}', "the rule with IsNull has no Variable"),
        ('»{"Variable": "$.x", "IsNull": true}', "These fields are required: [Next]"),
        (
            '{"Variable": "$.x", "IsNull": true, »"NumericEquals": 1, "Next": "End"}',
            "one operator, this one has IsNull and NumericEquals",
        ),
        ('{"Variable": "$.x", »"NumericEqual": 1, "Next": "End"}', "Field 'NumericEqual' is not supported"),
        ('{"Variable": "$.x", "NumericEquals": »"1", "Next": "End"}', "NumericEquals must be a number, found a string"),
        ('{"Variable": "$.x", "TimestampEquals": »"today", "Next": "End"}', "RFC3339"),
        ('{"And": »[], "Next": "End"}', "And needs at least one rule"),
        (
            '{"Not": {"Variable": "$.x", "IsNull": true, »"Next": "End"}, "Next": "End"}',
            "a rule inside And, Or or Not has no Next",
        ),
        ('{"Or": [{"Not": »{"Variable": "$.x"}}], "Next": "End"}', "this rule has no operator"),
        ('{»"Condition": "{% $x %}", "Next": "End"}', "only supported for the 'JSONata' QueryLanguage"),
    ],
)
def test_a_choice_rule_has_one_test_and_one_next(expect: Callable[..., Diagnostic], rule: str, message: str) -> None:
    expect(choice(rule), SCHEMA, message)


def test_good_choice_rules(clean: Callable[..., None]) -> None:
    clean(choice('{"Variable": "$.x", "StringMatches": "a*", "Next": "End"}', ""))
    clean(
        choice(
            '{"And": [{"Variable": "$.x", "IsPresent": true}, {"Not": {"Variable": "$$.State.Name", "StringEqualsPath": "$.y"}}], "Next": "End"}'
        )
    )


def test_a_choice_has_rules(expect: Callable[..., Diagnostic]) -> None:
    expect(choice("").replace("[]", "»[]"), SCHEMA, 'Choice state "A" has no rules')


def test_a_jsonata_rule_has_a_condition(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    def jsonata(rule: str) -> str:
        return choice(rule).replace('"Type": "Choice"', '"Type": "Choice", "QueryLanguage": "JSONata"')

    clean(jsonata('{"Condition": "{% $x %}", "Next": "End", "Output": {}, "Assign": {}}'), ignore="UNDEFINED_VARIABLE")
    expect(jsonata('»{"Next": "End"}'), SCHEMA, "needs a Condition")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("", "does not say how long"),
        ('"Seconds": 1, »"SecondsPath": "$.x", ', "has both Seconds and SecondsPath"),
        ('"Timestamp": "2024-01-01T00:00:00Z", »"Seconds": 1, ', "has both Timestamp and Seconds"),
    ],
)
def test_a_wait_state_says_once_how_long(expect: Callable[..., Diagnostic], fields: str, message: str) -> None:
    mark = "" if "»" in fields else "»"
    expect(states(mark + '"A": {"Type": "Wait", ' + fields + '"End": true}'), SCHEMA, message)


@pytest.mark.parametrize(
    "field",
    [
        '"Seconds": 0',
        '"SecondsPath": "$.x"',
        '"Timestamp": "2024-02-29T23:59:59.123456789+02:00"',
        '"TimestampPath": "$.x"',
    ],
)
def test_the_four_forms_of_wait(clean: Callable[..., None], field: str) -> None:
    clean(states('"A": {"Type": "Wait", ' + field + ', "End": true}'))


def test_a_value_and_its_path_exclude_each_other(expect: Callable[..., Diagnostic]) -> None:
    expect(
        states('"A": {' + TASK + ', "TimeoutSeconds": 5, »"TimeoutSecondsPath": "$.x", "End": true}'),
        SCHEMA,
        "cannot stand together",
    )
    expect(states('"A": {"Type": "Fail", "Error": "X", »"ErrorPath": "$.x"}'), SCHEMA, "cannot stand together")


def test_result_and_result_path_go_together(clean: Callable[..., None]) -> None:
    clean(states('"A": {"Type": "Pass", "Result": 1, "ResultPath": "$.x", "End": true}'))


def test_a_parallel_state_has_branches(expect: Callable[..., Diagnostic]) -> None:
    expect(states('"A": {"Type": "Parallel", "Branches": »[], "End": true}'), SCHEMA, "has no branches")


def test_a_distributed_map_says_its_execution_type(
    expect: Callable[..., Diagnostic], clean: Callable[..., None]
) -> None:
    machine = '"A": {{"Type": "Map", "End": true, "ItemProcessor": {{{0}, "StartAt": "B", "States": {{"B": {{"Type": "Succeed"}}}}}}}}'
    expect(
        states(machine.format('»"ProcessorConfig": {"Mode": "DISTRIBUTED"}')),
        SCHEMA,
        "These fields are required: [ExecutionType]",
    )
    clean(states(machine.format('"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}')))
    clean(states(machine.format('"ProcessorConfig": {"Mode": "INLINE"}')))


def retry(entries: str) -> str:
    return states('"A": {' + TASK + ', "End": true, "Retry": [' + entries + "]}")


def test_states_all_stands_alone_and_last(expect: Callable[..., Diagnostic], clean: Callable[..., None]) -> None:
    clean(retry('{"ErrorEquals": ["X", "Y"]}, {"ErrorEquals": ["States.ALL"]}'))
    expect(retry('{"ErrorEquals": ["X", »"States.ALL"]}'), SCHEMA, "must stand alone")
    expect(retry('{"ErrorEquals": [»"States.ALL"]}, {"ErrorEquals": ["X"]}'), SCHEMA, "must be in the last entry")
    expect(retry('{"ErrorEquals": »[]}'), SCHEMA, "needs at least one error name")


def test_a_dangling_start_leaves_the_states_that_lead_to_each_other(expect: Callable[..., Diagnostic]) -> None:
    text = (
        '{"StartAt": »"Zzz", "States": {"A": {"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": true, "Next": "A"}], "Default": "End"}, '
        + END
        + "}}"
    )
    expect(text, TARGET, "Missing 'Next' target: Zzz")


def test_a_false_end_does_not_end_a_circle(expect: Callable[..., Diagnostic]) -> None:
    text = states('"A": {"Type": "Pass", "End": false, "Next": "A"}')
    codes = [(d.code, d.severity) for d in check(parse(text))]
    assert codes == [("MISSING_END_STATE", Severity.ERROR), ("NO_EFFECT", Severity.WARNING)]
