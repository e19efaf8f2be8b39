"""What ``lsoalink agreement`` gathers and writes: lint, diff, show and register.

Belongs here: finding the files, calling the governance room, printing. Does not belong here: the
rules and the words (``governance/agreement_text/``) or the commands (``commands/agreement.py``).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from declarations.agreements import Agreement
from declarations.declared import RegionDeclarations
from declarations.errors import AgreementError, ConfigurationError, LsoalinkError
from governance.agreement_text.diff import agreement_changes
from governance.agreement_text.diff_page import diff_data, diff_page
from governance.agreement_text.findings import Finding, ordered
from governance.agreement_text.lint import agreement_findings
from governance.agreement_text.lint_region import region_findings
from governance.agreement_text.reading import ReadAgreement, read_agreement
from governance.agreement_text.show import agreement_page
from governance.reports.pages import Page, html_page, text_page
from pipelines.console import say
from pipelines.regions import bundled, find_region, landing_of, open_region
from pipelines.settings import Settings
from warehouse.lake import write_atomically
from warehouse.private import private_folder

Format = Literal["text", "json", "html"]
PRIVATE = 0o600
"""Registers and records are for the account that runs the platform, as is their folder."""


def today_of(declared: RegionDeclarations) -> dt.date:
    """Return the day it is for a region."""
    return declared.region.as_of or dt.date.today()


def lint(target: str, *, strict: bool, output: Literal["text", "json"] = "text") -> None:
    """Say what is wrong with the agreements of a region, or with one file.

    Raises
    ------
    AgreementError
        If there are errors; with ``strict`` also if there are warnings.
    """
    findings, looked = lint_findings(target)
    errors = sum(f.level == "error" for f in findings)
    if output == "json":
        say(json.dumps([_as_data(f) for f in findings], indent=1))
    else:
        for finding in findings:
            say(f"{finding.level}: {finding.where}: {finding.problem}. {finding.fix}."
                f" [{finding.code}]")  # fmt: skip
        say(f"{looked} agreement(s): {errors} error(s), {len(findings) - errors} warning(s).")
    if errors or (strict and findings):
        what = f"{errors} error(s)" if errors else f"{len(findings)} warning(s)"
        raise AgreementError(f"{target} has {what}", "Correct what is named above")


def _as_data(finding: Finding) -> dict[str, object]:
    return {
        "level": finding.level, "code": finding.code, "file": finding.file, "line": finding.line,
        "key": finding.key, "problem": finding.problem, "fix": finding.fix,
    }  # fmt: skip


def lint_findings(target: str) -> tuple[list[Finding], int]:
    """Return every finding about a region's agreements or one file, and how many were looked at.

    Raises
    ------
    ConfigurationError
        If there is neither such a region nor such a file.
    """
    if Path(target).suffix in (".yaml", ".yml") and target not in bundled():
        files = [Path(target)]
        folder = Path(target).resolve().parent.parent
        region = folder if (folder / "region.yaml").is_file() else None
    else:
        region = find_region(target)
        files = sorted((region / "agreements").glob("*.y*ml"))
    read = [read_agreement(path) for path in files]
    declared, broken = _region_around(region)
    day = today_of(declared) if declared else dt.date.today()
    found = [finding for file in read for finding in _of_file(file, declared, day)]
    if not any(f.level == "error" for f in found):
        one = Path(target) in files
        names = [r.agreement.id for r in read if r.agreement is not None]
        # Of one file alone: what in another file contradicts it, and no fault of those others.
        found += [f for f in broken if not one or any(name in f.problem for name in names)]
    if declared is not None and Path(target).suffix not in (".yaml", ".yml"):
        found += _of_assessments(declared)
    return ordered(found), len(files)


def _region_around(folder: Path | None) -> tuple[RegionDeclarations | None, list[Finding]]:
    if folder is None:
        return None, []
    try:
        return open_region(str(folder)), []
    except LsoalinkError as error:
        fault = Finding("error", "region", "", error.problem, error.fix or "Correct it", "region")
        return None, [fault]


def _of_file(
    read: ReadAgreement, declared: RegionDeclarations | None, day: dt.date
) -> list[Finding]:
    agreement = read.agreement
    if agreement is None:
        return list(read.faults)
    found = agreement_findings(agreement, day)
    if declared is not None and agreement.id in declared.agreements:
        found += region_findings(agreement, declared, day)
    if read.path.stem != agreement.id:
        found.append(
            Finding("warning", "file_name", "id", f"the file of {agreement.id} has another name",
                    f"Name it {agreement.id}.yaml, so that it is found")
        )  # fmt: skip
    return [replace(f, file=read.path.name, line=read.line_of(f.key)) for f in found]


def _of_assessments(declared: RegionDeclarations) -> list[Finding]:
    from governance.controls.catalogue import check_controls  # noqa: PLC0415 - rarely needed

    return [
        Finding(
            "error", "unknown_control", f"risks.{risk}.controls",
            f"there is no control {control}, so the risk could never be shown to be mitigated",
            "Correct its name; docs/agreements.md lists them",
            declared.files[f"dpia/{assessment}"].name,
        )
        for assessment, risk, control in check_controls(declared.assessments.values())
    ]  # fmt: skip


def _read_whole(path: Path) -> Agreement:
    read = read_agreement(path)
    if read.agreement is None:
        fault = read.faults[0]
        raise AgreementError(
            f"{path.name}{f' line {fault.line}' if fault.line else ''}: "
            f"{f'{fault.key}: ' if fault.key else ''}{fault.problem}",
            f"'lsoalink agreement lint {path}' names every fault",
        )
    return read.agreement


def diff(
    old: str, new: str, *, against: Path | None, output: Format, to: Path | None, force: bool
) -> None:
    """Say what changed between two files, or between a file and a region's agreement.

    Parameters
    ----------
    old, new : str
        Two files; or, with ``against``, a region and the id of one of its agreements: then
        ``against`` is the older version.

    Raises
    ------
    AgreementError
        If a file is not an agreement.
    """
    if against is not None:
        declared = open_region(old)
        before, after, day = _read_whole(against), agreement_of(declared, new), today_of(declared)
    else:
        before, after, day = _read_whole(Path(old)), _read_whole(Path(new)), dt.date.today()
    changes = agreement_changes(before, after)
    if output == "json":
        text = json.dumps(diff_data(before, after, changes), indent=1) + "\n"
    else:
        text = _written(diff_page(before, after, changes, day), output)
    _deliver(text, to, force=force)


def show(
    name: str, agreement_id: str, settings: Settings, *, output: Format, to: Path | None,
    force: bool,
) -> None:  # fmt: skip
    """Write an agreement in plain words."""
    from governance.lifecycle.withdrawal import withdrawn  # noqa: PLC0415
    from governance.reports.register import SYNTHETIC  # noqa: PLC0415 - not for lint and diff

    declared = open_region(name)
    agreement = agreement_of(declared, agreement_id)
    if output == "json":
        content = agreement.model_dump(mode="json", by_alias=True)
        text = json.dumps({**content, "text_sha256": agreement.text_sha256()}, indent=1) + "\n"
        _deliver(text, to, force=force)
        return
    record = withdrawn(settings.data_dir / declared.region.id).get(agreement.id)
    page = agreement_page(
        agreement, declared, today_of(declared), withdrawn_on=record.day if record else None,
        synthetic=SYNTHETIC[declared.region.synthetic],
    )  # fmt: skip
    _deliver(_written(page, output), to, force=force)


def register(name: str, settings: Settings, to: Path | None) -> None:
    """Write the register of agreements: a page, a CSV and a calendar."""
    from governance.reports.due_dates import ahead, ics_text  # noqa: PLC0415
    from governance.reports.register import read_register, register_csv  # noqa: PLC0415
    from governance.reports.register_page import needs_action, register_page  # noqa: PLC0415

    declared = open_region(name)
    root = settings.data_dir / declared.region.id
    found = read_register(
        declared, root, today_of(declared), landing=landing_of(declared, settings.data_dir)
    )
    coming = ahead(found.days, found.today)
    files = {
        "register.html": html_page(register_page(found)),
        "register.csv": register_csv(found),
        "calendar.ics": ics_text(coming, declared.region.id, found.today),
    }
    write_files(to or root / "governance" / "exports", files)
    red = sum(light.state == "bad" for light in needs_action(found))
    say(f"{len(found.entries)} sources under {len(declared.agreements)} agreements: {red} things "
        f"need action now; {len(coming)} days fall in the next 24 months.")  # fmt: skip


def agreement_of(declared: RegionDeclarations, agreement_id: str) -> Agreement:
    """Return an agreement of a region by its id.

    Raises
    ------
    ConfigurationError
    """
    found = declared.agreements.get(agreement_id)
    if found is None:
        raise ConfigurationError(
            f"{declared.region.id} has no agreement {agreement_id}",
            f"Name one of {', '.join(declared.agreements)}",
        )
    return found


def _written(page: Page, output: Format) -> str:
    return html_page(page) if output == "html" else text_page(page)


def _deliver(text: str, to: Path | None, *, force: bool) -> None:
    if to is None:
        say(text.rstrip("\n"))
        return
    if to.exists() and not force:
        raise ConfigurationError(f"{to} is there already", "Give --force to replace it")
    write_atomically(to, text.encode(), mode=PRIVATE)
    say(f"Wrote {to}")


def write_files(folder: Path, files: dict[str, str]) -> Sequence[Path]:
    """Write files into a folder, each whole or not at all, and say where they are."""
    paths = []
    private_folder(folder)
    for name, text in files.items():
        path = folder / name
        write_atomically(path, text.encode(), mode=PRIVATE)
        paths.append(path)
        say(f"Wrote {path}")
    return paths
