"""The files of a synthetic region, made by a process of their own.

Belongs here: which generator a region names, and running it beside the process that needs its
files, which meanwhile loads its libraries. Does not belong here: the generators (``synthetic/``).
Run as ``python -m pipelines.generating GENERATOR LANDING [OPEN_DATA]``; it prints one JSON object.
"""

from __future__ import annotations

import importlib
import json
import logging
import subprocess
import sys
from pathlib import Path

from declarations import errors
from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError, LsoalinkError, StorageError
from pipelines.regions import landing_of
from pipelines.settings import Settings
from warehouse.lake import write_atomically
from warehouse.provenance import fingerprint

progress = logging.getLogger("lsoalink.progress")

NEEDED_LATER = (
    "dagster", "great_expectations", "great_expectations.expectations", "pipelines.build",
    "duckdb", "pyarrow.parquet", "geopandas", "scipy.stats", "jinja2", "pyogrio",
    "intake.admission", "intake.location", "indicators.tables", "publishing.release",
)  # fmt: skip
"""What a run imports anyway; loaded while the files are made."""


def generate(declared: RegionDeclarations, settings: Settings) -> bool:
    """Make the files of a synthetic region that lands its own, if they are not there yet.

    Returns
    -------
    bool
        Whether they were made now.

    Raises
    ------
    LsoalinkError
        Whatever the generator raised.
    """
    generator = declared.region.generator
    if generator is None:
        return False
    landing = landing_of(declared, settings.data_dir)
    record = landing.parent / "generated.json"
    wanted = json.dumps({"generator": generator, "code": _version()}, sort_keys=True)
    if record.is_file() and record.read_text(encoding="utf-8") == wanted:
        return False
    command = [sys.executable, "-m", "pipelines.generating", generator, str(landing.absolute())]
    if settings.open_data is not None:
        command.append(str(settings.open_data.absolute()))
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        try:
            _load_libraries()
            answer, _ = child.communicate()
        except BaseException:
            child.terminate()
            raise
    made = _answer(answer, generator)
    progress.info("generated", extra={"stage": "generated", **made})
    write_atomically(record, wanted.encode())
    return True


def _load_libraries() -> None:
    """Import what a run needs anyway and what takes seconds to import."""
    for name in NEEDED_LATER:
        importlib.import_module(name)


def _answer(text: str, generator: str) -> dict[str, int]:
    try:
        content = json.loads(text)
    except ValueError:
        raise StorageError(f"The generator {generator} ended without a result") from None
    if "error" in content:
        kind = getattr(errors, content["error"], StorageError)
        raise kind(content["problem"], content["fix"])
    return {"made": int(content["files"]), "rows": int(content["rows"])}


def _version() -> str:
    root = Path(__file__).resolve().parent.parent / "synthetic"
    return fingerprint(p.read_text(encoding="utf-8") for p in sorted(root.rglob("*.py")))


def make_files(generator: str, landing: Path, open_data: Path | None) -> tuple[int, int]:
    """Run a generator; return how many files and rows it made.

    Raises
    ------
    ConfigurationError
        If it needs published files and none were given.
    """
    if generator == "arden":
        from synthetic.arden import synthesise  # noqa: PLC0415

        arden = synthesise(landing)
        return arden.files, arden.rows
    from synthetic.calibrated import synthesise_cases  # noqa: PLC0415

    if open_data is None:
        raise ConfigurationError(
            "The cases are made to fit published totals, and no folder of published files was "
            "given",
            "Add --open-data FOLDER, or set LSOALINK_OPEN_DATA",
        )
    cases = synthesise_cases(open_data, landing)
    return cases.files, cases.rows


def main(arguments: list[str]) -> None:
    """Run a generator and print what it made, or the error it raised."""
    generator, landing, *rest = arguments
    try:
        files, rows = make_files(generator, Path(landing), Path(rest[0]) if rest else None)
        answer: dict[str, object] = {"files": files, "rows": rows}
    except LsoalinkError as error:
        answer = {"error": type(error).__name__, "problem": error.problem, "fix": error.fix}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
