"""Every record gets its area or a reason, and nothing is lost or invented on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from region_factory import (
    AREAS,
    NO_FIXED_ABODE,
    NORTH,
    NOT_PLACED,
    OPENED,
    RESIDENTS,
    case_lines,
    put,
    region_content,
    rows_of,
    run_to_location,
)

from declarations.errors import ConfigurationError, GeographyError
from intake.accounting import ACCOUNTED, account
from intake.location import locate, located_table, weights_period
from intake.records import read_record
from warehouse.workspace import Workspace

Make = Callable[..., Workspace]
PERIOD = "2026-03"


def located(mere: Workspace, source: str, period: str = PERIOD) -> list[dict[str, Any]]:
    return rows_of(mere, located_table(mere.declared.sources[source]), period)


def accounting(mere: Workspace, source: str, period: str = PERIOD) -> dict[str, dict[str, Any]]:
    """Return amounts by quantity: what was received, what was placed how, and why not."""
    record = read_record(mere, "accounting", source, period)
    found: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(dict))
    for row in record["rows"] if record else []:
        found[row["quantity"]][row["outcome"]][row["detail"]] = row["amount"]
    return found


def closes(account: dict[str, Any]) -> bool:
    amounts = (sum(account[outcome].values()) for outcome in ACCOUNTED)
    return bool(account["received"] == {"all": sum(amounts)})


def test_cases_are_in_the_area_of_their_postcode(finished: Any) -> None:
    mere = finished.workspace

    counts: dict[str | None, int] = defaultdict(int)
    for row in [*located(mere, "north_cases"), *located(mere, "south_cases")]:
        counts[row["lsoa21cd"]] += 1
    assert counts == {**{k: v for k, v in OPENED.items() if v}, None: NOT_PLACED}


def test_the_address_is_gone_from_the_located_table(finished: Any) -> None:
    mere = finished.workspace

    assert "postcode" not in located(mere, "north_cases")[0]
    assert "lsoa" not in located(mere, "north_visits")[0]
    assert {"lsoa21cd", "lad24cd", "geo_method", "geo_reason"} <= set(
        located(mere, "north_cases")[0]
    )


def test_placed_not_placed_and_excluded_make_up_what_was_received(finished_copy: Workspace) -> None:
    lines = [
        *case_lines(
            [
                *({"person_id": f"p{n}", "postcode": "TM1 1AB"} for n in range(90)),
                {"person_id": "one", "postcode": NO_FIXED_ABODE},
                {"person_id": "two", "postcode": NO_FIXED_ABODE},
                {"person_id": "three", "postcode": ""},
                {"person_id": "four", "postcode": "TM9 9ZZ"},
                {"person_id": "five", "postcode": "not a postcode"},
                {"person_id": "twice"},
                {"person_id": "twice"},
                {"person_id": "=1+1"},
            ]
        ),
        "broken,row",
    ]
    put(finished_copy.landing, "north_cases", "cases_2026-03.csv", lines)
    run_to_location(finished_copy)

    account = accounting(finished_copy, "north_cases")["rows"]
    assert account == {
        "received": {"all": len(lines) - 1},
        "placed": {"postcode_exact": 91},
        "not placed": {
            "zz99_no_fixed_abode": 2, "postcode_missing": 1, "postcode_unknown": 1,
            "postcode_invalid": 1, "row_duplicate": 1, "row_formula": 1, "row_broken": 1,
        },
    }  # fmt: skip
    assert closes(account)
    assert len(located(finished_copy, "north_cases")) == len(lines) - 1 - 3


def test_a_record_that_is_not_placed_has_neither_area_nor_district(finished: Any) -> None:
    mere = finished.workspace

    lost = [r for r in located(mere, "south_cases") if r["lsoa21cd"] is None]

    assert [r["geo_reason"] for r in lost] == ["zz99_no_fixed_abode"] * NOT_PLACED
    assert [r["lad24cd"] for r in lost] == [None] * NOT_PLACED
    for row in located(mere, "north_cases"):
        assert (row["geo_reason"], row["lad24cd"]) == (None, AREAS[row["lsoa21cd"]][2])


def visits(mere: Workspace, rows: list[tuple[str, int]]) -> dict[str | None, int]:
    lines = ["lsoa,visits,visits_online", *(f"{code},{n},0" for code, n in rows)]
    put(mere.landing, "north_visits", "visits_2026-03.csv", lines)
    run_to_location(mere)
    found: dict[str | None, int] = defaultdict(int)
    for row in located(mere, "north_visits"):
        found[row["lsoa21cd"]] += row["visits"]
    return found


def test_codes_of_2011_are_noticed_and_converted(finished_copy: Workspace) -> None:
    found = visits(
        finished_copy,
        [("E01990001", 10), ("E01980002", 1000), ("E01980005", 20), ("E01980006", 30)],
    )

    whole = RESIDENTS["E01990002"] + RESIDENTS["E01990003"]
    assert found["E01990001"] == 10
    assert found["E01990005"] == 50  # merged: both parts
    assert found["E01990002"] + found["E01990003"] == 1000  # split: nothing lost
    assert abs(found["E01990002"] - 1000 * RESIDENTS["E01990002"] / whole) < 1
    record = read_record(finished_copy, "accounting", "north_visits", PERIOD)
    assert record is not None
    assert record["vintage"]["vintage"] == "2011"
    account = accounting(finished_copy, "north_visits")["visits"]
    assert closes(account)
    # A split area is apportioned; areas that are the same or merged are placed as a whole.
    assert account["apportioned"] == {"lsoa11_code": 1000}
    assert account["placed"] == {"lsoa11_code": 60}
    rows = accounting(finished_copy, "north_visits")["rows"]
    assert (rows["apportioned"], rows["placed"]) == ({"lsoa11_code": 1}, {"lsoa11_code": 3})


def test_codes_of_2021_are_left_as_they_are(finished_copy: Workspace) -> None:
    assert visits(finished_copy, [("E01990002", 7), ("E01990003", 8)]) == {
        "E01990002": 7,
        "E01990003": 8,
    }


def test_a_code_of_neither_vintage_is_not_placed_and_its_count_is_kept(
    finished_copy: Workspace,
) -> None:
    found = visits(finished_copy, [("E01990002", 7), ("E01990003", 8), ("E01777777", 5)])

    assert found == {"E01990002": 7, "E01990003": 8, None: 5}
    account = accounting(finished_copy, "north_visits")["visits"]
    assert account["not placed"] == {"lsoa_unknown": 5}
    assert closes(account)


def test_an_area_known_elsewhere_is_out_of_the_region(finished_copy: Workspace) -> None:
    visits(finished_copy, [("E01990002", 7), ("E01990003", 8), ("W01000001", 5)])

    account = accounting(finished_copy, "north_visits")
    assert account["visits"]["out of region"] == {"out_of_region": 5}
    assert account["rows"]["out of region"] == {"out_of_region": 1}
    assert account["visits"]["not placed"] == {}
    assert closes(account["visits"])


def test_a_delivery_that_cannot_be_accounted_for_is_stopped(
    finished_copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_one(*given: Any) -> list[Any]:
        return [
            (q, outcome, detail, n - 1 if (q, outcome) == ("visits", "placed") else n)
            for q, outcome, detail, n in account(*given)
        ]

    monkeypatch.setattr("intake.location.account", lose_one)

    with pytest.raises(GeographyError, match=r"north_visits for 2026-03 .* a difference of 1\."):
        visits(finished_copy, [("E01990002", 7), ("E01990003", 8)])


def test_all_accounts_of_the_region_close(finished: Any) -> None:
    mere = finished.workspace

    for source in mere.declared.sources_of_kind("records", "values"):
        for period in mere.expected_periods(source):
            accounts = accounting(mere, source.id, period)
            assert accounts
            assert [q for q, account in accounts.items() if not closes(account)] == []


def test_nothing_admitted_is_absent_for_the_same_reason(make_mere: Make) -> None:
    mere = make_mere(leave_out=("north_cases",))
    run_to_location(mere)

    state = mere.lake.state(located_table(mere.declared.sources["north_cases"]), PERIOD)

    assert state is not None
    assert (state.absent, state.reason) == (True, "nothing was delivered")
    assert accounting(mere, "north_cases") == {}


def test_a_source_that_says_no_place_is_a_fault_of_its_declaration(mere: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="does not say how a record is placed"):
        locate(mere, mere.declared.sources["areas"], "all")


def test_the_weights_of_a_month_are_the_last_ones_before_it(make_mere: Make) -> None:
    content = region_content(first_period="2025-12", last_period="2026-03")
    mere = make_mere(content)
    source = mere.declared.sources["north_visits"]
    assert weights_period(mere, source, "2026-02") is None
    for period in ("2026-01", "2026-03"):
        path = mere.lake.path(located_table(source), period)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    wanted = ("2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "all")
    chosen = [weights_period(mere, source, p) for p in wanted]

    assert chosen == ["2026-01", "2026-01", "2026-01", "2026-03", "2026-03", "2026-03"]
    assert source.lad24cd == NORTH
