"""``lsoalink roles`` and ``lsoalink grant``: what a role may read, and handing it exactly that.

Belongs here: copying what a role may read into a folder of its own, with the keys that go with it.
Does not belong here: what it may read (``governance/roles.py``), or who somebody is: the operating
system and the organisation's proxy decide who gets the folder.
"""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from declarations.declared import RegionDeclarations
from declarations.errors import AgreementError, StorageError
from governance.audit import AuditChain
from governance.roles import (
    ROLE_WORDS,
    ROLES,
    Access,
    key_uses,
    matrix,
    publication_closed_by,
    readable,
)
from pipelines.console import say, show_table
from pipelines.inspecting import workspace_of
from pipelines.regions import open_region
from pipelines.running import current_release
from pipelines.settings import Settings
from warehouse.leftovers import temporary_beside
from warehouse.sql import file_literal, literal

if TYPE_CHECKING:
    from warehouse.workspace import Workspace

QUALITY_TABLES = ("deliveries", "decisions", "checks", "accounting")
TERMS = """\
You may not try to find out who a figure is about, nor join these figures with others to that end
(Data (Use and Access) Act 2025; the agreements below). Whoever thinks a person can be recognised
tells {contact} and no one else.
"""


def print_roles(name: str, agency: str | None) -> None:
    """Show, by role and agreement, which zones may be read."""
    declared = open_region(name)
    rows: list[tuple[str, str, str, int, str]] = []
    for role in ROLES:
        grouped: dict[tuple[str, tuple[str, ...]], int] = {}
        for access in matrix(declared, role, agency):
            key = (access.agreement, access.zones)
            grouped[key] = grouped.get(key, 0) + 1
        rows.extend(
            (role, ROLE_WORDS[role], agreement, sources, ", ".join(zones) or "nothing")
            for (agreement, zones), sources in sorted(grouped.items())
        )
    show_table("", ("role", "who", "agreement", "sources", "may read"), rows)
    for role in ROLES:
        shut = publication_closed_by(declared, role)
        if shut:
            say(f"Releases are closed to the role {role} by {', '.join(shut)}.")


def write_grant(
    name: str, settings: Settings, role: str, folder: Path, *, agency: str | None, by: str
) -> None:
    """Write into a new folder what a role may read, and enter it in the audit chain.

    Raises
    ------
    AgreementError
        If the role may read nothing, or a supplier names no agency.
    StorageError
        If the folder is there already.
    """
    declared = open_region(name)
    if role == "supplier" and agency is None:
        raise AgreementError("A supplier is an agency's", "Give --agency NAME")
    access = matrix(declared, role, agency)
    if folder.exists():
        raise StorageError(f"{folder} is there already", "Name a folder that is not there yet")
    workspace = workspace_of(declared, settings)
    draft = temporary_beside(folder)
    draft.mkdir(parents=True, mode=0o700)
    try:
        given = _fill(workspace, declared, role, agency, draft)
        if not given:
            raise AgreementError(
                f"The agreements of {declared.region.id} let the role {role} read nothing that is "
                "there",
                "Amend permitted_roles, or run the region first",
            )
        (draft / "README.txt").write_text(_readme(declared, role, access, given), encoding="utf-8")
        AuditChain(workspace.root / "audit", workspace.keys).append(
            "access_granted", role=role, agency=agency, by=by, account=getpass.getuser(),
            given=given,
        )  # fmt: skip
        _close(draft)
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    say(f"Wrote {', '.join(given)} into {folder}. Hand over the whole folder, and nothing else.")


def _close(folder: Path) -> None:
    """Leave everything handed over to its owner alone; who else may read it is decided after."""
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _fill(
    workspace: Workspace,
    declared: RegionDeclarations,
    role: str,
    agency: str | None,
    draft: Path,
) -> list[str]:
    given: list[str] = []
    _, release = current_release(workspace)
    if release is not None and not publication_closed_by(declared, role):
        shutil.copytree(release, draft / "release", symlinks=False)
        given.append(f"release {release.name}")
    sources = readable(declared, role, "quality", agency)
    if role != "public" and sources:
        given.extend(_write_quality(workspace, sources, draft / "quality"))
    uses = key_uses(declared, role)
    if uses:
        workspace.keys.bundle(uses).write(draft / "keys.json")
        given.append(f"{len(uses)} keys")
    return given


def _write_quality(workspace: Workspace, sources: Sequence[str], folder: Path) -> list[str]:
    """Write the rows of the quality tables that are about some sources, as CSV."""
    listed = ", ".join(literal(s) for s in sources)
    written = []
    with workspace.connect() as connection:
        for name in QUALITY_TABLES:
            files = sorted((workspace.root / "quality" / f"quality_{name}").glob("*.parquet"))
            if not files:
                continue
            folder.mkdir(exist_ok=True, mode=0o700)
            target = folder / f"{name}.csv"
            scan = ", ".join(file_literal(path) for path in files)
            connection.execute(
                f"COPY (SELECT * FROM read_parquet([{scan}]) WHERE source_id IN ({listed}) "
                f"ORDER BY ALL) TO {literal(target)} (HEADER, DELIMITER ',')"
            )
            target.chmod(0o600)
            written.append(f"quality/{name}.csv")
    return written


def _readme(
    declared: RegionDeclarations, role: str, access: Sequence[Access], given: Sequence[str]
) -> str:
    region = declared.region
    agreements = sorted({a.agreement for a in access if a.zones})
    lines = [
        f"{region.title}: what the role '{role}' ({ROLE_WORDS[role]}) may read.",
        *(["Every record behind this is synthetic."] if region.synthetic != "no" else []),
        "",
        *(f"- {item}" for item in given),
        "",
        TERMS.format(contact=region.publication.contact),
        "Agreements:",
    ]
    for name in agreements:
        agreement = declared.agreements[name]
        lines.append(f"- {name}: {agreement.title}. {agreement.aims or ''}".rstrip())
    return "\n".join(lines) + "\n"
