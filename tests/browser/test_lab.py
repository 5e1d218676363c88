"""What a user sees in JupyterLab: the tutorial, both themes, and names that try to break out."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from tests.browser.conftest import Lab, Page

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

HOSTILE = [
    "<img src=x onerror=window.broken=1>", "</script><script>window.broken=1</script>", "a & b &amp; c", 'say "hi"', "it's", "back\\slash",
    "\u202eright to left", "🚀 rocket 🧑‍🚀", "x" * 80, "two\nlines", "tab\there", "] -> [label=broken", "<b>bold</b>", "%3Cscript%3E",
    "javascript:window.broken=1", "{{constructor}}", "${window.broken=1}", "<svg/onload=window.broken=1>", "&lt;i&gt;", "`tick`",
    "subgraph end", "A --> B", "style fill:#f00", "\\N\\G\\L", "]]>", "<!-- comment -->", "<style>*{display:none}</style>", "#123", "  spaces  ",
    "null",
]  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_notebook_runs_without_console_errors_and_without_the_network(page: Page, lab: Lab, path: Path) -> None:
    shutil.copy(path, lab.folder / path.name)
    shutil.copytree(path.parent / "data", lab.folder / "data", dirs_exist_ok=True)
    page.open(path.name)
    page.run_all()
    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    meant = sum("raises-exception" in cell.metadata.get("tags", ()) for cell in cells)
    complaints = page.page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']")
    if meant:
        complaints.nth(meant - 1).wait_for()  # what a cell has put out is painted a little later than it is done
    assert complaints.count() == meant, complaints.all_inner_texts()
    numbered = [
        cell for cell in page.page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts() if re.search(r"\d", cell)
    ]
    assert len(numbered) == sum(cell.cell_type == "code" for cell in cells), "every code cell was run"
    assert page.page.locator(".jp-OutputArea-output svg").count() > 0
    page.screenshot(f"{path.stem}-light")
    page.theme("JupyterLab Dark")
    page.screenshot(f"{path.stem}-dark")
    page.theme("JupyterLab Light")
    assert page.errors == []
    assert page.foreign == []


def test_hostile_names_and_payloads_are_shown_as_text(page: Page, lab: Lab) -> None:
    # GIVEN a machine whose state names, comments and data are all trying to be something else
    states = {name: {"Type": "Pass", "Comment": name, "Result": {name: name}, "Next": following}
              for name, following in zip(HOSTILE, [*HOSTILE[1:], "last"], strict=True)}  # fmt: skip
    states["last"] = {"Type": "Succeed"}
    definition = {"StartAt": HOSTILE[0], "Comment": HOSTILE[0], "States": states}
    cells = [
        "%load_ext sfn_notebook\nimport json\nfrom sfn_notebook import StateMachine",
        f"sm = StateMachine.load(json.loads({json.dumps(definition)!r}), name='hostile')\nsm",
        f"ex = sm.run(json.loads({json.dumps(dict.fromkeys(HOSTILE, HOSTILE))!r}))\nex",
        "ex.history.states",
    ]
    page.open(lab.write("hostile.ipynb", cells))

    # WHEN it is shown and run
    page.run_all()

    # THEN the page is whole, nothing ran, and the names are there as text
    assert page.page.evaluate("() => window.broken === undefined")
    assert page.page.locator(".jp-OutputArea-output img[src='x']").count() == 0
    assert page.page.locator(".jp-OutputArea-output script").count() == 0
    shown = page.page.locator(".jp-OutputArea").all_inner_texts()
    text = "\n".join(shown)
    for name in ("<img src=x onerror=window.broken=1>", "a & b &amp; c", "<b>bold</b>", "🚀"):
        assert name in text.replace("\n", "") or name in text
    page.screenshot("hostile")
    assert page.errors == []
    assert page.foreign == []


def test_dollar_signs_are_no_formulas(page: Page, lab: Lab) -> None:
    # GIVEN a run, frames and reports in which two dollar signs stand
    task = {"Type": "Pass", "Parameters": {"a.$": "$.price"}, "ResultPath": "$.cost", "Next": "from $a to $b"}
    fail = {"Type": "Fail", "Error": "$5 and $6", "CausePath": "$.cause"}
    definition = {"StartAt": "Take", "States": {"Take": task, "from $a to $b": fail}}
    cause = "\\rule{3000px}{800px}$ between $.a and $.b"
    cells = [
        "%load_ext sfn_notebook\nfrom IPython.display import HTML\nfrom sfn_notebook import Executions, StateMachine",
        f"sm = StateMachine.load({definition!r}, name='dollars')\nsm",
        f"ex = sm.run({{'price': 1, 'cause': {cause!r}}})\nex",
        "ex.history.failure",
        "ex.history.states",
        "Executions.of([ex]).failures()",
        "HTML('<p>$a$ and $b$</p>')",
    ]
    page.open(lab.write("dollars.ipynb", cells))

    # WHEN they are shown
    page.run_all()
    page.page.locator("mjx-container").first.wait_for(timeout=30_000)

    # THEN the page typesets what asked for it, and nothing of ours
    assert page.page.locator(".jp-OutputArea-output:has(mjx-container)").count() == 1
    shown = "\n".join(page.page.locator(".jp-OutputArea").all_inner_texts())
    assert cause in shown
    page.screenshot("dollars")
    assert page.errors == []
    assert page.foreign == []
