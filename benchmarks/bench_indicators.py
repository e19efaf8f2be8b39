"""All indicators of a region, for all periods and levels, against one bare sum over its counts.

Three parts, each made anew from what stands in the data folder: the counted indicators (numerators,
denominators, rates, intervals), what protection costs (the attack included), and everything that is
made from the published figures. The baseline adds up the same counts by area, month and measure
once. The region must have been run before; nothing of its data is changed: tables are made in a
copy that is thrown away.
Run it with: python benchmarks/bench_indicators.py west-midlands --data-dir DIR --open-data DIR
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from indicators.counting import counts_table
from indicators.tables import build_theme, gather_counts, sources_needed, themes
from pipelines.regions import open_region
from pipelines.resources import open_workspace
from publishing.derived import derive
from publishing.protection import protect_themes
from warehouse.workspace import Workspace

MADE = ("indicator_", "protected_", "derived_", "attack", "withheld_", "statements_")


def forget(workspace: Workspace) -> None:
    """Remove every table that is to be made again."""
    for folder in (workspace.root / "linked").iterdir():
        if folder.name.startswith(MADE):
            shutil.rmtree(folder)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bare_sums(workspace: Workspace) -> int:
    """Add up every count the indicators use, once."""
    sources = {s.id: s for theme in themes(workspace) for s in sources_needed(workspace, theme)}
    counted = [
        s for s in sources.values()
        if workspace.declared.contract_of(s).kind != "statistics"
        and any(workspace.lake.path(counts_table(s), p).is_file()
                for p in workspace.expected_periods(s))
    ]  # fmt: skip
    with workspace.connect() as connection:
        gather_counts(workspace, connection, counted)
        rows = connection.execute(
            "SELECT lsoa21cd, period, measure, category, sum(value) FROM counts GROUP BY ALL"
        ).fetchall()
    return len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("region", nargs="?", default="west-midlands")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--open-data", type=Path)
    options = parser.parse_args()
    declared = open_region(options.region)
    with tempfile.TemporaryDirectory(prefix="lsoalink-bench-") as folder:
        copy = Path(folder) / "data"
        shutil.copytree(options.data_dir / declared.region.id, copy / declared.region.id,
                        symlinks=True)  # fmt: skip
        for name in ("keys", ".keys"):
            if (options.data_dir / name).exists():
                shutil.copytree(options.data_dir / name, copy / name)
        workspace = open_workspace(declared, copy, options.open_data)
        timed(lambda: bare_sums(workspace))
        baseline = timed(lambda: bare_sums(workspace))
        forget(workspace)
        parts = {
            "counted indicators": timed(
                lambda: [build_theme(workspace, theme) for theme in themes(workspace)]
            ),
            "protection and attack": timed(lambda: protect_themes(workspace)),
            "what is made from them": timed(lambda: derive(workspace)),
        }
    print(f"{declared.region.id}: {len(declared.indicators)} indicators")
    print(f"{'bare sums of the counts':26}{baseline:8.2f} s       1.0")
    for name, seconds in parts.items():
        print(f"{name:26}{seconds:8.2f} s  {seconds / baseline:8.1f}")
    indicators = parts["counted indicators"] + parts["what is made from them"]
    print(f"{'all indicators':26}{indicators:8.2f} s  {indicators / baseline:8.1f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
