"""How the tests of this folder evaluate: one call, with a fixed generator and a fixed time."""

import random

import pytest

from sfn_notebook.lang.jsonata import compile_jsonata

NOW = 1_700_000_000.5


@pytest.fixture
def evaluate():
    def run(text, **bindings):
        return compile_jsonata(text).evaluate(bindings, lambda: random.Random(7), NOW)

    return run


@pytest.fixture
def reason():
    """Give AWS's words for why an expression has no value."""
    from sfn_notebook.lang.jsonata import QueryEvaluationFailure

    def fail(text, **bindings):
        with pytest.raises(QueryEvaluationFailure) as caught:
            compile_jsonata(text).evaluate(bindings, lambda: random.Random(7), NOW)
        return caught.value.reason

    return fail
