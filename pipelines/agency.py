"""What runs at the supplying agency: a file becomes a package, and nothing else is left behind.

Belongs here: the order of the work in a throw-away workspace, which is wiped when it ends. The
gate, the reading, the contract, placing and counting are the hub's own functions, so that the
result is the hub's own. Does not belong here: what leaves of it (``intake/aggregating.py``,
``intake/pseudonymising.py``), the words about it (``agency_report.py``), or the command line.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from declarations.agreements import Agreement
from declarations.base import PERIOD_PATTERN, period_of
from declarations.contracts import Contract, Source
from declarations.declared import RegionDeclarations
from declarations.errors import (
    AgreementError,
    ConfigurationError,
    ContractError,
    DeliveryError,
    StorageError,
)
from governance.signing import file_mark, load_signing_key, public_text, refuse_region_folder
from pipelines.regions import landing_of, open_region
from warehouse.key_ring import KEY_BYTES, KeyRing
from warehouse.keys import KeySource, agreement_source, read_keys
from warehouse.lake import UNPARTITIONED
from warehouse.leftovers import sweep
from warehouse.private import plain_folder, private_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from intake.packing import Kind
    from pipelines.settings import Settings
    from warehouse.workspace import Workspace

OTHERS = 0o077


@dataclass(frozen=True)
class Job:
    """What an agency asks for.

    Attributes
    ----------
    kind : {"pseudonymised", "aggregated"}
    file : Path
        The agency's own extract.
    source, region : str
    sign : Path
        The agency's private signing key.
    agreement : str or None
        The agreement the agency takes it to be under: another one stops the work.
    period : str or None
        ``YYYY-MM``; by default the month in the file's name.
    to : Path
        Folder for the package.
    key_file : Path or None
        The agreement's pseudonym key, if it is not where the environment says.
    place : bool
        Place records at the agency, so that no address travels.
    postcodes, reference : Path or None
        A postcode directory, and the folder of the region's reference files.
    opt_out_removed : int or None
        Records the National Data Opt-out took out before the extract was made.
    dry_run, force : bool
        Write nothing; replace a package of the same name.
    """

    kind: Kind
    file: Path
    source: str
    region: str
    sign: Path
    agreement: str | None = None
    period: str | None = None
    to: Path = Path()
    key_file: Path | None = None
    place: bool = False
    postcodes: Path | None = None
    reference: Path | None = None
    opt_out_removed: int | None = None
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True)
class Made:
    """What became of a job.

    Attributes
    ----------
    manifest : dict
        What was signed, or of a dry run would have been.
    target : Path
        Where the package stands, or would stand.
    rows : int
        Rows or cells of its data file.
    hidden : int
        Cells that were held back.
    written : bool
    """

    manifest: dict[str, Any]
    target: Path
    rows: int
    hidden: int
    written: bool


@dataclass(frozen=True)
class _Task:
    """A job whose declarations, key and month are known."""

    job: Job
    declared: RegionDeclarations
    source: Source
    contract: Contract
    agreement: Agreement
    key: Ed25519PrivateKey
    period: str

    @property
    def partition(self) -> str:
        return self.period or UNPARTITIONED

    @property
    def placing(self) -> bool:
        return self.job.place or self.job.kind == "aggregated"


def make_package(job: Job, settings: Settings) -> Made:
    """Turn an agency's file into a package.

    Raises
    ------
    ConfigurationError
        If source, month, reference files or keys are not as they must be.
    AgreementError
        If the agreement does not allow it, or does not list the agency's public key.
    DeliveryError, ContractError
        If the file would be refused or held back at the hub.
    """
    from intake.packing import package_name, write_package  # noqa: PLC0415

    task = _task(job)
    target = job.to / package_name(task.source, task.contract, task.period)
    if target.exists() and not (job.force or job.dry_run):
        raise ConfigurationError(
            f"{target} is there already", "Send it, move it away, or add --force to replace it"
        )
    with _throw_away() as folder:
        data = folder / "data.csv"
        workspace = _workspace(task, folder, settings)
        decided, checks = _admit(task, workspace)
        manifest = _manifest(task, workspace)
        if task.placing:
            _place(task, workspace)
        if job.kind == "aggregated":
            content, rows, hidden = _counts(task, workspace, decided, checks, data)
        else:
            content, rows, hidden = _records(task, workspace, decided, checks, data)
        manifest |= content
        if not job.dry_run:
            manifest = write_package(target, manifest, data, task.key)
    return Made(manifest, target, rows, hidden, not job.dry_run)


def _task(job: Job) -> _Task:
    declared = open_region(job.region)
    source = declared.sources.get(job.source)
    if source is None:
        near = ", ".join(sorted(declared.sources)[:8])
        raise ConfigurationError(
            f"The region {declared.region.id} has no source {job.source}",
            f"Use one of its sources, for example {near}",
        )
    contract, agreement = declared.contract_of(source), declared.agreement_of(source)
    if contract.kind not in ("records", "values") or contract.format.type == "boundaries":
        raise ConfigurationError(
            f"{source.id} is published reference data, which needs no package",
            "Send the file as it is",
        )
    if job.agreement is not None and job.agreement != agreement.id:
        raise AgreementError(
            f"{source.id} comes under {agreement.id}, not under {job.agreement}",
            "Ask the data team for the current region folder, or correct --agreement",
        )
    if not job.file.is_file():
        raise DeliveryError(f"The file {job.file} does not exist", "Correct its name")
    key = load_signing_key(job.sign)
    agreed = agreement.source(source.id)
    if agreed is not None and public_text(key) not in agreed.signing_keys:
        raise AgreementError(
            f"{agreement.id} does not list the public key {public_text(key)} for {source.id}, so "
            "the hub would refuse the package",
            "Have it added under signing_keys, or sign with the key that is listed",
        )
    return _Task(job, declared, source, contract, agreement, key, _period(job, source, contract))


def _period(job: Job, source: Source, contract: Contract) -> str:
    """Return the month of a file: asked for, or in its name."""
    from intake.landing import name_pattern  # noqa: PLC0415

    if source.cadence == "once":
        return ""
    named = name_pattern(source, contract).match(job.file.name)
    period = job.period or (named.group("period") if named else None)
    if period is None or not PERIOD_PATTERN.match(period):
        raise ConfigurationError(
            f"The month of {job.file.name} is not known", "Give it as --period YYYY-MM"
        )
    if period > period_of(dt.date.today()):
        raise ConfigurationError(f"The month {period} has not begun", "Correct --period")
    return period


@contextmanager
def _throw_away() -> Iterator[Path]:
    """Give a private folder that is wiped when the block ends, or by the next run after a kill."""
    parent = Path(tempfile.gettempdir()) / f"lsoalink-agency-{os.getuid()}"
    private_folder(parent)
    facts = parent.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & OTHERS:
        raise StorageError(
            f"The folder {parent} for temporary files is not this account's alone",
            "Remove it, or set TMPDIR to a folder of your own",
        )
    sweep(parent)
    with plain_folder(parent) as folder:
        yield folder


def _workspace(task: _Task, folder: Path, settings: Settings) -> Workspace:
    from warehouse.workspace import Workspace  # noqa: PLC0415

    landing = task.job.reference or landing_of(task.declared, settings.data_dir)
    workspace = Workspace(
        task.declared, folder / "data", landing, _keys(task, settings), settings.open_data
    )
    workspace.prepare()
    return workspace


def _keys(task: _Task, settings: Settings) -> KeyRing:
    """Return keys for this run alone, with the agreement's own for pseudonyms; never a master."""
    agreed = task.agreement.source(task.source.id)
    named = {c.name for c in task.contract.columns}
    wanted = agreed is not None and any(
        c.action == "pseudonymise" and c.name in named for c in agreed.columns
    )
    passing = secrets.token_bytes(KEY_BYTES)
    if task.job.kind == "aggregated" or not wanted:
        return KeyRing(passing)
    path = task.job.key_file
    if path is not None:
        refuse_region_folder(path)
        found: KeySource | None = KeySource("file", f"the key file {path}", path)
    else:
        found = agreement_source(settings.data_dir, task.agreement.id)
    if found is None:
        variable = f"LSOALINK_KEY_{task.agreement.id.replace('-', '_')}"
        raise StorageError(
            f"There is no key to make pseudonyms under {task.agreement.id} with",
            f"Set {variable}, or name the agreement's key file with --key-file",
        )
    keys = read_keys(found).keys
    return KeyRing(passing, agreements=lambda agreement_id: _own(agreement_id, task, keys))


