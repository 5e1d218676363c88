"""What is known of results before anything runs."""

import pytest

from sfn_notebook.asl.results import each, intrinsic, jsonata_range, task_result
from sfn_notebook.asl.shapes import ANYTHING, INPUT, Listing, Object, Scalar, look_up
from sfn_notebook.asl.topology import StateNode, topology


def task(resource: str) -> StateNode:
    machine = topology({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True}}})
    return machine.by_pointer["/States/T"]


def test_an_integration_answers_with_its_own_fields_only() -> None:
    found = task_result(task("arn:aws:states:::sqs:sendMessage"), INPUT, None)
    assert isinstance(found, Object)
    assert look_up(found, ("MessageId",)).status == "there"
    assert look_up(found, ("orderId",)).status == "missing"


def test_a_lambda_function_is_wrapped_and_what_it_returns_is_not_known() -> None:
    found = task_result(task("arn:aws:states:::lambda:invoke"), INPUT, ANYTHING)
    assert look_up(found, ("orderId",)).status == "missing"
    assert look_up(found, ("Payload", "orderId")).status != "missing"
    bare = task_result(task("arn:aws:lambda:us-east-1:123456789012:function:f"), INPUT, None)
    assert look_up(bare, ("orderId",)).status != "missing"


@pytest.mark.parametrize(
    "resource", ["arn:aws:states:::sqs:sendMessage.waitForTaskToken", "${Function}", "arn:aws:states:::no:such"]
)
def test_of_what_comes_from_outside_nothing_is_known(resource: str) -> None:
    assert look_up(task_result(task(resource), INPUT, None), ("a", "b")).status != "missing"


@pytest.mark.parametrize(
    ("text", "length"),
    [("States.ArrayRange(1, 9, 2)", 5), ("States.ArrayRange(9, 1, -4)", 3), ("States.ArrayRange(1, 9, 0)", 0)],
)
def test_a_range_of_an_intrinsic_function_is_measured(text: str, length: int) -> None:
    found = intrinsic(text)
    assert isinstance(found, Listing)
    assert (found.length, type(each(found))) == (length, Scalar)


def test_functions_yield_texts_lists_or_anything() -> None:
    assert isinstance(intrinsic("States.Format('{}', $.a)"), Scalar)
    assert isinstance(intrinsic("States.Array($.a, 1)"), Listing)
    assert intrinsic("States.JsonMerge($.a, $.b, false)") is ANYTHING


def test_a_range_of_jsonata_is_measured_and_nothing_else() -> None:
    found = jsonata_range("{% [1..40] %}")
    assert isinstance(found, Listing)
    assert found.length == 40
    assert jsonata_range("{% [$a..40] %}") is ANYTHING
