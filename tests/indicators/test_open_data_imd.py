"""The published Index of Multiple Deprivation comes out of its published domain ranks."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from indicators.composite import compose
from indicators.composite.reference import reference_method

OPEN_DATA = Path(
    os.environ.get("LSOALINK_OPEN_DATA")
    or Path(__file__).resolve().parents[2].parent / "shared" / "open-data"
)
FOLDER = OPEN_DATA / "imd"
RANKS_2019 = "imd2019_england_lsoa11.csv"
SCORES_2019 = "imd2019_england_lsoa11_scores_subdomains_denominators.parquet"
BOTH_2025 = "imd2025_england_lsoa21.csv"
# Our names of the domains by those of the two files.
DOMAINS = {
    "income": ("Income", "Income"),
    "employment": ("Employment", "Employment"),
    "education": ("Education", "Education"),
    "health": ("Health", "Health"),
    "crime": ("Crime", "Crime"),
    "barriers": ("Housing_and_Access", "Housing_and_Services"),
    "living_environment": ("Environment", "Environment"),
}
PUBLISHED_TO = 0.002

pytestmark = pytest.mark.open_data


def rows_of(name):
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the open-data folder with {name} is not here")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def ranks_of(rows, year):
    return {
        ours: np.array([float(r[f"{theirs[year]}_rank"]) for r in rows])
        for ours, theirs in DOMAINS.items()
    }


def check(rows, year, published, areas):
    assert len(rows) == areas
    found = compose(reference_method("imd").recipe, ranks_of(rows, year))
    # Published scores have three decimals, so all that is to be seen is rounding.
    np.testing.assert_allclose(found.scores, published, rtol=0, atol=PUBLISHED_TO)
    # Ties of domain ranks hide digits that the official order still knew: two places at most.
    official = np.array([float(r["IMD_rank"]) for r in rows])
    np.testing.assert_allclose(found.ranks, official, rtol=0, atol=2)
    assert found.weight_present.min() == 1


def test_every_published_score_of_2019():
    rows = rows_of(RANKS_2019)
    if not (FOLDER / SCORES_2019).exists():
        pytest.skip(f"the open-data folder with {SCORES_2019} is not here")
    table = pq.read_table(FOLDER / SCORES_2019, columns=["LSOA11CD", "IMD"]).to_pydict()
    score = dict(zip(table["LSOA11CD"], table["IMD"], strict=True))
    published = np.array([score[r["lsoa11_code"]] for r in rows])
    check(rows, 0, published, 32_844)


def test_every_published_score_of_2025():
    rows = rows_of(BOTH_2025)
    check(rows, 1, np.array([float(r["IMD_score"]) for r in rows]), 33_755)
