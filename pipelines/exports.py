"""What ``lsoalink export`` writes: records made from the declarations and the state on the disk.

Belongs here: which records there are, running the controls, writing files. Does not belong here:
what a record says (``governance/reports/records/``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from declarations.declared import RegionDeclarations
from governance.controls.catalogue import run_controls
from governance.controls.model import ControlResult
from governance.reports.records.atrs import atrs_files
from governance.reports.records.dpia import dpia_files, live_risks
from governance.reports.records.foi_log import foi_files
from governance.reports.records.privacy_notice import privacy_notice_files
from governance.reports.records.ropa import ropa_files
from governance.reports.register import Register, read_register
from pipelines.agreements import today_of, write_files
from pipelines.console import out, say
from pipelines.regions import landing_of, open_region
from pipelines.resources import open_workspace
from pipelines.settings import Settings

RECORDS = ("ropa", "dpia", "atrs", "privacy-notice", "foi-log")
OUTCOME_SIGNS = {"passed": "[green]passed[/]", "failed": "[bold red]failed[/]",
                 "could_not_run": "[yellow]could not run[/]"}  # fmt: skip


def export(name: str, which: str, settings: Settings, to: Path | None) -> None:
    """Write one kind of record, or all.

    Parameters
    ----------
    which : str
        One of `RECORDS`, or ``all``.
    to : Path or None
        By default ``<data folder>/<region>/governance/exports``.
    """
    declared = open_region(name)
    root = settings.data_dir / declared.region.id
    register = read_register(
        declared, root, today_of(declared), landing=landing_of(declared, settings.data_dir)
    )
    folder = to or root / "governance" / "exports"
    asked = RECORDS if which == "all" else (which,)
    for record in asked:
        files = _made(record, register, root, declared, settings)
        if not files:
            say(f"{record}: this region has nothing to record.")
        write_files(folder, files)


def _made(
    record: str, register: Register, root: Path, declared: RegionDeclarations, settings: Settings
) -> dict[str, str]:
    makers: Mapping[str, Callable[[], dict[str, str]]] = {
        "ropa": lambda: ropa_files(register),
        "atrs": lambda: atrs_files(register, root),
        "privacy-notice": lambda: privacy_notice_files(register),
        "foi-log": lambda: foi_files(register, root),
    }
    if record != "dpia":
        return makers[record]()
    results = control_results(declared, settings)
    risks = live_risks(register, results)
    for risk in risks:
        if risk.standing == "reopened":
            say(f"{risk.risk.id}: {risk.words}")
    counts = {s: sum(r.standing == s for r in risks) for s in ("mitigated", "reopened", "unproven")}
    say(f"{len(risks)} risk(s): {counts['mitigated']} mitigated, {counts['reopened']} reopened, "
        f"{counts['unproven']} not shown to be mitigated.")  # fmt: skip
    return dpia_files(register, results)


def control_results(declared: RegionDeclarations, settings: Settings) -> dict[str, ControlResult]:
    """Run every control that an assessment names, saying what each found.

    A region that was never run has no data folder: then no control runs, and none is green.
    """
    names = {c for a in declared.assessments.values() for r in a.risks for c in r.controls}
    if not names or not (settings.data_dir / declared.region.id).is_dir():
        return {}
    workspace = open_workspace(declared, settings.data_dir, settings.open_data)

    def told(result: ControlResult) -> None:
        out.print(f"  {OUTCOME_SIGNS[result.outcome]} {result.control}")

    return run_controls(workspace, names, told=told)
