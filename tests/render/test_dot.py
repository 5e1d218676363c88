import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.render.dot import DARK, dot_source, edge_id, node_id
from sfn_notebook.render.graphviz_engine import render_dot
from sfn_notebook.render.look import Findings
from sfn_notebook.render.overlay import Overlay, StateOverlay, overlay_from_visits
from sfn_notebook.render.theme import Status

from .machines import HOSTILE, MACHINES, ORDERS, around, machine, task


def node_line(source: str, pointer: str) -> str:
    return next(line for line in source.splitlines() if line.strip().startswith(f'"{pointer}" ['))


@pytest.mark.parametrize("name", MACHINES)
def test_each_machine_is_drawn_as_it_was_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.dot", dot_source(MACHINES[name]))


def test_a_run_is_drawn_as_it_was_reviewed(golden: Callable[[str, str], None]) -> None:
    rows = [
        {"id": 2, "name": "Validate", "status": "SUCCEEDED", "attempts": 3, "next": 9},
        {"id": 9, "name": "Prepare", "status": "CAUGHT", "error": "Boom", "next": 20},
        {"id": 10, "name": "Charge", "status": "FAILED", "error": "Boom", "next": None},
        {"id": 11, "name": "Reserve", "status": "ABORTED", "next": None},
        {"id": 20, "name": "Undo", "status": "RUNNING", "next": None},
    ]
    golden("orders_run.dot", dot_source(ORDERS, overlay_from_visits(rows, status="RUNNING"), theme=DARK, title="a run"))


@pytest.mark.parametrize("name", MACHINES)
def test_each_machine_can_be_laid_out(name: str) -> None:
    svg = render_dot(dot_source(MACHINES[name]), "svg").decode()
    assert svg.rstrip().endswith("</svg>")
    ids = re.findall(r'\sid="([^"]*)"', svg)
    assert len(ids) == len(set(ids))


def test_state_types_differ_in_shape() -> None:
    source = dot_source(ORDERS)
    looks = {}
    for name in ("Validate", "Prepare", "Ready?", "Pack", "Cool down", "Done", "Refused"):
        line = node_line(source, f"/States/{name}")
        looks[name] = re.findall(r'(?:shape|style|peripheries)="[^"]*"', line)
    looks["Wrap"] = re.findall(
        r'(?:shape|style|peripheries)="[^"]*"', node_line(source, "/States/Pack/ItemProcessor/States/Wrap")
    )
    assert len({tuple(look) for look in looks.values()}) == len(looks)


def test_what_matters_is_said_in_words() -> None:
    source = dot_source(ORDERS)
    for text in (
        "Lambda validate-order",
        "↻ 4× TooManyRequestsExcepti… +1",
        "DynamoDB updateItem",
        "SQS sendMessage · waits for token",
        "Distributed Map · 3 at once",
        "paid and total &gt; 100",
        "otherwise",
        "ValidationError",
        "any error",
        "branch 2",
        "◷ Cool down",
        "2 h",
        "OrderRefused",
    ):
        assert text in source, text


def test_catch_edges_are_dashed_and_leave_the_frame_of_a_parallel() -> None:
    line = next(
        line for line in dot_source(ORDERS).splitlines() if line.startswith('  "/States/Prepare" -> "/States/Undo"')
    )
    assert 'style="dashed"' in line
    assert 'ltail="cluster_/States/Prepare"' in line


def test_a_way_to_nowhere_ends_at_a_red_node() -> None:
    source = dot_source(machine(A={"Type": "Pass", "Next": "Gone"}))
    assert "no such state" in node_line(source, "/missing/Gone")
    assert 'class="sfn-state sfn-missing"' in node_line(source, "/missing/Gone")


def test_ids_depend_on_the_definition_alone() -> None:
    ids = re.compile(r' id="([^"]*)"')
    overlay = overlay_from_visits([{"name": "Validate", "status": "FAILED"}], status="FAILED")
    assert ids.findall(dot_source(ORDERS)) == ids.findall(dot_source(ORDERS, overlay, theme=DARK))
    assert f'id="{node_id("/States/Pack/ItemProcessor/States/Wrap")}"' in dot_source(ORDERS)
    assert f'id="{edge_id("/States/Validate", "catch", "/States/Refused")}"' in dot_source(ORDERS)


@pytest.mark.parametrize("name", HOSTILE)
def test_ids_hold_nothing_that_an_id_must_not(name: str) -> None:
    assert re.fullmatch(r"state-[A-Za-z0-9/~._%-]*", node_id(f"/States/{name}"))


def test_rules_to_the_same_state_share_one_edge() -> None:
    rules = [{"Variable": "$.n", "NumericEquals": number, "Next": "B"} for number in (1, 2)]
    source = dot_source(machine(A={"Type": "Choice", "Choices": rules, "Default": "B"}, B={"Type": "Succeed"}))
    edges = [line for line in source.splitlines() if '"/States/A" -> "/States/B"' in line]
    assert len(edges) == 2
    assert "n == 1" in edges[0]
    assert "n == 2" in edges[0]


def test_many_catches_into_one_state_become_notes_beside_the_states() -> None:
    source = dot_source(MACHINES["shared_handler"])
    assert len(re.findall(r'-> "/States/Oops"', source)) == 1
    assert len(re.findall(r'-> "chip:/States/Step\d:/States/Oops"', source)) == 4


