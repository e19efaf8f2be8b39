"""A supplying agency of the made-up region: its key, its file, and the hub it sends packages to.

Belongs here: making them in a folder of the caller's. Does not belong here: any expectation.
Everything here describes synthetic people in a place that does not exist.
"""

from __future__ import annotations

import base64
import copy
import datetime as dt
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from region_factory import (
    ARRIVED,
    each,
    make_workspace,
    put,
    receive,
    region_content,
    write_landing,
)

from governance.signing import create_key_pair
from indicators.counting import count_source
from intake.admission import admit
from intake.location import locate, located_table
from intake.records import read_record
from intake.reference import build_reference
from intake.reference_plan import reference_roles
from pipelines.agency import Job, Made, make_package
from pipelines.settings import Settings
from warehouse.workspace import Workspace

SOURCE, AGREEMENT, MONTH = "south_cases", "DSA-TM-002", "2026-03"
REFERENCES = ("areas", "changes", "postcodes", "residents")


@dataclass(frozen=True)
class Agency:
    """An agency beside its hub; nothing has been sent yet.

    Attributes
    ----------
    hub : Workspace
    content : dict
        The region's declarations, as written.
    key, key_file, file, out : Path
        Signing key, pseudonym key, the agency's extract, and a folder for packages.
    """

    hub: Workspace
    content: dict[str, dict[str, Any]]
    key: Path
    key_file: Path
    file: Path
    out: Path

    def job(self, kind: str = "aggregated", **more: Any) -> Job:
        """Return a job for the agency's file."""
        job = Job(
            kind,  # type: ignore[arg-type]
            self.file, SOURCE, str(self.hub.declared.root), self.key, to=self.out,
            key_file=self.key_file, reference=self.hub.landing,
        )  # fmt: skip
        return replace(job, **more)

    def make(self, kind: str = "aggregated", **more: Any) -> Made:
        """Make a package in the folder for packages."""
        return make_package(self.job(kind, **more), Settings(data_dir=self.out / "none"))

    def send(
        self, package: Path, *, day: dt.date = ARRIVED, month: str = MONTH, copy_mark: str = ""
    ) -> None:
        """Put a package into the hub's landing folder, as arriving on a day."""
        target = self.hub.landing / SOURCE / f"cases_{month}{copy_mark}.csv.lsoalink.zip"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package, target)
        moment = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC).timestamp()
        os.utime(target, (moment, moment))

    def take_in(self) -> dict[str, Any]:
        """Run the hub on what it was sent, to its counts; return the decision."""
        prepare_hub(self.hub)
        return decide_south(self.hub)


def prepare_hub(hub: Workspace) -> None:
    """Bring the hub's reference tables up to date."""
    receive(hub)
    for source, period in each(hub, "reference"):
        admit(hub, source, period)
    admit(hub, hub.declared.sources["residents"], "all")
    for role in reference_roles(hub.declared):
        build_reference(hub, role)


def decide_south(hub: Workspace) -> dict[str, Any]:
    """Run the southern source to its counts; return the last decision."""
    source = hub.declared.sources[SOURCE]
    receive(hub, SOURCE)
    admit(hub, source, MONTH)
    locate(hub, source, MONTH)
    count_source(hub, source, MONTH, located_table(source))
    record = read_record(hub, "decisions", SOURCE, MONTH)
    decision: dict[str, Any] = record["decisions"][-1] if record else {}
    return decision


def agency_content(public: str, counts_leave: str) -> dict[str, dict[str, Any]]:
    """Return the region's declarations with the agency's public key in its agreement."""
    content = region_content()
    covered = content[f"agreements/{AGREEMENT}.yaml"]["sources"][0]
    covered |= {"signing_keys": [public], "counts_leave": counts_leave}
    return copy.deepcopy(content)


def make_agency(
    folder: Path, counts_leave: str = "exact", lines: list[str] | None = None
) -> Agency:
    """Make an agency and its hub below a folder; by default it has the region's own file."""
    key = folder / "agency" / "keys" / "signing.pem"
    content = agency_content(create_key_pair(key), counts_leave)
    hub = make_workspace(folder / "hub", content, leave_out=(SOURCE,))
    source = write_landing(folder / "all") / SOURCE / f"cases_{MONTH}.csv"
    if lines is None:
        lines = source.read_text("utf-8").splitlines()
    file = put(folder / "agency", "extracts", f"cases_{MONTH}.csv", lines)
    key_file = key.parent / "agreement.key"
    key_file.write_text(base64.b64encode(bytes(range(32))).decode())
    key_file.chmod(0o600)
    out = folder / "agency" / "out"
    out.mkdir()
    return Agency(hub, content, key, key_file, file, out)
