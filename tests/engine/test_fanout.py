"""Map and Parallel: order, chaining of events, concurrency, retries, failures that abort siblings."""

from pathlib import Path
from typing import Any

import pytest

from sfn_notebook import After, Execution, StateMachine, TaskError

QUEUE = "arn:aws:states:::sqs:sendMessage"
PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": QUEUE, "End": True}


def scope(**states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def run(state: dict[str, Any], data: Any = None, handlers: Any = None, **more: Any) -> Execution:
    return StateMachine.load(scope(M=state, **more)).run(data, handlers, seed=1)


def over(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}


def beside(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": list(branches), "End": True, **fields}


def chain(execution: Execution) -> list[str]:
    """Give 'id<previous type name-or-index' of every event, without the word State."""
    rows = []
    for event in execution.history.raw:
        details: dict[str, Any] = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
        what = details.get("index", details.get("name", details.get("length", "")))
        rows.append(f"{event['id']}<{event['previousEventId']} {event['type'].replace('State', '')} {what}".rstrip())
    return rows


def seconds(execution: Execution) -> float:
    raw = execution.history.raw
    return float((raw[-1]["timestamp"] - raw[0]["timestamp"]).total_seconds())


# ---- Map


def test_a_map_starts_all_iterations_and_collects_results_in_order() -> None:
    execution = run(over(scope(P=PASS)), [1, 2])
    assert chain(execution) == [
        "1<0 ExecutionStarted", "2<0 MapEntered M", "3<2 MapStarted 2", "4<3 MapIterationStarted 0", "5<3 MapIterationStarted 1",
        "6<4 PassEntered P", "7<6 PassExited P", "8<7 MapIterationSucceeded 0", "9<5 PassEntered P", "10<9 PassExited P",
        "11<10 MapIterationSucceeded 1", "12<11 MapSucceeded", "13<11 MapExited M", "14<13 ExecutionSucceeded",
    ]  # fmt: skip
    assert execution.output == [1, 2]


def test_with_concurrency_one_an_iteration_chains_to_the_event_before_its_forerunner_ended() -> None:
    assert chain(run(over(scope(P=PASS), MaxConcurrency=1), [1, 2]))[2:] == [
        "3<2 MapStarted 2", "4<3 MapIterationStarted 0", "5<4 PassEntered P", "6<5 PassExited P", "7<6 MapIterationSucceeded 0",
        "8<6 MapIterationStarted 1", "9<8 PassEntered P", "10<9 PassExited P", "11<10 MapIterationSucceeded 1", "12<11 MapSucceeded",
        "13<11 MapExited M", "14<13 ExecutionSucceeded",
    ]  # fmt: skip


def test_map_succeeded_and_exited_point_at_the_same_event() -> None:
    raw = run(over(scope(P=PASS)), [1, 2, 3]).history.raw
    succeeded, exited = raw[-3:-1]
    assert (succeeded["type"], exited["type"]) == ("MapStateSucceeded", "MapStateExited")
    assert succeeded["previousEventId"] == exited["previousEventId"]


def test_an_empty_array_runs_no_iteration() -> None:
    execution = run(over(scope(P=PASS)), [])
    assert [row.split(" ", 1)[1] for row in chain(execution)] == [
        "ExecutionStarted", "MapEntered M", "MapStarted 0", "MapSucceeded", "MapExited M", "ExecutionSucceeded",
    ]  # fmt: skip
    assert execution.output == []


@pytest.mark.parametrize(("concurrency", "expected"), [(1, 60), (2, 30), (3, 20), (4, 20), (6, 10), (0, 10), (99, 10)])
def test_max_concurrency_bounds_how_many_run_at_once(concurrency: int, expected: float) -> None:
    execution = run(
        over(scope(T=TASK), MaxConcurrency=concurrency), list(range(6)), {"T": After(10, lambda item: item * item)}
    )
    assert execution.output == [0, 1, 4, 9, 16, 25]
    assert seconds(execution) == expected


def test_without_a_limit_forty_iterations_run_at_once() -> None:
    assert seconds(run(over(scope(T=TASK)), list(range(41)), {"T": After(10, 1)})) == 20
    assert seconds(run(over(scope(T=TASK)), list(range(40)), {"T": After(10, 1)})) == 10


def test_max_concurrency_is_never_exceeded_and_items_are_handed_out_in_order() -> None:
    execution = run(over(scope(T=TASK), MaxConcurrency=2), [7, 1, 1, 1, 1], {"T": lambda item: After(item, item)})
    started: list[int] = []
    live = most = 0
    for event in execution.history.raw:
        if event["type"] == "MapIterationStarted":
            started.append(event["mapIterationStartedEventDetails"]["index"])
            live += 1
        live -= event["type"] == "MapIterationSucceeded"
        most = max(most, live)
    assert started == [0, 1, 2, 3, 4]
    assert most == 2
    assert execution.output == [7, 1, 1, 1, 1]
    assert seconds(execution) == 7


@pytest.mark.parametrize(("value", "expected"), [(2, 30), ("2", 30), (2.0, 30), (0, 10)])
def test_max_concurrency_path_reads_numbers_and_numeric_text(value: Any, expected: float) -> None:
    state = over(scope(T=TASK), ItemsPath="$.items", MaxConcurrencyPath="$.n")
    execution = run(state, {"items": [1] * 6, "n": value}, {"T": After(10, 1)})
    assert execution.status == "SUCCEEDED", execution.cause
    assert seconds(execution) == expected


@pytest.mark.parametrize("value", [-1, "x", None, 1.5, True, []])
def test_a_bad_max_concurrency_fails_before_the_map_has_started(value: Any) -> None:
    state = over(scope(T=TASK), ItemsPath="$.items", MaxConcurrencyPath="$.n")
    execution = run(state, {"items": [1], "n": value}, {"T": 1})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert "MapStateStarted" not in [event["type"] for event in execution.history.raw]


@pytest.mark.parametrize("items", [{"a": 1}, "text", 5, None])
def test_what_is_no_array_fails_the_execution(items: Any) -> None:
    execution = run(over(scope(P=PASS), ItemsPath="$.items"), {"items": items})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert execution.cause is not None
    assert execution.cause.endswith('Reference path "$.items" must point to array.')


def test_an_item_selector_sees_the_input_of_the_map_and_the_item() -> None:
    selector = {"sku.$": "$$.Map.Item.Value", "n.$": "$$.Map.Item.Index", "shop.$": "$.shop", "fixed": 1}
    data = {"shop": "s", "items": ["a", "b"]}
    assert run(over(scope(P=PASS), ItemsPath="$.items", ItemSelector=selector), data).output == [
        {"sku": "a", "n": 0, "shop": "s", "fixed": 1},
        {"sku": "b", "n": 1, "shop": "s", "fixed": 1},
    ]


def test_the_older_spelling_iterator_and_parameters_means_the_same() -> None:
    state = {
        "Type": "Map", "Iterator": scope(P=PASS), "Parameters": {"v.$": "$$.Map.Item.Value"}, "ItemsPath": "$.items", "End": True,
    }  # fmt: skip
    assert run(state, {"items": [1, 2]}).output == [{"v": 1}, {"v": 2}]


def test_input_path_result_selector_result_path_and_output_path_of_a_map() -> None:
    state = over(
        scope(P=PASS), InputPath="$.in", ItemsPath="$.items", ResultSelector={"all.$": "$", "first.$": "$[0]"}, ResultPath="$.got",
        OutputPath="$.got",
    )  # fmt: skip
    assert run(state, {"in": {"items": [3, 4]}}).output == {"all": [3, 4], "first": 3}


def test_an_iteration_runs_many_states_and_has_its_own_data() -> None:
    processor = scope(
        A={"Type": "Pass", "Parameters": {"v.$": "$"}, "Next": "C"},
        C={
            "Type": "Choice",
            "Choices": [{"Variable": "$.v", "NumericGreaterThan": 1, "Next": "Big"}],
            "Default": "Small",
        },
        Big={"Type": "Pass", "Result": "big", "ResultPath": "$.size", "End": True},
        Small={"Type": "Succeed"},
    )
    assert run(over(processor), [1, 2]).output == [{"v": 1}, {"v": 2, "size": "big"}]


def test_variables_of_an_iteration_are_its_own() -> None:
    processor = scope(
        A={"Type": "Pass", "Assign": {"mine.$": "$"}, "Next": "B"},
        B={"Type": "Pass", "Parameters": {"mine.$": "$mine", "outer.$": "$outer"}, "End": True},
    )
    states = {
        "S": {"Type": "Pass", "Assign": {"outer": "o"}, "Next": "M"},
        "M": over(processor, MaxConcurrency=1),
    }
    execution = StateMachine.load({"StartAt": "S", "States": states}).run([1, 2], seed=1)
    assert execution.output == [{"mine": 1, "outer": "o"}, {"mine": 2, "outer": "o"}]


def test_an_iteration_that_takes_over_from_another_does_not_inherit_its_variables() -> None:
    processor = scope(
        C={"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "Set"}], "Default": "Read"},
        Set={"Type": "Pass", "Assign": {"mine": "left over"}, "End": True},
        Read={"Type": "Pass", "Parameters": {"mine.$": "$mine"}, "End": True},
    )
    execution = run(over(processor, MaxConcurrency=1), [1, 2])
    assert execution.status == "FAILED"
    assert "left over" not in (execution.history.raw[-3].get("stateExitedEventDetails") or {}).get("output", "")


# ---- failures of a Map


def fails_on(bad: Any) -> Any:
    def handler(item: Any) -> Any:
        if item == bad:
            raise TaskError("Bad", "item")
        return After(item, item)

    return handler


def test_a_failed_iteration_ends_the_map_and_aborts_its_siblings() -> None:
    execution = run(over(scope(T=TASK)), [5, 0, 9], {"T": fails_on(0)})
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "Bad", "item")
    rows = [row.split(" ", 1)[1] for row in chain(execution)]
    at = rows.index("TaskFailed")
    assert rows[at + 1] == "MapIterationFailed 1"
    assert sorted(rows[at + 2 : -2]) == ["MapIterationAborted 0", "MapIterationAborted 2", *["TaskAborted"] * 3]
    assert rows[-2:] == ["MapFailed", "ExecutionFailed"]
    assert seconds(execution) == 0


def test_everything_behind_a_failed_iteration_points_at_the_failure() -> None:
    raw = run(over(scope(T=TASK)), [5, 0], {"T": fails_on(0)}).history.raw
    failed = next(event["id"] for event in raw if event["type"] == "TaskFailed")
    behind = [event["previousEventId"] for event in raw if event["id"] > failed]
    assert behind[:-1] == [failed] * (len(behind) - 1)
    assert behind[-1] == raw[-2]["id"]


def test_an_aborted_iteration_is_named_before_the_states_inside_it() -> None:
    rows = [row.split(" ", 1)[1] for row in chain(run(over(scope(T=TASK)), [5, 0, 9], {"T": fails_on(0)}))]
    at = rows.index("MapIterationFailed 1")
    assert rows[at : at + 7] == [
        "MapIterationFailed 1", "TaskAborted", "MapIterationAborted 0", "TaskAborted", "MapIterationAborted 2", "TaskAborted", "MapFailed",
    ]  # fmt: skip


def test_items_that_were_not_started_leave_no_events_when_an_earlier_one_fails() -> None:
    execution = run(over(scope(T=TASK), MaxConcurrency=1), [0, 1, 2], {"T": fails_on(0)})
    rows = [row.split(" ", 1)[1] for row in chain(execution)]
    assert "MapIterationStarted 1" not in rows
    assert not [row for row in rows if row.startswith("MapIterationAborted")]


def test_a_retried_map_starts_anew_behind_the_failure_and_skips_the_iteration() -> None:
    state = over(scope(T=TASK), Retry=[{"ErrorEquals": ["Bad"], "MaxAttempts": 1, "IntervalSeconds": 4}])
    execution = run(state, [0], {"T": fails_on(0)})
    rows = chain(execution)
    assert rows[6:11] == [
        "7<6 TaskStarted",
        "8<7 TaskFailed",
        "9<8 MapIterationFailed 0",
        "10<8 TaskAborted",
        "11<8 MapStarted 1",
    ]
    assert [row.split(" ", 1)[1] for row in rows].count("MapFailed") == 1
    assert rows[-2].endswith("MapFailed")
    assert seconds(execution) == 4


def test_a_map_that_is_retried_reads_its_input_again_and_may_succeed() -> None:
    seen: list[int] = []

    def handler(item: int) -> int:
        seen.append(item)
        if len(seen) == 2:
            raise TaskError("Bad")
        return item

    execution = run(over(scope(T=TASK), Retry=[{"ErrorEquals": ["States.ALL"]}]), [1, 2, 3], {"T": handler})
    assert execution.output == [1, 2, 3]
    assert seen[-3:] == [1, 2, 3]


def test_a_caught_map_goes_on_behind_map_failed() -> None:
    state = over(
        scope(T=TASK), Catch=[{"ErrorEquals": ["Bad"], "ResultPath": "$.error", "Next": "H"}], ItemsPath="$.items"
    )
    execution = run(state, {"items": [0]}, {"T": fails_on(0)}, H=PASS)
    rows = chain(execution)
    failed = next(row for row in rows if row.endswith("MapFailed"))
    number = int(failed.split("<")[0])
    assert f"{number + 1}<{number} MapExited M" in rows
    assert execution.output == {"items": [0], "error": {"Error": "Bad", "Cause": "item"}}


def test_a_failure_aborts_nested_maps_and_parallels_from_top_to_bottom() -> None:
    inner = over(scope(W={"Type": "Wait", "Seconds": 50, "End": True}))
    state = beside(
        scope(Bad={"Type": "Task", "Resource": QUEUE, "End": True}),
        scope(I=inner),
        scope(Q=beside(scope(V={"Type": "Wait", "Seconds": 60, "End": True}), scope(U=TASK))),
    )
    execution = run(state, [1, 2], {"Bad": After(7, TaskError("Boom", "")), "U": After(99, 1)})
    assert (execution.status, execution.error) == ("FAILED", "Boom")
    assert seconds(execution) == 7
    aborted = [row.split(" ", 1)[1] for row in chain(execution) if "Aborted" in row]
    assert sorted(aborted) == sorted(
        ["TaskAborted", "WaitAborted", "WaitAborted", "MapIterationAborted 0", "MapIterationAborted 1", "MapAborted", "WaitAborted",
         "TaskAborted", "ParallelAborted"]
    )  # fmt: skip
    assert execution.engine.world.next_timer() is None
    assert execution.engine.tasks == {}


def test_an_aborted_sibling_never_comes_back() -> None:
    state = over(scope(T=TASK), Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "W"}])
    execution = run(state, [5, 0], {"T": fails_on(0)}, W={"Type": "Wait", "Seconds": 60, "End": True})
    assert execution.status == "SUCCEEDED"
    at = [event["type"] for event in execution.history.raw].index("MapStateFailed")
    assert [event["type"] for event in execution.history.raw][at:] == [
        "MapStateFailed", "MapStateExited", "WaitStateEntered", "WaitStateExited", "ExecutionSucceeded",
    ]  # fmt: skip


