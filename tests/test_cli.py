import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

import sfn_notebook
from sfn_notebook import cli

TASK: dict[str, Any] = {
    "StartAt": "Work",
    "States": {"Work": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:1:function:w", "End": True}},
}
ECHO: dict[str, Any] = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
LOOP: dict[str, Any] = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.n", "IsPresent": True, "Next": "C"}], "Default": "A"},
        "C": {"Type": "Succeed"},
    },
}
ROOT = Path(sfn_notebook.__file__).resolve().parents[1]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in an empty folder with three definitions; give (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)
    for name, definition in (("task", TASK), ("echo", ECHO), ("loop", LOOP)):
        (tmp_path / f"{name}.json").write_text(json.dumps(definition, indent=2))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "sfn_notebook.cli", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options
    )


# --- in general ----------------------------------------------------------------------------------------------------------


def test_the_version_and_the_help_are_told(run: Run) -> None:
    assert run("--version") == (0, f"sfn-notebook {sfn_notebook.__version__}\n", "")
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert all(f"\n  {name}" in out for name in cli.COMMANDS)
    assert run()[0] == 2


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help(run: Run, command: str) -> None:
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: sfn-notebook {command}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "there is no command 'rnu' (did you mean run?)"),
        (["run"], "missing: FILE"),
        (["run", "echo.json", "--inptu", "1"], "there is no option --inptu (did you mean --input?)"),
        (["run", "nowhere.json"], "there is no file nowhere.json"),
        (["run", "."], "is a directory"),
        (["run", "echo.json", "--input", "{a}"], "--input is not JSON"),
        (["run", "echo.json", "--input", "@nowhere"], "there is no file nowhere"),
        (["run", "echo.json", "--input", "NaN"], "NaN is no JSON value"),
        (["run", "echo.json", "--start", "x"], "start must be an ISO-8601 date-time"),
        (["run", "echo.json", "--type", "FAST"], "--type is one of STANDARD, EXPRESS"),
        (["run", "echo.json", "--handlers", "nowhere.py"], "there is no file nowhere.py"),
        (["run", "task.json"], "--handlers FILE.py"),
        (["check"], "missing: FILE"),
        (["check", "echo.json", "--format", "xml"], "--format is one of text, json, github"),
        (["render", "echo.json", "-o", "x.jpg"], "must end in one of .svg, .png"),
        (["render", "echo.json"], "missing: -o/--output"),
        (["export", "nowhere.ipynb", "-o", "x"], "there is no notebook nowhere.ipynb"),
        (["lab", "--check", "--dir", "."], "holds no notebooks"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_code_2(run: Run, arguments: list[str], message: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("sfn-notebook")
    assert message in err
    assert "Traceback" not in err


def test_a_closed_pipe_is_no_error() -> None:
    process = start("--help")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(30) == 1
    assert process.stderr.read() == ""
    process.stderr.close()


def test_the_command_line_imports_nothing_heavy_to_give_help() -> None:
    code = "import sys, sfn_notebook.cli as c; c.main(['--help']); print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "sfn_notebook" in loaded
    assert not loaded & {"IPython", "pandas", "boto3", "nbformat", "graphviz", "jupyterlab", "ipywidgets"}


# --- run -----------------------------------------------------------------------------------------------------------------


def test_a_run_that_succeeds_is_json_and_exit_code_0(run: Run) -> None:
    code, out, err = run("run", "echo.json", "--input", '{"ä": [1]}', "--seed", "1", "--name", "first")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "name": "first",
        "executionArn": "arn:aws:states:us-east-1:123456789012:execution:echo:first",
        "status": "SUCCEEDED",
        "startDate": "2025-01-01T00:00:00.000+00:00",
        "stopDate": "2025-01-01T00:00:00.000+00:00",
        "seed": 1,
        "input": {"ä": [1]},
        "output": {"ä": [1]},
    }


def test_input_comes_from_a_file_too_and_events_go_to_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text("[1, 2]")
    code, out, _ = run("run", "echo.json", "--input", "@in.json", "--type", "express", "--history", "events.json")
    assert (code, json.loads(out)["output"]) == (0, [1, 2])
    events = json.loads((tmp_path / "events.json").read_text())
    assert [event["type"] for event in events][-1] == "ExecutionSucceeded"


def test_handlers_come_from_a_file_and_what_they_print_goes_to_standard_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("ANSWER = 42\n")
    (tmp_path / "h.py").write_text(
        "import neighbour\nprint('loading')\ndef Work(data):\n    print('working')\n    return neighbour.ANSWER\n"
    )
    code, out, err = run("run", "task.json", "--handlers", "h.py")
    assert (code, json.loads(out)["output"]) == (0, 42)
    assert err == "loading\n[Work] working\n"


def test_a_dictionary_of_handlers_goes_before_functions(run: Run, tmp_path: Path) -> None:
    (tmp_path / "h.py").write_text("handlers = {'Work': 'constant'}\ndef Work(data): return 'function'\n")
    assert json.loads(run("run", "task.json", "--handlers", "h.py")[1])["output"] == "constant"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("handlers = 5", "`handlers` in h.py must be a dict, but found int"),
        ("x = 1", "h.py has neither a dict `handlers` nor a function named like a Task state"),
        ("1/0", "ZeroDivisionError"),
        ("def (", "SyntaxError"),
    ],
)
def test_a_file_without_handlers_is_wrong_usage(run: Run, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "h.py").write_text(text)
    code, out, err = run("run", "task.json", "--handlers", "h.py")
    assert (code, out) == (2, "")
    assert message in err


