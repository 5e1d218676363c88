"""ARNs of Step Functions, and what is none."""

import pytest

from sfn_notebook.aws.arns import arn_of
from sfn_notebook.errors import AwsError

BASE = "arn:aws:states:eu-west-1:123456789012"


@pytest.mark.parametrize(
    ("text", "kind", "machine", "name"),
    [
        (f"{BASE}:stateMachine:orders", "stateMachine", "orders", "orders"),
        (f"{BASE}:stateMachine:orders:7", "stateMachine", "orders", "orders"),
        (f"{BASE}:execution:orders:o-1", "execution", "orders", "o-1"),
        (f"{BASE}:execution:orders/Each:child-1", "execution", "orders", "child-1"),
        (f"{BASE}:express:quick:q-1:11111111-2222", "express", "quick", "q-1"),
        (f"{BASE}:mapRun:orders/Each:11111111-2222", "mapRun", "orders", "orders/Each"),
        ("arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:orders:o-1", "execution", "orders", "o-1"),
    ],
)
def test_each_kind_of_arn_is_taken_apart(text: str, kind: str, machine: str, name: str) -> None:
    found = arn_of(text)
    assert (found.text, found.kind, found.machine, found.name) == (text, kind, machine, name)


@pytest.mark.parametrize("colon", [":", "%3A"])
def test_a_console_url_counts_as_the_arn_in_it(colon: str) -> None:
    arn = f"{BASE}:execution:orders:o-1"
    url = f"https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/{arn}?x=1"
    assert arn_of(url.replace(arn, arn.replace(":", colon)), "execution").text == arn


def test_the_machine_of_anything_is_known() -> None:
    assert arn_of(f"{BASE}:mapRun:orders/Each:1").machine_arn == f"{BASE}:stateMachine:orders"
    assert arn_of(f"{BASE}:express:quick:q-1:2").machine_arn == f"{BASE}:stateMachine:quick"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("orders", 'the ARN of an execution is expected, but found "orders"'),
        ("", 'the ARN of an execution is expected, but found ""'),
        (None, "the ARN of an execution is expected, but found NoneType"),
        ("arn:aws:s3:::bucket", 'but "arn:aws:s3:::bucket" belongs to the service s3'),
        (f"{BASE}:stateMachine:orders", "is that of a state machine; its executions come with Executions.from_aws"),
        (f"{BASE}:mapRun:orders/Each:1", "is that of a Map Run; its child executions come with Executions.from_aws"),
        (f"{BASE}:activity:work", "is that of an activity"),
        (f"{BASE}:execution:orders", "ends before the name of the execution"),
        (f"{BASE}:execution", "is not complete"),
        (f"{BASE}:unheardOf:orders", "is not complete"),
    ],
)
def test_what_is_no_arn_of_the_kind_is_named(text: str, told: str) -> None:
    with pytest.raises(AwsError) as caught:
        arn_of(text, "execution")
    assert told in str(caught.value)
