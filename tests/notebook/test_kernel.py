"""The magics in a real kernel, as JupyterLab runs them."""

from typing import Any

import nbformat
import pytest

from sfn_notebook.notebook.nbio import execute
from tests.notebook.conftest import HELLO, TASK

CELLS = {
    "load": "%load_ext sfn_notebook",
    "good": "%%sfn hello\n" + HELLO,
    "bad JSON": '%%sfn hello\n{\n  "StartAt": "Hello"\n  "States": {}\n}',
    "still bound": "print(hello.run().output)",
    "unknown option": "%sfn run hello --inptu 5",
    "task": "%%sfn work --quiet\n" + TASK,
    "unbound task": "%sfn run work",
    "bound task": "handlers = {'Work': lambda data: print('working') or {'got': data}}\n%sfn run work --input {\"a\": 1}",
    "kept": "x = %sfn run work",
    "imports": "import sys; print([m for m in ('pandas', 'boto3', 'nbformat', 'altair') if m in sys.modules])",
    "help": "%sfn?",
    "unload": "%unload_ext sfn_notebook",
    "gone": "%sfn list",
}
FAILING = ("bad JSON", "unknown option", "unbound task", "gone")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    cells: list[Any] = []
    for name, source in CELLS.items():
        cells.append(nbformat.v4.new_code_cell(source))  # type: ignore[no-untyped-call]
        if name in FAILING:
            cells[-1].metadata["tags"] = ["raises-exception"]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    assert execute(notebook, tmp_path_factory.mktemp("kernel")) is None
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def the_error(outputs: list[Any]) -> str:
    [output] = outputs
    assert output.output_type == "error"
    [line] = output.traceback  # the message alone
    assert line.startswith(f"{output.ename}: ")
    return str(line)


def test_loading_says_nothing(outputs: dict[str, list[Any]]) -> None:
    assert outputs["load"] == []


def test_a_good_cell_shows_text_html_and_svg_in_one_output(outputs: dict[str, list[Any]]) -> None:
    [output] = outputs["good"]
    assert output.output_type == "execute_result"
    assert set(output.data) == {"text/plain", "text/html", "image/svg+xml"}


def test_bad_json_is_a_message_with_the_line_of_the_cell_and_the_good_machine_stays(
    outputs: dict[str, list[Any]],
) -> None:
    message = the_error(outputs["bad JSON"])
    assert "hello: 4:3: error: a comma is missing" in message
    assert '4 |   "States": {}' in message
    assert [output.text for output in outputs["still bound"]] == ["hi\n"]


def test_an_unknown_option_and_an_unbound_task_are_messages(outputs: dict[str, list[Any]]) -> None:
    assert "did you mean --input?" in the_error(outputs["unknown option"])
    assert 'state "Work" needs a handler' in the_error(outputs["unbound task"])


def test_a_run_is_one_output_that_holds_what_the_handler_printed(outputs: dict[str, list[Any]]) -> None:
    [output] = outputs["bound task"]
    assert set(output.data) == {"text/plain", "text/html", "image/svg+xml"}
    assert 'output: {"got":{"a":1}}' in output.data["text/plain"]
    assert "attempt 1 printed: working" in output.data["text/plain"]
    assert outputs["kept"] == []


def test_running_and_drawing_import_neither_pandas_nor_boto3(outputs: dict[str, list[Any]]) -> None:
    assert [output.text for output in outputs["imports"]] == ["[]\n"]


def test_the_magic_is_gone_after_unloading(outputs: dict[str, list[Any]]) -> None:
    assert outputs["unload"] == []
    [output] = outputs["gone"]
    assert "not found" in str(output)