def test_a_runtime_error_inside_an_iteration_ends_the_execution_although_the_map_catches_everything() -> None:
    inner = scope(P={"Type": "Pass", "InputPath": "$.absent", "End": True})
    execution = run(over(inner, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "H"}]), [{}], H=PASS)
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")


def test_a_fail_state_inside_an_iteration_fails_the_map_with_its_error() -> None:
    inner = scope(F={"Type": "Fail", "Error": "E", "Cause": "c"})
    execution = run(over(inner, Catch=[{"ErrorEquals": ["E"], "Next": "H"}]), [1], H=PASS)
    assert execution.output == {"Error": "E", "Cause": "c"}


# ---- Parallel


def test_branches_start_together_and_give_an_array_in_the_order_of_the_text() -> None:
    state = beside(
        scope(A={"Type": "Wait", "Seconds": 5, "End": True}), scope(B={"Type": "Pass", "Result": 2, "End": True})
    )
    execution = run(state, {"k": 1})
    assert chain(execution) == [
        "1<0 ExecutionStarted", "2<0 ParallelEntered M", "3<2 ParallelStarted", "4<3 WaitEntered A", "5<3 PassEntered B",
        "6<5 PassExited B", "7<4 WaitExited A", "8<7 ParallelSucceeded", "9<7 ParallelExited M", "10<9 ExecutionSucceeded",
    ]  # fmt: skip
    assert execution.output == [{"k": 1}, 2]


