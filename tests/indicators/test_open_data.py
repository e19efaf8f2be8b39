"""Our transformation and weighting against the published Index of Multiple Deprivation 2025."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from declarations.indicators import Component
from indicators.composite import composite

OPEN_DATA = Path(
    os.environ.get("LSOALINK_OPEN_DATA")
    or Path(__file__).resolve().parents[2].parent / "shared" / "open-data"
)
DEPRIVATION = OPEN_DATA / "imd" / "imd2025_england_lsoa21.csv"
# Domain weights of the Indices of Deprivation 2019, unchanged in 2025, in per cent.
WEIGHTS = {
    "Income": 22.5, "Employment": 22.5, "Education": 13.5, "Health": 13.5, "Crime": 9.3,
    "Housing_and_Services": 9.3, "Environment": 9.3,
}  # fmt: skip


@pytest.mark.open_data
def test_the_published_index_comes_out_of_its_published_domains():
    if not DEPRIVATION.exists():
        pytest.skip("the open-data folder with the 2025 deprivation file is not here")
    with DEPRIVATION.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    # Published ranks have 1 for the most deprived area, so the low end is the worse one.
    ids = {domain: f"A{i:02d}" for i, domain in enumerate(WEIGHTS)}
    values = {ids[d]: np.array([float(r[f"{d}_rank"]) for r in rows]) for d in WEIGHTS}
    parts = [
        Component(indicator=ids[d], component=d.lower(), weight=w, worse="low", rationale="test")
        for d, w in WEIGHTS.items()
    ]
    result = composite(values, parts)
    published = np.array([float(r["IMD_score"]) for r in rows])
    # The published weights are rounded to one decimal and sum to 100.1.
    np.testing.assert_allclose(result.scores, published, atol=0.15)
