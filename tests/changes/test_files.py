"""Files of samples: what is read, and the one sentence about what is not."""

import numpy as np
import pytest

from opsboard.changes import files
from opsboard.changes.files import Row, UnreadableFileError, rows_of
from opsboard.changes.rules.reading import both_sides, one_side

HEADER = "side,i,latency_us,cache,ok,db_calls\n"
GOOD = "before,0,120,miss,1,12\n"


def read(text: str) -> list[Row]:
    return list(rows_of(text.splitlines(keepends=True)))


def test_the_first_row_needs_a_side_too() -> None:
    with pytest.raises(UnreadableFileError, match="Row 2: side is empty"):
        read(HEADER + ",0,120,miss,1,12\n")


def test_a_row_is_read_as_it_stands() -> None:
    assert read(HEADER + GOOD + "after,0,80.5,stale,0,\n") == [
        Row("before", 120.0, "miss", True, 12, ""),
        Row("after", 80.5, "stale", False, None, ""),
    ]


def test_columns_may_stand_in_any_order_with_others_beside_them() -> None:
    text = "note,ok,db_calls,at,cache,latency_us,i,side\nx,1,,2026-05-04T10:00:00Z,hit,7,3,after\n"
    assert read(text) == [Row("after", 7.0, "hit", True, None, "2026-05-04T10:00:00Z")]


def test_a_byte_order_mark_windows_line_ends_and_empty_lines_are_no_trouble() -> None:
    text = "\ufeff" + HEADER.replace("\n", "\r\n") + "\r\n" + GOOD.replace("\n", "\r\n") + "\n"
    assert read(text) == [Row("before", 120.0, "miss", True, 12, "")]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("before,1,0,miss,1,12", 'Row 3: latency_us is "0". It must be a time in microsec'),
        ("before,1,-5,miss,1,12", 'Row 3: latency_us is "-5". It must be a time'),
        ("before,1,fast,miss,1,12", 'Row 3: latency_us is "fast". It must be a time'),
        ("before,1,nan,miss,1,12", 'Row 3: latency_us is "nan". It must be a time'),
        ("before,1,inf,miss,1,12", 'Row 3: latency_us is "inf". It must be a time'),
        ("before,1,1e999,miss,1,12", 'Row 3: latency_us is "1e999". It must be a time'),
        ("before,1,1_000,miss,1,12", 'Row 3: latency_us is "1_000". It must be a time'),
        ("before,1,,miss,1,12", "Row 3: latency_us is empty. It must be a time"),
        ("before,1,\u0663\u0664,miss,1,12", "Row 3: latency_us is "),
        ("before,1,86400000001,miss,1,12", "at most a day"),
        ("before,1,1e-300,miss,1,12", 'latency_us is "1e-300". It must be at least a nanosecond'),
        ("before,1,5,Hit,1,12", 'Row 3: cache is "Hit", not one of unknown, hit, miss,'),
        ("before,1,5,,1,12", "Row 3: cache is empty, not one of"),
        ("before,1,5,miss,yes,12", 'Row 3: ok is "yes", not 0 or 1'),
        ("before,1,5,miss,,12", "Row 3: ok is empty, not 0 or 1"),
        ("before,1,5,miss,1,-1", 'Row 3: db_calls is "-1", not a whole number from 0'),
        ("before,1,5,miss,1,1.5", 'Row 3: db_calls is "1.5", not a whole number'),
        ("before,1,5,miss,1,nan", 'Row 3: db_calls is "nan", not a whole number'),
        ("before,1,5,miss,1,9999999999", "Row 3: db_calls is"),
        ("before,x,5,miss,1,1", 'Row 3: i is "x", not a whole number'),
        ("before,0,5,miss,1,1", "Row 3: i is 0 and follows 0. It counts up within a side"),
        ("before," + "9" * 5_000 + ",5,miss,1,1", 'Row 3: i is "9999'),
        ("during,1,5,miss,1,1", 'Row 3: side is "during", not before or after'),
        (",1,5,miss,1,1", "Row 3: side is empty, not before or after"),
        ("before,1,5,miss,1", "Row 3 has 5 fields, and the header has 6"),
        ("before", "Row 3 has 1 field, and the header has 6"),
        ("before,1,5,miss,1,1,9", "Row 3 has 7 fields"),
        ('before,1,5,"miss,1,1', "Row 3 is not CSV"),
        ('before,1,5,"miss"x,1,1', "Row 3 is not CSV"),
        ("before,1,\x1b[2J,miss,1,1", 'Row 3: latency_us is "?[2J"'),
        ("before,1," + "9" * 10_000 + ",miss,1,1", "Row 3 is longer than 10,000 characters"),
        ("before,1," + "9" * 300 + ",miss,1,1", 'Row 3: latency_us is "9999'),
    ],
)
def test_a_wrong_row_is_one_sentence_with_its_number(row: str, sentence: str) -> None:
    with pytest.raises(UnreadableFileError) as wrong:
        read(HEADER + GOOD + row + "\n")
    assert sentence in str(wrong.value)
    assert str(wrong.value).endswith(".")
    assert "\n" not in str(wrong.value)
    assert len(str(wrong.value)) < 200


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "It is empty: the first row names the columns."),
        ("\n\n", "It is empty"),
        ("side,i,latency_us,cache,ok\n", "Row 1 lacks the column db_calls: it must name"),
        (GOOD, "Row 1 lacks the columns side, i, latency_us, cache, ok, db_calls"),
        (HEADER.replace(",", ";"), "Row 1 lacks the columns"),
        (HEADER.replace("\n", ",ok\n"), "Row 1 names the column ok twice."),
    ],
)
def test_a_wrong_header_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UnreadableFileError) as wrong:
        read(text)
    assert sentence in str(wrong.value)


def test_sides_in_turn_are_refused() -> None:
    text = HEADER + GOOD + "after,0,9,hit,1,0\nbefore,1,9,hit,1,0\n"
    with pytest.raises(UnreadableFileError, match="Row 4: before comes after after"):
        read(text)


def test_one_row_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 2)
    text = HEADER + "".join(f"before,{i},9,hit,1,0\n" for i in range(2))
    assert len(read(text)) == 2
    with pytest.raises(UnreadableFileError, match="Row 4 is one too many: at most 2 samples"):
        read(text + "before,2,9,hit,1,0\n")


def test_a_side_without_samples_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match=r"There are no samples of the after side\."):
        both_sides([HEADER, GOOD])
    with pytest.raises(UnreadableFileError, match=r"There are no samples of the before side\."):
        both_sides([HEADER, GOOD.replace("before", "after")])


def test_a_window_may_be_empty_and_holds_only_its_own_side() -> None:
    assert len(one_side(HEADER, "after")) == 0
    assert len(one_side(HEADER + GOOD, "before")) == 1
    with pytest.raises(UnreadableFileError, match="before side in the after window"):
        one_side(HEADER + GOOD, "after")


def test_rows_become_arrays_with_nan_for_what_nobody_reported() -> None:
    samples = one_side(HEADER + GOOD + "before,1,80,unknown,0,\n", "before")
    assert samples.latency.tolist() == [120.0, 80.0]
    assert samples.cache.tolist() == [2, 0]
    assert samples.ok.tolist() == [True, False]
    assert samples.db_calls[0] == 12
    assert np.isnan(samples.db_calls[1])
