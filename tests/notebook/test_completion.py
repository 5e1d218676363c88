import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter

from sfn_notebook.notebook.asl_completion import propose
from sfn_notebook.notebook.commands import VERBS
from tests.notebook.conftest import HELLO, Notebook


def proposals(marked: str) -> list[str]:
    """Propose at the bar in a definition."""
    return [item.text for item in propose(marked.replace("|", "", 1), marked.index("|")).items]


# --- definitions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ('{"St|"}', ["States", "StartAt"]),
        ('{"States": {}, "St|"}', ["StartAt"]),
        ('{"St|": {}, "StartAt": "A"}', ["States"]),
        ('{"StartAt": "|", "States": {"A": {}, "B": {}}}', ["A", "B"]),
        ('{"StartAt": |, "States": {"A": {}, "B": {}}}', ['"A"', '"B"']),
        ('{"States": {"A": {"Type": "P|"}}}', ["Pass", "Parallel"]),
        ('{"States": {"A": {"Type": "Wait", "S|"}}}', ["Seconds", "SecondsPath"]),
        ('{"States": {"A": {"S|", "Type": "Wait"}}}', ["Seconds", "SecondsPath"]),
        ('{"States": {"A": {"Type": "Task", "Next": "|"}, "B": {}}}', ["B"]),
        ('{"States": {"A": {"Type": "Task", "Catch": [{"Next": "|"}]}, "B": {}}}', ["A", "B"]),
        ('{"States": {"A": {"End": |}}}', ["true", "false"]),
        ('{"States": {"A": {"End": tr|}}}', ["true"]),
        ('{"States": {"A": {"End": "tr|"}}}', []),
        ('{"States": {"A": {"Type": "Task", "Retry": [{"Max|"}]}}}', ["MaxAttempts", "MaxDelaySeconds"]),
        ('{"States": {"A": {"Type": "Task", "Retry": [{"ErrorEquals": ["States.A|"]}]}}}', ["States.ALL"]),
        ('{"States": {"A": {"Type": "Task", "Retry": [{"JitterStrategy": "|"}]}}}', ["FULL", "NONE"]),
        ('{"States": {"A": {"Type": "Choice", "Choices": [{"Not": {"StringM|"}}]}}}', ["StringMatches"]),
        ('{"States": {"A": {"Type": "Choice", "Choices": [{"And": [{"StringM|"}]}]}}}', ["StringMatches"]),
        ('{"States": {"M": {"Type": "Map", "ItemProcessor": {"StartAt": "|", "States": {"I": {}}}}, "N": {}}}', ["I"]),
        ('{"States": {"M": {"Type": "Parallel", "Branches": [{"States": {"I": {"Next": "|"}, "J": {}}}]}, "N": {}}}', ["J"]),
        ('{"StartAt": "X", "States": {"A": {"Next": "B", "Catch": [{"Next": "C"}]}, "|"}}', ["X", "B", "C"]),
        ('{"States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::sq|"}}}', ["arn:aws:states:::sqs:sendMessage"]),
        ('{"QueryLanguage": "JSONata", "States": {"A": {"Type": "Task", "Ar|"}}}', ["Arguments"]),
        ('{"States": {"A": {"Type": "Task", "Ar|"}}}', []),
        ('{"States": {"A": {"QueryLanguage": "JSONata", "Type": "Task", "Ar|"}}}', ["Arguments"]),
        ('{"States": {"A": {"Parameters": {"|"}}}}', []),
        ('{"States": {"A": {"Comment": "Ne|"}}}', []),
        ("[|]", []),
        ('{"a": "b"}|', []),
    ],
)  # fmt: skip
def test_what_may_stand_at_the_cursor_is_proposed(marked: str, expected: list[str]) -> None:
    assert proposals(marked) == expected


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("St|", ["States", "StartAt"]),
        ("StartAt: |\nStates:\n  A:\n    Type: Pass\n  B:\n    Type: Succeed\n", ["A", "B"]),
        ("StartAt: X\nStates:\n  |\n", ["X"]),
        ("States:\n  A:\n    Type: W|", ["Wait"]),
        ('States:\n  A:\n    Type: "P|"', ["Pass", "Parallel"]),
        ("States:\n  A:\n    S|\n    Type: Wait\n", ["Seconds", "SecondsPath"]),
        ("States:\n  A:\n    Type: Task\n    Next: |\n  B:\n    Type: Pass\n", ["B"]),
        ("States:\n  A:\n    Type: Task\n    End: t|", ["true"]),
        ("States:\n  A:\n    Type: Task\n    Retry:\n      - Max|\n", ["MaxAttempts", "MaxDelaySeconds"]),
        ("States:\n  A:\n    Type: Task\n    Retry:\n    - ErrorEquals: [x]\n      Max|\n", ["MaxAttempts", "MaxDelaySeconds"]),
        ("States:\n  A:\n    Type: Task\n    Retry:\n    - ErrorEquals:\n      - States.A|\n", ["States.ALL"]),
        ("States:\n  A:\n    Type: Task\n    Catch:\n    - Next: |\n    End: true\n  B: {Type: Pass}\n", ["A", "B"]),
        ("States:\n  M:\n    Type: Map\n    ItemProcessor:\n      StartAt: |\n      States:\n        I:\n          Type: Pass\n", ["I"]),
        ("States:\n  M:\n    Type: Parallel\n    Branches:\n    - StartAt: |\n      States:\n        I:\n          Type: Pass\n", ["I"]),
        ("QueryLanguage: JSONata\nStates:\n  A:\n    Type: Task\n    Ar|", ["Arguments"]),
        ("States:\n  A:\n    Parameters:\n      Ne|", []),
        ("StartAt: A # Sta|", []),
        ("# Sta|", []),
    ],
)  # fmt: skip
def test_yaml_is_completed_by_its_indentation(marked: str, expected: list[str]) -> None:
    assert proposals(marked) == expected


