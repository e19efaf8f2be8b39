"""A whole run from nothing against a second run with nothing new, and against one changed file.

The same synthetic region in one process after another: how much the second run saves, and what one
re-delivered file costs. Peak memory is that of the largest process.
Run it with: python benchmarks/bench_run.py
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def timed(arguments: list[str], folder: Path) -> float:
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    environment = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"}
    root = Path(__file__).resolve().parent.parent
    started = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env={**environment, "PYTHONPATH": str(root)}, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="work in this folder and keep it")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="lsoalink-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    try:
        first = timed(["run", "arden", "--data-dir", str(data)], folder)
        second = timed(["run", "arden", "--data-dir", str(data)], folder)
        name = "northwood_digital_contacts/digital_contacts_2026-03.csv"
        file = data / "arden" / "landing" / name
        file.write_bytes(file.read_bytes().rsplit(b"\n", 2)[0] + b"\n")
        changed = timed(["run", "arden", "--data-dir", str(data)], folder)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"from nothing          {first:8.1f} s      1.000")
        print(f"nothing new           {second:8.1f} s   {second / first:8.3f}")
        print(f"one file delivered    {changed:8.1f} s   {changed / first:8.3f}")
        print(f"peak memory           {peak:8.0f} MiB")
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
