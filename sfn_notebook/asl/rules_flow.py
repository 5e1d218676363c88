"""Rules on how states lead to each other: transitions, reachability, choices, retries and catchers, branches and processors.

A target that is an unresolved placeholder may be any state, so it is not looked up, and nothing in its scope is called unreachable.
"""

from __future__ import annotations

from collections.abc import Iterator

from sfn_notebook.asl.fields import COMBINATORS, JSONATA, JSONPATH, OPERATORS, STATE_TYPES, WAIT_FIELDS, fields_of
from sfn_notebook.asl.rule import SCHEMA, TARGET, Machine, Problem, Thing, at, near
from sfn_notebook.asl.rules_maps import NO_EFFECT
from sfn_notebook.asl.substitutions import has_placeholder
from sfn_notebook.asl.topology import Scope
from sfn_notebook.errors import Json, Severity

_GOES_ON = ("Task", "Pass", "Wait", "Parallel", "Map")


def next_or_end(machine: Machine) -> Iterator[Problem]:
    """A state that goes on has either Next or End: true, never both."""
    for thing in machine.of(*_GOES_ON):
        has_next, has_end = "Next" in thing.body, "End" in thing.body
        if has_next and not has_end:
            continue
        name = _name(thing, machine)
        if has_next and has_end and thing.body["End"] is not False:
            yield Problem(
                at(thing, "End"), f'state "{name}" has both Next and End', key=True, hint="remove one of them"
            )
        elif has_end and thing.body["End"] is False:
            # AWS takes a false End beside a Next for none.
            hint = "remove it" if has_next else 'write "End": true, or a Next'
            severity, code = (Severity.WARNING, NO_EFFECT) if has_next else (Severity.ERROR, SCHEMA)
            yield Problem(at(thing, "End"), f'state "{name}" has "End": false', code, severity, hint=hint)
        elif not has_next and not has_end and not _misspelt(thing):
            yield Problem(
                thing.pointer,
                f'state "{name}" has no "Next" or "End"',
                key=True,
                hint='add "End": true if the workflow ends here',
            )


def _misspelt(thing: Thing) -> bool:
    """Tell whether some unknown field means Next or End; then that field is the problem."""
    return any(near(name, ("Next", "End")) for name in thing.body if name not in fields_of(thing.kind, thing.language))


def start_exists(machine: Machine) -> Iterator[Problem]:
    """Every scope starts at a state that it has."""
    for scope in machine.graph.scopes:
        if scope.start is None or scope.start_pointer is not None or has_placeholder(scope.start) or not scope.states:
            continue
        yield _missing(f"{scope.pointer}/StartAt", scope.start, scope, machine)


def targets_exist(machine: Machine) -> Iterator[Problem]:
    """Every transition leads to a state of its own scope."""
    graph = machine.graph
    for edge in graph.edges:
        if edge.target_pointer is None and not has_placeholder(edge.target):
            scope = graph.scope_by_pointer[graph.by_pointer[edge.source_pointer].scope]
            yield _missing(edge.pointer, edge.target, scope, machine)


def _missing(pointer: str, target: str, scope: Scope, machine: Machine) -> Problem:
    elsewhere = machine.graph.by_name.get(target)
    if elsewhere is not None:
        holder = machine.graph.by_pointer.get(machine.graph.scope_by_pointer[elsewhere.scope].owner or "")
        where = f'inside "{holder.name}"' if holder is not None else "outside of this branch or processor"
        hint = f'the state "{target}" is {where}; a transition cannot leave its branch, processor or machine'
    else:
        hint = machine.hints.did_you_mean(target, scope.states) or "the states here are " + ", ".join(
            list(scope.states)[:8]
        )
    return Problem(pointer, f"Missing 'Next' target: {target}", TARGET, hint=hint)


def states_are_reachable(machine: Machine) -> Iterator[Problem]:
    """Every state can be reached from the start of its scope."""
    graph = machine.graph
    for scope in graph.scopes:
        seen = graph.reachable(scope) if scope.start_pointer is not None else _entered(scope, machine)
        if seen.issuperset(scope.states.values()) or _may_lead_anywhere(scope, machine):
            continue
        for name, pointer in scope.states.items():
            if pointer not in seen and isinstance(scope.definition["States"][name], dict):
                hint = "no Next, Default, Choice or Catch leads to it from StartAt"
                yield Problem(pointer, f'State "{name}" is not reachable.', TARGET, key=True, hint=hint)


