"""Which states an execution waited for: through sequences, the branch that ended last, iterations that took a place."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.history.critical import Span, critical_path, spans_of, walk, wall
from sfn_notebook.history.visits import fold


def _span(number: int, start: int, end: int, *, parent: int = 0, scope: Any = 0, aborted: bool = False) -> Span:
    return Span(number, scope, parent, start, end, number + 1000, aborted)


def _path(*spans: Span) -> list[tuple[int, int, int]]:
    return [(leg.id, leg.start, leg.end) for leg in walk(spans)]


def test_in_a_sequence_every_state_counts_and_the_time_between_them_does_not() -> None:
    assert _path(_span(1, 0, 4), _span(2, 5, 9)) == [(1, 0, 4), (2, 5, 9)]


def test_of_a_parallel_the_branch_that_ended_last_counts_and_the_rest_is_its_own() -> None:
    spans = [
        _span(1, 0, 20),
        _span(2, 1, 5, parent=1, scope="a"),
        _span(3, 1, 15, parent=1, scope="b"),
        _span(4, 20, 21),
    ]
    assert _path(*spans) == [(1, 0, 1), (3, 1, 15), (1, 15, 20), (4, 20, 21)]


def test_an_iteration_that_took_the_place_of_another_waited_for_it() -> None:
    spans = [_span(1, 0, 30), *(_span(2 + n, n * 10, n * 10 + 10, parent=1, scope=n) for n in range(3))]
    spans[1:] = [span._replace(last=10 * n + 11, id=10 * n + 2) for n, span in enumerate(spans[1:])]
    assert [leg[0] for leg in _path(*spans)] == [2, 12, 22]


def test_iterations_that_ran_beside_each_other_do_not_count_twice() -> None:
    spans = [_span(1, 0, 10), *(_span(2 + n, 0, 10 - n, parent=1, scope=n) for n in range(3))]
    assert _path(*spans) == [(2, 0, 10)]


def test_the_branch_that_failed_counts_and_not_the_ones_that_it_aborted() -> None:
    spans = [_span(1, 0, 9), _span(2, 0, 6, parent=1, scope="a"), _span(3, 0, 9, parent=1, scope="b", aborted=True)]
    assert _path(*spans) == [(2, 0, 6), (1, 6, 9)]


def test_nesting_may_be_deeper_than_python_likes_to_recurse() -> None:
    depth = 3000
    spans = [_span(n + 1, n, 2 * depth - n, parent=n, scope=n) for n in range(depth)]
    assert sum(end - start for _, start, end in _path(*spans)) == 2 * depth


def test_a_history_that_is_still_running_lasts_until_the_last_thing_that_happened(new_writer: Any) -> None:
    w = new_writer()
    w.add("TaskStateEntered", w.chain(0, "PassStateEntered", "PassStateExited", name="A"), name="B")
    path = critical_path(fold(w.events))
    assert path["name"].tolist() == ["A", "B"]
    assert path["duration"].tolist() == [timedelta(seconds=1), timedelta(0)]


def test_the_frame_of_no_visits_has_the_dtypes_of_any_other(new_writer: Any) -> None:
    w = new_writer()
    w.chain(0, "PassStateEntered", "PassStateExited", name="A")
    assert critical_path([]).dtypes.astype(str).to_dict() == critical_path(fold(w.events)).dtypes.astype(str).to_dict()


TASKS = st.tuples(st.just("task"), st.integers(0, 2), st.sampled_from(["ok", "caught", "lost", "flaky"]))
LEAVES = st.one_of(st.just(("plain",)), TASKS, st.just(("fail",)))
BODIES = st.lists(LEAVES, min_size=1, max_size=3)
MAPS = st.tuples(
    st.just("map"), BODIES, st.integers(0, 4), st.sampled_from([1, 2, 40]), st.integers(0, 1), st.booleans()
)
FANS = st.tuples(st.just("parallel"), st.lists(BODIES, min_size=1, max_size=3), st.integers(0, 1), st.booleans())


@given(st.lists(st.one_of(LEAVES, MAPS, FANS), min_size=1, max_size=3), st.integers(0, 10_000))
def test_legs_never_overlap_and_start_and_end_with_the_execution(new_synthesiser: Any, plan: Any, seed: int) -> None:
    visits: list[Any] = fold(new_synthesiser(seed).play(plan))
    spans = spans_of(visits)
    legs = walk(spans)
    assert all(before.end <= after.start for before, after in pairwise(legs))
    assert all(leg.start <= leg.end for leg in legs)
    assert sum(leg.end - leg.start for leg in legs) <= wall(spans)
    assert legs[0].start == min(span.start for span in spans)
    inside = {visit.id: visit.parent for visit in visits}
    reached = {leg.id for leg in legs}
    for leg in legs:
        at = leg.id
        while inside[at]:
            at = inside[at]
            reached.add(at)
    assert {visit.id for visit in visits if visit.parent == 0} <= reached
    path: Any = critical_path(visits)
    assert path["share"].sum() <= 1 + 1e-9
    assert path["duration"].sum() <= timedelta(microseconds=wall(spans))
