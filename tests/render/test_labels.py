import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.render import labels


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ("arn:aws:states:::lambda:invoke", "Lambda invoke"),
        ("arn:aws:states:::lambda:invoke.waitForTaskToken", "Lambda invoke · waits for token"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:pay:live", "Lambda pay"),
        ("arn:aws-cn:states:::aws-sdk:dynamodb:putItem", "DynamoDB putItem"),
        ("arn:aws:states:::states:startExecution.sync:2", "Step Functions startExecution · waits for end"),
        ("arn:aws:states:::sns:publish", "SNS publish"),
        ("arn:aws:states:::aws-sdk:somethingnew:doIt", "Somethingnew doIt"),
        ("arn:aws:states:us-east-1:123456789012:activity:approve", "Activity approve"),
        ("${OrderFunctionArn}", "${OrderFunctionArn}"),
        ("arn:aws:states", "arn:aws:states"),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_the_service_of_a_task_is_named(resource: object, words: str) -> None:
    assert labels.service(resource) == words


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"Parameters": {"FunctionName": "arn:aws:lambda:eu-west-1:1:function:pay:$LATEST"}}, "pay"),
        ({"Arguments": {"FunctionName": "pay"}}, "pay"),
        ({"Arguments": {"FunctionName": "{% $f %}"}}, ""),
        ({"Parameters": {"FunctionName.$": "$.f"}}, ""),
        ({"Arguments": "{% $all %}"}, ""),
        ({}, ""),
    ],
)
def test_the_function_of_an_invocation_is_named(state: object, words: str) -> None:
    assert labels.function_name(state) == words


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"Seconds": 90}, "90 s"),
        ({"Seconds": 60}, "1 min"),
        ({"Seconds": 3600}, "1 h"),
        ({"Seconds": 86400 * 365}, "365 d"),
        ({"Seconds": "{% $states.input.pause %}"}, "$states.input.pause s"),
        ({"SecondsPath": "$.pause"}, "seconds in $.pause"),
        ({"Timestamp": "2026-01-01T00:00:00Z"}, "until 2026-01-01T00:00:00Z"),
        ({"TimestampPath": "$.at"}, "until $.at"),
        ({}, ""),
    ],
)
def test_the_length_of_a_wait_is_said(state: object, words: str) -> None:
    assert labels.wait_line(state) == words


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"ErrorEquals": ["States.ALL"]}], "↻ 3× any error"),
        ([{"ErrorEquals": ["A"], "MaxAttempts": 0}, {"ErrorEquals": ["B"]}], "↻ 0× A · 3× B"),
        (
            [{"ErrorEquals": ["Lambda.ServiceException", "Lambda.AWSLambdaException"], "MaxAttempts": 6}],
            "↻ 6× ServiceException +1",
        ),
        ([{"ErrorEquals": ["AnErrorWithALongName"]}] * 3, "↻ 3× AnErrorWithALongName · 2 more rules"),
        ([{"MaxAttempts": "{% 1 %}"}], "↻ ?× no error named"),
        ([], ""),
        ("soon", ""),
    ],
)
def test_retry_rules_fit_into_a_line(rules: object, words: str) -> None:
    assert labels.retry_line({"Retry": rules}) == words


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("total > 100 and vip", ["total > 100 and vip"]),
        (
            'order.payment.result.paymentStatus == "SUCCESS" and stock',
            ["…paymentStatus ==", '"SUCCESS" and stock'],
        ),
        ('detail.kind == "a" or detail.kind == "b"', ['detail.kind == "a" or', 'detail.kind == "b"']),
    ],
)
def test_conditions_break_at_and_and_or_and_keep_what_is_compared(condition: str, rows: list[str]) -> None:
    assert labels.condition_lines(condition) == rows


def test_a_condition_without_end_is_cut() -> None:
    rows = labels.condition_lines(" and ".join(f"field{i} == {i}" for i in range(100)))
    assert len(rows) <= 4
    assert rows[-1].endswith("…")
    assert all(labels.width_of(row) <= 30 for row in rows)


@given(st.text(max_size=120), st.integers(4, 40))
def test_wrapping_keeps_the_text_and_the_width(text: str, width: int) -> None:
    rows = labels.wrap(text, width, lines=10_000)
    assert re.sub(r"\s", "", "".join(rows)) == re.sub(r"\s", "", labels.visible(text))
    assert all(labels.width_of(row) <= width + 3 for row in rows)


@given(st.text(max_size=60), st.integers(1, 40))
def test_shortening_keeps_the_beginning_and_the_width(text: str, limit: int) -> None:
    short = labels.shorten(text, limit)
    assert labels.width_of(short) <= limit
    assert text.startswith(short.removesuffix("…"))


@given(st.text())
def test_what_is_visible_can_be_encoded_and_stays_so(text: str) -> None:
    shown = labels.visible(text)
    shown.encode()
    assert labels.visible(shown) == shown
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)
