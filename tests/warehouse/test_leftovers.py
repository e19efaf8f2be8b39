"""What killed processes left half written is swept away; what the living write is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from warehouse.leftovers import SPILL_PREFIX, TEMPORARY_PREFIX, sweep, temporary_beside

GONE = 2**22 + 1  # above every process number the kernel gives


@pytest.mark.parametrize("name", ["2026-05.json", "2026-05.parquet", "state.json"])
def test_a_half_written_file_of_a_dead_process_goes_at_any_depth(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "restricted" / "located"
    folder.mkdir(parents=True)
    left = folder / f"{TEMPORARY_PREFIX}{GONE}-abcd-{name}"
    left.write_text("half")
    (folder / name).write_text("whole")

    sweep(tmp_path)

    assert [p.name for p in folder.iterdir()] == [name]


def test_half_written_folders_and_links_go_and_what_they_point_at_stays(tmp_path: Path) -> None:
    candidate = tmp_path / f"{TEMPORARY_PREFIX}{GONE}-abcd-2026-10"
    (candidate / "csv").mkdir(parents=True)
    spill = tmp_path / f"{SPILL_PREFIX}{GONE}-abc"
    spill.mkdir()
    release = tmp_path / "release"
    release.mkdir()
    (tmp_path / f"{TEMPORARY_PREFIX}{GONE}-abcd-latest").symlink_to(release)

    sweep(tmp_path)

    assert [p.name for p in tmp_path.iterdir()] == ["release"]


def test_what_a_living_process_writes_stays(tmp_path: Path) -> None:
    mine = temporary_beside(tmp_path / "2026-05.parquet")
    mine.write_text("half")
    spill = tmp_path / f"{SPILL_PREFIX}{os.getpid()}-abc"
    spill.mkdir()

    sweep(tmp_path)

    assert mine.is_file()
    assert spill.is_dir()


def test_names_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY_PREFIX}notes.txt").write_text("a person's own")

    sweep(tmp_path)

    assert (tmp_path / f"{TEMPORARY_PREFIX}notes.txt").exists()
