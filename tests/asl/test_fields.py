import pytest

from sfn_notebook.asl.fields import KINDS, OBJECTS, OPERATORS, STATE_TYPES, fields_of, language_of


def test_there_are_39_comparison_operators() -> None:
    assert len(OPERATORS) == 39
    assert OPERATORS["NumericLessThanEquals"] == "number"
    assert OPERATORS["NumericLessThanEqualsPath"] == "path"
    assert "StringMatchesPath" not in OPERATORS


def test_every_field_has_a_known_kind_and_shape_and_a_doc() -> None:
    for kind, fields in OBJECTS.items():
        for name, field in fields.items():
            assert field.name == name
            assert field.kind in KINDS, (kind, name)
            assert field.shape is None or field.shape in OBJECTS
            assert field.doc, (kind, name)
            assert field.doc == field.doc.strip(". ")


def holders(name: str, language: str) -> set[str]:
    return {kind for kind in STATE_TYPES if name in fields_of(kind, language)}


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("InputPath", set(STATE_TYPES) - {"Fail"}),
        ("Parameters", {"Task", "Parallel", "Map", "Pass"}),
        ("ResultSelector", {"Task", "Parallel", "Map"}),
        ("ResultPath", {"Task", "Parallel", "Map", "Pass"}),
        ("Result", {"Pass"}),
        ("Assign", set(STATE_TYPES) - {"Succeed", "Fail"}),
        ("Retry", {"Task", "Parallel", "Map"}),
        ("TimeoutSeconds", {"Task"}),
        ("HeartbeatSecondsPath", {"Task"}),
        ("MaxConcurrencyPath", {"Map"}),
        ("Arguments", set()),
        ("Output", set()),
        ("Next", {"Task", "Parallel", "Map", "Pass", "Wait"}),
    ],
)
def test_jsonpath_fields_stand_on_their_state_types(name: str, types: set[str]) -> None:
    assert holders(name, "JSONPath") == types


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("Arguments", {"Task", "Parallel"}),
        ("Output", set(STATE_TYPES) - {"Fail"}),
        ("Items", {"Map"}),
        ("ItemSelector", {"Map"}),
        ("InputPath", set()),
        ("SecondsPath", set()),
        ("CausePath", set()),
    ],
)
def test_jsonata_fields_stand_on_their_state_types(name: str, types: set[str]) -> None:
    assert holders(name, "JSONata") == types


def test_an_unknown_kind_has_no_fields() -> None:
    assert fields_of("Nonsense") == {}


def test_any_language_but_jsonpath_reads_as_jsonata() -> None:
    assert language_of({}) == "JSONPath"
    assert language_of({}, "JSONata") == "JSONata"
    assert language_of({"QueryLanguage": "JSONPath"}, "JSONata") == "JSONPath"
    assert language_of({"QueryLanguage": "jsonpath"}) == "JSONata"
    assert language_of(None) == "JSONPath"
