"""Detail is given up until nothing small can be worked back, the mildest step first."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from exposed_region import EXPOSED, make_exposed, rows_of_release, southern_worlds
from region_factory import OPENED, RESIDENTS, SOUTH, region_content, run_to_protection

from declarations.errors import DisclosureError
from governance.disclosure import protect_count
from governance.disclosure.known.joint import Part
from publishing.protection import coarsening
from publishing.protection.candidate import Candidate, Row, RowKey, Span
from publishing.protection.findings import ATTACKED, WITHHELD, attack_facts, read_rows
from publishing.protection.withholding import GROUPED, Withholding
from publishing.release import ReleaseOutcome
from warehouse.workspace import Workspace

Released = tuple[Workspace, ReleaseOutcome]
FOUR, FIVE, SIX = "E01990004", "E01990005", "E01990006"
PAIR = f"{FOUR}+{FIVE}"
MINISTRY = {
    "id": "ministry", "title": "Cases by district", "publisher": "A ministry (synthetic)",
    "measures": ["cases_opened"],
}  # fmt: skip


def cases(folder: Path, level: str) -> dict[str, dict[str, str]]:
    """Return the published rows of cases opened at a level, by area."""
    return {
        row["geography_code"]: row
        for row in rows_of_release(folder, "observations")
        if (row["indicator_id"], row["geography_type"]) == ("T01", level)
    }


def test_a_count_that_could_be_worked_back_is_shown_with_its_neighbour(exposed: Released) -> None:
    rows = cases(exposed[1].folder, "lsoa21")

    assert {a for a, r in rows.items() if r["note_id"] == "shown_with_neighbour"} == {FOUR, FIVE}
    for area in (FOUR, FIVE):
        assert rows[area]["value_status"] == "[c]"
        shown = [rows[area][c] for c in ("numerator", "value", "lower_ci", "upper_ci")]
        assert shown == ["", "", "", ""]
    # Nothing else of the region is less detailed than its profile asks.
    assert rows["E01990002"]["numerator"] == str(protect_count(OPENED["E01990002"]))
    assert cases(exposed[1].folder, "msoa21")["E02990003"]["numerator"] == "25"


def test_the_region_without_exposed_counts_keeps_its_detail(finished: Any) -> None:
    assert rows_of_release(finished.outcome.folder, "combined_observations") == []
    notes = {r["note_id"] for r in rows_of_release(finished.outcome.folder, "observations")}
    assert "shown_with_neighbour" not in ",".join(notes)


def test_the_figure_of_both_stands_in_every_table_format(exposed: Released) -> None:
    folder = exposed[1].folder
    counts = (
        protect_count(OPENED[FOUR] + EXPOSED[FIVE]),
        protect_count(RESIDENTS[FOUR] + RESIDENTS[FIVE]),
    )
    names = ("geography_code", "members", "numerator", "denominator")

    (in_csv,) = rows_of_release(folder, "combined_observations")
    (in_parquet,) = pq.read_table(folder / "parquet" / "combined_observations.parquet").to_pylist()
    with duckdb.connect(str(folder / "lsoalink.duckdb"), read_only=True) as con:
        in_duckdb = con.sql(f"SELECT {', '.join(names)} FROM combined_observations").fetchall()

    wanted = (PAIR, f"{FOUR} {FIVE}", *counts)
    assert tuple(in_csv[n] for n in names) == tuple(map(str, wanted))
    assert tuple(in_parquet[n] for n in names) == wanted
    assert in_duckdb == [wanted]
    assert in_parquet["value"] == round(1000 * counts[0] / counts[1], 2)


def test_the_map_data_for_desktops_shows_neither_of_the_pair(exposed: Released) -> None:
    with closing(sqlite3.connect(exposed[1].folder / "lsoalink.gpkg")) as lite:
        rows = lite.execute(
            "SELECT lsoa21cd, t01_value, t01_lower, t01_upper, t01_status FROM lsoa21_latest"
        ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    assert found[FOUR] == found[FIVE] == (None, None, None, "[c]")
    assert found["E01990002"][0] is not None


def test_a_withheld_count_has_no_upper_bound_in_sums(exposed: Released, finished: Any) -> None:
    sql = (
        "SELECT lower, upper FROM v_area_counts WHERE indicator_id = 'T01' AND "
        "measure = 'numerator' AND area_code = ?"
    )
    with duckdb.connect(str(exposed[1].folder / "lsoalink.duckdb"), read_only=True) as con:
        assert con.execute(sql, ["E02990003"]).fetchall() == [(0, None)]
        assert con.execute(sql, [SOUTH]).fetchall() == [(0, None)]
        assert con.execute(sql, ["E02990001"]).fetchall() == [(13, 21)]
    with duckdb.connect(str(finished.outcome.folder / "lsoalink.duckdb"), read_only=True) as con:
        assert con.execute(sql, ["E02990003"]).fetchall() == [(23, 31)]


def test_the_note_of_a_withheld_figure_is_explained(exposed: Released) -> None:
    notes = {r["note_id"]: r["text"] for r in rows_of_release(exposed[1].folder, "notes")}

    assert "combined_observations" in notes["shown_with_neighbour"]
    assert "shown_for_msoa" not in notes


def test_nobody_can_work_the_count_back_by_trying_all_counts(exposed: Released) -> None:
    folder = exposed[1].folder
    truth = (OPENED[FOUR], EXPOSED[FIVE], OPENED[SIX])

    worlds = southern_worlds(folder)

    assert truth in {world[:3] for world in worlds}
    assert {world.four for world in worlds} >= {0, 1, 2, 3, 4}
    assert {world.six for world in worlds} >= {0, 1, 2, 3, 4}
    # Had both been shown as their profile has it, there would have been somebody in the first.
    shown = southern_worlds(folder, as_if_shown={FOUR: OPENED[FOUR], FIVE: EXPOSED[FIVE]})
    assert {world.four for world in shown} == {1, 2, 3, 4}


def test_an_index_takes_no_part_of_a_withheld_figure(release_of: Callable[..., Released]) -> None:
    """The southern index rests on the rate alone: where that is withheld there is none."""
    _, outcome = release_of()
    index = {
        r["geography_code"]: r
        for r in rows_of_release(outcome.folder, "observations")
        if r["indicator_id"] == "T04"
    }
    assert [index[a]["value"] for a in (FOUR, FIVE)] == ["", ""]
    assert index["E01990002"]["value"] != ""


def test_an_exact_public_total_that_squeezes_counts_hides_the_district(
    release_of: Callable[..., Released],
) -> None:
    """24 in all, of whom the rounded 25 are at least 23: at most one is left for the others."""
    workspace, outcome = release_of(
        {FOUR: 0, FIVE: 23, SIX: 1}, not_placed=0, content=region_content(public_totals=[MINISTRY])
    )
    facts = attack_facts(workspace)
    withheld = {
        r["geography_code"]: r["instead"]
        for r in read_rows(workspace, WITHHELD)
        if r["indicator_id"] == "T01"
    }

    assert facts is not None
    assert facts.rounds > 2
    assert {a: withheld[a] for a in ("E02990003", "E02990004", SOUTH)} == dict.fromkeys(
        ("E02990003", "E02990004", SOUTH), "whole"
    )
    assert {FOUR, FIVE, SIX} <= set(withheld)
    assert rows_of_release(outcome.folder, "combined_observations") == []
    assert [r for r in read_rows(workspace, ATTACKED) if r["known_otherwise"]] == []
    # Nothing says that a figure stands for them that is withheld too.
    for row in (
        *cases(outcome.folder, "lsoa21").values(),
        *cases(outcome.folder, "msoa21").values(),
    ):
        if row["geography_code"] in withheld:
            assert row["note_id"] == "withheld"
            assert (row["numerator"], row["value"], row["value_status"]) == ("", "", "[c]")


def test_what_a_ministry_publishes_anyway_does_not_stop_a_release(
    release_of: Callable[..., Released],
) -> None:
    workspace, outcome = release_of(
        {FOUR: 1, FIVE: 0, SIX: 0}, content=region_content(public_totals=[MINISTRY])
    )
    known = [r for r in read_rows(workspace, ATTACKED) if r["known_otherwise"]]

    assert outcome.outcome == "published"
    assert (SOUTH, 2, 2) in {(r["area_code"], r["lower"], r["upper"]) for r in known}
    # Nobody can have more than the 2 of the whole district.
    assert {(r["lower"], r["upper"]) for r in known if r["area_code"] != SOUTH} == {(0, 2)}
    assert {r["area_code"] for r in known} >= {FOUR, FIVE, SIX}
    rows = cases(outcome.folder, "lsoa21")
    assert {rows[a]["numerator"] for a in (FOUR, FIVE, SIX)} == {""}


def test_what_cannot_be_made_safe_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be withheld and nobody else publishes it: so the release itself exposes it."""
    monkeypatch.setattr(Withholding, "step", lambda *_: False)
    workspace = make_exposed(tmp_path)

    with pytest.raises(DisclosureError, match=r"1 small count.* however much of it is withheld"):
        run_to_protection(workspace)

    assert not (workspace.root / "published").exists()
    assert read_rows(workspace, ATTACKED) == []


