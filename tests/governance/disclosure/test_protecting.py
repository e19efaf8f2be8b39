"""Protecting one table: the steps by which detail is given up, and what the library refuses."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from declarations.errors import DisclosureError
from governance.disclosure.profiles import Profile, Rounding, SafeInterval, profile
from governance.disclosure.tables.linked import LinkedTable, linked_table
from governance.disclosure.tables.merging import MERGED, Merging, Node, merged_table, nesting_of
from governance.disclosure.tables.protecting import Request, protect_table

CHAINS = [["lsoa21cd", "msoa21cd"]]
AREAS: dict[str, list[str | None]] = {
    "lsoa21cd": ["A", "B", "C", "D", "E", "F"],
    "msoa21cd": ["M", "M", "M", "M", "N", "N"],
}


def linked(counts: list[int]) -> LinkedTable:
    data = pa.table({**AREAS, "n": pa.array(counts, pa.int64())})
    return linked_table(data, count="n", hierarchies=CHAINS)


def request(counts: list[int], chosen: Profile, public: tuple[str, ...] = ()) -> Request:
    table = linked(counts)
    known = np.isin(table.columns["area"], public)
    return Request(table, nesting_of(AREAS, CHAINS), chosen, known)


def test_detail_is_given_up_in_order() -> None:
    merging = Merging(nesting_of(AREAS, CHAINS))
    one = Node("lsoa21cd", "B")
    assert merging.step(one)
    pair = Node(MERGED, "B+C")
    assert merging.pairs == {pair: (one, Node("lsoa21cd", "C"))}
    assert merging.step(pair)
    assert not merging.pairs
    assert {n.area for n in merging.stands} == {"A", "B", "C", "D"}
    assert set(merging.stands.values()) == {Node("msoa21cd", "M")}
    assert merging.step(one)
    assert Node("msoa21cd", "M") in merging.stands
    # In the end nothing is left, and then there is no further step.
    steps = 0
    while merging.step(one):
        steps += 1
        assert steps < 20
    assert {n.area for n in merging.stands} == {"A", "B", "C", "D", "E", "F", "M", "N", "total"}


def test_two_areas_of_one_parent_are_not_paired() -> None:
    merging = Merging(nesting_of(AREAS, CHAINS))
    assert merging.step(Node("lsoa21cd", "E"))
    assert not merging.pairs
    assert merging.stands[Node("lsoa21cd", "F")] == Node("msoa21cd", "N")


def test_a_merged_area_is_a_cell_that_adds_up() -> None:
    merging = Merging(nesting_of(AREAS, CHAINS))
    merging.step(Node("lsoa21cd", "A"))
    counts = [10, 20, 30, 40, 50, 60]
    table = merged_table(linked(counts), merging)
    (pair,) = table.where(level=MERGED)
    assert table.counts[pair] == 30
    full = linked(counts)
    exact = np.append(full.counts, 30)
    assert not (table.A @ exact).any()
    # One of the equations has the pair in place of its members.
    (whole,) = table.where(area="M")
    rows = table.A[:, pair].toarray().ravel() == -1
    assert (table.A[:, whole].toarray().ravel()[rows] == 1).any()
    assert {str(a) for a in table.columns["area"][table.missing]} == {"A", "B"}


def test_controlled_rounding_adds_up_and_is_attacked_as_such() -> None:
    chosen = profile("midpoint-6").model_copy(
        update={
            "rounding": Rounding(kind="controlled", base=5),
            "safe": SafeInterval(width=4, outside=False),
        }
    )
    done = protect_table(request([12, 3, 8, 21, 14, 9], chosen))
    shown = done.shown
    assert not (done.cells.A @ shown.values).any()
    assert set(shown.values % 5) == {0}
    assert (np.abs(shown.values - done.cells.counts) < 5).all()


def test_what_is_public_already_is_said_and_not_mended() -> None:
    done = protect_table(request([12, 3, 28, 21, 14, 9], profile("hide0-r5"), ("B",)))
    (cell,) = done.known_otherwise
    assert done.cells.columns["area"][cell] == "B"
    assert not done.examination.failed.any()


def test_record_keys_and_noise_go_together() -> None:
    with pytest.raises(DisclosureError, match="record keys"):
        protect_table(request([12, 3, 8, 21, 14, 9], profile("ckm")))
