"""Laws that every history obeys, on synthesised ones whose truth is known, in any interleaving."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.history.events import SCHEDULED
from sfn_notebook.history.failure import failure
from sfn_notebook.history.frames import (
    attempts_frame,
    durations,
    events_frame,
    iterations_frame,
    states_frame,
    transitions_frame,
)
from sfn_notebook.history.places import places
from sfn_notebook.history.snapshot import Cursor, snapshot
from sfn_notebook.history.visits import Fold, fold

TASKS = st.tuples(st.just("task"), st.integers(0, 2), st.sampled_from(["ok", "caught", "lost", "flaky"]))
LEAVES = st.one_of(st.just(("plain",)), st.just(("plain",)), TASKS, st.just(("fail",)), st.just(("undefined",)))


def _bodies(states: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(states, min_size=1, max_size=3)


def _fan_outs(states: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    body, retries, caught = _bodies(states), st.integers(0, 2), st.booleans()
    return st.one_of(
        st.tuples(st.just("map"), body, st.integers(0, 4), st.sampled_from([1, 2, 40]), retries, caught),
        st.tuples(st.just("parallel"), st.lists(body, min_size=1, max_size=3), retries, caught),
    )


PLANS = _bodies(st.recursive(LEAVES, _fan_outs, max_leaves=6))
SEEDS = st.integers(0, 10_000)


@given(PLANS, SEEDS, st.integers(1, 3))
def test_the_fold_of_a_history_is_the_truth(new_synthesiser: Any, plan: Any, seed: Any, rounds: Any) -> None:
    synthesiser = new_synthesiser(seed)
    visits: list[Any] = fold(synthesiser.play(plan, rounds))
    truth = synthesiser.truth
    assert [v.id for v in visits] == sorted(truth)
    for visit in visits:
        true = truth[visit.id]
        found = (visit.name, visit.type, visit.place, visit.parent, visit.run, visit.status, visit.next)
        assert found == (true.name, true.type, true.place, true.parent, true.run, true.status, true.next)
        assert visit.attempts == max(1, true.attempts)
        if true.end is not None:
            assert visit.end_event == true.end


@given(PLANS, SEEDS)
def test_everything_that_begins_ends_and_lasts_no_negative_time(new_synthesiser: Any, plan: Any, seed: Any) -> None:
    events = new_synthesiser(seed).play(plan)
    visits: list[Any] = fold(events)
    attempts = [a for v in visits for a in v.task_attempts]
    iterations = [i for v in visits for i in v.iterations]
    assert len(attempts) == sum(e["type"] in SCHEDULED for e in events)
    assert len(iterations) == sum(e["type"] == "MapIterationStarted" for e in events)
    for visit in visits:
        assert visit.status != "RUNNING"
        assert visit.exited is not None
        assert visit.exited >= visit.entered
    assert all(a.status != "RUNNING" and a.ended >= a.scheduled for a in attempts)
    assert all(i.status != "RUNNING" and i.ended >= i.started for i in iterations)


@given(PLANS, SEEDS, st.data())
def test_folding_in_pieces_is_folding_at_once(new_synthesiser: Any, plan: Any, seed: Any, data: Any) -> None:
    events = new_synthesiser(seed).play(plan)
    cut = data.draw(st.integers(0, len(events)))
    pieces = Fold().extend(events[:cut])
    assert pieces.visits == fold(events[:cut])
    assert pieces.extend(events[cut:]).visits == fold(events)


@given(PLANS, SEEDS)
def test_the_order_in_which_events_are_given_does_not_matter(new_synthesiser: Any, plan: Any, seed: Any) -> None:
    events = new_synthesiser(seed).play(plan)
    shuffled = random.Random(seed).sample(events, len(events))
    assert fold(shuffled) == fold(events)
    assert places(events[::-1]) == places(events)


@given(PLANS, SEEDS, st.data())
def test_a_snapshot_shows_as_active_what_is_running(new_synthesiser: Any, plan: Any, seed: Any, data: Any) -> None:
    events = new_synthesiser(seed).play(plan)
    cursor = Cursor(events)
    for k in data.draw(st.lists(st.integers(0, len(events)), min_size=1, max_size=5)):
        shot = cursor.at(k)
        visits: list[Any] = fold(events[:k])
        assert {a.visit for a in shot.active} == {v.id for v in visits if v.status == "RUNNING"}
        assert sum(n for counts in shot.counts.values() for n in counts.values()) == len(visits)
        assert shot == snapshot(events, k)


@given(PLANS, SEEDS)
def test_the_root_failure_is_where_the_chain_of_the_end_leads(new_synthesiser: Any, plan: Any, seed: Any) -> None:
    synthesiser = new_synthesiser(seed)
    events = synthesiser.play(plan)
    found: Any = failure(events)
    if events[-1]["type"] == "ExecutionSucceeded":
        assert found is None or (found.root is None and found.terminal is None and found.handled)
        return
    assert found is not None
    assert found.root is not None
    assert found.terminal is not None
    assert found.terminal.place == ()
    assert (found.terminal.error, found.status) == ("Boom", "FAILED")
    assert synthesiser.truth[found.root.visit].type in {"Task", "Fail", "Pass"}


@given(PLANS, SEEDS)
def test_the_frames_of_a_history_agree_with_its_fold(new_synthesiser: Any, plan: Any, seed: Any) -> None:
    synthesiser = new_synthesiser(seed)
    events = synthesiser.play(plan)
    visits: list[Any] = fold(events)
    pairs = durations(events_frame(events))
    exited = {t.end: v for v, t in synthesiser.truth.items() if t.status in {"SUCCEEDED", "CAUGHT"}}
    assert dict(zip(pairs["exited"].tolist(), pairs["entered"].tolist(), strict=True)) == exited
    states = states_frame(visits)
    assert states["visit"].tolist() == sorted(synthesiser.truth)
    assert (states["duration"] == states["exited"] - states["entered"]).all()
    assert len(attempts_frame(visits)) == sum(len(v.task_attempts) for v in visits)
    assert len(iterations_frame(visits)) == sum(len(v.iterations) for v in visits)
    nexts = transitions_frame(visits).dropna(subset="source_visit")
    truth = {(v, t.next) for v, t in synthesiser.truth.items() if t.next is not None}
    assert set(zip(nexts["source_visit"].tolist(), nexts["target_visit"].tolist(), strict=True)) == truth


@given(PLANS, SEEDS, st.data())
def test_a_history_with_holes_still_folds_to_one_visit_per_entry(
    new_synthesiser: Any, plan: Any, seed: Any, data: Any
) -> None:
    events = new_synthesiser(seed).play(plan)
    lost = data.draw(st.sets(st.integers(0, len(events) - 1)))
    rest = [event for number, event in enumerate(events) if number not in lost]
    visits: list[Any] = fold(rest)
    entries = sum(e["type"].endswith("StateEntered") for e in rest)
    assert len(visits) == entries == len(states_frame(visits))
    assert all(v.exited is None or v.exited >= v.entered for v in visits)
    assert len(events_frame(rest)) == len(rest)
    assert len(durations(events_frame(rest))) <= entries
    failure(rest)


@given(PLANS, SEEDS, st.data())
def test_a_history_cut_at_the_front_keeps_its_rows_apart(new_synthesiser: Any, plan: Any, seed: Any, data: Any) -> None:
    events = new_synthesiser(seed).play(plan)
    rest = events[data.draw(st.integers(0, len(events))) :]
    assert len(fold(rest)) == sum(e["type"].endswith("StateEntered") for e in rest)
    assert len(places(rest)) == len(rest)
    snapshot(rest)