def test_withholding_without_end_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coarsening, "MOST_ROUNDS", 1)

    with pytest.raises(DisclosureError, match="After 1 rounds"):
        run_to_protection(make_exposed(tmp_path))


# Two MSOAs of one district: three neighbourhoods A, B, C, and D alone.
NESTING = {"A": ("M1", "L"), "B": ("M1", "L"), "C": ("M1", "L"), "D": ("M2", "L")}
PART = Part("source", "cases", "all", "2026-03", "1")
OTHER = Part("source", "visits", "all", "2026-03", "1")
SPANS = {
    level: Span("T01", "2026-01-01", "2026-03-31", level) for level in ("lsoa21", "msoa21", "lad24")
}
ELSEWHERE = Span("T09", "2026-01-01", "2026-03-31", "lsoa21")
BY_AREA = {"A": 3, "B": 12, "C": 40, "D": 9, "M1": 55, "M2": 9, "L": 64}


def candidate() -> Candidate:
    """Return one indicator at three levels, and another whose counts have nothing to do with it."""
    rows: dict[RowKey, Row] = {}
    for area, count in BY_AREA.items():
        level = "lad24" if area == "L" else "msoa21" if area.startswith("M") else "lsoa21"
        key = SPANS[level].at(area)
        rows[key] = Row(key, "a quarter", "L", count, None)
        if level == "lsoa21":
            other = ELSEWHERE.at(area)
            rows[other] = Row(other, "a quarter", "L", count, None)
    names = {(span, "numerator"): f"cases {level}" for level, span in SPANS.items()}
    definitions = {name: frozenset({PART}) for name in names.values()}
    return Candidate(
        rows,
        definitions | {"visits": frozenset({OTHER})},
        {**names, (ELSEWHERE, "numerator"): "visits"},  # type: ignore[dict-item]
        NESTING, {}, {}, {},
    )  # fmt: skip