def _own(agreement_id: str, task: _Task, keys: Sequence[bytes]) -> Sequence[bytes]:
    return keys if agreement_id == task.agreement.id else ()


def _admit(task: _Task, workspace: Workspace) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Take the file through the gate and the contract; return its decision and its checks."""
    from intake.admission import admit  # noqa: PLC0415
    from intake.arrival import arrival_date, store_of  # noqa: PLC0415
    from intake.landing import Found  # noqa: PLC0415
    from intake.records import read_record  # noqa: PLC0415

    file = task.job.file
    found = Found(file, task.period or None)
    delivery = store_of(workspace).receive(found, task.source, arrival_date(workspace, file))
    if delivery.outcome == "refused":
        raise DeliveryError(delivery.message or f"{file.name} cannot be accepted")
    admit(workspace, task.source, task.partition)
    record = read_record(workspace, "decisions", task.source.id, task.partition) or {}
    decided: dict[str, Any] = record["decisions"][-1]
    if decided["decision"] == "refused":
        raise AgreementError(decided["message"])
    if decided["decision"] == "quarantined":
        raise ContractError(decided["message"], "'lsoalink check' shows every check")
    return decided, record["checks"]


def _place(task: _Task, workspace: Workspace) -> None:
    """Place the records with the region's reference files."""
    from intake.location import locate  # noqa: PLC0415
    from intake.reference import build_reference  # noqa: PLC0415
    from intake.reference_plan import inputs_of, reference_roles, roles_of  # noqa: PLC0415

    roles = roles_of(task.declared, task.contract)
    needed = {s.id: s for role in roles for s in inputs_of(task.declared, role)}
    if task.contract.locate and "point" in task.contract.locate.by:
        needed |= {s.id: s for s in inputs_of(task.declared, "areas")}
    for source in needed.values():
        _take_reference(task, workspace, source)
    for role in (r for r in reference_roles(task.declared) if r in roles):
        built = build_reference(workspace, role)
        if built.outcome == "absent":
            raise ConfigurationError(
                f"The records cannot be placed as at the hub: {built.reason}",
                f"Put the region's reference files into {workspace.landing}, one folder a source, "
                "or name their folder with --reference",
            )
    weights = task.contract.locate.practice_weights if task.contract.locate else None
    if weights is not None:
        source = task.declared.sources[weights]
        for period in _take_reference(task, workspace, source):
            locate(workspace, source, period)
    locate(workspace, task.source, task.partition)


