"""How the tests of this folder evaluate: one call, with a fixed generator and a fixed time."""

import random
from collections.abc import Callable

import pytest

from sfn_notebook.errors import Json
from sfn_notebook.lang.jsonata import QueryEvaluationFailure, compile_jsonata

NOW = 1_700_000_000.5


@pytest.fixture
def evaluate() -> Callable[..., Json]:
    def run(text: str, **bindings: Json) -> Json:
        return compile_jsonata(text).evaluate(bindings, lambda: random.Random(7), NOW)

    return run


@pytest.fixture
def reason() -> Callable[..., str]:
    """Give AWS's words for why an expression has no value."""

    def fail(text: str, **bindings: Json) -> str:
        with pytest.raises(QueryEvaluationFailure) as caught:
            compile_jsonata(text).evaluate(bindings, lambda: random.Random(7), NOW)
        return caught.value.reason

    return fail