def withholding(beside: dict[str, list[str]] | None = None) -> Withholding:
    made = candidate()
    return Withholding(made, lambda key: protect_count(made.rows[key].numerator), beside or {})


def areas_of(giving_up: Withholding) -> dict[str, str]:
    """Return what is withheld of the first indicator, by area."""
    found = giving_up.withheld.rows
    assert {key.indicator_id for key in found} <= {"T01"}
    return {key.geography_code: how for key, how in found.items()}


def combined_of(giving_up: Withholding) -> dict[str, tuple[str, ...]]:
    return {c.code: c.members for c in giving_up.withheld.combined.values()}


def again(giving_up: Withholding, level: str, area: str, part: Part = PART) -> bool:
    """Give up more in a round of its own, as after another attack; there are few steps."""
    giving_up.begin_round()
    assert len(giving_up.withheld.rows) <= len(BY_AREA)
    return giving_up.step(level, area, {part}, "narrow")


def test_a_neighbour_goes_before_a_larger_count() -> None:
    giving_up = withholding({"A": ["B"]})

    assert giving_up.step("lsoa21", "A", {PART}, "narrow")

    assert areas_of(giving_up) == {"A": "pair", "B": "pair"}
    assert combined_of(giving_up) == {"A+B": ("A", "B")}
    assert set(giving_up.withheld.reasons.values()) == {"narrow"}


