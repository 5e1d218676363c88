from typing import Any

import pytest

from sfn_notebook import CommandError, StateMachine, TaskError
from sfn_notebook.api.pictures import execution_bundle, machine_bundle, machine_graph, run_overlay, run_summary
from sfn_notebook.render.graphviz_engine import RenderError
from sfn_notebook.render.theme import Status

RESOURCE = "arn:aws:lambda:us-east-1:1:function:w"
TASK: dict[str, Any] = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task", "Resource": RESOURCE, "End": True,
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2}], "Catch": [{"ErrorEquals": ["Rare"], "Next": "Never"}, {"ErrorEquals": ["States.ALL"], "Next": "Sorry"}],
        },
        "Sorry": {"Type": "Pass", "End": True},
        "Never": {"Type": "Pass", "End": True},
    },
}  # fmt: skip


def machine(definition: Any = TASK) -> StateMachine:
    return StateMachine.load(definition, name="demo")


def test_a_bundle_has_text_html_and_svg() -> None:
    bundle = execution_bundle(machine().run({"a": 1}, {"Work": "done"}))
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml"}
    assert bundle["text/plain"].startswith("✔ SUCCEEDED  demo")
    assert "<svg" in bundle["text/html"]
    assert bundle["image/svg+xml"].startswith("<svg")


def test_only_what_is_wanted_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    from sfn_notebook.api import pictures

    monkeypatch.setattr(pictures, "render_dot", lambda *_, **__: pytest.fail("drawn"))
    execution = machine().run({}, {"Work": "done"})
    assert set(execution_bundle(execution, kinds=["text/plain"])) == {"text/plain"}
    assert set(machine_bundle(machine(), kinds=["text/plain"])) == {"text/plain"}


def test_a_graph_that_cannot_be_drawn_does_not_cost_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    from sfn_notebook.api import pictures

    def fail(*_: Any, **__: Any) -> bytes:
        raise RenderError("drawing took more than 20 s and was stopped")

    monkeypatch.setattr(pictures, "render_dot", fail)
    bundle = execution_bundle(machine().run({}, {"Work": "done"}))
    assert set(bundle) == {"text/plain", "text/html"}
    assert "the graph is missing: drawing took more than 20 s" in bundle["text/html"]
    assert "SUCCEEDED" in bundle["text/html"]
    assert "the graph is missing" in bundle["text/plain"]


def test_prints_and_exceptions_stand_with_their_attempt() -> None:
    calls: list[int] = []

    def work(_: Any) -> Any:
        calls.append(1)
        print(f"call {len(calls)}")
        if len(calls) == 1:
            raise TaskError("Busy", "later")
        return undefined_name  # type: ignore[name-defined]  # noqa: F821

    summary = run_summary(machine().run({}, {"Work": work}))
    first, second = summary.visits[0].attempts
    assert (first.number, first.status, first.error, first.cause, first.printed, first.exception) == (1, "FAILED", "Busy", "later", "call 1\n", "")  # fmt: skip
    assert (second.number, second.error, second.printed) == (2, "NameError", "call 2\n")
    assert second.cause == "name 'undefined_name' is not defined"
    assert "NameError: name 'undefined_name' is not defined" in second.exception
    assert summary.visits[0].status == "CAUGHT"


def test_a_bug_that_the_workflow_caught_is_told_at_the_top() -> None:
    def work(_: Any) -> Any:
        return undefined_name  # type: ignore[name-defined]  # noqa: F821

    bundle = execution_bundle(machine().run({}, {"Work": work}), kinds=["text/plain"])
    assert bundle["text/plain"].startswith("✔ SUCCEEDED")
    assert (
        "the handler of state \"Work\" raised NameError: name 'undefined_name' is not defined" in bundle["text/plain"]
    )


def test_what_a_run_waits_for_is_told_with_what_to_do() -> None:
    definition = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:1:activity:ask", "End": True}}}  # fmt: skip
    execution = machine(definition).run({})
    shown = execution_bundle(execution, kinds=["text/plain"])["text/plain"]
    assert 'state "Ask" waits for an answer from outside: send_task_success(' in shown
    assert execution.pending[0].token in shown
    assert run_summary(execution).ended is None


def test_the_overlay_of_a_run_tells_what_happened_where() -> None:
    execution = machine().run({}, {"Work": TaskError("Busy", "")})
    overlay = run_overlay(execution.history)
    assert overlay.status is Status.SUCCEEDED
    assert (overlay.of("Work").status, overlay.of("Work").retries) == (Status.CAUGHT, 3)
    assert overlay.of("Never").status is Status.NOT_REACHED
    assert overlay.taken("Work", "Sorry", caught=True) == 1


def test_a_graph_knows_its_machine_its_run_and_its_text() -> None:
    plain = machine_graph(machine())
    assert plain.title == "state machine demo"
    assert plain.outline.startswith("demo\n● Work  [Task")
    overlaid = machine_graph(machine(), machine().run({}, {"Work": 1}).history)
    assert overlaid.title == "state machine demo, a run that is SUCCEEDED"
    assert "✔ Work" in overlaid.outline
    assert overlaid.source != plain.source


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"theme": "drak"}, r"theme is one of 'auto', 'light', 'dark', but found 'drak' \(did you mean 'dark'\?\)"),
        ({"direction": "RL"}, "direction is one of 'TB', 'LR', but found 'RL'"),
    ],
)
def test_an_unknown_look_is_refused(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        machine().graph(**arguments)  # type: ignore[arg-type]


def test_diagnostics_stand_above_the_graph_errors_first() -> None:
    broken = machine({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${Open}", "Next": "B"}}})
    lines = machine_bundle(broken, kinds=["text/plain"])["text/plain"].splitlines()
    marks = [line[0] for line in lines if line[0] in "✖⚠"]
    assert marks == sorted(marks, key="✖⚠".index)
    assert marks[-1] == "⚠"


def test_markup_in_what_is_shown_is_text() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    definition = {"StartAt": hostile, "States": {hostile: {"Type": "Task", "Resource": RESOURCE, "End": True}}}

    def work(_: Any) -> Any:
        print(hostile)
        raise TypeError(hostile)

    loaded = StateMachine.load(definition, name=hostile)
    bundle = {**execution_bundle(loaded.run({hostile: hostile}, {hostile: work}))}
    broken = machine_bundle(StateMachine.load({"StartAt": hostile, "States": {}}, name=hostile))
    for text in (bundle["text/html"], bundle["image/svg+xml"], broken["text/html"]):
        assert "<img" not in text


def test_a_machine_is_shown_with_marks_on_the_states_that_have_problems() -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "Next": "Gone"}}}
    states = {
        "A": {"Type": "Pass", "Parameters": {"a": "$.b"}, "Next": "M"},
        "M": {"Type": "Map", "ItemProcessor": inner, "End": True},
    }
    broken = machine({"StartAt": "A", "States": states})
    svg = machine_bundle(broken)["image/svg+xml"]
    assert svg.count("sfn-has-errors") == 1
    assert "✖ 1 error" in svg
    assert "Missing &#39;Next&#39; target: Gone" in svg or "Missing 'Next' target: Gone" in svg
    assert svg.count("sfn-has-warnings") == 1
    assert "sfn-has" not in machine_graph(broken).svg()
    assert "sfn-has" not in machine_bundle(machine())["image/svg+xml"]  # advice is no mark
