"""Makes the whole region: ``synthesise`` is the one entrance to this room.

Belongs here: the order in which the topics are made, the truth tables and the manifest. Does not
belong here: what any file says.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import pandas as pd

from synthetic.council import (
    council_tax_extracts,
    digital_contacts_extracts,
    digital_skills_extracts,
    homelessness_extracts,
    library_extracts,
    social_care_extracts,
)
from synthetic.delivery import Extract, land, write_atomically
from synthetic.faults import FaultPlan
from synthetic.nhs import nhs_extracts
from synthetic.open_tables import open_extracts
from synthetic.police import police_extracts
from synthetic.reference import reference_extracts
from synthetic.world import World, make_world

SENSITIVE_COUNT = 20
# Where values that must never leave the restricted store stand: kind, extract, heading.
SENSITIVE_COLUMNS = (
    ("nhs_numbers", "adult_social_care", "NHS_Number"),
    ("surnames", "homelessness", "HCLIC A1.5"),
    ("ninos", "homelessness", "HCLIC A1.6"),
    ("postcodes", "homelessness", "HCLIC A1.8"),
    ("uprns", "council_tax", "uprn"),
)


@dataclass(frozen=True)
class SynthesisReport:
    """What was made.

    Attributes
    ----------
    files : int
        Files in the landing folder.
    rows : int
        Rows of the tables among them.
    seconds : float
        Time taken.
    manifest : pathlib.Path
        The list of planted faults and sensitive values.
    """

    files: int
    rows: int
    seconds: float
    manifest: Path


def synthesise(
    landing: Path,
    *,
    seed: int = 20261116,
    districts: int = 5,
    lsoas: int = 450,
    first_period: str = "2024-11",
    last_period: str = "2026-10",
    as_of: date = date(2026, 11, 16),
    faults: bool = True,
    progress: Callable[[str, int], None] | None = None,
) -> SynthesisReport:
    """Write every file of the synthetic region "arden".

    Parameters
    ----------
    landing : pathlib.Path
        Folder to fill with ``<source_id>/<file>``. The manifest ``planted.json`` and the folder
        ``truth`` are written beside it.
    seed : int, optional
        The same seed and settings give the same bytes.
    districts, lsoas : int, optional
        How many local authority districts and LSOAs.
    first_period, last_period : str, optional
        The months covered, ``YYYY-MM``.
    as_of : datetime.date, optional
        Today, in the region; no file arrives later.
    faults : bool, optional
        Whether faults are planted in the files.
    progress : callable, optional
        Called with a source's id and its rows when the source is complete.

    Returns
    -------
    SynthesisReport

    Raises
    ------
    ConfigurationError
        If a period is not a month, or the region is too small or too large for its codes.
    GeographyError
        If no valid map can be drawn from the seed.
    """
    begun = time.perf_counter()
    world = make_world(
        seed,
        districts=districts,
        lsoas=lsoas,
        first_period=first_period,
        last_period=last_period,
        as_of=as_of,
    )
    plan = FaultPlan(world, faults)
    sensitive: dict[str, list[str]] = {kind: [] for kind, _, _ in SENSITIVE_COLUMNS}
    truths: dict[str, list[pd.DataFrame]] = {}
    counted: dict[str, int] = {}
    files = 0
    current: str | None = None
    for sound in _extracts(world, plan):
        for extract in plan.apply(sound):
            if progress is not None and current not in (None, extract.source_id):
                progress(str(current), counted[str(current)])
            current = extract.source_id
            land(extract, landing)
            files += 1
            counted[current] = counted.get(current, 0) + extract.rows()
            for name, frame in extract.truth.items():
                truths.setdefault(name, []).append(frame)
            _gather(world, extract, sensitive)
    if progress is not None and current is not None:
        progress(current, counted[current])
    _write_truths(truths, landing.parent / "truth")
    manifest = landing.parent / "planted.json"
    _write_manifest(manifest, seed, plan, sensitive)
    return SynthesisReport(files, sum(counted.values()), time.perf_counter() - begun, manifest)


def _extracts(world: World, plan: FaultPlan) -> Iterator[Extract]:
    yield from reference_extracts(world)
    yield from open_extracts(world)
    yield from nhs_extracts(world)
    yield from police_extracts(world)
    yield from social_care_extracts(world)
    for district in range(len(world.areas.districts)):
        yield from homelessness_extracts(
            world, district, plan.no_fixed_abode_share(), plan.spoil_cases
        )
        yield from council_tax_extracts(world, district)
        yield from digital_contacts_extracts(world, district)
        yield from library_extracts(world, district)
        yield from digital_skills_extracts(world, district)


def _gather(world: World, extract: Extract, sensitive: dict[str, list[str]]) -> None:
    for kind, name, heading in SENSITIVE_COLUMNS:
        if extract.source_id != world.source_id(0, name) or sensitive[kind]:
            continue
        values = dict.fromkeys(extract.table[heading].tolist())
        # Pseudo-postcodes are published codes, not anybody's address.
        usable = [value for value in values if value and not value.startswith("ZZ99")]
        sensitive[kind] = usable[:SENSITIVE_COUNT]


def _write_truths(truths: dict[str, list[pd.DataFrame]], folder: Path) -> None:
    for name, frames in truths.items():
        table = pd.concat(frames, ignore_index=True)
        write_atomically(folder / f"{name}.parquet", partial(table.to_parquet, index=False))


def _write_manifest(
    path: Path, seed: int, plan: FaultPlan, sensitive: dict[str, list[str]]
) -> None:
    manifest = {
        "synthetic": True,
        "seed": seed,
        "faults": plan.entries,
        "sensitive_values": sensitive,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, lambda beside: beside.write_text(text, encoding="utf-8"))
