"""The same counts as the method's own implementation by the Office for National Statistics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from governance.disclosure.cell_key.entropy import maximum_entropy_table
from governance.disclosure.cell_key.perturbation import perturb
from governance.disclosure.cell_key.ptable import PerturbationTable, ten_five_table

peer = pytest.importorskip(
    "cell_key_perturbation.create_perturbed_table",
    reason="the package cell-key-perturbation, to compare with, is not installed",
)

TABLES = {
    "10-5": ten_five_table(),
    "10-5 of 4096": ten_five_table(4096),
    "random 256": maximum_entropy_table(5, 3.0, 2),
    "random 4096": maximum_entropy_table(3, 2.0, 0, 4096),
}


def as_frame(table: PerturbationTable) -> pd.DataFrame:
    rows, keys = np.mgrid[1:751, 0 : table.keys]
    return pd.DataFrame(
        {"pcv": rows.ravel(), "ckey": keys.ravel(), "pvalue": table.noise[1:].ravel().astype(int)}
    )


@pytest.mark.parametrize("threshold", [0, 10])
@pytest.mark.parametrize("by", [("area",), ("area", "sex"), ("area", "sex", "age"), ("sex", "age")])
@pytest.mark.parametrize("name", TABLES)
def test_identical_counts(name: str, by: tuple[str, ...], threshold: int) -> None:
    """9,000 synthetic records: cells of none, of a few, and of more than 750."""
    table = TABLES[name]
    rng = np.random.default_rng(len(by) + table.keys)
    size = 9_000
    frame = pd.DataFrame(
        {
            "area": np.minimum(rng.geometric(0.4, size), 30),
            "sex": rng.choice([1, 2], size, p=[0.9, 0.1]),
            "age": rng.choice(5, size, p=[0.4, 0.3, 0.2, 0.08, 0.02]),
            "rk": rng.integers(0, table.keys, size),
        }
    )
    geography = ["area"] if "area" in by else []
    theirs = peer.create_perturbed_table(
        frame, as_frame(table), geography, [c for c in by if c != "area"], "rk", threshold=threshold
    )
    ours = perturb(
        pa.Table.from_pandas(frame),
        by,
        "rk",
        table,
        domains={c: sorted(frame[c].unique().tolist()) for c in by},
        threshold=threshold,
    )
    expected = {
        tuple(row[: len(by)]): None if pd.isna(row[-1]) else int(row[-1])
        for row in theirs[[*by, "count"]].itertuples(index=False)
    }
    found = {tuple(row[c] for c in by): row["count"] for row in ours.to_pylist()}

    assert theirs["pre_sdc_count"].max() > 750
    assert found == expected


def test_the_ten_five_table_is_theirs() -> None:
    from cell_key_perturbation.utils.generate_test_ptable import generate_ptable_10_5_rule

    theirs = generate_ptable_10_5_rule()

    pd.testing.assert_frame_equal(theirs, as_frame(ten_five_table()), check_dtype=False)
