"""A failure on its way: from the state where it happened to the first rule that takes it, or to the end of the execution.

What a failure leaves in the history is AWS's, as recorded: a JSONata error writes `EvaluationFailed`, chained to what came before the
state; a Map or Parallel writes `…StateFailed` only when it is not retried; a caught failure still exits its state; `States.Runtime`
ends the whole execution at once, however deep it happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfn_notebook.engine import fanout
from sfn_notebook.engine import log as kinds
from sfn_notebook.engine.frames import RETRY, Failure, Outcome
from sfn_notebook.engine.retry import Catcher, Retrier, find_catcher, next_retry
from sfn_notebook.errors import Json
from sfn_notebook.lang.environment import EvaluationFailure

if TYPE_CHECKING:
    from sfn_notebook.engine.execution import Engine
    from sfn_notebook.engine.frames import Frame


def fail(engine: Engine, frame: Frame, raised: Failure | EvaluationFailure) -> None:
    """Bring a failure to Retry, then to Catch, then to the enclosing Map or Parallel, and so on outwards."""
    failure = named(frame, raised)
    while True:
        state = frame.state
        engine.forget(frame)
        if frame.map_run is not None:
            frame.map_run.abort()
            frame.map_run = None
        if failure.evaluation:
            frame.prev = _evaluation_event(engine, frame, failure)
        if state.retriers and (found := next_retry(frame, failure)) is not None:
            _retry_later(engine, frame, *found)
            return
        if state.type in kinds.FAILED and not failure.fatal:
            frame.prev = engine.append(frame.prev, kinds.FAILED[state.type], None, None)
        if state.catchers and (catcher := find_catcher(frame, failure)) is not None:
            raised_again = _catch(engine, frame, catcher, failure)
            if raised_again is None:
                return
            failure = raised_again
        if frame.join is None or failure.fatal:
            engine.failure = failure
            engine.end("FAILED", kinds.EXECUTION_FAILED, frame.prev, failure.details())
            return
        parent = frame.join.parent
        fanout.child_failed(engine, frame.join, frame)
        frame, failure = parent, Failure(failure.error, failure.cause)


def named(frame: Frame, raised: Failure | EvaluationFailure) -> Failure:
    """Give the failure with the sentence that names the state in front of a cause that the state itself found."""
    sentence = (
        f"An error occurred while executing the state '{frame.state.name}' (entered at the event id #{frame.entered}). "
    )
    if isinstance(raised, EvaluationFailure):
        return Failure(
            raised.error,
            sentence + raised.message,
            fatal=raised.error == "States.Runtime",
            evaluation=raised.error == "States.QueryEvaluationError",
            location=getattr(raised, "location", None),
        )
    if not raised.own:
        return raised
    cause = sentence + (raised.cause or "")
    return Failure(
        raised.error,
        cause,
        fatal=raised.fatal,
        evaluation=raised.evaluation,
        location=raised.location,
        inside=raised.inside,
    )


def _evaluation_event(engine: Engine, frame: Frame, failure: Failure) -> int:
    details: dict[str, Json] = {**failure.details(), "state": frame.state.name}
    if failure.location:
        details["location"] = failure.location
    return engine.append(frame.prev if failure.inside else frame.before, kinds.EVALUATION_FAILED, details, None)


def _retry_later(engine: Engine, frame: Frame, retrier: Retrier, number: int) -> None:
    delay = retrier.delay(number)
    if retrier.full_jitter:
        most, delay = delay, engine.draw().uniform(0, delay)
        recorded = frame.outcome.retry_after if isinstance(frame.outcome, Outcome) else None
        if recorded is not None and recorded <= most:
            delay = recorded
    frame.phase = RETRY
    engine.timer(delay, frame, "retry")


def _catch(engine: Engine, frame: Frame, catcher: Catcher, failure: Failure) -> Failure | None:
    """Move the frame to the state that a Catch rule names; give the failure of the rule's own expressions, if any."""
    error = failure.output()
    try:
        output = catcher.output(frame.data, error, frame)
        assigned = None if catcher.assign is None else engine.assigned(frame, error, catcher.assign)
        frame.bound = engine.measure(output, frame)
    except (Failure, EvaluationFailure) as found:
        return named(frame, found)
    engine.exit(frame, output, assigned)
    frame.state = catcher.next
    engine.ready.append(frame)
    return None
