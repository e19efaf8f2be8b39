"""What an attacker gets from perturbed counts: what is promised, and what is not.

The tables here are of synthetic people.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from governance.disclosure.cell_key.entropy import maximum_entropy_table
from governance.disclosure.cell_key.perturbation import perturb, perturb_cells
from governance.disclosure.cell_key.ptable import bounds
from governance.disclosure.cell_key.record_keys import record_keys

SECRET = bytes(range(7, 39))
VARIANCE = 3.0
TABLE = maximum_entropy_table(5, VARIANCE, 2)
CELLS = 20_000


@pytest.fixture(scope="module")
def pairs() -> tuple[np.ndarray, np.ndarray]:
    """Published counts of 20,000 cells of 20 to 60 people, without and with one person more."""
    rng = np.random.default_rng(20)
    sizes = rng.integers(20, 61, CELLS)
    keys = record_keys((f"synthetic-{i}" for i in range(int(sizes.sum()) + CELLS)), SECRET)
    ends = np.cumsum(sizes)
    sums = np.diff(np.concatenate(([0], np.cumsum(keys[: ends[-1]], dtype=np.int64)[ends - 1])))
    more = keys[ends[-1] :].astype(np.int64)
    return perturb_cells(sizes, sums, TABLE), perturb_cells(sizes + 1, sums + more, TABLE)


def test_asking_again_averages_nothing() -> None:
    """Sixty tables that hold the cell, in any order of records and beside any others: one noise."""
    rng = np.random.default_rng(21)
    size = 400
    records = pa.table(
        {
            "area": ["a"] * 37 + ["b"] * (size - 37),
            "sex": rng.choice([1, 2], size),
            "rk": record_keys((f"synthetic-{i}" for i in range(size)), SECRET),
        }
    )
    asked = set()
    for i in range(60):
        table = perturb(
            records.take(rng.permutation(size)),
            ["area"],
            "rk",
            TABLE,
            domains={"area": ["a", "b", *(f"unused {n}" for n in range(i % 5))]},
        )
        asked.add(table["count"][0].as_py())

    assert len(asked) == 1


def test_the_difference_of_one_person_is_drowned(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    """It is 1 plus the difference of two independent noises: variance 2 V, within 2 D."""
    without, with_one = pairs
    difference = with_one - without
    error = 6 / np.sqrt(CELLS)

    assert difference.mean() == pytest.approx(1, abs=error * np.sqrt(2 * VARIANCE))
    assert difference.var() == pytest.approx(2 * VARIANCE, rel=2 * error)
    assert np.abs(difference - 1).max() <= 10
    # Rightly 1 about as often as the two noises agree; and quite often the person seems to have
    # been taken away.
    shares = np.bincount(TABLE.noise[100] + 5, minlength=11) / 256
    assert (difference == 1).mean() == pytest.approx((shares**2).sum(), abs=error)
    assert (difference < 0).mean() > 0.15
    assert (difference == 0).mean() > 0.1


def test_noise_before_and_after_is_independent(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    """Otherwise a difference would tell more than its variance says."""
    rng = np.random.default_rng(20)
    sizes = rng.integers(20, 61, CELLS)
    before, after = pairs[0] - sizes, pairs[1] - sizes - 1

    assert abs(np.corrcoef(before, after)[0, 1]) < 6 / np.sqrt(CELLS)


def test_a_changed_number_proves_that_somebody_changed(
    pairs: tuple[np.ndarray, np.ndarray],
) -> None:
    """Not promised: the same people always give the same number, so another number is a sign."""
    without, with_one = pairs

    assert (without != with_one).mean() > 0.8


def test_the_count_between_two_areas_stays_uncertain(
    pairs: tuple[np.ndarray, np.ndarray],
) -> None:
    """From bounds of both cells the attacker knows the one person between them within 4 D."""
    without, with_one = pairs
    for small, great in zip(without[:500].tolist(), with_one[:500].tolist(), strict=True):
        (low, high), (low_more, high_more) = bounds(small, TABLE), bounds(great, TABLE)
        least, most = low_more - high, high_more - low
        assert least <= 1 <= most
        assert most - least == 20


def test_with_other_record_keys_in_each_release_the_noise_averages_away() -> None:
    """Why the secret must last: the mean of releases with a new secret each is the truth."""
    people = [f"synthetic-{i}" for i in range(37)]

    def published(secret: bytes) -> int:
        key_sum = int(record_keys(people, secret).sum(dtype=np.int64))
        return int(perturb_cells([37], [key_sum], TABLE)[0])

    changing = [published(bytes([i]) * 32) for i in range(200)]
    lasting = [published(SECRET) for _ in range(200)]

    assert len(set(changing)) > 5
    assert round(float(np.mean(changing))) == 37
    assert len(set(lasting)) == 1


def test_many_ways_to_divide_one_cell_average_to_its_count() -> None:
    """Not promised: parts of other divisions carry other noise, and their sums surround the truth.

    So the number of tables about the same people must stay small.
    """
    rng = np.random.default_rng(22)
    count, divisions = 37, 400
    keys = record_keys((f"synthetic-{i}" for i in range(count)), SECRET).astype(np.int64)
    halves = rng.random((divisions, count)) < 0.5
    parts = perturb_cells(halves.sum(axis=1), halves @ keys, TABLE)
    others = perturb_cells((~halves).sum(axis=1), (~halves) @ keys, TABLE)
    estimates = parts + others

    assert estimates.std() == pytest.approx(np.sqrt(2 * VARIANCE), rel=0.2)
    assert round(float(estimates.mean())) == count


def test_published_parts_do_not_add_up_to_the_published_whole() -> None:
    """Not promised: noise of a margin is its own."""
    rng = np.random.default_rng(23)
    counts = rng.integers(1, 60, (300, 6))
    sums = np.array([[int(rng.integers(0, 256, n).sum()) for n in row] for row in counts])
    parts = perturb_cells(counts, sums, TABLE).sum(axis=1)
    whole = perturb_cells(counts.sum(axis=1), sums.sum(axis=1), TABLE)

    assert (parts != whole).mean() > 0.5
    assert np.abs(parts - whole).max() <= 7 * 5