def test_a_run_that_fails_is_json_and_exit_code_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "h.py").write_text("def Work(data):\n    raise KeyError('no')\n")
    code, out, err = run("run", "task.json", "--handlers", "h.py")
    found = json.loads(out)
    assert (code, found["status"], found["error"]) == (1, "FAILED", "KeyError")
    assert "output" not in found
    assert "[Work] KeyError: 'no'" in err


def test_an_endless_loop_is_a_failed_run(run: Run) -> None:
    code, out, err = run("run", "loop.json", "--max-transitions", "100", "--no-limits")
    assert (code, json.loads(out)["status"]) == (1, "ABORTED")
    assert "100" in err


def test_a_run_that_waits_for_an_answer_has_not_succeeded(run: Run, tmp_path: Path) -> None:
    definition = json.loads(json.dumps(TASK))
    definition["States"]["Work"]["Resource"] = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    definition["States"]["Work"]["Parameters"] = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    (tmp_path / "wait.json").write_text(json.dumps(definition))
    code, out, err = run("run", "wait.json")
    found = json.loads(out)
    assert (code, found["status"], found["pending"][0]["state"]) == (1, "RUNNING", "Work")
    assert 'state "Work" waits for an answer from outside' in err


def test_a_bad_definition_is_exit_code_2_with_the_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"StartAt": "A",\n "States": {"A": {"Type": "Pas", "End": true}}}')
    code, out, err = run("run", "bad.json")
    assert (code, out) == (2, "")
    assert "bad.json: 2:27: error: " in err
    assert "^^^^^" in err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent in another way there")
def test_control_c_stops_a_run_cleanly(tmp_path: Path) -> None:
    (tmp_path / "task.json").write_text(json.dumps(TASK))
    (tmp_path / "h.py").write_text(
        "import os, threading\ndef Work(data):\n    os.write(2, b'started\\n')\n    threading.Event().wait(60)\n"
    )
    process = start("run", "task.json", "--handlers", "h.py", cwd=tmp_path)
    assert process.stderr is not None
    assert process.stderr.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert json.loads(out)["status"] == "ABORTED"


# --- check, render, export -----------------------------------------------------------------------------------------------


def test_check_reports_each_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"StartAt": "A",\n "States": {"A": {"Type": "Pas", "End": true}}}')
    (tmp_path / "broken.json").write_text("{")
    code, out, err = run("check", "echo.json", "bad.json", "broken.json", "nowhere.json")
    assert (code, err) == (2, "")
    lines = out.splitlines()
    assert lines[0] == "✔ echo.json: no problems found"
    assert any(line.startswith("bad.json:2:27: error: ") for line in lines)
    assert any(line.startswith("broken.json:1:") for line in lines)
    assert "✖ nowhere.json: 1 error" in lines
    assert run("check", "echo.json")[0] == 0


def test_check_is_json_or_annotations_on_demand(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"StartAt": "A",\n "States": {"A": {"Type": "Pas", "End": true}}}')
    code, out, _ = run("check", "bad.json", "echo.json", "--format", "json")
    found = json.loads(out)
    assert (code, [report["ok"] for report in found]) == (2, [False, True])
    assert (found[0]["diagnostics"][0]["line"], found[0]["diagnostics"][0]["column"]) == (2, 27)
    code, out, err = run("check", "bad.json", "--format", "github")
    assert code == 2
    assert out.startswith("::error file=bad.json,line=2,col=27,title=")
    assert "✖ bad.json: 1 error" in err


def test_strictness_fails_for_warnings(run: Run, tmp_path: Path) -> None:
    (tmp_path / "open.json").write_text(json.dumps({**ECHO, "Comment": "${Open}"}))
    assert run("check", "open.json")[0] == 0
    assert run("check", "open.json", "--strict")[0] == 2


@pytest.mark.parametrize(
    ("name", "start"),
    [("o.svg", b"<svg"), ("o.png", b"\x89PNG"), ("o.dot", b"digraph"), ("new/o.mmd", b"flowchart TB")],
)
def test_render_writes_what_the_ending_says(run: Run, tmp_path: Path, name: str, start: bytes) -> None:
    assert run("render", "echo.json", "-o", name) == (0, f"{name}\n", "")
    assert (tmp_path / name).read_bytes().startswith(start)


def test_a_definition_with_errors_is_drawn_all_the_same(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}')
    code, _, err = run("render", "bad.json", "-o", "o.svg")
    assert code == 0
    assert "Missing 'Next' target: B" in err