def _may_lead_anywhere(scope: Scope, machine: Machine) -> bool:
    """Tell whether it is not known where a scope starts or goes on, or whether it never ends, which is told then."""
    if scope.start is None or has_placeholder(scope.start) or _has_no_end(scope, machine):
        return True
    nodes = [machine.graph.by_pointer[pointer] for pointer in scope.states.values()]
    if any(node.type not in STATE_TYPES and has_placeholder(node.type) for node in nodes):
        return True  # the transitions of such a state are not known
    return any(has_placeholder(edge.target) for node in nodes for edge in machine.graph.edges_from(node.pointer))


def _entered(scope: Scope, machine: Machine) -> set[str | None]:
    """Give what any state of a scope leads to."""
    return {edge.target_pointer for pointer in scope.states.values() for edge in machine.graph.edges_from(pointer)}


def has_an_end(machine: Machine) -> Iterator[Problem]:
    """The workflow has a state that it can end in."""
    scope = machine.graph.scopes[0]
    if _has_no_end(scope, machine):
        hint = 'give a state "End": true, or add a Succeed or Fail state'
        yield Problem("", "Workflow has no terminal state", "MISSING_END_STATE", hint=hint)


def _has_no_end(scope: Scope, machine: Machine) -> bool:
    """Tell whether the machine runs in circles; AWS says so of the machine only, and then says nothing of reachability."""
    if scope.owner is not None or not scope.states or scope.start is None:
        return False
    nodes = [machine.graph.by_pointer[pointer] for pointer in scope.states.values()]
    if any(node.terminal for node in nodes):
        return False
    # A state that is broken in itself (no type, neither Next nor End) is the problem then, not the missing end.
    return all(
        node.type in STATE_TYPES
        and node.definition.get("End", False) is False
        and _goes_somewhere(node.pointer, machine)
        for node in nodes
    )


def _goes_somewhere(pointer: str, machine: Machine) -> bool:
    edges = machine.graph.edges_from(pointer)
    return bool(edges) and not any(has_placeholder(edge.target) for edge in edges)


def _name(thing: Thing, machine: Machine) -> str:
    return machine.graph.by_pointer[thing.pointer].name


# --- Choice --------------------------------------------------------------------------------------------------------------


def choices_not_empty(machine: Machine) -> Iterator[Problem]:
    """A Choice state has at least one rule."""
    for thing in machine.of("Choice"):
        if thing.body.get("Choices") == []:
            yield Problem(
                at(thing, "Choices"),
                f'Choice state "{_name(thing, machine)}" has no rules',
                hint="add a rule, or use a Pass state",
            )


def choice_rules(machine: Machine) -> Iterator[Problem]:
    """A rule has one test and, at the top, one Next; a JSONata rule has a Condition."""
    for thing in machine.of("ChoiceRule"):
        yield from _rule_next(thing)
        if thing.language == JSONATA:
            if "Condition" not in thing.body:
                yield Problem(thing.pointer, "a JSONata Choice rule needs a Condition", hint='"Condition": "{% … %}"')
        else:
            yield from _rule_test(thing)


def _rule_next(thing: Thing) -> Iterator[Problem]:
    if thing.nested:
        for name in ("Next", "Assign"):
            if name in thing.body:
                message = f"a rule inside And, Or or Not has no {name}"
                yield Problem(at(thing, name), message, key=True, hint="move it to the outermost rule")
    elif "Next" not in thing.body:
        yield Problem(
            thing.pointer, "These fields are required: [Next]", hint="every rule of a Choice state says where to go"
        )


