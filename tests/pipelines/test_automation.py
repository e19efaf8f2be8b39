"""When a region runs by itself: the schedule's month, the sensor's requests, and their run."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from pipelines.automation import waiting_files
from pipelines.build import build_definitions
from pipelines.regions import open_region
from pipelines.resources import Workspaces
from pipelines.settings import Settings

LONDON = ZoneInfo("Europe/London")
SOURCE = "northwood_library_sessions"


def arden():
    return build_definitions(regions=[open_region("arden")]).get_repository_def()


def tick(year, month, day=16, hour=6):
    """Tick arden's schedule and return what it asks for."""
    repository = arden()
    context = dg.build_schedule_context(
        scheduled_execution_time=dt.datetime(year, month, day, hour, tzinfo=LONDON),
        repository_def=repository,
    )
    answer = repository.get_schedule_def("arden_monthly").evaluate_tick(context)
    return [r.partition_key for r in answer.run_requests], answer.skip_message


def test_schedule_and_sensor_are_off_until_somebody_switches_them_on():
    repository = arden()
    schedule, sensor = (
        repository.get_schedule_def("arden_monthly"), repository.get_sensor_def("arden_landing"),
    )  # fmt: skip
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED


def test_the_schedule_runs_on_the_regions_day_and_hour():
    schedule = arden().get_schedule_def("arden_monthly")
    assert schedule.cron_schedule == "0 6 16 * *"
    assert schedule.execution_timezone == "Europe/London"


@pytest.mark.parametrize(
    ("year", "month", "asked"),
    [(2026, 11, "2026-10"), (2025, 1, "2024-12"), (2024, 12, "2024-11")],
)
def test_the_schedule_asks_for_the_month_before(year, month, asked):
    assert tick(year, month) == ([asked], None)


@pytest.mark.parametrize(("year", "month", "named"), [(2026, 12, "2026-11"), (2024, 11, "2024-10")])
def test_outside_the_calendar_the_schedule_skips(year, month, named):
    asked, reason = tick(year, month)
    assert asked == []
    assert named in reason
    assert "outside the calendar" in reason


@pytest.fixture
def small(starter_folder, tmp_path):
    """Return the starter region with an empty landing folder, and what lands in it later."""
    shutil.copytree(starter_folder, tmp_path / "region")
    landing, held = tmp_path / "region" / "landing", tmp_path / "held"
    shutil.move(landing, held)
    landing.mkdir()
    declared = open_region(str(tmp_path / "region"))
    definitions = build_definitions(
        settings=Settings(data_dir=tmp_path / "data"), regions=[declared]
    )

    def land(source, name, *, add=""):
        target = landing / source / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy2(held / source / name, target)
        if add:
            target.write_text(target.read_text() + add)
        return target

    def look(cursor=None):
        repository = definitions.get_repository_def()
        workspaces = Workspaces(data_dir=str(tmp_path / "data"))
        with dg.build_sensor_context(
            cursor=cursor, resources={"workspaces": workspaces}, repository_def=repository
        ) as context:
            return repository.get_sensor_def("starter_landing").evaluate_tick(context)

    def run(period):
        job = definitions.resolve_job_def("starter_all")
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(partition_key=period, instance=instance)
            return result

    return SimpleNamespace(
        declared=declared, data=tmp_path / "data", held=held, land=land, look=look, run=run
    )


def asked(answer):
    return sorted(r.partition_key for r in answer.run_requests)


def test_the_sensor_skips_where_nothing_landed(small):
    answer = small.look()
    assert asked(answer) == []
    assert answer.skip_message == "No new file has landed"


def test_the_sensor_asks_once_for_the_month_of_a_new_file(small):
    small.land(SOURCE, "library_sessions_2026-07.csv")
    first = small.look()
    assert asked(first) == ["2026-07"]
    again = small.look(first.cursor)
    assert asked(again) == []
    assert "wait to be received" in again.skip_message


