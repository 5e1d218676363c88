"""Importing the package is cheap and complete: what it loads, which names it offers, that it is typed."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import sfn_notebook

HEAVY = (
    "IPython", "pandas", "boto3", "botocore", "ipywidgets", "nbformat", "graphviz", "graphviz_pure", "jsonpath_ng", "yaml", "orjson",
    "numpy", "altair", "asyncio",
)  # fmt: skip


def loaded_after(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(m.partition('.')[0] for m in sys.modules)))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return set(json.loads(done.stdout))


def test_a_bare_import_loads_nothing_heavy() -> None:
    assert loaded_after("import sfn_notebook").isdisjoint(HEAVY)


def test_a_machine_of_simple_states_runs_without_anything_that_only_displays_or_fetches() -> None:
    statement = (
        "from sfn_notebook import StateMachine\n"
        "machine = StateMachine.load({'StartAt': 'A', 'States': {'A': {'Type': 'Pass', 'Parameters': {'x.$': '$.y.z'}, 'End': True}}})\n"
        "assert machine.run({'y': {'z': 1}}).output == {'x': 1}"
    )
    allowed = {"orjson"}
    assert loaded_after(statement).isdisjoint(set(HEAVY) - allowed - {"asyncio"})


@pytest.mark.parametrize("name", sfn_notebook.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(sfn_notebook, name) is not None
    assert name in dir(sfn_notebook)


def test_public_names_are_sorted_and_unique() -> None:
    assert sorted(set(sfn_notebook.__all__)) == sorted(sfn_notebook.__all__)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="NoSuchThing"):
        _ = sfn_notebook.NoSuchThing


def test_the_package_is_typed() -> None:
    assert (Path(sfn_notebook.__file__).parent / "py.typed").is_file()


def test_there_is_one_version() -> None:
    text = (Path(sfn_notebook.__file__).parent / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{sfn_notebook.__version__}"' in text
    try:
        installed = version("sfn-notebook")
    except ModuleNotFoundError:
        pytest.skip("the package is used from its source tree without being installed")
    assert installed == sfn_notebook.__version__
