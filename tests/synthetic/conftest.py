"""A small region with every fault in it, made once."""

import json
from datetime import date

import pandas as pd
import pytest

from synthetic.arden import SynthesisReport, synthesise
from synthetic.world import World, make_world

SETTINGS = {"lsoas": 60, "districts": 5}
SEED = 20261116


class Region:
    """Files of a synthetic region and what the generator says of them."""

    def __init__(self, landing, report: SynthesisReport) -> None:
        self.landing = landing
        self.report = report
        self.manifest = json.loads(report.manifest.read_text(encoding="utf-8"))

    def read(self, source: str, file: str, **options) -> pd.DataFrame:
        path = self.landing / source / file
        return pd.read_csv(path, dtype=str, keep_default_na=False, **options)

    def truth(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.landing.parent / "truth" / f"{name}.parquet")

    def fault(self, kind: str) -> dict:
        (found,) = [entry for entry in self.manifest["faults"] if entry["kind"] == kind]
        return found


@pytest.fixture(scope="session")
def region(tmp_path_factory) -> Region:
    landing = tmp_path_factory.mktemp("arden") / "landing"
    return Region(landing, synthesise(landing, seed=SEED, **SETTINGS))


@pytest.fixture(scope="session")
def world() -> World:
    return make_world(
        SEED,
        first_period="2024-11",
        last_period="2026-10",
        as_of=date(2026, 11, 16),
        **SETTINGS,
    )
