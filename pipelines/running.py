"""One run of a region: the same assets that Dagster shows, in this process.

Belongs here: the lock, the question whether there is anything to do, the run, and its outcome in
plain facts. Does not belong here: printing (``cli.py``) or the work itself.
"""

from __future__ import annotations

import fcntl
import gc
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from declarations import errors
from declarations.declared import RegionDeclarations, digest
from declarations.errors import ConfigurationError, LsoalinkError, StorageError
from governance.policy import policy
from pipelines.generating import generate
from pipelines.regions import BUNDLED, open_region
from pipelines.settings import Settings
from pipelines.stewardship import complete_begun
from warehouse.lake import write_atomically
from warehouse.leftovers import TEMPORARY_PREFIX, sweep
from warehouse.provenance import code_version, fingerprint

if TYPE_CHECKING:
    import dagster as dg

    from warehouse.workspace import Workspace

STAMP = "last_run.json"
LOCK = "run.lock"
WATCHED = ("reference", "restricted", "linked", "quality", "received", "published", "approvals")
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
progress = logging.getLogger("lsoalink.progress")


@dataclass(frozen=True)
class RunOutcome:
    """What a run came to.

    Attributes
    ----------
    region_id : str
    did_work : bool
        False if nothing had changed since the last run.
    seconds : float
    release_id : str
        The release in force; empty if none was ever published.
    folder : Path or None
        Where it stands.
    lacking : str
        Which approval a candidate still needs; empty otherwise.
    failures : list of LsoalinkError
        Steps that failed; what depends on them was not made.
    """

    region_id: str
    did_work: bool
    seconds: float
    release_id: str = ""
    folder: Path | None = None
    lacking: str = ""
    failures: list[LsoalinkError] = field(default_factory=list)


def settings_for(data_dir: Path | None, open_data: Path | None) -> Settings:
    """Return the settings of the environment, with what the command line says in front."""
    settings = Settings()
    update = {"data_dir": data_dir, "open_data": open_data}
    given = {name: value for name, value in update.items() if value is not None}
    settings = settings.model_copy(update=given)
    if settings.open_data is not None and not settings.open_data.is_dir():
        raise ConfigurationError(
            f"The open-data folder {settings.open_data} does not exist", "Correct --open-data"
        )
    return settings


def run_region(
    name: str,
    settings: Settings,
    *,
    period: str | None = None,
    select: str | None = None,
    force: bool = False,
) -> RunOutcome:
    """Bring a region up to date.

    Parameters
    ----------
    name : str
        A bundled region, or a folder.
    period : str, optional
        Only this month (``YYYY-MM``); by default every month of the calendar.
    select : str, optional
        Only these assets, in Dagster's selection syntax, e.g. ``key:"*homelessness*"``.
    force : bool
        Look at everything even if nothing seems to have changed.

    Raises
    ------
    LsoalinkError
        If the region cannot be run at all.
    """
    started = time.perf_counter()
    declared = open_region(name)
    from pipelines.resources import open_workspace  # noqa: PLC0415

    workspace = open_workspace(declared, settings.data_dir, settings.open_data)
    calendar = workspace.calendar()
    if period is not None and period not in calendar:
        raise ConfigurationError(
            f"The month {period} is outside the calendar of {declared.region.id}",
            f"Choose one from {calendar[0]} to {calendar[-1]}",
        )
    _check_open_data(declared, settings)
    workspace.prepare()
    _claim(workspace)
    with region_lock(workspace):
        sweep(workspace.root)
        complete_begun(workspace)
        generate(declared, settings)
        whole = period is None and select is None
        stamp = _stamp(workspace)
        if whole and not force and _read_stamp(workspace) == stamp:
            release_id, folder = current_release(workspace)
            return RunOutcome(
                declared.region.id, False, time.perf_counter() - started, release_id, folder
            )
        try:
            failures = _execute(declared, settings, calendar, period, select)
        finally:
            workspace.tighten()
        if whole and not failures:
            _write_stamp(workspace, _stamp(workspace))
    release_id, folder = current_release(workspace)
    return RunOutcome(
        declared.region.id,
        True,
        time.perf_counter() - started,
        release_id,
        folder,
        waiting_approval(workspace),
        failures,
    )


