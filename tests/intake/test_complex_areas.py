"""Complex changes are weighed by output areas, where the lookup says both LSOAs of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from region_factory import CHANGES, put, receive, region_content, rows_of

from intake.admission import admit
from intake.reference import build_reference, reference_table
from intake.reference_plan import inputs_of
from warehouse.workspace import Workspace

COLUMNS = ("oa21cd", "lsoa21cd", "lsoa11cd", "oa_residents")
REDRAWN = [
    *(c for c in CHANGES if c[1] not in ("E01990004", "E01990006")),
    *((old, new, "X") for old in ("E01980007", "E01980008") for new in ("E01990004", "E01990006")),
]
OUTPUT_AREAS = [
    "E00990001,E01990004,E01980007,120",
    "E00990002,E01990004,E01980007,30",
    "E00990003,E01990006,E01980007,40",
    "E00990004,E01990006,E01980008,200",
]


def region_with_output_areas(columns: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    content = region_content()
    content["contracts/mere_oas.yaml"] = {
        "id": "mere_oas", "title": "Output areas", "specification": "made up for tests",
        "kind": "reference", "role": "output_areas", "key": ["oa21cd"],
        "columns": [
            {"name": c, "type": "integer" if c == "oa_residents" else "text"} for c in columns
        ],
    }  # fmt: skip
    content["sources/oas.yaml"] = {
        **content["sources/changes.yaml"], "id": "oas", "contract": "mere_oas", "files": "oas.csv",
    }  # fmt: skip
    content["agreements/OGL-TM-OPEN.yaml"]["sources"].append(
        {
            "id": "oas",
            "columns": [{"name": c, "class": "reference", "action": "keep"} for c in columns],
        }
    )
    return content


@pytest.mark.parametrize(
    ("columns", "weights"),
    [
        # The pair of E01980008 and E01990004 has no output area: it weighs nothing.
        (COLUMNS, [150, 40, 0, 200]),
        (COLUMNS[:2], [None, None, None, None]),
    ],
)
def test_complex_pairs_have_weights_where_output_areas_say_both_areas(
    make_mere: Callable[..., Workspace], columns: tuple[str, ...], weights: list[int | None]
) -> None:
    mere = make_mere(region_with_output_areas(columns))
    put(
        mere.landing, "changes", "changes.csv",
        ["lsoa11cd,lsoa21cd,chgind", *map(",".join, REDRAWN)],
    )  # fmt: skip
    put(
        mere.landing, "oas", "oas.csv",
        [",".join(line.split(",")[: len(columns)]) for line in [",".join(COLUMNS), *OUTPUT_AREAS]],
    )  # fmt: skip
    for source in inputs_of(mere.declared, "lsoa_changes"):
        receive(mere, source.id)
        admit(mere, source, "all")

    assert build_reference(mere, "lsoa_changes").outcome == "built"

    found = {
        (r["lsoa11cd"], r["lsoa21cd"]): r["weight"]
        for r in rows_of(mere, reference_table("lsoa_changes"))
        if r["chgind"] == "X"
    }
    assert [found[pair] for pair in sorted(found)] == weights


def test_output_areas_that_did_not_come_leave_complex_pairs_without_weights(
    make_mere: Callable[..., Workspace],
) -> None:
    mere = make_mere(region_with_output_areas(COLUMNS))
    for source in inputs_of(mere.declared, "lsoa_changes"):
        receive(mere, source.id)
        admit(mere, source, "all")

    assert build_reference(mere, "lsoa_changes").outcome == "built"
    assert build_reference(mere, "output_areas").outcome == "absent"
    rows = rows_of(mere, reference_table("lsoa_changes"))
    assert len(rows) == len(CHANGES)