@given(st.text(st.sampled_from(' -:\n"AS{}[],#'), max_size=40), st.integers(0, 40))
def test_no_text_breaks_it(text: str, cursor: int) -> None:
    for start in ("", "{", "States:\n"):
        propose(start + text, min(cursor, len(start + text)))


def test_an_unknown_type_gets_the_fields_of_all_types() -> None:
    assert {"Next", "Branches", "Choices", "Seconds", "Resource"} <= set(proposals('{"States": {"A": {"|"}}}'))


def test_proposals_say_what_they_are_for() -> None:
    found = propose('{"States": {"A": {"Type": "Task", "Nex"}}}', 38)
    assert (found.fragment, found.items[0].text) == ("Nex", "Next")
    assert found.items[0].doc


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_half_a_definition_never_breaks_it(cut: int) -> None:
    text = ('{"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [{"Not": {"Variable": "$.x", "IsNull": true}, "Next": "B"}], '
            '"Default": "B\\"", "Comment": "{["}, "B": {"Type": "Succeed"}}}')  # fmt: skip
    for cursor in range(0, cut, 3):
        propose(text[:cut], min(cursor, len(text)))
        propose("]}," + text[cut:], cursor)


# --- in a shell ----------------------------------------------------------------------------------------------------------


def completions(nb: Notebook, marked: str) -> list[str]:
    at = marked.index("|")
    text = marked.replace("|", "", 1)
    with provisionalcompleter():
        found = list(nb.shell.Completer.completions(text, at))
    return [text[: one.start] + one.text + text[one.end :] for one in found]


def test_verbs_options_machines_and_variables_are_completed(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    nb.good("order = {}\nhandlers = {}\nhandle = 5\ndef helper(): ...")
    assert completions(nb, "%sfn |") == [f"%sfn {verb}" for verb in (*VERBS, "--help")]
    assert completions(nb, "%sfn re|") == ["%sfn render"]
    assert completions(nb, "x = %sfn run he|") == ["x = %sfn run hello"]
    assert completions(nb, "%sfn x << run he|") == ["%sfn x << run hello"]
    assert completions(nb, "%sfn run hello --ha|") == ["%sfn run hello --handlers"]
    assert completions(nb, "%sfn run hello --handlers ha|") == ["%sfn run hello --handlers handlers"]
    assert completions(nb, "%sfn run hello --input or|") == ["%sfn run hello --input order"]
    assert completions(nb, "%sfn run hello --type E|") == ["%sfn run hello --type EXPRESS"]
    assert completions(nb, "print(1)\n%sfn diff he|") == ["print(1)\n%sfn diff hello"]


def test_cells_are_completed(nb: Notebook) -> None:
    nb.good("%%sfn hello -q\n" + HELLO)
    assert completions(nb, "%%sfn he|\n{}") == ["%%sfn hello\n{}"]
    assert completions(nb, "%%sfn hello --qu|") == ["%%sfn hello --quiet"]
    assert completions(nb, '%%sfn hello\n{\n  "Start|"\n}') == ['%%sfn hello\n{\n  "StartAt"\n}']
    assert completions(nb, '%%time\n%%sfn hello\n{"Start|"') == ['%%time\n%%sfn hello\n{"StartAt"']


def test_everything_else_is_left_to_ipython(bare: Notebook) -> None:
    bare.good("some_name = 1")
    cells = ("some_na|", "%timeit some_na|", "%%timeit\nsome_na|", "%%sf|", "print(some_na|)", "x = %who_|")
    before = [completions(bare, cell) for cell in cells if "sf" not in cell]
    bare.good("%load_ext sfn_notebook")
    assert [completions(bare, cell) for cell in cells if "sf" not in cell] == before
    assert "some_name" in before[0]
    assert "%%sfn" in completions(bare, "%%sf|")
