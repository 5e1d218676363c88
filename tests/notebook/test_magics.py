import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from IPython.utils.capture import capture_output

from sfn_notebook import Execution, SfnError, StateMachine
from sfn_notebook.api.reports import CheckReport, MachineDiff, MachineList, Text
from sfn_notebook.notebook.commands import VERBS
from tests.notebook.conftest import HELLO, TASK, Notebook

# --- loading -------------------------------------------------------------------------------------------------------------


def test_loading_the_extension_is_silent_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "before = set(sys.modules)\n"
        "shell.run_line_magic('load_ext', 'sfn_notebook')\n"
        "print('\\n'.join(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    heavy = {
        "pandas",
        "numpy",
        "boto3",
        "botocore",
        "nbformat",
        "nbclient",
        "ipywidgets",
        "altair",
        "graphviz",
        "yaml",
        "orjson",
        "jsonpath_ng",
    }
    assert "sfn_notebook" in loaded
    assert not loaded & heavy
    assert "sfn_notebook.api.machine" not in done.stdout.split()
    assert done.stderr == ""


def test_unloading_takes_everything_away(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    nb.good("%unload_ext sfn_notebook")
    said = nb.cell("%sfn list")
    assert "UsageError" in said.text
    assert nb.shell.Completer.custom_matchers == []
    assert "SfnMagics" not in {type(c).__name__ for c in nb.shell.configurables}
    shown, _ = nb.shell.display_formatter.format(nb["hello"])  # type: ignore[union-attr]
    assert "text/html" in shown  # its own display still works


def test_a_debugger_that_ends_a_cell_is_shown(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    said = nb.cell("hello.debug({})")
    assert "<Debugger 'hello': event 1 of 1, ExecutionStarted; RUNNING>" in said.text
    formatters = nb.shell.display_formatter.ipython_display_formatter  # type: ignore[union-attr]
    assert type(nb["hello"].debug({})) in formatters
    nb.good("%unload_ext sfn_notebook")
    assert type(nb["hello"].debug({})) not in formatters


def test_reloading_keeps_machines_that_are_variables(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    nb.good("%reload_ext sfn_notebook")
    assert [row["name"] for row in nb.good("%sfn list")] == ["hello"]
    assert len(nb.shell.Completer.custom_matchers) == 1


def test_loading_twice_leaves_one_of_everything(nb: Notebook) -> None:
    from sfn_notebook.notebook.magics import register

    register(nb.shell)
    assert [type(c).__name__ for c in nb.shell.configurables].count("SfnMagics") == 1
    assert len(nb.shell.Completer.custom_matchers) == 1


# --- defining ------------------------------------------------------------------------------------------------------------


def test_a_cell_defines_a_machine_binds_it_and_shows_it(nb: Notebook) -> None:
    machine = nb.good("%%sfn hello\n" + HELLO)
    assert isinstance(machine, StateMachine)
    assert nb["hello"] is machine
    assert machine.source == HELLO
    shown, _ = nb.shell.display_formatter.format(machine)  # type: ignore[union-attr]
    assert set(shown) == {"text/plain", "text/html", "image/svg+xml"}
    assert shown["text/plain"] == "hello\n● Hello  [Pass] ■"


def test_yaml_works_too(nb: Notebook) -> None:
    machine = nb.good("%%sfn hello\nStartAt: Hello\nStates:\n  Hello: {Type: Pass, Result: on, End: true}\n")
    assert machine.definition["States"]["Hello"]["Result"] == "on"


def test_a_definition_with_errors_keeps_the_last_good_machine(nb: Notebook) -> None:
    good = nb.good("%%sfn hello\n" + HELLO)
    said = nb.bad("%%sfn hello\n" + HELLO.replace("Pass", "Pas"))
    assert said.startswith("DefinitionError: hello: 2:")
    assert said.endswith("the last good version of hello is still the one in use")
    assert nb["hello"] is good
    assert nb.good("%sfn run hello").output == "hi"


def test_the_first_version_with_errors_binds_nothing(nb: Notebook) -> None:
    said = nb.bad("%%sfn hello\n" + HELLO.replace("Pass", "Pas"))
    assert "last good" not in said
    assert "hello" not in nb


def test_lines_are_counted_from_the_top_of_the_cell(nb: Notebook) -> None:
    body = '{\n  "StartAt": "Hello",\n  "States": {\n    "Hello": {"Type": "Pas", "End": true}\n  }\n}'
    picture = '5 |     "Hello": {"Type": "Pas", "End": true}\n  |                       ^^^^^'
    said = nb.bad("%%sfn hello\n" + body)
    assert said.startswith("DefinitionError: hello: 5:23: ")
    assert picture in said
    assert nb.bad("\n\n%%sfn hello\n" + body).startswith("DefinitionError: hello: 7:23: ")
    assert "DefinitionError: hello: 6:23: " in nb.cell("%%time\n%%sfn hello\n" + body).text


def test_a_text_that_is_not_the_cell_counts_its_magic_line(nb: Notebook) -> None:
    said = nb.bad("get_ipython().run_cell_magic('sfn', 'hello', '[1]')")
    assert said.startswith("DefinitionError: hello: 2:1: ")


def test_positions_inside_messages_count_the_same_lines(nb: Notebook) -> None:
    said = nb.bad('%%sfn hello\n{"StartAt": "Hello"\n "States": {}}')
    assert "3:2: error: a comma is missing" in said
    assert "line 2, column 20" in said


def test_a_machine_from_a_cell_reports_in_the_lines_of_the_cell(nb: Notebook) -> None:
    nb.good(
        '%%sfn hello -q\n{"StartAt": "Hello", "States": {\n"Hello": {"Type": "Task", "Resource": "${Arn}", "End": true}}}'
    )
    assert [d.line for d in nb.good("%sfn check hello --strict").diagnostics] == [3]


BAD_CELLS = {
    "broken JSON": ('{"StartAt": "A", ', "is never closed"),
    "a list": ("[1, 2]", "Definition must be a valid JSON object"),
    "a word": ("hello", "Definition must be a valid JSON object"),
    "unknown type": (HELLO.replace("Pass", "Pss"), 'has the unknown type "Pss" (did you mean "Pass"?)'),
    "no StartAt": ('{"States": {"A": {"Type": "Succeed"}}}', "StartAt"),
    "Next to nowhere": ('{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "C": {"Type": "Succeed"}}}', "Missing 'Next' target: B"),
    "NaN": (HELLO.replace('"hi"', "NaN"), "NaN is no JSON value"),
    "10,000 levels": (HELLO.replace('"hi"', "[" * 10_000 + "]" * 10_000), "nested deeper than"),
    "10,000 levels, open": ('{"a":' * 10_000, "nested deeper than"),
    "20 MiB": (HELLO.replace('"hi"', '"' + "x" * 20 * 2**20 + '"'), "20.0 MiB"),
    "binary": ("\x00\x01\x02\x7f{", "binary"),
    "wrongly decoded": ("\ufffd\ufffd\ufffd", "Definition must be a valid JSON object"),
    "broken YAML": ("a: [", "is no YAML"),
    "tabs": ("StartAt: A\nStates:\n\tA: {}", "found a tab"),
    "nothing": ("\n", "the cell is empty"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_CELLS)
def test_a_bad_cell_is_one_clear_message_and_changes_nothing(nb: Notebook, case: str) -> None:
    text, message = BAD_CELLS[case]
    good = nb.good("%%sfn machine\n" + HELLO)
    said = nb.bad("%%sfn machine\n" + text)
    assert message in said
    assert len(said) < 1500
    assert nb["machine"] is good


def test_a_name_that_is_no_variable_is_registered_only(nb: Notebook) -> None:
    said = nb.cell("%%sfn my-flow\n" + HELLO)
    assert said.shown == ["the machine is known as my-flow to %sfn, but it is no variable: 'my-flow' is no Python name"]
    assert nb.good("%sfn run my-flow").output == "hi"


@pytest.mark.parametrize("name", ["list", "class", "data", "exit"])
def test_no_builtin_and_no_other_variable_is_overwritten(nb: Notebook, name: str) -> None:
    nb["data"] = [1, 2]
    before = nb.shell.user_ns.get(name)
    said = nb.cell(f"%%sfn {name}\n{HELLO}")
    assert said.error is None
    assert said.shown[0].startswith(f"the machine is known as {name} to %sfn, but it is no variable: ")
    assert nb.shell.user_ns.get(name) is before
    assert nb.good(f"%sfn run {name}").output == "hi"


def test_an_arrow_binds_another_variable_and_shows_nothing(nb: Notebook) -> None:
    nb["hello"] = "mine"
    said = nb.cell("%%sfn sm << hello\n" + HELLO)
    assert (said.value, said.shown, said.error) == (None, [], None)
    assert nb["sm"].name == "hello"
    assert nb["hello"] == "mine"


def test_quiet_shows_problems_only(nb: Notebook) -> None:
    said = nb.cell("%%sfn hello --quiet\n" + HELLO)
    assert (said.value, said.shown) == (None, [])
    said = nb.cell("%%sfn other --quiet\n" + HELLO.replace('"hi"', '"${Open}"'))
    assert len(said.shown) == 1
    assert "⚠ 2:" in said.shown[0]
    assert "other" in nb


def test_placeholders_are_filled_in_and_strictness_asks_for_all(nb: Notebook) -> None:
    text = HELLO.replace('"hi"', '["${A}", "${B}"]')
    nb["value"] = "from Python"
    machine = nb.good("%%sfn hello --sub A=1 --sub B={value}\n" + text)
    assert machine.definition["States"]["Hello"]["Result"] == ["1", "from Python"]
    assert machine.source == text
    assert "${B}" in nb.bad("%%sfn hello --sub A=1 --strict\n" + text)
    assert "--sub takes KEY=VALUE" in nb.bad("%%sfn hello --sub A\n" + text)


def test_a_cell_is_saved_byte_for_byte_unless_it_is_refused(nb: Notebook, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "hello.asl.json"
    text = HELLO.replace('"hi"', '"ä\\u00e4  "')
    nb.good(f'%%sfn hello --save "{path}"\n{text}')
    assert path.read_bytes() == text.encode()
    nb.bad(f'%%sfn hello --save "{path}"\n{{')
    assert path.read_bytes() == text.encode()
    assert "cannot write" in nb.bad(f'%%sfn hello --save "{tmp_path}"\n{text}')


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "%%sfn: missing: NAME; see %%sfn --help"),
        ("hello --qiet", "there is no option --qiet (did you mean --quiet?)"),
        ("run hello", "run is a verb of the line magic: %sfn run hello"),
        ("a/b", "must not hold '/'"),
        ('"two words"', "must not hold ' '"),
        ("x" * 81, "has at most 80 characters"),
        ("<< hello", "before << stands the name of a variable"),
        ("1x << hello", "before << stands the name of a variable, but found '1x'"),
    ],
)
def test_a_wrong_first_line_is_refused(nb: Notebook, line: str, message: str) -> None:
    assert message in nb.bad(f"%%sfn {line}\n{HELLO}")


# --- line magics ---------------------------------------------------------------------------------------------------------


def test_every_verb_has_help_and_the_docstring_has_all_of_it(nb: Notebook) -> None:
    for name in VERBS:
        text = nb.good(f"%sfn {name} --help")
        assert isinstance(text, Text)
        assert str(text).startswith(f"usage: %sfn {name} [-h]")
        assert str(text) in nb.cell("%sfn?").text
    assert str(nb.good("%sfn --help")) == str(nb.good("%sfn"))


def test_the_cell_magic_explains_itself(nb: Notebook) -> None:
    help_text = str(nb.good("%%sfn --help\n{}"))
    assert help_text.startswith("usage: %%sfn [-h] [--save FILE]")
    assert help_text in nb.cell("%%sfn?").text


def test_run_takes_its_input_from_variables_json_and_files(nb: Notebook, tmp_path: Path) -> None:
    nb.good("%%sfn echo -q\n" + HELLO.replace('"Result": "hi", ', ""))
    nb["order"] = {"lines": [{"sku": "a"}]}
    (tmp_path / "in.json").write_text('{"from": "file"}')
    assert nb.good("%sfn run echo").output == {}
    assert nb.good('%sfn run echo --input order["lines"][0]').output == {"sku": "a"}
    assert nb.good('%sfn run echo --input {"a": [1, 2]} --seed 1').output == {"a": [1, 2]}
    assert nb.good("%sfn run echo -i '{\"a\": 1}'").output == {"a": 1}
    assert nb.good(f"%sfn run echo --input @{tmp_path}/in.json").output == {"from": "file"}
    assert nb.good('%sfn run echo --input "plain text"').output == "plain text"


def test_variables_in_braces_and_dollars_are_not_expanded(nb: Notebook) -> None:
    nb["x"] = 5
    nb.good("%%sfn echo -q\n" + HELLO.replace('"Result": "hi", ', ""))
    assert nb.good('%sfn run echo --input {"a": "$x {x}"}').output == {"a": "$x {x}"}


def test_run_passes_its_options_on(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    execution = nb.good("%sfn run hello --name first --type express --start 2026-01-31T12:00:00Z --seed 7")
    assert execution.name == "first"
    assert ":express:hello:first:" in execution.arn
    assert execution.seed == 7
    assert execution.history.raw[0]["timestamp"].isoformat() == "2026-01-31T12:00:00+00:00"


def test_limits_can_be_lifted_and_loops_are_stopped(nb: Notebook) -> None:
    nb.good('%%sfn loop -q\n{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Choice", "Choices": [{"Variable": "$.n", "IsPresent": true, "Next": "C"}], "Default": "A"}, "C": {"Type": "Succeed"}}}')  # fmt: skip
    said = nb.bad("%sfn run loop --no-limits --max-transitions 100")
    assert "100" in said
    assert "sys.last_value.execution" in said
    assert nb.good("import sys; sys.last_value.execution.status") == "ABORTED"


def test_results_can_be_kept_in_two_ways_and_silenced(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    said = nb.cell("x = %sfn run hello")
    assert (said.value, said.shown, said.text) == (None, [], "")
    said = nb.cell("%sfn y << run hello")
    assert (said.value, said.shown, said.text) == (None, [], "")
    assert nb.cell("%sfn run hello;").value is None
    assert isinstance(nb["x"], Execution)
    assert isinstance(nb["y"], Execution)


def test_a_failed_run_is_a_result_and_no_error(nb: Notebook) -> None:
    nb.good("%%sfn work -q\n" + TASK)
    nb.good("def Work(input):\n    raise ValueError('no')")
    said = nb.cell("%sfn run work")
    assert said.error is None
    assert said.value.status == "FAILED"
    assert "✖ FAILED  work" in said.text
    assert "ValueError: no" in said.text


def test_handlers_come_from_the_variable_from_functions_or_from_an_argument(nb: Notebook) -> None:
    nb.good("%%sfn work -q\n" + TASK)
    assert 'state "Work" needs a handler' in nb.bad("%sfn run work")
    nb.good("def Work(input): return 'function'")
    assert nb.good("%sfn run work").output == "function"
    nb.good("handlers = {'Work': 'variable'}")
    assert nb.good("%sfn run work").output == "variable"
    nb.good("mine = {'Work': 'argument'}")
    assert nb.good("%sfn run work --handlers mine").output == "argument"
    nb.good("class Answers:\n    def Work(self, input): return 'method'\nanswers = Answers()")
    assert nb.good("%sfn run work --handlers answers").output == "method"
    nb.good("%config SfnMagics.handlers = 'mine'")
    assert nb.good("%sfn run work").output == "argument"


def test_a_class_that_is_named_like_a_state_is_no_handler(nb: Notebook) -> None:
    nb.good("%%sfn work -q\n" + TASK)
    nb.good("class Work: pass")
    assert 'state "Work" needs a handler' in nb.bad("%sfn run work")


def test_handlers_must_be_able_to_answer(nb: Notebook) -> None:
    nb.good("%%sfn work -q\n" + TASK)
    nb["five"] = 5
    assert "--handlers takes a dict" in nb.bad("%sfn run work --handlers five")
    assert "there is no variable 'non'" in nb.bad("%sfn run work --handlers non")


def test_load_check_render_and_diff_work_on_files_and_machines(nb: Notebook, tmp_path: Path) -> None:
    path = tmp_path / "hello.asl.json"
    path.write_text(HELLO)
    assert nb.good(f"%sfn load {path}") is nb["hello"]
    assert nb.good(f"%sfn load {path} --name other").name == "other"
    report = nb.good(f"%sfn check {path}")
    assert isinstance(report, CheckReport)
    assert report.ok
    (tmp_path / "bad.json").write_text("{")
    assert not nb.good(f"%sfn check {tmp_path}/bad.json")
    picture = nb.good(f"%sfn render hello -o {tmp_path}/out.svg --theme dark --direction LR")
    assert "<svg" in picture.read_text()
    nb.good("%%sfn changed -q\n" + HELLO.replace("hi", "ho"))
    diff = nb.good("%sfn diff hello changed")
    assert isinstance(diff, MachineDiff)
    assert diff.changed == ("/States/Hello",)
    assert not nb.good(f"%sfn diff hello {path}")


def test_list_names_what_is_known(nb: Notebook) -> None:
    assert str(nb.good("%sfn list")).startswith("no machines yet")
    nb.good("%%sfn hello -q\n" + HELLO)
    nb.good("%%sfn my-flow -q\n" + HELLO)
    nb.good(f"from sfn_notebook import StateMachine\nloaded = StateMachine.load({HELLO!r}, name='x')")
    machines = nb.good("%sfn list")
    assert isinstance(machines, MachineList)
    assert [(row["name"], row["variable"]) for row in machines] == [
        ("hello", "hello"),
        ("loaded", "loaded"),
        ("my-flow", None),
    ]


def test_a_name_means_the_variable_where_there_is_one(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    nb.good(
        f"from sfn_notebook import StateMachine\nhello = StateMachine.load({HELLO.replace('hi', 'ho')!r})\nbox = {{'m': hello}}"
    )
    assert nb.good("%sfn run hello").output == "ho"
    assert nb.good("%sfn run box['m']").output == "ho"
    nb.good("del hello")
    assert nb.good("%sfn run hello").output == "hi"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("shwo hello", "there is no verb 'shwo' (did you mean show?); the verbs are show, run"),
        ("hello", "hello is a machine, and a verb comes first: %sfn show hello"),
        ("run helo", "there is no machine 'helo' (did you mean hello?); known are hello"),
        ("run data", "data is a list, not a state machine; known are hello"),
        ("show nowhere.json", "there is no file nowhere.json"),
        ("run hello --inptu 5", "there is no option --inptu (did you mean --input?)"),
        ("run hello extra", "'extra' is one argument too many after NAME"),
        ("run hello --type FAST", "--type is one of STANDARD, EXPRESS, but found 'FAST'"),
        ("run hello --input {'a': 1}", "this is Python, not JSON"),
        ("run hello --input nan_value", "the input holds nan"),
        ("run hello --start tomorrow", "start must be an ISO-8601 date-time"),
        ("render hello -o out.jpg", "must end in one of .svg"),
        ("render hello", "missing: -o/--output"),
        ("load nowhere.json", "there is no file nowhere.json"),
        ("diff hello", "missing: B"),
        ('run "hello', 'the quote " at column 5 is never closed'),
    ],
)
def test_a_mistake_is_one_message_without_a_traceback(nb: Notebook, line: str, message: str) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    nb["data"], nb["nan_value"] = [1], float("nan")
    assert message in nb.bad(f"%sfn {line}")


# --- display -------------------------------------------------------------------------------------------------------------


def shown(nb: Notebook, value: Any) -> dict[str, str]:
    data, _ = nb.shell.display_formatter.format(value)  # type: ignore[union-attr]
    return dict(data)


def test_settings_change_how_results_look(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    execution = nb.good("%sfn run hello")
    before = shown(nb, execution)["image/svg+xml"], shown(nb, nb["hello"])["image/svg+xml"]
    nb.good('%config SfnMagics.theme = "dark"')
    nb.good('%config SfnMagics.direction = "LR"')
    after = shown(nb, execution)["image/svg+xml"], shown(nb, nb["hello"])["image/svg+xml"]
    assert before[0] != after[0]
    assert before[1] != after[1]
    nb.cell('%config SfnMagics.theme = "pink"')  # IPython logs why it refuses
    assert nb.good("%config SfnMagics.theme") == "dark"


def test_the_theme_holds_for_histories_too(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    history = nb.good("%sfn run hello").history
    light = shown(nb, history)
    nb.good('%config SfnMagics.theme = "dark"')
    dark = shown(nb, history)
    assert light["image/svg+xml"] != dark["image/svg+xml"]
    assert light["text/plain"] == dark["text/plain"]


def test_a_refused_definition_is_drawn_with_its_mistakes_marked(nb: Notebook) -> None:
    broken = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Gone"}}}'

    def pictures(text: str) -> list[str]:
        with capture_output() as captured:
            nb.shell.run_cell(text, store_history=False)  # type: ignore[no-untyped-call]
        return [output.data["image/svg+xml"] for output in captured.outputs]

    (picture,) = pictures("%%sfn draft\n" + broken)
    assert "sfn-has-errors" in picture
    assert "Missing 'Next' target: Gone" in nb.cell("%%sfn draft\n" + broken).text
    assert pictures("%%sfn draft -q\n" + broken) == []
    assert pictures("%%sfn draft\n{") == []
    nb.shell.display_formatter.active_types = ["text/plain"]  # type: ignore[union-attr]
    assert pictures("%%sfn draft\n" + broken) == []


def test_rules_are_told_in_the_notebook(nb: Notebook) -> None:
    found = nb.good("%sfn rules NO_DOLLAR")
    assert [entry.code for entry in found] == ["NO_DOLLAR"]
    assert "mathjax_ignore" in shown(nb, found)["text/html"]
    assert "no rule has 'zzz'" in nb.cell("%sfn rules zzz").text


def test_a_check_may_ask_aws_too(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfn_notebook.aws import validate

    asked: list[Any] = []

    def answer(_document: Any, _session: Any = None, **more: Any) -> validate.Verdict:
        asked.append(more)
        return validate.Verdict(True, ())

    monkeypatch.setattr(validate, "ask", answer)
    nb.good("%%sfn hello -q\n" + HELLO)
    nb.good("%sfn check hello")
    nb.good('%sfn check hello --input {"name": 1}')
    assert asked == []
    nb.good("%sfn check hello --aws --region eu-west-1 --type express")
    assert asked == [{"workflow_type": "EXPRESS", "profile": None, "region": "eu-west-1", "endpoint_url": None}]


def test_show_takes_a_theme_of_its_own(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    assert nb.good("%sfn show hello") is nb["hello"]
    light, dark = (nb.good(f"%sfn show hello --theme {theme}").svg() for theme in ("light", "dark"))
    assert light != dark


def test_a_terminal_gets_text_and_nothing_is_drawn(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfn_notebook.render import graphviz_engine

    def never(*_: Any, **__: Any) -> bytes:
        raise AssertionError("drawn")

    monkeypatch.setattr(graphviz_engine, "_run", never)
    nb.shell.display_formatter.active_types = ["text/plain"]  # type: ignore[union-attr]
    machine = nb.good("%%sfn hello\n" + HELLO)
    assert set(shown(nb, machine)) == {"text/plain"}
    assert shown(nb, nb.good("%sfn run hello"))["text/plain"].startswith("✔ SUCCEEDED  hello")


def test_a_machine_with_errors_shows_them_above_its_graph(nb: Notebook) -> None:
    nb.good(
        f"from sfn_notebook import StateMachine\nm = StateMachine.load({json.dumps({'StartAt': 'A', 'States': {}})!r})"
    )
    bundle = shown(nb, nb["m"])
    assert bundle["text/plain"].startswith("✖ ")
    assert bundle["text/html"].startswith("<pre>✖ ")


def test_a_machine_with_errors_does_not_run(nb: Notebook) -> None:
    nb.good(
        f"from sfn_notebook import StateMachine\nm = StateMachine.load({json.dumps({'StartAt': 'A', 'States': {}})!r})"
    )
    assert nb.bad("%sfn run m").startswith("DefinitionError: ")


def test_our_errors_are_shown_as_their_message_alone() -> None:
    assert SfnError("what is wrong")._render_traceback_() == ["SfnError: what is wrong"]
