"""Charts: what they show, and that they show themselves everywhere."""

from __future__ import annotations

import builtins
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sfn_notebook.errors import MissingExtra
from sfn_notebook.history.frames import states_frame
from sfn_notebook.render.chart import VEGA_LITE, Chart
from sfn_notebook.render.charts import durations, timeline, visits_of
from sfn_notebook.render.theme import DARK

from .executions import fanned, retried, visit


def _many(*seconds: float, name: str = "A") -> dict[str, Any]:
    return {str(n): [visit(1, name, 0, s)] for n, s in enumerate(seconds)}


def test_a_chart_shows_itself_in_every_form() -> None:
    chart = timeline(retried(), title="orders <1>")
    bundle = chart._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml"}
    assert bundle["text/plain"] == str(chart)
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "orders &lt;1&gt;" in bundle["image/svg+xml"]
    assert "<script" not in bundle["text/html"]
    assert "http" not in bundle["image/svg+xml"].replace("http://www.w3.org/2000/svg", "")
    assert set(chart._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert "text/html" not in chart._repr_mimebundle_(exclude=["text/html"])


def test_a_chart_follows_the_page_or_keeps_its_theme(tmp_path: Path) -> None:
    assert "prefers-color-scheme:dark" in timeline(retried()).svg()
    dark = timeline(retried(), theme=DARK)
    assert DARK["succeeded-line"] in dark.svg()
    dark.save(tmp_path / "t.svg")
    assert (tmp_path / "t.svg").read_text(encoding="utf-8") == dark.svg()


def test_the_interactive_form_is_data_that_jupyterlab_draws_itself() -> None:
    for chart in (timeline(retried()), durations(_many(1, 2, 3))):
        bundle = chart.interactive()._repr_mimebundle_()
        assert set(bundle) == {VEGA_LITE, "image/svg+xml", "text/plain"}
        spec = json.loads(json.dumps(bundle[VEGA_LITE], allow_nan=False))
        assert spec["$schema"].endswith("/v5.json")
        fields = {channel["field"] for channel in spec["encoding"].values()}
        assert all(fields <= set(value) for value in spec["data"]["values"])


def test_a_specification_stays_small_enough_to_travel() -> None:
    assert len(timeline(fanned(20_000, width=1000)).spec["data"]["values"]) <= 4000
    assert len(durations({str(n): [visit(1, "A", 0, n)] for n in range(9000)}).spec["data"]["values"]) <= 4002


def test_altair_is_asked_for_only_when_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__
    monkeypatch.setitem(sys.modules, "altair", None)
    monkeypatch.setattr(builtins, "__import__", real)
    with pytest.raises(MissingExtra, match="pip install altair"):
        timeline(retried()).altair()


def test_altair_takes_the_same_chart() -> None:
    module = pytest.importorskip("altair")
    for chart in (timeline(retried()), durations(_many(1, 2, 3))):
        assert isinstance(chart.altair(), module.Chart)


def test_a_states_frame_gives_the_timeline_of_its_visits() -> None:
    visits = fanned(8)
    again = visits_of(states_frame(visits))
    assert [(v.id, v.name, v.type, v.place, v.parent, v.status) for v in again] == [
        (v.id, v.name, v.type, v.place, v.parent, v.status) for v in visits
    ]
    assert [v.entered for v in again] == [v.entered for v in visits]
    assert str(timeline(states_frame(visits))) == str(timeline(visits))
    assert str(timeline(states_frame([]))) == "timeline: nothing has run"


def test_a_running_visit_of_a_frame_has_no_end() -> None:
    again = visits_of(states_frame([visit(1, "A", 0, 5), visit(2, "B", 5, None)]))
    assert [(v.status, v.exited is None) for v in again] == [("SUCCEEDED", False), ("RUNNING", True)]


def test_durations_show_quantiles_and_the_slowest_state_first() -> None:
    visits = {str(n): [visit(1, "Quick", 0, 1 + n % 3), visit(2, "Slow", 5, 25 + n)] for n in range(100)}
    text = str(durations(visits, title="orders"))
    lines = text.splitlines()
    assert [line.split("│")[0].strip() for line in lines[1:]] == ["Slow", "Quick"]
    assert lines[1].endswith("p50 1 min 10 s · p95 1 min 54 s · max 1 min 59 s · 100 visits")
    svg = durations(visits).svg()
    assert "p50 1 min 10 s" in svg
    assert "┃ median" in svg


def test_durations_of_very_different_length_get_a_logarithmic_scale() -> None:
    visits = {str(n): [visit(1, "Quick", 0, 0.01 + n / 1e4), visit(2, "Slow", 1, 3601)] for n in range(30)}
    assert "logarithmic" in str(durations(visits)).splitlines()[0]
    assert "1 h" in durations(visits).svg()
    assert "logarithmic" not in str(durations(_many(1, 2, 3)))


def test_states_that_take_no_time_are_only_named() -> None:
    chart = durations({"a": [visit(1, "A", 0, 1), visit(2, "B", 1, 1), visit(3, "C", 1, 1)]})
    assert str(chart).splitlines()[-1] == "no time at all: B, C"
    assert "no time at all: B, C" in chart.svg()
    assert str(durations({"a": [visit(1, "A", 0, 0)]})) == "durations: no time at all: A"


def test_nothing_to_show_is_said() -> None:
    empty: list[Chart] = [durations([]), durations({}), durations([visit(1, "A", 0, None)]), timeline([])]
    for chart in empty:
        assert "nothing has" in str(chart)
        assert chart.svg().startswith("<svg")
        assert chart.spec["data"]["values"] == [] or chart is empty[3]