def test_a_status_has_a_mark_a_word_and_a_class_besides_its_hue() -> None:
    marks = {"SUCCEEDED": "✔", "FAILED": "✖", "CAUGHT": "⚠", "RUNNING": "▶", "WAITING": "⏸", "ABORTED": "■"}
    for word, mark in marks.items():
        line = node_line(
            dot_source(MACHINES["one_pass"], overlay_from_visits([{"name": "Only", "status": word}])), "/States/Only"
        )
        assert f"<B>{mark} Only</B>" in line
        assert f"sfn-{word.lower()}" in line
        assert word.lower() in line
    line = node_line(dot_source(MACHINES["one_pass"], Overlay()), "/States/Only")
    assert "◌ Only" in line
    assert "not reached" in line
    assert "dashed" in line


def test_counts_of_a_run_are_shown() -> None:
    seen = StateOverlay(
        Status.FAILED,
        visits=2,
        retries=3,
        iterations_succeeded=4,
        iterations_failed=1,
        iterations_total=7,
        errors=("Boom",),
    )
    overlay = Overlay({"Pack": seen, "Wrap": StateOverlay(Status.SUCCEEDED, visits=5)}, {("", "Wrap"): 5})
    source = dot_source(ORDERS, overlay)
    line = node_line(source, "/States/Pack")
    for text in ("✖ Pack ×2", "↻ retried 3 times", "✔ 4 of 7 items · ✖ 1", "Boom"):
        assert text in line
    assert "×5" in next(
        line for line in source.splitlines() if line.startswith('  "/States/Pack" -> "/States/Pack/ItemProcessor')
    )


def test_an_edge_counts_the_ordinary_way_and_the_catch_apart() -> None:
    definition = machine(A=task(Next="B", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}]), B={"Type": "Succeed"})
    rows = [
        {"id": 1, "name": "A", "status": "CAUGHT", "next": 2},
        {"id": 2, "name": "B", "status": "SUCCEEDED", "next": None},
    ]
    by_kind = {
        kind: line
        for line in dot_source(definition, overlay_from_visits(rows)).splitlines()
        for kind in ("next", "catch")
        if f"sfn-{kind} " in line
    }
    assert "sfn-untaken" in by_kind["next"]
    assert "sfn-taken" in by_kind["catch"]


def test_deep_nesting_is_cut_and_not_followed_to_the_end_of_the_stack() -> None:
    definition = machine(Deep={"Type": "Pass", "End": True})
    for level in range(3000):
        definition = machine(**{f"Map{level}": {"Type": "Map", "ItemProcessor": definition, "End": True}})
    source = dot_source(definition)
    assert "Map2960" in source
    assert "Map2900" not in source
    assert render_dot(source, "svg").rstrip().endswith(b"</svg>")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    [
        "Next",
        "Default",
        "Type",
        "Choices",
        "Catch",
        "Retry",
        "Branches",
        "ItemProcessor",
        "Resource",
        "Seconds",
        "End",
        "Error",
        "MaxConcurrency",
        "Comment",
    ]
)
types = st.sampled_from(["Task", "Choice", "Map", "Parallel", "Wait", "Pass", "Succeed", "Fail", "?"])


@given(
    st.dictionaries(
        st.text(max_size=6), st.tuples(types, st.dictionaries(fields, json_values, max_size=5)), max_size=4
    ),
    json_values,
)
def test_nothing_in_a_definition_makes_drawing_raise(states: dict[str, Any], start: Any) -> None:
    definition = {"StartAt": start, "States": {name: {"Type": kind, **body} for name, (kind, body) in states.items()}}
    source = dot_source(definition)
    assert source == dot_source(definition)
    assert render_dot(source, "svg").rstrip().endswith(b"</svg>")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_leave_the_structure_of_the_graph_alone(name: str) -> None:
    plain = render_dot(dot_source(around("plain")), "svg")
    hostile = render_dot(dot_source(around(name)), "svg")
    for element in (b'class="node', b'class="edge', b'class="cluster'):
        assert hostile.count(element) == plain.count(element)


def test_a_dense_machine_is_drawn_with_straight_lines_in_time() -> None:
    rules = [
        [{"Variable": "$.x", "NumericEquals": j, "Next": f"S{(i * 7 + j * 31) % 80}"} for j in range(3)]
        for i in range(80)
    ]
    definition = machine(
        **{f"S{i}": {"Type": "Choice", "Choices": rules[i], "Default": f"S{(i + 1) % 80}"} for i in range(80)}
    )
    source = dot_source(definition)
    assert 'splines="line"' in source
    assert 'splines="line"' not in dot_source(ORDERS)
    assert render_dot(source, "svg").rstrip().endswith(b"</svg>")


def test_findings_mark_their_states_with_a_count_a_line_and_their_texts() -> None:
    found = {
        "/States/Validate": Findings(("no <such> thing", "another"), ("odd",)),
        "/States/Prepare/Branches/0/States/Charge": Findings(warnings=("$.a cannot exist",)),
    }
    source = dot_source(ORDERS, theme=DARK, found=found)
    errors = node_line(source, "/States/Validate")
    assert "sfn-has-errors" in errors
    assert "✖ 2 errors ⚠ 1 warning" in errors
    assert f'color="{DARK["failed-line"]}"' in errors
    assert "no &lt;such&gt; thing" in errors
    warned = node_line(source, "/States/Prepare/Branches/0/States/Charge")
    assert "sfn-has-warnings" in warned
    assert "⚠ 1 warning" in warned
    assert f'color="{DARK["caught-line"]}"' in warned
    assert "sfn-has" not in node_line(source, "/States/Undo")
    assert render_dot(source, "svg")
