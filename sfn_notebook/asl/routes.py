"""Ways through the graph, as messages show them: `Start → Work → Done`.

A way leads from the start of a scope, or from a given state of it, to a state, by the fewest transitions; some may be avoided.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sfn_notebook.asl.topology import Edge, Topology

MAX_SHOWN = 8


def _side_by_side(graph: Topology, source: str, target: str) -> tuple[str, str]:
    """Give the states around both that lie in one scope."""
    around: dict[str, str] = {}
    here: str | None = source
    while here is not None:
        scope = graph.by_pointer[here].scope
        around[scope] = here
        here = graph.scope_by_pointer[scope].owner
    while graph.by_pointer[target].scope not in around:
        target = graph.scope_by_pointer[graph.by_pointer[target].scope].owner or ""
    return around[graph.by_pointer[target].scope], target


def route(graph: Topology, source: str | None, target: str, avoid: Callable[[Edge], bool] | None = None) -> str | None:
    """Give the names on the shortest way to the state at `target`; from the start of its scope where `source` is None.

    States of different scopes are taken as those around them in the scope that holds both; None where no way leads there.
    """
    if source is not None:
        source, target = _side_by_side(graph, source, target)
    scope = graph.scope_by_pointer[graph.by_pointer[target].scope]
    start = source if source is not None else scope.start_pointer
    if start is None:
        return None
    came: dict[str, str | None] = {start: None}
    waiting = deque([start])
    while waiting and target not in came:
        here = waiting.popleft()
        for edge in graph.edges_from(here):
            found = edge.target_pointer
            if found is not None and found not in came and not (avoid is not None and avoid(edge)):
                came[found] = here
                waiting.append(found)
    if target not in came:
        return None
    names: list[str] = []
    step: str | None = target
    while step is not None:
        names.append(graph.by_pointer[step].name)
        step = came[step]
    names.reverse()
    if len(names) > MAX_SHOWN:
        names = [*names[:3], "…", *names[-4:]]
    return " → ".join(names)