def test_export_writes_checks_and_reports(run: Run, tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell("%%sfn echo\n" + json.dumps(ECHO)), nbformat.v4.new_code_cell("1")]  # type: ignore[no-untyped-call]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "a.ipynb")  # type: ignore[no-untyped-call]
    code, out, err = run("export", "a.ipynb", "-o", "out", "--check")
    assert (code, json.loads(out)[0]["status"]) == (1, "missing")
    assert "echo.asl.json is missing (cell 1 of a.ipynb defines echo)" in err
    assert run("export", "a.ipynb", "-o", "out")[0] == 0
    assert run("export", "a.ipynb", "-o", "out", "--check")[0] == 0
    assert json.loads((tmp_path / "out" / "echo.asl.json").read_text()) == ECHO


# --- lab -----------------------------------------------------------------------------------------------------------------


def test_lab_check_runs_the_notebooks_of_a_folder_and_names_the_cell_that_failed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "nbs").mkdir()
    for name, source in (("good", "assert 1"), ("bad", "raise ValueError('here')")):
        nbformat.write(  # type: ignore[no-untyped-call]
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]),  # type: ignore[no-untyped-call]
            tmp_path / "nbs" / f"{name}.ipynb",
        )
    code, out, err = run("lab", "--check", "--dir", "nbs")
    assert (code, json.loads(out)) == (1, {"notebooks": 2, "failed": 1})
    assert "✔ good.ipynb" in err
    assert "✖ bad.ipynb, cell 1 (raise ValueError('here')): ValueError: here" in err
    assert sorted(path.name for path in (tmp_path / "nbs").iterdir()) == ["bad.ipynb", "good.ipynb"]


def test_a_missing_jupyterlab_gives_the_command_that_installs_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfn_notebook.notebook import lab

    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    code, _, err = run("lab")
    assert code == 2
    assert "pip install 'sfn-notebook[lab]'" in err


def test_a_missing_nbclient_gives_the_command_that_installs_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat.write(nbformat.v4.new_notebook(cells=[]), tmp_path / "a.ipynb")  # type: ignore[no-untyped-call]
    monkeypatch.setitem(sys.modules, "nbclient", None)
    code, _, err = run("lab", "--check", "--dir", ".")
    assert code == 2
    assert "pip install 'sfn-notebook[lab]'" in err


MOCKS = {
    "StateMachines": {"orders": {"TestCases": {"Happy": {"Pay": "Paid"}, "Declined": {"Pay": "NoMoney"}}}},
    "MockedResponses": {
        "Paid": {"0": {"Return": {"paid": True}}},
        "NoMoney": {
            "0-1": {"Throw": {"Error": "Busy", "Cause": ""}},
            "2": {"Throw": {"Error": "Declined", "Cause": "no money"}},
        },
    },
}
PAY = {"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True,
       "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 5}]}}}  # fmt: skip


def test_run_answers_tasks_from_a_mock_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pay.asl.json").write_text(json.dumps(PAY))
    (tmp_path / "mocks.json").write_text(json.dumps(MOCKS))
    command = ["run", str(tmp_path / "pay.asl.json"), "--mock", str(tmp_path / "mocks.json"), "--seed", "1"]
    assert cli.main([*command, "--test-case", "Happy"]) == 0
    assert json.loads(capsys.readouterr().out)["output"] == {"paid": True}
    assert cli.main([*command, "--test-case", "Declined"]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "Declined"
    assert cli.main([*command, "--test-case", "Hapy"]) == 2
    assert "Happy" in capsys.readouterr().err
    assert cli.main(command) == 2
    assert "--test-case is needed" in capsys.readouterr().err


def test_run_reads_the_items_of_a_distributed_map_from_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "items.csv").write_text("name\nAda\nGrace\n")
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, "StartAt": "P",
                 "States": {"P": {"Type": "Pass", "End": True}}}  # fmt: skip
    reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
              "Parameters": {"Bucket": "people", "Key": "items.csv"}}  # fmt: skip
    machine = {
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor, "End": True}},
    }
    (tmp_path / "m.json").write_text(json.dumps(machine))
    assert cli.main(["run", str(tmp_path / "m.json"), "--s3", f"people={tmp_path / 'bucket'}"]) == 0
    assert json.loads(capsys.readouterr().out)["output"] == [{"name": "Ada"}, {"name": "Grace"}]
    assert cli.main(["run", str(tmp_path / "m.json"), "--s3", "people"]) == 2
    assert "BUCKET=FOLDER" in capsys.readouterr().err


def test_rules_are_told_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rules", "NO_DOLLAR"]) == 0
    assert "### " in capsys.readouterr().out
    assert cli.main(["rules", "nothing-like-it"]) == 2
    assert "no rule has 'nothing-like-it'" in capsys.readouterr().err


def test_a_check_may_follow_a_sample_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.json"
    path.write_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "InputPath": "$.id", "End": true}}}')
    assert cli.main(["check", str(path), "--strict", "--input", '{"id": 1}']) == 0
    assert cli.main(["check", str(path), "--strict", "--input", '{"no": 1}']) == 2
    assert "$.id cannot exist" in capsys.readouterr().out