def _take_reference(task: _Task, workspace: Workspace, source: Source) -> list[str]:
    """Receive and admit one source of reference data; return its periods."""
    from intake.admission import admit  # noqa: PLC0415
    from intake.arrival import arrival_date, receive_source, store_of  # noqa: PLC0415
    from intake.landing import Found  # noqa: PLC0415

    directory = task.job.postcodes
    if directory is not None and task.declared.contract_of(source).role == "postcodes":
        found = Found(directory, None)
        taken = store_of(workspace).receive(found, source, arrival_date(workspace, directory))
        if taken.outcome == "refused":
            raise DeliveryError(taken.message or f"{directory.name} cannot be accepted")
    else:
        receive_source(workspace, source, remove_landed=False)
    periods = workspace.expected_periods(source)
    for period in periods:
        admit(workspace, source, period)
    return periods


def _manifest(task: _Task, workspace: Workspace) -> dict[str, Any]:
    """Return what every package says, whatever is in it."""
    from intake.packages import opt_out_needed  # noqa: PLC0415
    from intake.packing import new_manifest  # noqa: PLC0415

    removed = task.job.opt_out_removed
    if opt_out_needed(task.agreement, task.source) and removed is None:
        raise AgreementError(
            f"{task.agreement.id} applies the National Data Opt-out to {task.source.id}",
            "Apply it and say with --opt-out-removed N how many records it took out",
        )
    return {
        **new_manifest(task.job.kind, task.source, task.agreement, task.period),
        "region": task.declared.region.id,
        "made_at": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
        "made_by": f"lsoalink {version('lsoalink')} ({workspace.code_version})",
        "opt_out": None if removed is None else {"applied": True, "removed": removed},
        "file": {"hmac_sha256": file_mark(task.key, task.job.file)},
    }


