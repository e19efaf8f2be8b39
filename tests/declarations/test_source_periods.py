"""The months between which a source is expected."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from declarations.contracts import Source

SOURCE = {
    "id": "cases",
    "title": "Cases (synthetic)",
    "agency": "Nobody (synthetic)",
    "agreement": "DSA-TEST",
    "contract": "case_list",
    "theme": "context",
    "cadence": "monthly",
    "files": "cases_{period}.csv",
}


def test_a_source_may_end() -> None:
    source = Source.model_validate({**SOURCE, "first_period": "2025-03", "last_period": "2025-03"})
    assert (source.first_period, source.last_period) == ("2025-03", "2025-03")
    assert Source.model_validate(SOURCE).last_period is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first_period": "2025-03", "last_period": "2025-02"}, "before first_period"),
        ({"last_period": "2025"}, "YYYY-MM"),
        ({"cadence": "once", "files": "c.csv", "last_period": "2025-03"}, "not a first_period or"),
    ],
)
def test_months_that_contradict_each_other_are_refused(
    changes: dict[str, str], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Source.model_validate({**SOURCE, **changes})