def test_parameters_and_results_of_a_parallel() -> None:
    state = beside(
        scope(A=PASS), scope(B={"Type": "Pass", "Result": 2, "End": True}), InputPath="$.in", Parameters={"v.$": "$.k"},
        ResultSelector={"a.$": "$[0].v", "b.$": "$[1]"}, ResultPath="$.got",
    )  # fmt: skip
    assert run(state, {"in": {"k": 7}}).output == {"in": {"k": 7}, "got": {"a": 7, "b": 2}}


def test_branches_do_not_see_what_the_others_write() -> None:
    branches = [
        scope(**{f"S{n}": {"Type": "Pass", "Result": n, "ResultPath": "$.shared.x", "End": True}}) for n in range(3)
    ]
    data = {"shared": {"y": 0}}
    assert run(beside(*branches), data).output == [{"shared": {"y": 0, "x": n}} for n in range(3)]
    assert data == {"shared": {"y": 0}}


def test_a_failed_branch_aborts_the_others_at_that_moment() -> None:
    state = beside(
        scope(A={"Type": "Wait", "Seconds": 5, "End": True}),
        scope(B={"Type": "Wait", "Seconds": 1, "Next": "F"}, F={"Type": "Fail", "Error": "E"}),
        scope(C=TASK),
    )
    execution = run(state, {}, {"C": After(3, {})})
    assert [row.split(" ", 1)[1] for row in chain(execution)][-5:] == [
        "FailEntered F", "WaitAborted", "TaskAborted", "ParallelFailed", "ExecutionFailed",
    ]  # fmt: skip
    assert seconds(execution) == 1