def _claim(workspace: Workspace) -> None:
    """Note which folder the data belongs to; refuse another region of the same id."""
    record = workspace.root / "region.path"
    own = str(workspace.declared.root.resolve())
    bundled_region = workspace.declared.root.resolve().is_relative_to(BUNDLED.resolve())
    if bundled_region:
        own = "bundled"
    if not record.exists():
        write_atomically(record, own.encode())
    elif record.read_text(encoding="utf-8") != own:
        raise ConfigurationError(
            f"The data in {workspace.root} belongs to another region folder of the same id "
            f"{workspace.declared.region.id}",
            f"Give region.yaml an id of its own; or, if the folder was moved, remove {record}",
        )


def _check_open_data(declared: RegionDeclarations, settings: Settings) -> None:
    needing = [s.id for s in declared.sources.values() if s.open_data is not None]
    if needing and settings.open_data is None:
        raise ConfigurationError(
            f"{declared.region.id} reads {len(needing)} sources from published files, and no "
            "folder was given",
            "Add --open-data FOLDER, or set LSOALINK_OPEN_DATA",
        )


def _execute(
    declared: RegionDeclarations,
    settings: Settings,
    calendar: list[str],
    period: str | None,
    select: str | None,
) -> list[LsoalinkError]:
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    from pipelines.automation import job_name  # noqa: PLC0415
    from pipelines.build import build_definitions  # noqa: PLC0415

    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    # Thousands of events are kept until the run ends: looking through them for garbage again and
    # again takes a tenth of the run.
    gc.set_threshold(200_000, 50, 100)
    definitions = build_definitions(settings=settings, regions=[declared])
    job = definitions.resolve_job_def(job_name(declared))
    first, last = (period, period) if period else (calendar[0], calendar[-1])
    with _instance() as instance:
        result = job.execute_in_process(
            instance=instance,
            tags={RANGE_START: first, RANGE_END: last},
            asset_selection=_selected(definitions, select),
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    return [_failure(event) for event in result.all_events if event.is_step_failure]


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    """Open the instance of ``DAGSTER_HOME``, or one that is forgotten after the run.

    Dagster writes an event for each asset and month, at about 20 ms into SQLite and 4 ms into
    memory. So the history is kept only where a team has set up an instance to keep it in.
    """
    import dagster as dg  # noqa: PLC0415

    if os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.get() as instance:
            yield instance
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance


def _selected(definitions: dg.Definitions, select: str | None) -> list[dg.AssetKey] | None:
    if select is None:
        return None
    import dagster as dg  # noqa: PLC0415
    from dagster_shared.check import CheckError  # noqa: PLC0415

    graph = definitions.resolve_asset_graph()
    try:
        keys = dg.AssetSelection.from_string(select).resolve(graph)
    except (dg.DagsterError, NotImplementedError, CheckError) as error:
        # The last two are Dagster's for what its web page alone can select by (status:, column:,
        # code_location:).
        raise ConfigurationError(
            f"--select cannot be understood ({type(error).__name__})",
            "Write it as Dagster does, for example --select 'key:\"*homelessness*\"'",
        ) from None
    if not keys:
        raise ConfigurationError(
            f"--select {select} chooses no asset", 'Try key:"*NAME*", or +key:"*NAME*"+'
        )
    return sorted(keys)


def _failure(event: dg.DagsterEvent) -> LsoalinkError:
    """Return the error of a failed step: ours as it was said, another's by its kind alone.

    Of a chain of causes it is the first that is ours: what lies below it was put into our words.
    """
    error, name = event.step_failure_data.error, "Error"
    while error is not None:
        name = error.cls_name or "Error"
        kind = _own_kind(name)
        if kind is not None:
            return kind(error.message.split(": ", 1)[-1].strip())
        error = error.cause
    return StorageError(
        f"The step {event.step_key} failed unexpectedly ({name})",
        "Run again; if it repeats, report it with the command you ran",
    )


def _own_kind(name: str) -> type[LsoalinkError] | None:
    """Return the class of `declarations.errors` that an error of this name is, if it is ours."""

    def below(kind: type[LsoalinkError]) -> Iterator[type[LsoalinkError]]:
        yield kind
        for more in kind.__subclasses__():
            yield from below(more)

    # A room's own kinds are made from a reason code as well; the one they refine says who must act.
    bases = (base for kind in below(LsoalinkError) if kind.__name__ == name for base in kind.mro())
    return next((base for base in bases if getattr(errors, base.__name__, None) is base), None)


@contextmanager
def region_lock(workspace: Workspace) -> Iterator[None]:
    """Hold the region: two runs at once would do the same work twice."""
    workspace.root.mkdir(parents=True, exist_ok=True)
    with (workspace.root / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(
                f"Another run is working on {workspace.declared.region.id}",
                "Wait for it to end; 'lsoalink status' shows what is there",
            ) from None
        yield


def _listing(folder: Path) -> list[str]:
    """Return name, size and time of every file below a folder, what is half written left out."""
    if not folder.is_dir():
        return []
    lines = []
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(TEMPORARY_PREFIX) or ".spill" in path.parts:
            continue
        facts = path.lstat()
        if not path.is_dir() or path.is_symlink():
            lines.append(f"{path.relative_to(folder)}|{facts.st_size}|{facts.st_mtime_ns}")
    return lines


def _stamp(workspace: Workspace) -> str:
    """Return a fingerprint over everything a run looks at and everything it made."""
    from intake.area_lookups import custom_fingerprint  # noqa: PLC0415

    declared = workspace.declared
    models = [
        declared.region, *declared.sources.values(), *declared.agreements.values(),
        *declared.contracts.values(), *declared.indicators.values(), policy(),
    ]  # fmt: skip
    open_files = []
    for source in declared.sources.values():
        if source.open_data is not None and workspace.open_data is not None:
            folder = workspace.open_data / source.open_data
            files = [folder] if folder.is_file() else sorted(folder.glob("*"))
            for path in files:
                facts = path.stat()
                open_files.append(f"{source.id}|{path.name}|{facts.st_size}|{facts.st_mtime_ns}")
    return fingerprint(
        [code_version(), digest(*models), workspace.keys.stamp(list(declared.agreements))],
        [workspace.today().isoformat(), custom_fingerprint(declared)],
        _listing(workspace.landing),
        open_files,
        *(_listing(workspace.root / zone) for zone in WATCHED),
    )


def _read_stamp(workspace: Workspace) -> str | None:
    try:
        return str(json.loads((workspace.root / STAMP).read_text(encoding="utf-8"))["stamp"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _write_stamp(workspace: Workspace, stamp: str) -> None:
    write_atomically(workspace.root / STAMP, json.dumps({"stamp": stamp}).encode())


def current_release(workspace: Workspace) -> tuple[str, Path | None]:
    """Return the release that ``latest`` points to, and its folder."""
    link = workspace.root / "published" / "latest"
    if not link.is_symlink() or not link.resolve().is_dir():
        return "", None
    return link.resolve().name, link.resolve()


def waiting_approval(workspace: Workspace) -> str:
    """Return what the newest candidate still lacks before it may be published; '' if nothing."""
    from governance import approvals  # noqa: PLC0415
    from publishing.release import candidate_state, valid_approvals  # noqa: PLC0415

    state = candidate_state(workspace)
    if state is None or (workspace.root / "published" / state["release_id"]).is_dir():
        return ""
    hashed = state["candidate_hash"]
    given = valid_approvals(workspace, hashed)
    return approvals.missing(given, hashed) or ""