def test_without_a_neighbour_the_largest_count_of_the_msoa_is_taken() -> None:
    giving_up = withholding()

    giving_up.step("lsoa21", "A", {PART}, "narrow")

    assert combined_of(giving_up) == {"A+C": ("A", "C")}


def test_each_step_gives_up_more_until_nothing_is_left() -> None:
    giving_up = withholding({"A": ["B"]})
    steps: list[tuple[str, dict[str, str], dict[str, tuple[str, ...]]]] = []
    level, area = "lsoa21", "A"
    while again(giving_up, level, area):
        steps.append((area, areas_of(giving_up), combined_of(giving_up)))

    assert [set(withheld) for _, withheld, _ in steps] == [
        {"A", "B"}, {"A", "B", "C"}, {"A", "B", "C", "M1"},
        {"A", "B", "C", "D", "M1", "M2", "L"},
    ]  # fmt: skip
    # The MSOA has a figure of its own for the quarter, so none is made in its place.
    assert [combined for _, _, combined in steps] == [{"A+B": ("A", "B")}, {}, {}, {}]
    assert steps[1][1] == dict.fromkeys("ABC", "msoa")
    # Once the MSOA's figure is withheld too, nothing stands for its neighbourhoods.
    assert steps[2][1] == dict.fromkeys(("A", "B", "C", "M1"), "whole")
    assert set(steps[3][1].values()) == {"whole"}


def test_a_neighbourhood_alone_in_its_msoa_is_shown_for_it() -> None:
    giving_up = withholding({"D": ["A"]})

    giving_up.step("lsoa21", "D", {PART}, "exact")

    assert areas_of(giving_up) == {"D": "msoa"}


def test_an_exposed_pair_becomes_its_msoa() -> None:
    giving_up = withholding({"A": ["B"]})
    giving_up.step("lsoa21", "A", {PART}, "narrow")

    assert again(giving_up, GROUPED, "A+B")

    assert areas_of(giving_up) == dict.fromkeys("ABC", "msoa")
    assert combined_of(giving_up) == {}


def test_a_district_s_own_count_takes_the_district_s_figure_first() -> None:
    giving_up = withholding()

    giving_up.step("lad24", "L", {PART}, "exact")

    assert areas_of(giving_up) == {"L": "whole"}


def test_what_shares_no_count_is_left_alone() -> None:
    giving_up = withholding()

    while again(giving_up, "lsoa21", "A", OTHER):
        pass

    assert {key.indicator_id for key in giving_up.withheld.rows} == {"T09"}


def test_an_msoa_figure_is_made_where_the_indicator_has_none() -> None:
    giving_up = withholding({"A": ["B"]})
    assert again(giving_up, "lsoa21", "A", OTHER)

    assert again(giving_up, "lsoa21", "A", OTHER)

    assert combined_of(giving_up) == {"M1": ("A", "B", "C")}
    assert {c.kind for c in giving_up.withheld.combined.values()} == {"msoa21"}