def test_a_finished_branch_is_not_aborted() -> None:
    state = beside(
        scope(A=PASS), scope(B={"Type": "Wait", "Seconds": 1, "Next": "F"}, F={"Type": "Fail", "Error": "E"})
    )
    assert not [row for row in chain(run(state, {})) if "Aborted" in row]


def test_a_retried_parallel_runs_all_branches_again() -> None:
    calls: list[str] = []

    def handler(name: str) -> Any:
        calls.append(name)
        if calls.count("b") == 1 and name == "b":
            raise TaskError("Once")
        return name

    def branch(state: str, name: str) -> dict[str, Any]:
        return scope(**{state: {**TASK, "Parameters": {"name": name}}})

    state = beside(branch("A", "a"), branch("B", "b"), Retry=[{"ErrorEquals": ["Once"], "IntervalSeconds": 2}])
    execution = run(state, {}, {"*": lambda value: handler(value["name"])})
    assert execution.output == ["a", "b"]
    assert calls == ["a", "b", "a", "b"]
    rows = [row.split(" ", 1)[1] for row in chain(execution)]
    assert rows.count("ParallelEntered M") == 1
    assert rows.count("ParallelStarted") == 2
    assert "ParallelFailed" not in rows


def test_variables_of_the_outer_scope_are_read_in_a_branch_and_its_own_are_gone_behind_it() -> None:
    states = {
        "S": {"Type": "Pass", "Assign": {"outer": 1}, "Next": "M"},
        "M": {
            "Type": "Parallel", "Next": "E", "ResultPath": None,
            "Branches": [scope(A={"Type": "Pass", "Parameters": {"v.$": "$outer"}, "Assign": {"inner.$": "$outer"}, "End": True})],
        },
        "E": {"Type": "Pass", "Parameters": {"v.$": "$inner"}, "End": True},
    }  # fmt: skip
    execution = StateMachine.load({"StartAt": "S", "States": states}).run(seed=1)
    assert execution.status == "FAILED"
    assert execution.history.visits[2].output is not None


