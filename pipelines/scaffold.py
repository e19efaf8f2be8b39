"""``lsoalink init`` and ``lsoalink schemas``: a region to start from, and help for editors.

Belongs here: copying the starter region and filling its landing folder with synthetic files.
Does not belong here: the starter's declarations, which are files in ``starter/``.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

from declarations.errors import ConfigurationError
from declarations.loader import json_schemas, load_region
from pipelines.regions import CATALOGUE, CONTRACTS

STARTER = Path(__file__).parent / "starter"
LSOAS, DISTRICTS, FIRST_PERIOD = 24, 2, "2026-05"


def write_schemas(folder: Path) -> list[str]:
    """Write the JSON Schema of every declaration file; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for kind, schema in json_schemas().items():
        path = folder / f"{kind}.json"
        path.write_text(json.dumps(schema, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        names.append(path.name)
    return names


def write_region(folder: Path) -> int:
    """Write the starter region into a new folder, with synthetic files in its landing folder.

    Returns
    -------
    int
        Number of files written.

    Raises
    ------
    ConfigurationError
        If the folder is there and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(
            f"{folder} is not an empty folder", "Name a folder that is not there yet"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".init-") as work:
        draft = Path(work) / "region"
        shutil.copytree(STARTER, draft)
        for room in ("contracts", "indicators", "sources", "agreements", "areas", "dpia"):
            (draft / room).mkdir(exist_ok=True)
        write_schemas(draft / ".schemas")
        _name(draft / "region.yaml", folder.absolute().name)
        _fill_landing(draft, Path(work) / "made" / "landing")
        files = sum(1 for path in draft.rglob("*") if path.is_file())
        if folder.exists():
            folder.rmdir()
        draft.replace(folder)
    return files


def _name(region: Path, folder: str) -> None:
    """Give the region the name of its folder, as far as that can be an identifier."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:40]
    if re.fullmatch(r"[a-z][a-z0-9-]{1,39}", name):
        text = region.read_text(encoding="utf-8")
        region.write_text(re.sub(r"(?m)^id: starter\b", f"id: {name}", text), encoding="utf-8")


def _fill_landing(draft: Path, made: Path) -> None:
    """Keep of the synthetic region's files those that the starter's sources expect."""
    from synthetic.arden import synthesise  # noqa: PLC0415

    declared = load_region(draft, contract_library=CONTRACTS, indicator_library=CATALOGUE)
    synthesise(made, lsoas=LSOAS, districts=DISTRICTS, first_period=FIRST_PERIOD, faults=False)
    for source in declared.sources:
        shutil.copytree(made / source, draft / "landing" / source)
