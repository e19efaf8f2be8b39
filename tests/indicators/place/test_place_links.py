"""Links between areas with a figure: what is left out, and the weights of libpysal."""

from __future__ import annotations

import numpy as np
import pytest

from declarations.errors import LsoalinkError
from indicators.place.links import links_between

PAIRS = [("A", "B"), ("B", "A"), ("B", "C"), ("C", "B"), ("C", "D"), ("D", "C")]


def named(codes: str, pairs: list[tuple[str, str]]) -> set[tuple[str, str]]:
    links = links_between(codes, pairs)
    return set(zip(links.codes[links.first], links.codes[links.second], strict=True))


def test_an_area_without_a_figure_is_left_out_and_bridges_nothing() -> None:
    assert named("ABD", PAIRS) == {("A", "B"), ("B", "A")}
    assert links_between("ABD", PAIRS).number.tolist() == [1, 1, 0]


def test_order_and_repetition_change_nothing() -> None:
    one = links_between("ABCD", PAIRS)
    two = links_between("DCBA", [*PAIRS[::-1], *PAIRS, ("A", "A")])

    assert one.codes.tolist() == two.codes.tolist() == list("ABCD")
    assert one.first.tolist() == two.first.tolist() == [0, 1, 1, 2, 2, 3]
    assert one.second.tolist() == two.second.tolist() == [1, 0, 2, 1, 3, 2]


def test_an_area_beyond_the_edge_may_have_links_to_it_alone() -> None:
    links = links_between("ABX", [("A", "B"), ("B", "A"), ("A", "X")])

    assert links.number.tolist() == [2, 1, 0]


def test_the_weights_of_libpysal_are_binary_and_standardise_by_row() -> None:
    links = links_between("ABCDE", PAIRS)

    binary = links.graph().sparse.toarray()
    by_row = links.graph().transform("r").sparse.toarray()

    np.testing.assert_array_equal(
        binary, [[0, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 1, 0, 1, 0], [0, 0, 1, 0, 0], [0] * 5]
    )
    np.testing.assert_array_equal(by_row.sum(axis=1), [1, 1, 1, 1, 0])
    assert by_row[1, 2] == 0.5


def test_an_area_with_two_figures_is_refused() -> None:
    with pytest.raises(LsoalinkError, match="1 areas have two figures"):
        links_between("ABA", PAIRS)


def test_nothing_has_no_links() -> None:
    links = links_between("", [])

    assert links.number.tolist() == []
