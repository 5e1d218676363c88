from collections.abc import Callable

import pytest

from sfn_notebook.asl.check import check
from sfn_notebook.asl.source import parse
from sfn_notebook.errors import Diagnostic, Severity

SCHEMA = "SCHEMA_VALIDATION_FAILED"
DISTRIBUTED = '"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"'
READER = '{"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b"}}'
CSV = '"InputType": "CSV", "CSVHeaderLocation": "GIVEN"'


def a_map(fields: str, config: str = '"Mode": "INLINE"', top: str = "") -> str:
    inner = f'{{"ProcessorConfig": {{{config}}}, "StartAt": "I", "States": {{"I": {{"Type": "Pass", "End": true}}}}}}'
    return (
        f'{{{top}"StartAt": "A", "States": {{"A": {{"Type": "Map", {fields}"ItemProcessor": {inner}, "End": true}}}}}}'
    )


def reader(fields: str) -> str:
    arguments = '"Arguments": {"Bucket": "b", "Key": "k"}'
    made = f'"ItemReader": {{"Resource": "arn:aws:states:::s3:getObject", {arguments}, "ReaderConfig": {{{fields}}}}}, '
    return a_map(made, DISTRIBUTED, '"QueryLanguage": "JSONata", ')


@pytest.mark.parametrize(
    "field",
    [
        f'"ItemReader": {READER}',
        '"ItemBatcher": {"MaxItemsPerBatch": 2}',
        '"ResultWriter": {"WriterConfig": {"OutputType": "JSON"}}',
        '"Label": "x"',
    ],
)
def test_what_only_a_distributed_map_uses_does_nothing_in_an_inline_one(
    expect: Callable[..., Diagnostic], clean: Callable[..., None], field: str
) -> None:
    found = expect(a_map(f"»{field}, "), "NO_EFFECT", "does nothing in an inline Map", Severity.WARNING)
    assert "DISTRIBUTED" in (found.hint or "")
    clean(a_map(f"{field}, ", DISTRIBUTED))


def test_a_batch_of_zero_items_or_bytes_is_no_limit(
    clean: Callable[..., None], expect: Callable[..., Diagnostic]
) -> None:
    clean(a_map('"ItemBatcher": {"MaxItemsPerBatch": 0, "MaxInputBytesPerBatch": 0}, ', DISTRIBUTED))
    negative = a_map('"ItemBatcher": {"MaxItemsPerBatch": »-1}, ', DISTRIBUTED)
    expect(negative, SCHEMA, "MaxItemsPerBatch must be at least 0, found -1")


def test_the_names_of_csv_columns_are_no_expressions(clean: Callable[..., None]) -> None:
    clean(reader(f'{CSV}, "CSVHeaders": ["{{% phone %}}", "{{%"]'))
    clean(reader(f"{CSV}, \"CSVHeaders\": \"{{% ['a', 'b'] %}}\""))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ('"MaxConcurrencyPath": "$.a»[*]"', "MaxConcurrencyPath: a reference path names exactly one node"),
        ('"MaxConcurrencyPath": "»$$.Execution.Input.n"', "cannot read the context object"),
        ('"ToleratedFailureCountPath": "$»..n"', "names exactly one node"),
        ('"ToleratedFailurePercentagePath": "$.n»[0:2]"', "names exactly one node"),
        ('"ItemBatcher": {"MaxItemsPerBatchPath": "$.a»[?(@.x)]"}', "names exactly one node"),
        ('"ItemBatcher": {"MaxInputBytesPerBatchPath": "»$$.State.Name"}', "cannot read the context object"),
        ('"ItemsPath": "$.a»[*].b"', "ItemsPath: a reference path names exactly one node"),
    ],
)
def test_numbers_and_items_of_a_map_come_from_one_place(
    expect: Callable[..., Diagnostic], field: str, message: str
) -> None:
    expect(a_map(f"{field}, ", DISTRIBUTED), SCHEMA, message)


@pytest.mark.parametrize(
    "field",
    [
        '"ItemsPath": "$$.Execution.Input.items"',
        '"ItemsPath": "$$"',
        '"ItemsPath": "$[0].a[-1]"',
        '"MaxConcurrencyPath": "$.a.b[1]"',
    ],
)
def test_one_place_may_be_an_index_or_in_the_context(clean: Callable[..., None], field: str) -> None:
    clean(a_map(f"{field}, ", DISTRIBUTED))


def test_the_items_of_an_inline_map_are_looked_for_beside_a_reader() -> None:
    first = '"A": {"Type": "Pass", "Result": {"x": 1}, "Next": "B"}'
    second = a_map(f'"ItemReader": {READER}, "ItemsPath": "$.items", ').partition('"States": {')[2][:-2]
    text = f'{{"StartAt": "A", "States": {{{first}, {second.replace(chr(34) + "A" + chr(34), chr(34) + "B" + chr(34), 1)}}}}}'
    assert {d.code for d in check(parse(text))} == {"NO_EFFECT", "DATA_CANNOT_EXIST"}


def test_only_a_distributed_map_has_an_execution_type(
    expect: Callable[..., Diagnostic], clean: Callable[..., None]
) -> None:
    message = "Field 'ExecutionType' is not supported"
    expect(a_map("", '"Mode": "INLINE", »"ExecutionType": "EXPRESS"'), SCHEMA, message)
    clean(a_map("", '"Mode": "${Mode}", "ExecutionType": "EXPRESS"'), "UNRESOLVED_PLACEHOLDER")


@pytest.mark.parametrize("label", ["x" * 41, ""])
def test_a_label_has_up_to_40_characters(expect: Callable[..., Diagnostic], label: str) -> None:
    expect(a_map(f'"Label": »"{label}", ', DISTRIBUTED), "INVALID_LABEL_NAME", "Label must be at")


def test_a_map_has_the_old_or_the_new_name_of_its_selector(expect: Callable[..., Diagnostic]) -> None:
    text = a_map('"Parameters": {"a": 1}, »"ItemSelector": {"a": 1}, ')
    expect(text, SCHEMA, "Parameters and ItemSelector cannot stand together")


@pytest.mark.parametrize("action", ["junk-s3:listObjectsV2", "s3:listObjectsV2.sync", "s3:listObjects"])
def test_a_reader_reads_from_s3(expect: Callable[..., Diagnostic], action: str) -> None:
    text = READER.replace('"arn', '»"arn').replace("s3:listObjectsV2", action)
    expect(a_map(f'"ItemReader": {text}, ', DISTRIBUTED), SCHEMA, "an ItemReader cannot read with")
