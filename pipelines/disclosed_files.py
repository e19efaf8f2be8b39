"""The files of a protected table: figures, what was given up, the certificate, its own description.

Belongs here: the folder that ``lsoalink disclose`` writes, all of it or nothing. Every figure in it
comes from the protected cells. Does not belong here: protecting (``disclosing.py``), or what a
certificate says (``governance/disclosure/certificate/facts.py``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from declarations.errors import StorageError
from governance.disclosure.certificate.facts import (
    CertificateFacts,
    CoarsenedCell,
    Coarsening,
    Examined,
    ExposedCell,
    Lost,
    ProfileFacts,
    PubliclyExposed,
    Solver,
    WidthCount,
    Withheld,
    certificate_json,
)
from governance.disclosure.certificate.page import certificate_html
from governance.disclosure.known.ledger import GENESIS
from governance.disclosure.tables.linked import TOTAL
from governance.disclosure.tables.merging import MERGED, Node, nodes_of
from governance.reports.csv_text import csv_text
from pipelines.disclosing import Disclosed
from pipelines.long_tables import COUNT, STATUS
from warehouse.provenance import code_version

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = "[x]"
"""Status of a cell without a count, as in every release."""

DESCRIPTION = "attack.yaml"
REASONS = {
    "exact": "it could be worked back exactly",
    "narrow": "too few counts fitted",
    "protected_range": "it could be proven to be a small count",
    "insider": "somebody in it could work back another count",
    "not_proven": "it was not proven safe in time",
    "class": "it showed everybody of a small group in one category",
}


def write_disclosed(disclosed: Disclosed, output: Path, *, title: str = "") -> list[str]:
    """Write a protected table into a folder that is not there yet.

    Returns
    -------
    list of str
        Names of the files, in order.

    Raises
    ------
    StorageError
        If the folder is there already.
    """
    if output.exists():
        raise StorageError(f"The folder {output} is there already", "Name one that is not")
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    temporary.mkdir()
    try:
        _write(disclosed, temporary, title)
        temporary.rename(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return sorted(p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file())


def level_tables(disclosed: Disclosed) -> dict[str, pa.Table]:
    """Return the protected figures, a table a level.

    The first column is the level's area code (none in that of the total), then the categories,
    ``count`` (null where hidden or missing) and ``status``. Withheld areas have no rows.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    protected = disclosed.protected
    cells, shown = protected.cells, protected.shown
    levels = cells.columns["level"]
    found = {}
    for level in dict.fromkeys(levels.tolist()):
        held = (levels == level) & ~protected.withheld
        if not held.any():
            continue
        values, lacking = shown.values[held], cells.missing[held]
        columns: dict[str, Any] = {}
        if level != TOTAL:
            columns[str(level)] = pa.array(cells.columns["area"][held], pa.string())
        for name in cells.categories:
            columns[name] = pa.array(cells.columns[name][held], pa.string())
        empty = np.isnan(values)
        columns[COUNT] = pa.array(
            np.where(empty, 0, values).astype(np.int64), pa.int64(), mask=empty
        )
        statuses = np.where(lacking, MISSING, shown.statuses[held])
        columns[STATUS] = pa.array(statuses.tolist(), pa.string())
        found[str(level)] = pa.table(columns)
    return found