@pytest.mark.parametrize("depth", [1, 5, 20])
def test_maps_nest_as_deep_as_one_likes(depth: int) -> None:
    processor, data = scope(Leaf=PASS), 1
    for level in range(depth):
        processor = scope(**{f"M{level}": over(processor)})
        data = [data]  # type: ignore[assignment]  # a nested list
    execution = StateMachine.load(processor).run(data, seed=1)
    assert execution.output == data


def test_an_item_that_is_too_large_for_a_child_fails_a_distributed_map() -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **scope(P=PASS)}
    selector = {"a.$": "$$.Map.Item.Value", "b.$": "$$.Map.Item.Value"}
    execution = run(over(processor, ItemSelector=selector), ["x" * 150_000])
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")


def test_an_inline_map_ignores_what_only_a_distributed_one_has() -> None:
    fields = {
        "Label": "x",
        "ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b"}},
        "ItemBatcher": {"MaxItemsPerBatch": 2},
        "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}},
    }
    execution = run(over(scope(P=PASS), **fields), [1, 2])
    assert execution.output == [1, 2]
    assert chain(execution) == chain(run(over(scope(P=PASS)), [1, 2]))


DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}


@pytest.mark.parametrize("zero", [0, "0"])
def test_a_batch_of_zero_items_or_bytes_is_no_limit(zero: Any) -> None:
    batcher = {"MaxItemsPerBatchPath": "$.n", "MaxInputBytesPerBatchPath": "$.n"}
    state = over({**scope(P=PASS), **DISTRIBUTED}, ItemsPath="$.items", ItemBatcher=batcher)
    assert run(state, {"items": [1, 2, 3], "n": zero}).output == [{"Items": [1, 2, 3]}]
    literal = over({**scope(P=PASS), **DISTRIBUTED}, ItemBatcher={"MaxItemsPerBatch": 0, "MaxInputBytesPerBatch": 0})
    assert run(literal, [1, 2]).output == [{"Items": [1, 2]}]


def test_the_names_of_csv_columns_are_taken_literally(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("1,2\n")
    config = {
        "InputType": "CSV",
        "CSVHeaderLocation": "GIVEN",
        "CSVHeaders": ["{% phone %}", "b"],
        "MaxItems": "{% 5 %}",
    }
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Arguments": {"Bucket": "b", "Key": "k"},
        "ReaderConfig": config,
    }
    state = over({**scope(P=PASS), **DISTRIBUTED}, QueryLanguage="JSONata", ItemReader=reader)
    machine = StateMachine.load(scope(M=state))
    assert machine.run({}, s3={"b": str(tmp_path)}).output == [{"{% phone %}": "1", "b": "2"}]
