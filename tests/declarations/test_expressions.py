"""Expressions over declared counts: what is read, and what is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from declarations.expressions import Term

READ = {
    "cases_opened": [("cases_opened", None)],
    "  cases_opened  ": [("cases_opened", None)],
    "cases_opened + cases_moved": [("cases_opened", None), ("cases_moved", None)],
    "cases_opened[web, phone]": [("cases_opened", ["web", "phone"])],
    "ends[Secured*]": [("ends", ["Secured*"])],
    'ends["Secured for 6+ months*", "Not known"]': [
        ("ends", ["Secured for 6+ months*", "Not known"])
    ],
    'ends["a, b", c] + starts': [("ends", ["a, b", "c"]), ("starts", None)],
    'ends["[odd]"]': [("ends", ["[odd]"])],
}

REFUSED = {
    "": "names no measure",
    "cases_opened +": "names no measure",
    "cases_opened - cases_moved": "sum of measures",
    "cases_opened / cases_moved": "sum of measures",
    "cases_opened * 2": "sum of measures",
    "cases_opened cases_moved": "sum of measures",
    "cases_opened[": "sum of measures",
    "cases_opened[]": "no list of categories",
    "cases_opened[web,]": "no list of categories",
    "cases_opened[web; phone]": "comma is missing",
    "cases_opened[6+ months]": "comma is missing",
    "cases_opened + cases_opened[web]": "stands twice",
    "H01": "is an indicator; a rate is made from counts",
    "H11a[web]": "is an indicator; a rate is made from counts",
    "Cases": "pattern",
}


@pytest.mark.parametrize("text", READ)
def test_what_an_expression_sums(text: str) -> None:
    term = Term.model_validate(text)

    assert [(s.measure, s.categories) for s in term.summands] == READ[text]
    assert term.measures == [measure for measure, _ in READ[text]]
    assert [term.categories_of(m) for m in term.measures] == [c for _, c in READ[text]]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_sum_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=REFUSED[text]):
        Term.model_validate(text)


NAMES = st.from_regex(r"[a-z][a-z0-9_]{1,8}", fullmatch=True)
CATEGORIES = st.text(
    st.characters(codec="utf-8", exclude_characters='"', exclude_categories=("Cc", "Cs")),
    min_size=1, max_size=12,
).map(str.strip).filter(bool)  # fmt: skip


@settings(deadline=None)
@given(
    st.dictionaries(
        NAMES, st.none() | st.lists(CATEGORIES, min_size=1, max_size=3), min_size=1, max_size=4
    )
)
def test_what_is_written_is_read_again(summands: dict[str, list[str] | None]) -> None:
    term = Term.model_validate(
        {"summands": [{"measure": m, "categories": c} for m, c in summands.items()]}
    )

    assert Term.model_validate(str(term)) == term
