"""One full run of the synthetic region for all tests and all workers, through the command line.

The full calendar and every planted fault, with fewer neighbourhoods than the bundled region: the
faults lie in months and sources, not in numbers of people.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pytest
from command_line import REPOSITORY, clean_environment

from declarations.loader import load_region
from pipelines.regions import CATALOGUE, CONTRACTS
from pipelines.resources import open_workspace
from warehouse.workspace import Workspace

LSOAS = 60
BUNDLED = REPOSITORY / "pipelines" / "regions" / "arden"


@dataclass(frozen=True)
class Arden:
    """The finished region, and what its generator says of it."""

    folder: Path

    @property
    def region(self) -> Path:
        """The region's own folder, with its landing folder and the manifest."""
        return self.folder / "region"

    @property
    def data(self) -> Path:
        """The data folder of the run."""
        return self.folder / "data"

    @property
    def root(self) -> Path:
        """The region's folder below the data folder."""
        return self.data / "arden"

    @cached_property
    def ended(self) -> dict[str, Any]:
        """Exit code, standard output and standard error of the run."""
        found: dict[str, Any] = json.loads((self.folder / "ended.json").read_text())
        return found

    @cached_property
    def planted(self) -> dict[str, Any]:
        """The manifest of faults and sensitive values."""
        found: dict[str, Any] = json.loads((self.region / "planted.json").read_text("utf-8"))
        return found

    @cached_property
    def workspace(self) -> Workspace:
        """The region opened as the platform opens it."""
        declared = load_region(self.region, contract_library=CONTRACTS, indicator_library=CATALOGUE)
        return open_workspace(declared, self.data)

    def quality(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a quality table."""
        return self.query(f"FROM '{self.root}/quality/quality_{name}/all.parquet'")

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Run SQL in which {linked} and {truth} stand for folders, and return records."""
        text = sql.replace("{linked}", str(self.root / "linked"))
        with duckdb.connect() as connection:
            cursor = connection.execute(text.replace("{truth}", str(self.region / "truth")))
            names = [d[0] for d in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture(scope="session")
def arden(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Arden:
    """Run the synthetic region once, whichever worker comes first. To be read, never changed."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    folder = shared / "arden"
    with (shared / "arden.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ended.json").is_file():
            _run(folder)
    return Arden(folder)


def _run(folder: Path) -> None:
    from synthetic.arden import synthesise

    region = folder / "region"
    shutil.copytree(BUNDLED, region)
    head = (region / "region.yaml").read_text(encoding="utf-8").splitlines()
    changed = [
        f"expected_lsoas: {LSOAS}" if line.startswith("expected_lsoas:") else line
        for line in head
        if not line.startswith("generator:")
    ]
    (region / "region.yaml").write_text("\n".join(changed) + "\n", encoding="utf-8")
    synthesise(region / "landing", lsoas=LSOAS)
    command = [
        sys.executable, "-m", "pipelines.cli", "run", str(region), "--data-dir",
        str(folder / "data"),
    ]  # fmt: skip
    ended = subprocess.run(
        command, cwd=REPOSITORY, env=clean_environment(), text=True, capture_output=True,
        timeout=900, check=False,
    )  # fmt: skip
    content = {"code": ended.returncode, "out": ended.stdout, "err": ended.stderr}
    (folder / "ended.json").write_text(json.dumps(content), encoding="utf-8")
