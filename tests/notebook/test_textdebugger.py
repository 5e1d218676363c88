"""The text debugger: lines in, lines out, without a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook import StateMachine, TaskError
from sfn_notebook.api.debugger import Debugger, debug
from sfn_notebook.notebook.textdebugger import ALIASES, COMMANDS, TextDebugger

SQS = "arn:aws:states:::sqs:sendMessage"
MACHINE = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Pass", "Assign": {"n": 1}, "Next": "Call"},
        "Call": {"Type": "Task", "Resource": SQS, "Retry": [{"ErrorEquals": ["Busy"]}], "ResultPath": "$.got", "Next": "Hold"},
        "Hold": {"Type": "Wait", "Seconds": 60, "Next": "Each"},
        "Each": {"Type": "Map", "ItemsPath": "$.items", "End": True, "ItemProcessor": {
            "StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}},
    },
}  # fmt: skip
INPUT = {"items": [1, 2]}


def shell(handler: Any = None) -> TextDebugger:
    handlers = None if handler is None else {"Call": handler}
    return TextDebugger(debug(StateMachine.load(MACHINE), INPUT, handlers, seed=1), tell=lambda text: None)


def typing(*lines: str) -> Callable[[str], str]:
    rest: Iterator[str] = iter(lines)

    def ask(prompt: str) -> str:
        assert prompt == "sfn> "
        try:
            return next(rest)
        except StopIteration:
            raise EOFError from None

    return ask


def test_the_loop_reads_until_q_and_repeats_the_last_step_on_an_empty_line() -> None:
    told: list[str] = []
    text = TextDebugger(
        debug(StateMachine.load(MACHINE), INPUT, seed=1), typing("n", "", "p $.items", "", "q", "n"), told.append
    )
    debugger = text.run()
    assert isinstance(debugger, Debugger)
    assert debugger.position == 4
    assert [line.split("\n")[0] for line in told] == [
        "[1/1] ExecutionStarted", "[2/3] PassStateEntered First (Pass)", "[3/3] PassStateExited First (Pass)", "[",
        "[4/6] TaskStateEntered Call (Task)",
    ]  # fmt: skip


def test_the_end_of_the_input_ends_the_loop() -> None:
    assert TextDebugger(shell().debugger, typing("c"), lambda text: None).run().reason == "asked"


def test_a_question_is_shown_and_answered() -> None:
    text = shell()
    said = text.do("c")
    assert said.split("\n")[2:] == [
        "  asks: Call (arn:aws:states:::sqs:sendMessage), attempt 1",
        "  answer JSON, fail ERROR [CAUSE]",
    ]
    text.do("fail Busy not now")
    assert "attempt 2" in text.do("c")
    text.do('answer {"ok": true}')
    assert text.do("c Hold").split("\n")[1] == '  data {"items":[1,2],"got":{"ok":true}}'
    text.do("n")
    text.do("skip")
    assert text.do("c").endswith("the run has ended: SUCCEEDED")


def test_breakpoints_are_set_listed_and_taken_away() -> None:
    text = shell({"ok": 1})
    assert text.do("b Each") == "set 1: state Each"
    assert text.do("b !") == "set 2: any error"
    assert text.do("b Call if $.items[0] = 1") == "set 3: state Call when $.items[0] = 1"
    assert "breakpoint 3" in text.do("c")
    assert text.do("cl 3") == "1: state Each\n2: any error"
    assert "breakpoint 1" in text.do("continue")
    assert text.do("cl") == "no breakpoints"
    assert text.do("b Ech").startswith('! there is no state "Ech"; did you mean "Each"')


def test_data_variables_and_context_are_printed() -> None:
    text = shell()
    text.do("c Call")
    assert text.do("p $.items[1]") == "2"
    assert text.do("p $sum(items)") == "3"
    assert text.do("p $n") == "1"
    assert text.do("p $$.State.Name") == '"Call"'
    assert text.do("p") == '{\n  "items": [\n    1,\n    2\n  ]\n}'
    assert text.do("v") == "$n = 1"
    assert text.do("p $.gone").startswith("! Invalid path '$.gone'")
    assert text.do("p $.[").startswith("! ")


def test_where_one_is_is_shown_in_several_ways() -> None:
    text = shell({"ok": 1})
    text.do("c In")
    assert text.do("bt") == "top: Each (Map), started, attempt 1\nEach[0]: In (Pass), entered, attempt 1"
    assert [line.split("|")[1].strip() for line in text.do("l").split("\n")] == [
        '"In": {',
        '"Type": "Pass",',
        '"End": true',
        "}",
    ]
    assert "input" in text.do("w")
    assert [line.split()[1] for line in text.do("ev 2").split("\n")] == ["MapIterationStarted", "PassStateEntered"]
    assert shell().do("l") == "no state here"


def test_going_back_and_editing() -> None:
    calls = []

    def handler(data: Any) -> Any:
        calls.append(data)
        return len(calls)

    text = shell(handler)
    text.do("c Hold")
    assert text.do("k").startswith("[8/")
    assert text.do("ks").startswith("[4/")
    assert text.do("j -1").startswith("[9/9]")
    text.do("j 4")
    assert text.do('edit {"items": [9]}').split("\n")[1] == '  data {"items":[9]}'
    text.do("edit $n 5")
    assert text.do("v") == "$n = 5"
    said = text.do("c")
    assert "its handler was called before, the task succeeded" in said
    assert "call (the handler), reuse" in said
    text.do("reuse")
    assert text.do("c Hold").split("\n")[1] == '  data {"items":[9],"got":1}'
    assert len(calls) == 1
    assert text.do("branches").startswith("1: <Branch 'before the change at event 3'")
    assert text.do("switch 1").split("\n")[0].startswith("[4/9]")
    assert text.do("switch 7").startswith("! there is no branch 7")


def test_the_bug_of_a_handler_is_shown_with_its_traceback() -> None:
    def buggy(data: Any) -> Any:
        return data["gone"]

    text = shell(buggy)
    text.do("b !")
    said = text.do("c")
    assert "! KeyError: 'gone'" in said
    assert 'return data["gone"]' in said


def test_a_debugger_can_be_saved_and_forked(tmp_path: Path) -> None:
    text = shell({"ok": 1})
    text.do("c Each")
    assert text.do("fork mine").startswith("1: <Branch 'mine' from event")
    assert text.do(f"save {tmp_path / 'x.json'}").startswith("saved to")
    assert Debugger.load(tmp_path / "x.json").position == text.debugger.position
    assert text.do("save") == "! save needs the path of a file"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("foo", 'no command "foo"; ? lists them'),
        ("answer {", "! the answer is not JSON"),
        ("answer 1", "! no task waits for an answer at event 1"),
        ("j x", "! an event is a number, but found 'x'"),
        ("j 99", "! there is no event 99"),
        ("edit", "! edit needs what to change"),
        ("edit context 5", "! the context are an object, by name, but found 5"),
        ("edit $.items[ 1", "! "),
        ("t soon", "! the time is a number of seconds, but found 'soon'"),
        ("save /nowhere/at/all.json", "! the debugger cannot be written to /nowhere/at/all.json"),
        ("fail", "! fail needs the name of an error"),
        ("skip", "! one state that waits"),
        ("c Nowhere", '! there is no state "Nowhere"'),
    ],
)
def test_mistakes_are_told_and_change_nothing(line: str, said: str) -> None:
    text = shell(TaskError("E", ""))
    assert text.do(line).startswith(said)
    assert text.debugger.position == 1


def test_the_help_names_every_command() -> None:
    said = shell().do("?")
    assert all(command.usage in said for command in COMMANDS.values())
    assert shell().do("? bt") == "bt: the active states, from the outside in"
    assert set(ALIASES.values()) <= set(COMMANDS)


def test_a_child_execution_is_looked_into_and_left_again() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "In",
        "States": {"In": {"Type": "Pass", "End": True}},
    }
    load = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}
    machine = StateMachine.load({"StartAt": "Load", "States": {"Load": load}})
    text = TextDebugger(debug(machine, INPUT, seed=1), tell=lambda text: None)
    assert text.do("child") == "no child executions"
    assert "no Distributed Map" in text.do("child 0")
    text.do("c")
    assert text.do("child").endswith(": 2 succeeded, 2 total")
    assert text.do("child 1") == "[1/4] ExecutionStarted\n  data 2"
    assert "[2/4] PassStateEntered In (Pass)" in text.do("n")
    assert text.do("child 0") == "[1/4] ExecutionStarted\n  data 1"
    assert "Load[1]" in text.do("branches")
    assert "a child is a number" in text.do("child x")
    assert text.do("switch 1").startswith("[8/8] ExecutionSucceeded")


def test_an_edit_may_name_the_place() -> None:
    text = shell({"ok": 1})
    text.do("c Call")
    assert text.do("edit $.items[1] 7").split("\n")[1] == '  data {"items":[1,7]}'
    assert text.do('edit $.more = {"a": 1}').split("\n")[1] == '  data {"items":[1,7],"more":{"a":1}}'
    assert text.do("edit $.items[9] 1").startswith("! ")


def test_a_breakpoint_on_a_state_with_if_in_its_name() -> None:
    machine = StateMachine.load({"StartAt": "Check if paid", "States": {"Check if paid": {"Type": "Succeed"}}})
    text = TextDebugger(debug(machine, {"a": 1}), tell=lambda text: None)
    assert text.do("b Check if paid") == "set 1: state Check if paid"
    assert text.do("b Check if paid if $.a = 1") == "set 2: state Check if paid when $.a = 1"
    assert "there is no state" in text.do("b Check if $.a = 1")


def test_neither_an_interrupt_nor_a_broken_predicate_ends_the_session() -> None:
    def interrupted(data: Any) -> Any:
        raise KeyboardInterrupt

    text = shell(interrupted)
    assert text.do("c").startswith("! interrupted\n[")
    text = shell({"ok": 1})
    text.debugger.breakpoints.add(lambda view: 1 / 0)  # type: ignore[arg-type, return-value]
    assert text.do("c") == "! ZeroDivisionError: division by zero"
    assert text.do("q now") == 'no command "q"; ? lists them'
    assert (
        TextDebugger(text.debugger, typing("quit now", "n"), lambda text: None).run().position == text.debugger.position
    )


def test_time_passes_in_fractions_of_seconds() -> None:
    text = shell({"ok": 1})
    text.do("c Hold")
    text.do("n")
    assert text.do("t 1.5").startswith("[")
