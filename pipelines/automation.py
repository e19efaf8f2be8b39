"""When a region runs by itself: a job, a monthly schedule and a landing-folder sensor.

Belongs here: the decisions when to ask for a run. All are off until somebody switches them on.
Does not belong here: the work of a run (``assets/``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from assets.naming import months, prefix
from declarations.base import month_index, month_of, period_of
from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from pipelines.regions import landing_of
from warehouse.lake import UNPARTITIONED

if TYPE_CHECKING:
    from intake.received import Delivery, ReceivedStore

SENSOR_SECONDS = 60


def job_name(declared: RegionDeclarations) -> str:
    """Return the name of a region's job."""
    return f"{prefix(declared.region)}_all"


def region_job(declared: RegionDeclarations) -> dg.JobDefinition:
    """Return the job that makes everything of a region, for one month or a range of them."""
    job: dg.JobDefinition = dg.define_asset_job(
        job_name(declared),
        selection=dg.AssetSelection.key_prefixes([prefix(declared.region)]),
        description=f"Everything of {declared.region.title}, for the months of the run.",
    )  # type: ignore[assignment]
    return job


def monthly_schedule(declared: RegionDeclarations, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Return the schedule that runs the month before, on the region's day and hour."""
    region = declared.region

    @dg.schedule(
        name=f"{prefix(region)}_monthly",
        job=job,
        cron_schedule=f"0 {region.schedule_hour} {region.schedule_day} * *",
        execution_timezone="Europe/London",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"Runs the month before, on day {region.schedule_day} of each month.",
    )
    def monthly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        now = context.scheduled_execution_time
        period = month_of(month_index(period_of(now.date())) - 1)
        if not region.first_period <= period <= (region.last_period or period):
            return dg.SkipReason(f"{period} lies outside the calendar of {region.id}")
        return dg.RunRequest(run_key=f"{region.id}-{period}", partition_key=period)

    return monthly


def landing_sensor(declared: RegionDeclarations, job: dg.JobDefinition) -> dg.SensorDefinition:
    """Return the sensor that asks for a run of each month for which a new file has landed."""
    region = declared.region

    @dg.sensor(
        name=f"{prefix(region)}_landing",
        job=job,
        minimum_interval_seconds=SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        required_resource_keys={"workspaces"},
        description="Asks for a run of each month for which a new or changed file has landed.",
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        resource = context.resources.workspaces
        found = waiting_files(declared, Path(resource.data_dir))
        if not found:
            return dg.SkipReason("No new file has landed")
        known = set((context.cursor or "").split())
        requests = [
            dg.RunRequest(run_key=f"{region.id}-{period}-{stamp}", partition_key=period)
            for period, stamp in found.items()
            if stamp not in known
        ]
        if not requests:
            return dg.SkipReason("A run was asked for; the files wait to be received")
        return dg.SensorResult(run_requests=requests, cursor=" ".join(sorted(found.values())))

    return landing


def waiting_files(declared: RegionDeclarations, data_dir: Path) -> dict[str, str]:
    """Return the months for which something has landed that no run has dealt with.

    A run takes in whatever has landed, for whichever month, but decides only on its own months; so
    files that were not taken in and deliveries that were not decided on both count.

    Returns
    -------
    dict of str to str
        Month to a stamp over its files and deliveries. What belongs to a source delivered once, or
        has a name that gives no month, waits for the region's last month.
    """
    from intake.landing import discover  # noqa: PLC0415
    from intake.received import ReceivedStore  # noqa: PLC0415

    region = declared.region
    landing = landing_of(declared, data_dir)
    store = ReceivedStore(data_dir / region.id / "received")
    today = region.as_of or dt.date.today()
    last = region.last_period or month_of(month_index(period_of(today)) - 1)
    calendar = months(region)
    found: dict[str, list[str]] = {}
    for source in declared.sources.values():
        for period, line in _undecided(data_dir / region.id, source, store):
            found.setdefault(period or last, []).append(line)
        if source.open_data is not None:
            continue
        contract = declared.contract_of(source)
        for file in discover(
            landing / source.id, source, region.first_period, region.last_period, today, contract
        ):
            if store.is_known(file, source):
                continue
            period = file.period if file.period and file.reason is None else last
            facts = file.path.stat()
            line = f"{source.id}/{file.path.name}/{facts.st_size}/{facts.st_mtime_ns}"
            found.setdefault(period, []).append(line)
    return {
        period: hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
        for period, lines in sorted(found.items())
        if calendar.has_partition_key(period)
    }


def _undecided(root: Path, source: Source, store: ReceivedStore) -> Iterator[tuple[str, str]]:
    """Yield period and mark of each newest delivery of a source the gate has not looked at."""
    from intake.records import decided_versions  # noqa: PLC0415

    newest: dict[str, Delivery] = {}
    for delivery in store.deliveries(source):
        if delivery.outcome == "accepted":
            known = newest.get(delivery.period)
            if known is None or known.version < delivery.version:
                newest[delivery.period] = delivery
    for period, delivery in newest.items():
        if delivery.version not in decided_versions(root, source.id, period or UNPARTITIONED):
            yield period, f"{source.id}/v{delivery.version}/{delivery.sha256}"