def test_the_sensor_asks_for_each_month_that_landed_and_for_new_ones_only(small):
    small.land(SOURCE, "library_sessions_2026-07.csv")
    first = small.look()
    small.land(SOURCE, "library_sessions_2026-08.csv")
    second = small.look(first.cursor)
    assert asked(second) == ["2026-08"]
    assert small.look(second.cursor).run_requests == []


def test_a_delivery_that_another_months_run_took_in_is_still_asked_for(small):
    shutil.copytree(small.held, small.declared.root / "landing", dirs_exist_ok=True)
    assert small.run("2026-07").success
    # The run took in every month's file and decided on its own month only.
    assert asked(small.look()) == ["2026-05", "2026-06", "2026-08", "2026-09", "2026-10"]
    assert small.run("2026-08").success
    assert asked(small.look()) == ["2026-05", "2026-06", "2026-09", "2026-10"]


def test_the_sensor_asks_again_when_a_waiting_file_changes(small):
    path = small.land(SOURCE, "library_sessions_2026-07.csv")
    first = small.look()
    later = path.stat().st_mtime + 60
    os.utime(path, (later, later))
    second = small.look(first.cursor)
    assert asked(second) == ["2026-07"]
    keys = {r.run_key for answer in (first, second) for r in answer.run_requests}
    assert len(keys) == 2


def test_a_file_of_no_month_waits_for_the_last_one(small):
    small.land("census_residents", "TS001.csv")
    assert asked(small.look()) == ["2026-10"]


def test_a_file_still_being_written_is_not_seen(small):
    path = small.land(SOURCE, "library_sessions_2026-07.csv")
    path.rename(path.with_name(f"{path.name}.part"))
    assert asked(small.look()) == []


@pytest.mark.end_to_end
def test_the_run_the_sensor_asks_for_makes_its_month(small):
    for folder in small.held.iterdir():
        for path in folder.iterdir():
            if folder.name != SOURCE or "2026-07" in path.name:
                small.land(folder.name, path.name)
    requested = {r.partition_key: r for r in small.look().run_requests}
    assert set(requested) == {"2026-07", "2026-10"}

    result = small.run("2026-07")
    assert result.success
    made = small.data / "starter" / "linked" / f"counts_{SOURCE}"
    assert [p.stem for p in made.glob("*.parquet")] == ["2026-07"]
    assert waiting_files(small.declared, small.data) == {}
    assert asked(small.look()) == []

    reported = {}
    for event in result.get_asset_materialization_events():
        found = event.materialization
        reported.setdefault(found.asset_key.path[-1], []).append(found)
    for stage in ("admitted", "located", "counts"):
        (one,) = reported[f"{stage}_{SOURCE}"]
        assert one.partition == "2026-07"
        assert one.metadata["rows"].value > 0
        assert one.metadata["dagster/row_count"].value > 0
    assert "release_bundle" in reported
    assert reported["release_bundle"][0].metadata["outcome"].value == "published"
    checks = {
        (e.asset_key.path[-1], e.check_name): e.passed for e in result.get_asset_check_evaluations()
    }
    assert checks["release_bundle", "two_approvals"] is True
    assert checks["release_bundle", "bytes_as_approved"] is True
    assert checks[f"admitted_{SOURCE}", "agreement"] is True
    assert checks[f"admitted_{SOURCE}", "contract"] is True
    assert checks[f"located_{SOURCE}", "accounting_closes"] is True


@pytest.mark.end_to_end
def test_a_contract_that_is_broken_fails_its_check_and_not_the_run(small):
    for folder in small.held.iterdir():
        for path in folder.iterdir():
            if folder.name != SOURCE:
                small.land(folder.name, path.name)
    broken = "".join(f"QA1 {n}AA,2026-07,several,1,1\n" for n in range(9))
    small.land(SOURCE, "library_sessions_2026-07.csv", add=broken)
    result = small.run("2026-07")
    assert result.success
    checks = {
        (e.asset_key.path[-1], e.check_name): e.passed for e in result.get_asset_check_evaluations()
    }
    assert checks[f"admitted_{SOURCE}", "contract"] is False
    assert checks[f"admitted_{SOURCE}", "agreement"] is True
