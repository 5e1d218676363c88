import json
from collections.abc import Callable

import pytest

from sfn_notebook.errors import Diagnostic, Severity


def passing(fields: str) -> str:
    return '{"StartAt": "A", "States": {"A": {"Type": "Pass", ' + fields + ', "End": true}}}'


@pytest.mark.parametrize("text", ["$.b", "$$.Execution.Id", "$['b']", "$[0]", "$..b", "$", "$$", "States.UUID()"])
def test_what_looks_like_an_expression_needs_a_dollar_behind_its_key(
    expect: Callable[..., Diagnostic], text: str
) -> None:
    value = json.dumps(text)
    warning = Severity.WARNING
    found = expect(passing(f'"Parameters": {{"x": [1, {{»"a": {value}}}]}}'), "NO_DOLLAR", "is not evaluated", warning)
    assert found.hint == 'write "a.$" to evaluate it'
    expect(passing(f'"Assign": {{»"a": {value}}}'), "NO_DOLLAR", "is not evaluated", warning)


@pytest.mark.parametrize(
    "text",
    ["$5", "$.50", "$name", "$.name is required", "States.Nothing()", "States of America", "${Name}", "$.${Name}", "{% $.a %}"],
)  # fmt: skip
def test_what_is_no_expression_is_a_text(clean: Callable[..., None], text: str) -> None:
    value = json.dumps(text)
    clean(passing(f'"Parameters": {{"a": {value}}}'), "UNRESOLVED_PLACEHOLDER")
    clean(passing(f'"Result": {{"a": {value}}}'), "UNRESOLVED_PLACEHOLDER")


def test_only_templates_of_jsonpath_states_are_looked_at(clean: Callable[..., None]) -> None:
    clean(passing('"QueryLanguage": "JSONata", "Output": {"a": "$.b"}'))
    clean(passing('"Comment": "$.b"'))


@pytest.mark.parametrize(
    "result", ['»"$.x"', '{"a": »"$$.State.Name"}', '{"a.$": »"$.x"}', '[{"a": [»"States.UUID()"]}]']
)
def test_a_result_is_a_constant(expect: Callable[..., Diagnostic], result: str) -> None:
    expect(passing(f'"Result": {result}'), "PASS_RESULT_IS_STATIC", "a Result is a constant", Severity.WARNING)


def test_a_path_belongs_into_a_field_that_ends_in_path(
    expect: Callable[..., Diagnostic], clean: Callable[..., None]
) -> None:
    fail = '{"StartAt": "A", "States": {"A": {"Type": "Fail", %s}}}'
    found = expect(fail % '»"Error": "$.e"', "NO_PATH", 'Error is the text "$.e"', Severity.WARNING)
    assert found.hint == "use ErrorPath"
    clean(fail % '"Error": "$5", "CausePath": "$.c"')
    rule = '{"Not": {"Variable": "$.a", %s}, "Next": "B"}'
    choice = '{"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [' + rule + '], "Default": "B"}, "B": %s}}'
    end = '{"Type": "Succeed"}'
    found = expect(choice % ('»"StringEquals": "$.b"', end), "NO_PATH", "StringEquals is the text", Severity.WARNING)
    assert found.hint == "use StringEqualsPath"
    clean(choice % ('"StringMatches": "$.b"', end))


def test_a_key_with_and_without_a_dollar_is_told(expect: Callable[..., Diagnostic]) -> None:
    for template in ('{"a": 1, »"a.$": "$.b"}', '{»"a.$": "$.b", "a": 1}', '{"x": [{»"a.$": "$.b", "a": 1}]}'):
        expect(passing(f'"Parameters": {template}'), "COLLIDING_KEYS", '"a.$" and "a" give', Severity.WARNING)
