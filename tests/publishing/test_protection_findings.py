"""What the attack found is kept as bounds, and what the ledger will keep holds no count."""

from __future__ import annotations

from typing import Any

import pytest
from exposed_region import EXPOSED
from region_factory import OPENED

from declarations.errors import DisclosureError
from governance.disclosure import protect_count
from governance.disclosure.known.ledger import GENESIS
from governance.disclosure.profiles import profile
from publishing.protection import protect_themes
from publishing.protection.findings import (
    ATTACKED,
    WITHHELD,
    attack_facts,
    read_rows,
    read_statements,
    refuse_unless_attacked,
)
from publishing.release import ReleaseOutcome
from warehouse.workspace import Workspace

Released = tuple[Workspace, ReleaseOutcome]
FOUR, FIVE = "E01990004", "E01990005"
PAIR = f"{FOUR}+{FIVE}"


def cells_of(workspace: Workspace, level: str) -> dict[str, dict[str, Any]]:
    """Return what the ledger keeps of cases opened at a level, by area."""
    said = read_statements(workspace)
    names = {
        d["definition_id"]
        for d in said.definitions.to_pylist()
        if (d["indicator_id"], d["term"], d["geography_type"]) == ("T01", "numerator", level)
    }
    return {c["area_code"]: c for c in said.cells.to_pylist() if c["definition_id"] in names}


def test_a_figure_is_kept_as_what_anybody_can_conclude_from_it(exposed: Released) -> None:
    cells = cells_of(exposed[0], "lsoa21")

    # 13 is shown as 15, which 13 to 17 are; 0 to 4 are hidden; of a withheld one nothing is known.
    assert protect_count(OPENED["E01990002"]) == 15
    told = {a: (c["lower"], c["upper"], c["status"]) for a, c in cells.items()}
    assert told == {
        "E01990001": (0, 4, "hidden"), "E01990002": (13, 17, "published"),
        "E01990003": (0, 4, "hidden"), "E01990006": (0, 4, "hidden"),
        FOUR: (0, None, "coarsened"), FIVE: (0, None, "coarsened"),
    }  # fmt: skip


def test_a_combined_figure_is_kept_with_its_members(exposed: Released) -> None:
    (cell,) = cells_of(exposed[0], "combined").values()
    members = read_statements(exposed[0]).members.to_pylist()

    assert (cell["area_code"], cell["lower"], cell["upper"]) == (PAIR, 23, 27)
    assert {(m["area_code"], m["lsoa21cd"]) for m in members} == {(PAIR, FOUR), (PAIR, FIVE)}


def test_every_kept_bound_leaves_more_than_one_count(exposed: Released, finished: Any) -> None:
    for workspace in (exposed[0], finished.workspace):
        for cell in read_statements(workspace).cells.to_pylist():
            assert cell["upper"] is None or cell["upper"] - cell["lower"] >= 2


def test_the_attacked_counts_are_kept_as_bounds_alone(exposed: Released) -> None:
    rows = read_rows(exposed[0], ATTACKED)

    assert set(rows[0]) == {
        "indicator_id", "term", "period_start", "period_end", "geography_type", "area_code",
        "lower", "upper", "profile", "known_otherwise",
    }  # fmt: skip
    truth = {**OPENED, **EXPOSED}
    for row in rows:
        assert (
            row["upper"] is None
            or row["upper"] - row["lower"] >= profile(row["profile"]).safe.width
        )
        if row["indicator_id"] == "T01" and row["area_code"] in truth:
            assert row["lower"] <= truth[row["area_code"]]
            assert row["upper"] is None or truth[row["area_code"]] <= row["upper"]


def test_what_was_withheld_says_what_stands_for_it(exposed: Released, finished: Any) -> None:
    found = {(r["geography_code"], r["instead"], r["instead_code"])
             for r in read_rows(exposed[0], WITHHELD)}  # fmt: skip
    assert found == {(FOUR, "pair", PAIR), (FIVE, "pair", PAIR)}
    assert read_rows(finished.workspace, WITHHELD) == []


def test_the_first_candidate_is_attacked_with_nothing_released(exposed: Released) -> None:
    facts = attack_facts(exposed[0])

    assert facts is not None
    assert (facts.earlier, facts.ledger_head) == ([], GENESIS)
    assert facts.insider
    assert facts.rounds == 2
    # A sum of so few hidden counts would say too much of each.
    assert facts.hidden_total is None


def test_a_published_candidate_is_not_held_against_itself(exposed: Released) -> None:
    """The release stands on the ledger; the same candidate is that release, no later one."""
    assert protect_themes(exposed[0]).outcome == "current"
    refuse_unless_attacked(exposed[0])


def test_without_an_attack_nothing_may_be_published(mere: Workspace) -> None:
    assert attack_facts(mere) is None
    with pytest.raises(DisclosureError, match="not attacked with every earlier release"):
        refuse_unless_attacked(mere)