def _rule_test(thing: Thing) -> Iterator[Problem]:
    tests = [name for name in thing.body if name in OPERATORS or name in COMBINATORS]
    if len(tests) == 1 and tests[0] in COMBINATORS and "Variable" in thing.body:
        message = (
            f"a rule must have only one of [And, Or, Not, Variable, Condition], this one has Variable and {tests[0]}"
        )
        yield Problem(at(thing, "Variable"), message, key=True, hint=f"move it into the rules of {tests[0]}")
    elif len(tests) > 1:
        message = f"a rule has one operator, this one has {' and '.join(tests)}"
        yield Problem(at(thing, tests[1]), message, key=True, hint='put them in one "And", as rules of their own')
    elif not tests and "Condition" not in thing.body and not _misspelt_field(thing):
        hint = "such as StringEquals, NumericGreaterThan, IsPresent, And, Or, Not"
        yield Problem(thing.pointer, "this rule has no operator", hint=hint)
    if tests and tests[0] in OPERATORS and "Variable" not in thing.body:
        yield Problem(
            thing.pointer, f"the rule with {tests[0]} has no Variable", hint="Variable names what is compared"
        )
    if tests and tests[0] in ("And", "Or") and thing.body[tests[0]] == []:
        yield Problem(at(thing, tests[0]), f"{tests[0]} needs at least one rule")


def _misspelt_field(thing: Thing) -> bool:
    """Tell whether an unknown field means a known one; then that field is the problem."""
    known = fields_of(thing.kind, thing.language)
    return any(near(name, known) for name in thing.body if name not in known)


# --- Wait, Fail, Parallel, Map -------------------------------------------------------------------------------------------


def wait_has_one_form(machine: Machine) -> Iterator[Problem]:
    """A Wait state says how long in exactly one way."""
    for thing in machine.of("Wait"):
        given = [name for name in thing.body if name in WAIT_FIELDS]
        forms = WAIT_FIELDS if thing.language == JSONPATH else ("Seconds", "Timestamp")
        if not given:
            unknown = [name for name in thing.body if name not in fields_of("Wait", thing.language)]
            if any(near(name, WAIT_FIELDS) for name in unknown):
                continue
            message = f'Wait state "{_name(thing, machine)}" does not say how long'
            yield Problem(thing.pointer, message, key=True, hint=f"add one of {', '.join(forms)}")
        elif len(given) > 1:
            message = f'Wait state "{_name(thing, machine)}" has both {given[0]} and {given[1]}'
            yield Problem(at(thing, given[1]), message, key=True, hint="remove one of them")


def one_of_two(machine: Machine) -> Iterator[Problem]:
    """Of a value and its …Path twin only one is given, and of the old and the new name of a field."""
    for thing in machine.things:
        if thing.table.seconds.isdisjoint(thing.body):
            continue
        for name, twin in thing.table.twins:
            if twin in thing.body and name in thing.body:
                message = f"{name} and {twin} cannot stand together"
                yield Problem(at(thing, twin), message, key=True, hint="remove one of them")


def branches_not_empty(machine: Machine) -> Iterator[Problem]:
    """A Parallel state has at least one branch."""
    for thing in machine.of("Parallel"):
        if thing.body.get("Branches") == []:
            yield Problem(at(thing, "Branches"), f'Parallel state "{_name(thing, machine)}" has no branches')


# --- Retry and Catch -----------------------------------------------------------------------------------------------------


def error_names(machine: Machine) -> Iterator[Problem]:
    """ErrorEquals is not empty, and States.ALL stands alone and last."""
    for thing in machine.of("Retrier", "Catcher"):
        names = thing.body.get("ErrorEquals")
        if not isinstance(names, list):
            continue
        if not names:
            yield Problem(at(thing, "ErrorEquals"), "ErrorEquals needs at least one error name")
        if "States.ALL" in names:
            yield from _states_all(thing, names, machine)


def _states_all(thing: Thing, names: list[Json], machine: Machine) -> Iterator[Problem]:
    if len(names) > 1:
        place = f"{at(thing, 'ErrorEquals')}/{names.index('States.ALL')}"
        yield Problem(
            place,
            "States.ALL must stand alone",
            hint="it covers the others; remove them or give them an entry of their own",
        )
    listing, _, index = thing.pointer.rpartition("/")
    siblings = machine.graph.by_pointer[thing.state or ""].definition.get(listing.rpartition("/")[2])
    if isinstance(siblings, list) and int(index) != len(siblings) - 1:
        hint = "nothing after it would ever be tried; move it to the end"
        yield Problem(
            f"{at(thing, 'ErrorEquals')}/{names.index('States.ALL')}", "States.ALL must be in the last entry", hint=hint
        )
