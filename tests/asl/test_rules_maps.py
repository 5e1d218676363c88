from collections.abc import Callable

import pytest

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
