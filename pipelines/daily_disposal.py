"""The daily disposal of a region: a job, and a schedule that is off until somebody switches it on.

Belongs here: when Dagster disposes of what is due. Does not belong here: the disposal
(``stewardship.py``) or the schedules of runs (``automation.py``).
"""

# No 'from __future__ import annotations': Dagster reads the type of `context` at run time.
import dagster as dg

from assets.naming import WORKSPACES, prefix
from declarations.declared import RegionDeclarations


def disposal_job(declared: RegionDeclarations) -> dg.JobDefinition:
    """Return the job that disposes of what is due in a region, and certifies it."""
    region = declared.region

    @dg.op(
        name=f"{prefix(region)}_dispose_of_what_is_due",
        required_resource_keys={WORKSPACES},
        description="Completes what a killed command began, disposes of what is due under the "
        "agreements and writes certificates. What a legal hold covers stays.",
    )
    def dispose_of_what_is_due(context: dg.OpExecutionContext) -> None:
        from pipelines.running import region_lock  # noqa: PLC0415
        from pipelines.stewardship import dispose_daily  # noqa: PLC0415

        workspace = getattr(context.resources, WORKSPACES).open(declared)
        with region_lock(workspace):
            outcome = dispose_daily(workspace)
        context.log.info(f"{len(outcome.certificates)} things disposed of")

    @dg.job(
        name=f"{prefix(region)}_disposal",
        description=f"Disposal of what is due in {region.title}, with certificates.",
    )
    def disposal() -> None:
        dispose_of_what_is_due()

    return disposal


def disposal_schedule(declared: RegionDeclarations, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Return the schedule that disposes of what is due, each day before the hour of the runs."""
    region = declared.region
    return dg.ScheduleDefinition(
        name=f"{prefix(region)}_daily_disposal",
        job=job,
        cron_schedule=f"30 {(region.schedule_hour - 1) % 24} * * *",
        execution_timezone="Europe/London",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Disposes each day of what is due under the agreements.",
    )
