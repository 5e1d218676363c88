"""Moments: which texts are one, and how they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_notebook.engine.clock import iso, read_iso

JAN = 1_767_225_600_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00Z", JAN),
        ("2026-01-01T00:00:00.5Z", JAN + 500),
        ("2026-01-01T00:00:00.123456789Z", JAN + 123),
        ("2026-01-01T02:00:00+02:00", JAN),
        ("2025-12-31T18:30:00-05:30", JAN),
        ("2026-01-01T00:00Z", JAN),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("1969-12-31T23:59:59.999Z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000),
    ],
)
def test_moments_are_read_to_the_millisecond(text: str, moment: int) -> None:
    assert read_iso(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01t00:00:00z", "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00+19:00", "2026-01-01T00:00:00.Z",
        " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ", "2026-1-1T00:00:00Z", "٢٠٢٦-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z\n",
    ],
)  # fmt: skip
def test_other_texts_are_no_moments(text: str) -> None:
    assert read_iso(text) is None


@given(st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999))
def test_what_is_written_reads_back(moment: int) -> None:
    assert read_iso(iso(moment)) == moment


def test_milliseconds_are_written_only_where_there_are_some() -> None:
    assert iso(JAN) == "2026-01-01T00:00:00Z"
    assert iso(JAN + 7) == "2026-01-01T00:00:00.007Z"