def _said(
    task: _Task, decided: dict[str, Any], checks: list[dict[str, Any]], *, exact: bool
) -> dict[str, Any]:
    """Return what a package says of the gate, the contract and the rows."""
    from intake.aggregating import checks_leaving, counts_leaving  # noqa: PLC0415
    from intake.pseudonymising import fates_of  # noqa: PLC0415

    names = ("read", "filtered", "broken", "formula", "duplicate", "kept")
    rows = {name: decided[f"rows_{name}"] for name in names}
    fates = fates_of(task.contract, task.agreement, task.source, decided, placed=task.job.place)
    return {
        "gate": {k: decided[k] for k in ("decision", "reasons", "message", "clause")},
        "columns": fates,
        "undeclared": decided["columns_undeclared"],
        "rows": counts_leaving(rows, exact=exact),
        "checks": checks_leaving(checks, exact=exact),
    }


def _accounting(task: _Task, workspace: Workspace, *, exact: bool) -> dict[str, Any]:
    from intake.aggregating import amounts_leaving  # noqa: PLC0415
    from intake.records import read_record  # noqa: PLC0415

    record = read_record(workspace, "accounting", task.source.id, task.partition) or {}
    return {
        "rows": amounts_leaving(record["rows"], exact=exact),
        "geo_basis": record["geo_basis"],
        "vintage": record["vintage"] if exact else None,
        "flags": record["flags"] if exact else {},
    }


def _counts(
    task: _Task,
    workspace: Workspace,
    decided: dict[str, Any],
    checks: list[dict[str, Any]],
    data: Path,
) -> tuple[dict[str, Any], int, int]:
    """Write the cells that leave; return what the package says, cells shown and cells hidden."""
    from indicators.counting import AREAS, count_source, counts_table  # noqa: PLC0415
    from intake.aggregating import LEAVING, choose_cells  # noqa: PLC0415
    from intake.location import located_table  # noqa: PLC0415
    from intake.packages import COUNTED, LEFT_BEHIND  # noqa: PLC0415
    from warehouse.connection import run  # noqa: PLC0415
    from warehouse.sql import literal  # noqa: PLC0415

    agreed = task.agreement.source(task.source.id)
    exact = agreed is not None and agreed.counts_leave == "exact"
    count_source(workspace, task.source, task.partition, located_table(task.source))
    table = counts_table(task.source)
    counts = workspace.lake.scan(table, [task.partition])
    areas = workspace.lake.scan(AREAS)
    if counts is None or areas is None:
        raise StorageError(f"The table {table.name} was not made", "Run the command again")
    with workspace.connect() as connection:
        row = connection.execute(f"SELECT count(*) FROM {areas}").fetchone()
        leaving = choose_cells(
            connection, counts, task.declared, task.contract, int(row[0]) if row else 0, exact=exact
        )
        run(
            connection,
            f"COPY (SELECT * FROM {LEAVING} ORDER BY ALL) TO {literal(data)} "
            "(FORMAT csv, HEADER, NULLSTR '')",
            table=LEAVING,
        )
    content = _said(task, decided, checks, exact=exact)
    content |= {
        "counts": {"profile": leaving.profile, "cells": leaving.labels},
        "accounting": _accounting(task, workspace, exact=exact),
        "key_version": None,
    }
    content["columns"] = {
        name: fate if fate == LEFT_BEHIND else COUNTED for name, fate in content["columns"].items()
    }
    return content, leaving.shown, leaving.hidden


def _records(
    task: _Task,
    workspace: Workspace,
    decided: dict[str, Any],
    checks: list[dict[str, Any]],
    data: Path,
) -> tuple[dict[str, Any], int, int]:
    """Write the records that leave; return what the package says, and how many there are."""
    from intake.packages import PSEUDONYMISED  # noqa: PLC0415
    from intake.pseudonymising import write_records  # noqa: PLC0415

    content = _said(task, decided, checks, exact=True)
    fates = content["columns"]
    rows = write_records(workspace, task.source, task.partition, fates, data, placed=task.job.place)
    keyed = PSEUDONYMISED in fates.values()
    content |= {
        "placed": task.job.place,
        "accounting": _accounting(task, workspace, exact=True) if task.job.place else None,
        "key_version": workspace.keys.agreement_key_version(task.agreement.id) if keyed else None,
    }
    return content, rows, 0


def new_key(path: Path) -> str:
    """Make an agency's signing key and return the public half."""
    from governance.signing import create_key_pair  # noqa: PLC0415

    return create_key_pair(path)
