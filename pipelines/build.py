"""Definitions of any regions, from settings given as arguments.

Belongs here: bringing assets, jobs, schedules, sensors, executor and resources together, so that a
run, a test or another caller gets definitions of its own. Loading reads declarations only.
Does not belong here: the ones the Dagster tools look for (``definitions.py``).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import dagster as dg

from assets.registry import region_assets
from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from pipelines.automation import landing_sensor, monthly_schedule, region_job
from pipelines.daily_disposal import disposal_job, disposal_schedule
from pipelines.regions import bundled, open_region
from pipelines.resources import Workspaces
from pipelines.settings import Settings


def build_definitions(
    *,
    settings: Settings | None = None,
    regions: Sequence[RegionDeclarations] | None = None,
) -> dg.Definitions:
    """Return the definitions of some regions.

    Parameters
    ----------
    settings : Settings, optional
        By default from the environment.
    regions : sequence of RegionDeclarations, optional
        By default every bundled region and those the settings name.
    """
    settings = settings or Settings()
    declared = list(regions) if regions is not None else named_regions(settings)
    ids = [d.region.id for d in declared]
    doubled = sorted({i for i in ids if ids.count(i) > 1})
    if doubled:
        raise ConfigurationError(
            f"Two regions are called {', '.join(doubled)}", "Give each region.yaml its own id"
        )
    assets: list[dg.AssetsDefinition] = []
    jobs: list[dg.JobDefinition] = []
    schedules: list[dg.ScheduleDefinition] = []
    sensors: list[dg.SensorDefinition] = []
    with warnings.catch_warnings():
        # Backfill policies are marked beta; one per partitioned asset would fill the screen.
        warnings.simplefilter("ignore", dg.BetaWarning)
        for region in declared:
            assets.extend(region_assets(region))
            job = region_job(region)
            jobs.append(job)
            schedules.append(monthly_schedule(region, job))
            disposal = disposal_job(region)
            jobs.append(disposal)
            schedules.append(disposal_schedule(region, disposal))
            sensors.append(landing_sensor(region, job))
    return dg.Definitions(
        assets=assets,
        jobs=jobs,
        schedules=schedules,
        sensors=sensors,
        executor=executor(settings),
        resources={
            "workspaces": Workspaces(
                data_dir=str(settings.data_dir.absolute()),
                open_data=str(settings.open_data.absolute()) if settings.open_data else "",
            )
        },
    )


def named_regions(settings: Settings) -> list[RegionDeclarations]:
    """Return every bundled region and those the settings name."""
    names = [*bundled(), *(n for n in settings.regions.split(":") if n)]
    return [open_region(name) for name in names]


def executor(settings: Settings) -> dg.ExecutorDefinition:
    """Return the executor the settings ask for; one process unless they say otherwise."""
    if settings.executor == "in_process":
        return dg.in_process_executor
    return dg.multiprocess_executor.configured({"max_concurrent": settings.max_concurrent})
