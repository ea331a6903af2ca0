"""Rows survive the way through a file, even a file that was cut short."""

from __future__ import annotations

from math import isnan
from pathlib import Path

from loadtest.record import ROW, Kind, Outcome, Record, read_records, unpacked


def a_record(file: int) -> Record:
    return Record(Kind.FILE, Outcome.DONE, 226, 7, file, 4096, 1.5, 2.5, queue=0.25, total=1.0)


def test_a_row_comes_back_as_it_was() -> None:
    [back] = unpacked(a_record(3).packed())
    assert (back.kind, back.outcome, back.code) == (Kind.FILE, Outcome.DONE, 226)
    assert (back.script, back.file, back.moved) == (7, 3, 4096)
    assert (back.scheduled, back.ended, back.queue, back.total) == (1.5, 2.5, 0.25, 1.0)
    assert isnan(back.connect)


def test_an_unfinished_row_is_left_out() -> None:
    rows = a_record(1).packed() + a_record(2).packed()
    assert [record.file for record in unpacked(rows[:-1])] == [1]
    assert len(rows) == 2 * ROW.size


def test_the_rows_of_all_workers_are_read(tmp_path: Path) -> None:
    (tmp_path / "worker-0.rows").write_bytes(a_record(1).packed())
    (tmp_path / "worker-1.rows").write_bytes(a_record(2).packed())
    assert [record.file for record in read_records(tmp_path)] == [1, 2]
