"""`df.sfn` on frames of executions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from sfn_notebook.errors import CommandError
from sfn_notebook.history.accessor import register
from sfn_notebook.history.analysis import summary
from sfn_notebook.history.frames import events_frame, states_frame
from sfn_notebook.history.visits import fold


def _forget() -> None:
    if "sfn" in pd.DataFrame.__dict__:
        delattr(pd.DataFrame, "sfn")
        pd.DataFrame._accessors.discard("sfn")  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    _forget()
    register()
    yield
    _forget()


def _states(new_writer: Any, **keyed: Any) -> Any:
    w = new_writer()
    entered = w.add("PassStateEntered", 0, name="A", input='{"id": 1, "tags": ["x"], "who": {"name": "Jane"}}')
    entered = w.add(
        "PassStateEntered", w.add("PassStateExited", entered, name="A", output='{"id": 2}'), name="B", input="[]"
    )
    w.add("PassStateExited", entered, name="B", output='{"ok": true}')
    visits = fold(w.events)
    return states_frame({"a": visits, "b": visits}) if keyed else states_frame(visits), events_frame(w.events)


def _pull(frame: Any, path: str, column: str | None = None) -> Any:
    return frame.sfn.json(path, column)


def test_a_field_comes_from_the_first_payload_that_has_it(new_writer: Any) -> None:
    states, _ = _states(new_writer)
    found = _pull(states, "$.id")
    assert found.tolist()[0] == 1
    assert found.isna().tolist() == [False, True]
    assert (str(found.dtype), found.name) == ("Int64", "$.id")
    assert _pull(states, "$.id", "output").tolist()[0] == 2
    assert _pull(states, "$.ok").tolist()[1] is True
    assert str(_pull(states, "$.who.name").dtype).startswith("str")


def test_fields_that_are_structures_stay_as_they_are(new_writer: Any) -> None:
    states, _ = _states(new_writer)
    assert _pull(states, "$.tags").tolist() == [["x"], None]
    assert _pull(states, "$..name").tolist() == [["Jane"], None]
    assert _pull(states, "$.nowhere").tolist() == [None, None]


def test_payloads_that_are_still_text_are_read(new_writer: Any) -> None:
    _, events = _states(new_writer)
    found = _pull(events, "$.id")
    assert found.dropna().tolist() == [1, 2]
    assert found.index.equals(events.index)


def test_a_filtered_frame_keeps_its_index(new_writer: Any) -> None:
    states, _ = _states(new_writer)
    assert _pull(states[states["name"] == "B"], "$.ok").index.tolist() == [1]


def test_paths_and_columns_that_do_not_work_are_refused(new_writer: Any) -> None:
    states, _ = _states(new_writer)
    with pytest.raises(CommandError, match="the path cannot be read"):
        _pull(states, "$.[")
    with pytest.raises(CommandError, match=r"starts with \$"):
        _pull(states, "$$.Execution.Id")
    with pytest.raises(CommandError, match="the field needs the column inputs"):
        _pull(states, "$.a", "inputs")
    with pytest.raises(CommandError, match="the frame has none"):
        _pull(pd.DataFrame({"a": [1]}), "$.a")


def test_the_summary_is_that_of_the_states(new_writer: Any) -> None:
    states, events = _states(new_writer)
    pd.testing.assert_frame_equal(states.sfn.summary(), summary(states))
    with pytest.raises(CommandError, match="a summary of states needs"):
        events.sfn.summary()


def test_the_timeline_is_drawn_by_what_was_registered(new_writer: Any) -> None:
    states, events = _states(new_writer)
    with pytest.raises(CommandError, match="nothing that draws"):
        states.sfn.timeline()
    register(lambda frame: f"{len(frame)} visits")
    assert states.sfn.timeline() == "2 visits"
    register(lambda frame: "another")
    register()
    assert states.sfn.timeline() == "2 visits"
    with pytest.raises(CommandError, match="a timeline needs"):
        events.sfn.timeline()
    many, _ = _states(new_writer, many=True)
    with pytest.raises(CommandError, match="shows one execution, but found 2"):
        many.sfn.timeline()
    assert many[many["execution"] == "b"].sfn.timeline() == "2 visits"


def test_an_accessor_of_somebody_else_is_not_replaced() -> None:
    _forget()
    pd.api.extensions.register_dataframe_accessor("sfn")(type("Theirs", (), {"__init__": lambda self, frame: None}))
    with pytest.raises(CommandError, match="pandas already has an accessor 'sfn'"):
        register()


def test_importing_the_accessor_does_not_load_pandas() -> None:
    code = "import sys, sfn_notebook.history.accessor; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
