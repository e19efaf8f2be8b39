"""``lsoalink purge``: shown, asked, done, certified; killed anywhere, the next one ends it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
import typer
from kill_points import STRIDE, killed_at, steps_of
from region_factory import PLANTED, region_content, write_region
from stewarded import NORTH, again, faults, slim_copy, standing
from typer.testing import CliRunner

from declarations.errors import ConfigurationError, StorageError
from declarations.loader import load_region
from governance.audit import chain_of
from pipelines.build import build_definitions
from pipelines.commands import hold as hold_command
from pipelines.commands import purge as purge_command
from pipelines.regions import open_region
from pipelines.settings import Settings
from pipelines.stewardship import (
    complete_begun,
    day_of,
    dispose_daily,
    purge,
    what_is_due,
)
from publishing.withdrawn import notices

if TYPE_CHECKING:
    from conftest import Finished

    from governance.lifecycle.retention import Due
    from warehouse.workspace import Workspace

DAY = dt.date(2027, 4, 20)
"""Originals and records are due."""


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def region(finished: Finished, tmp_path: Path) -> Workspace:
    return slim_copy(finished, tmp_path / "region")


def northern(workspace: Workspace, day: dt.date = DAY) -> list[Due]:
    return [i for i in what_is_due(workspace, day) if i.source_id == NORTH]


def go(workspace: Workspace) -> None:
    purge(workspace, northern(workspace), by="Ann Example", as_of=DAY)


def certificates(workspace: Workspace) -> list[str]:
    folder = workspace.root / "governance" / "certificates"
    return sorted(p.stem for p in folder.glob("D-*.json"))


def only_counts_stand(workspace: Workspace) -> None:
    assert standing(workspace, NORTH) == ["2026-03.parquet"]
    assert (workspace.root / "linked" / f"counts_{NORTH}" / "2026-03.parquet").is_file()
    for zone in ("received", "restricted"):
        assert not list((workspace.root / zone).rglob(".writing-*"))


def holds_planted(folder: Path) -> list[str]:
    return [
        p.name for p in folder.rglob("*")
        if p.is_file() and PLANTED["name"].encode() in p.read_bytes()
    ]  # fmt: skip


def test_killed_anywhere_the_next_run_and_purge_end_it(region: Workspace, tmp_path: Path) -> None:
    assert holds_planted(region.data_dir.parent) == ["cases_2026-03.csv"]
    whole = again(region, tmp_path / "whole")
    steps = range(1, steps_of(lambda: go(whole)) + 1)
    for number in steps[::STRIDE]:
        folder = tmp_path / "copies" / str(number)
        copy = again(region, folder)
        assert killed_at(number, lambda copy=copy: go(copy))  # type: ignore[misc]

        assert complete_begun(copy) == []
        begun = certificates(copy)
        assert faults(copy) == []
        go(copy)

        only_counts_stand(copy)
        assert holds_planted(folder) == []
        assert faults(copy) == []
        # One certificate for each of the three things, those of the killed command among them.
        assert len(certificates(copy)) == 3
        assert set(begun) <= set(certificates(copy))
        disposed = [str(e["certificate"]) for e in chain_of(copy).find(event="disposed")]
        assert sorted(disposed) == certificates(copy)
        shutil.rmtree(folder)


def test_killed_while_completing_it_is_ended_by_the_one_after(
    region: Workspace, tmp_path: Path
) -> None:
    for number in (9, 16, 23, 30, 37):
        copy = again(region, tmp_path / str(number))
        assert killed_at(number, lambda copy=copy: go(copy))  # type: ignore[misc]
        killed_at(7, lambda copy=copy: complete_begun(copy))  # type: ignore[misc]
        assert complete_begun(copy) == []
        go(copy)
        only_counts_stand(copy)
        assert len(certificates(copy)) == 3
        assert faults(copy) == []


def test_a_release_whose_days_are_over_is_taken_down_with_a_notice(
    finished_copy: Workspace,
) -> None:
    content = region_content()
    content["agreements/DSA-TM-001.yaml"]["retention"]["published_days"] = 100
    folder = finished_copy.data_dir.parent / "short"
    workspace = replace(finished_copy, declared=load_region(write_region(folder, content)))
    day = dt.date(2026, 5, 10) + dt.timedelta(days=100)
    items = [i for i in what_is_due(workspace, day) if i.zone == "published"]
    assert [i.clause for i in items] == ["retention.published_days"]
    release = items[0].what.removeprefix("release ")

    outcome = purge(workspace, items, by="Ann Example", as_of=day)

    assert outcome.failures == []
    assert not (workspace.root / "published" / release).exists()
    assert not (workspace.root / "published" / "latest").is_symlink()
    assert "was taken down on 18 August 2026" in notices(workspace.root)[release].sentence()
    assert faults(workspace) == []


def test_the_days_of_a_real_region_cannot_be_moved(region: Workspace) -> None:
    assert day_of(region, DAY) == DAY
    assert day_of(region, None) == dt.date(2026, 5, 10)
    real_region = region.declared.region.model_copy(update={"synthetic": "no", "as_of": None})
    real = replace(region, declared=replace(region.declared, region=real_region))

    with pytest.raises(ConfigurationError, match="real records"):
        day_of(real, DAY)


@pytest.fixture
def command(region: Workspace, finished: Finished) -> Callable[..., Any]:
    folder = region.data_dir.parent
    shutil.copytree(finished.folder / "region", folder / "declared")
    (folder / "landing").rename(folder / "declared" / "landing")
    app = typer.Typer()
    purge_command.register(app)
    hold_command.register(app)

    def invoke(*words: str, answer: str = "") -> Any:
        where = ["--data-dir", str(region.data_dir)]
        place = 2 if words[0] == "hold" else 1
        whole = [*words[:place], str(folder / "declared"), *words[place:], *where]
        return CliRunner().invoke(app, whole, input=answer)

    return invoke


AS_OF = ("--as-of", "2026-07-19")


def test_a_dry_run_changes_nothing(region: Workspace, command: Callable[..., Any]) -> None:
    before = sorted(p.as_posix() for p in region.root.rglob("*"))
    result = command("purge", "--dry-run", *AS_OF)

    assert (result.exit_code, result.exception) == (0, None)
    assert sorted(p.as_posix() for p in region.root.rglob("*")) == before


def test_it_asks_first_and_needs_a_name(region: Workspace, command: Callable[..., Any]) -> None:
    assert isinstance(command("purge", "--yes", *AS_OF).exception, ConfigurationError)
    refused = command("purge", "--by", "Ann Example", *AS_OF, answer="n\n")
    assert "Dispose of 5 thing(s) for good?" in refused.output
    assert certificates(region) == []
    assert command("purge", "--by", "Ann Example", *AS_OF, answer="y\n").exit_code == 0
    assert len(certificates(region)) == 5
    assert command("purge", "--yes", *AS_OF).exit_code == 0
    assert len(certificates(region)) == 5


def test_what_is_not_gone_is_an_error_of_storage(
    region: Workspace, command: Callable[..., Any]
) -> None:
    landed = region.data_dir.parent / "declared" / "landing" / NORTH / "cases_2026-03.csv"
    (region.root / "copy.csv").write_bytes(landed.read_bytes())

    result = command("purge", "--yes", "--by", "Ann Example", *AS_OF)

    assert isinstance(result.exception, StorageError)
    assert "copy.csv" in str(result.exception)
    assert len(certificates(region)) == 4
    (region.root / "copy.csv").unlink()
    assert command("purge", "--yes", *AS_OF).exit_code == 0
    assert len(certificates(region)) == 5


def test_the_daily_job_is_off_and_does_the_same(
    region: Workspace, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = open_region(str(finished.folder / "region"))
    definitions = build_definitions(settings=Settings(data_dir=region.data_dir), regions=[declared])
    schedule = definitions.get_schedule_def("testmere_daily_disposal")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert schedule.cron_schedule == "30 5 * * *"
    monkeypatch.setattr("warehouse.workspace.Workspace.today", lambda self: DAY)

    # Its landing folder is the finished region's own, which must not be touched.
    monkeypatch.setattr("pipelines.resources.landing_of", lambda *a: region.landing)
    result = definitions.get_job_def("testmere_disposal").execute_in_process(
        resources=definitions.resources
    )

    assert result.success
    only_counts_stand(region)
    assert certificates(region)


def test_the_daily_disposal_fails_where_something_is_not_gone(
    region: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.workspace.Workspace.today", lambda self: DAY)
    copy = region.root / "copy.csv"
    copy.write_bytes((region.landing / NORTH / "cases_2026-03.csv").read_bytes())

    with pytest.raises(StorageError, match=r"copy\.csv"):
        dispose_daily(region)
    copy.unlink()
    assert dispose_daily(region).failures == []