def _write(disclosed: Disclosed, folder: Path, title: str) -> None:
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    protected = disclosed.protected
    tables = level_tables(disclosed)
    tables["areas"] = pa.table({n: pa.array(v, pa.string()) for n, v in disclosed.areas.items()})
    if protected.merging.pairs:
        rows = [(p.area, m) for p, members in protected.merging.pairs.items() for m in members]
        tables["merged_areas"] = pa.table(
            {
                MERGED: pa.array([area for area, _ in rows], pa.string()),
                "level": pa.array([m.level for _, m in rows], pa.string()),
                "area": pa.array([m.area for _, m in rows], pa.string()),
            }
        )
    fingerprint = hashlib.sha256()
    for name in ("csv", "parquet"):
        (folder / name).mkdir()
    for name, table in tables.items():
        text = csv_text(table.column_names, zip(*table.to_pydict().values(), strict=True))
        fingerprint.update(name.encode() + b"\x00" + text.encode())
        (folder / "csv" / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
        pq.write_table(table, folder / "parquet" / f"{name}.parquet", compression="zstd")
    (folder / "coarsened.csv").write_text(
        csv_text(("level", "area", "shown_in", "shown_in_level", "reason"), _coarsened(disclosed)),
        encoding="utf-8", newline="",
    )  # fmt: skip
    facts = _facts(disclosed, fingerprint.hexdigest(), title)
    (folder / "certificate.json").write_bytes(certificate_json(facts))
    (folder / "certificate.html").write_text(certificate_html(facts), encoding="utf-8")
    (folder / DESCRIPTION).write_text(_description(disclosed), encoding="utf-8")


def _coarsened(disclosed: Disclosed) -> list[tuple[str, ...]]:
    protected = disclosed.protected
    return [
        (node.level, node.area, standing.area, standing.level,
         REASONS.get(protected.reasons.get(node, ""), ""))
        for node, standing in sorted(protected.merging.stands.items())
    ]  # fmt: skip


def _description(disclosed: Disclosed) -> str:
    import yaml  # noqa: PLC0415 - heavy

    content: dict[str, Any] = {
        "profile": disclosed.profile.name,
        "hierarchy": ["<".join(chain) for chain in disclosed.chains],
        "categories": [*disclosed.asked.categories],
        "count": COUNT,
        "status": STATUS,
        "files": "csv/*.csv",
    }
    words = "# What 'lsoalink attack' has to know to audit this folder.\n"
    return words + str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def _facts(disclosed: Disclosed, candidate: str, title: str) -> CertificateFacts:
    asked, protected, profile = disclosed.asked, disclosed.protected, disclosed.profile
    cells, found = protected.cells, protected.examination
    # What surely is no small count is not sensitive, however exactly it is known; and what others
    # give away is stated apart, since no width of it is this table's doing.
    sensitive = found.lower < found.demand.below
    sensitive &= ~np.isin(found.targets, protected.known_otherwise)
    widths = found.widths[sensitive]
    at = found.targets[sensitive]
    levels = Counter(cells.columns["level"][at].tolist())
    name = asked.table.stem
    solver, _, version = found.solver.partition(" ")
    public = (f"exact totals named in {asked.public.name}",) if asked.public is not None else ()
    return CertificateFacts(
        release_id=f"{name} ({profile.name})",
        candidate=candidate,
        region_id=name,
        region_title=title or name,
        synthetic="",
        made_on=dt.datetime.now(tz=dt.UTC).date(),
        code_version=code_version(),
        profiles=(
            ProfileFacts(
                profile.name, profile.title, profile.in_words, tuple(_rules(disclosed)),
                profile.safe.width,
            ),
        ),
        examined=tuple(
            Examined(COUNT, name, level, profile.name, number)
            for level, number in sorted(levels.items())
        ),
        widths=tuple(
            WidthCount(profile.name, width, number)
            for width, number in Counter(_width(w) for w in widths.tolist()).items()
        ),
        exposed=tuple(_most_exposed(disclosed, at, widths)),
        public_totals=public,
        insider=asked.insider,
        # No release came before: the table was attacked by itself and with the public totals.
        ledger_head=GENESIS,
        earlier_releases=0,
        solver=Solver(
            solver, version, tuple(sorted(found.tolerances.items())),
            found.linear_programmes, found.integer_programmes,
        ),
        lost=_lost(disclosed),
        coarsened=tuple(_coarsened_cells(disclosed)),
        publicly_exposed=tuple(
            PubliclyExposed(
                *_place(disclosed, int(cell)), "",
                asked.public.name if asked.public is not None else "",
            )
            for cell in protected.known_otherwise
        ),
        withheld=tuple(_withheld(disclosed)),
    )  # fmt: skip


def _rules(disclosed: Disclosed) -> list[str]:
    rules = []
    if disclosed.asked.absent_missing:
        rules.append("Combinations without a row are missing, marked [x].")
    else:
        rules.append("Combinations without a row are counts of 0.")
    if disclosed.profile.class_disclosure and not disclosed.asked.class_disclosure:
        rules.append(
            "Contrary to the profile, a small group that is wholly in one category may be seen."
        )
    larger = [n for n in disclosed.protected.merging.stands.values() if n.level != MERGED]
    if larger:
        rules.append(
            f"{len(larger):,} areas are given for a larger area only; coarsened.csv names all."
        )
    return rules


def _lost(disclosed: Disclosed) -> Lost:
    protected = disclosed.protected
    cells, shown = protected.cells, protected.shown
    own = ~protected.withheld & ~cells.missing
    hidden = own & np.isnan(shown.values)
    plain = own & ~hidden
    change = np.abs(shown.values[plain] - cells.counts[plain])
    return Lost(
        cells=int((own | protected.withheld).sum()),
        hidden=int(hidden.sum()),
        coarsened=int(protected.withheld.sum()),
        # Their sum would be one more figure, which nobody has attacked the table with.
        hidden_total=None,
        mean_change=float(change.mean()) if len(change) else None,
    )


def _most_exposed(
    disclosed: Disclosed, at: NDArray[np.int64], widths: NDArray[np.float64]
) -> list[ExposedCell]:
    order = np.lexsort((at, widths))[:10]
    return [
        ExposedCell(*_place(disclosed, int(at[i])), "", _width(float(widths[i]))) for i in order
    ]


def _coarsened_cells(disclosed: Disclosed) -> list[CoarsenedCell]:
    kinds: Mapping[str, Coarsening] = {"merged": "pair", "msoa": "msoa"}
    found = []
    for node, standing in sorted(disclosed.protected.merging.stands.items()):
        kind = next((k for start, k in kinds.items() if standing.level.startswith(start)), None)
        if kind is not None:
            why = REASONS.get(disclosed.protected.reasons.get(node, ""), "a neighbour's figures")
            found.append(CoarsenedCell(node.area, node.area, COUNT, "", kind, standing.area, why))
    return found


def _withheld(disclosed: Disclosed) -> list[Withheld]:
    protected = disclosed.protected
    cells = protected.cells
    leaf = disclosed.chains[0][0]
    gone = (np.isnan(protected.shown.values) & ~cells.missing) | protected.withheld
    at = (cells.columns["level"] == leaf) & gone
    counted = Counter(cells.columns["area"][at].tolist())
    names: Sequence[Node] = [n for n in nodes_of(cells) if n.level == leaf]
    return [Withheld(n.area, n.area, counted[n.area]) for n in names]


def _place(disclosed: Disclosed, cell: int) -> tuple[str, str, str]:
    """Return a cell's area code, its name, and what is counted in it, in words."""
    columns = disclosed.protected.cells.columns
    area = str(columns["area"][cell])
    words = ", ".join(f"{n}: {columns[n][cell]}" for n in disclosed.protected.cells.categories)
    return area, area, words or COUNT


def _width(width: float) -> int | None:
    return int(width) if np.isfinite(width) else None
