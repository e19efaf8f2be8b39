"""The gate as a table an officer can read: facts of a delivery, and what becomes of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from region_factory import PURPOSE, region_content

from declarations.agreements import Agreement
from declarations.contracts import Contract, Source
from governance.gate import GateDecision, decide, trim

STARTS, EXPIRES = dt.date(2025, 4, 1), dt.date(2026, 3, 31)
INSIDE = dt.date(2025, 10, 10)
CONTENT = region_content()
SOURCE = Source.model_validate(CONTENT["sources/north_cases.yaml"])
CONTRACT = Contract.model_validate(CONTENT["contracts/mere_cases.yaml"])


def agreement(**changes: Any) -> Agreement:
    content = {
        **CONTENT["agreements/DSA-TM-001.yaml"], "start_date": STARTS, "expiry_date": EXPIRES,
        **changes,
    }  # fmt: skip
    return Agreement.model_validate(content)


def columns(**actions: str) -> dict[str, Any]:
    """Say otherwise what is done to some columns; '' leaves a column out of the agreement."""
    (covered,) = CONTENT["agreements/DSA-TM-001.yaml"]["sources"]
    agreed = [
        {**c, "action": actions.get(c["name"], c["action"])}
        for c in covered["columns"]
        if actions.get(c["name"]) != ""
    ]
    return {"sources": [{**covered, "columns": agreed}]}


OTHER_SOURCE = {
    "sources": [{**CONTENT["agreements/DSA-TM-001.yaml"]["sources"][0], "id": "south_cases"}]
}

NEEDED, NO_PLACE = "needed_column_not_agreed", "generalise_without_place"
BEFORE, AFTER = STARTS - dt.timedelta(1), EXPIRES + dt.timedelta(1)

#    what is different about the agreement, the day it arrived, purpose of the run, decision, reason
TABLE: list[tuple[str, dict[str, Any], dt.date, str, str, str]] = [
    ("day before the start", {}, BEFORE, PURPOSE, "refused", "agreement_not_started"),
    ("day of the start", {}, STARTS, PURPOSE, "admitted", ""),
    ("in between", {}, INSIDE, PURPOSE, "admitted", ""),
    ("day of the expiry", {}, EXPIRES, PURPOSE, "admitted", ""),
    ("day after the expiry", {}, AFTER, PURPOSE, "refused", "agreement_expired"),
    ("another purpose", {}, INSIDE, "marketing", "refused", "purpose_not_agreed"),
    ("a longer purpose", {}, INSIDE, PURPOSE + " and marketing", "refused", "purpose_not_agreed"),
    ("purpose agreed too", {"purposes": [PURPOSE, "planning"]}, INSIDE, "planning", "admitted", ""),
    ("another source", OTHER_SOURCE, INSIDE, PURPOSE, "refused", "source_not_agreed"),
    ("key dropped", columns(person_id="drop"), INSIDE, PURPOSE, "refused", NEEDED),
    ("place dropped", columns(postcode="drop"), INSIDE, PURPOSE, "refused", NEEDED),
    ("count's date dropped", columns(closed="drop"), INSIDE, PURPOSE, "refused", NEEDED),
    ("count's column not named", columns(service=""), INSIDE, PURPOSE, "refused", NEEDED),
    ("unneeded column not named", columns(name=""), INSIDE, PURPOSE, "admitted", ""),
    ("generalised service", columns(service="generalise"), INSIDE, PURPOSE, "refused", NO_PLACE),
    ("generalised person", columns(person_id="generalise"), INSIDE, PURPOSE, "refused", NO_PLACE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "day", "purpose", "decision", "reason"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_the_gate(
    facts: dict[str, Any], day: dt.date, purpose: str, decision: str, reason: str
) -> None:
    found = decide(agreement(**facts), SOURCE, CONTRACT, purpose=purpose, delivered_on=day)

    assert found.decision == decision
    assert found.reasons == ((reason,) if reason else ())
    if decision == "refused":
        assert found.stored == ()
        assert found.drop == ()
    assert found.message.endswith(".")
    assert found.clause


def test_a_refusal_names_the_agreement_the_days_and_the_clause() -> None:
    day = EXPIRES + dt.timedelta(1)

    found = decide(agreement(), SOURCE, CONTRACT, purpose=PURPOSE, delivered_on=day)

    assert "DSA-TM-001 ended on 31 March 2026" in found.message
    assert "1 April 2026" in found.message
    assert found.clause == "expiry_date"


def test_every_column_of_the_contract_has_exactly_one_fate() -> None:
    found = decide(
        agreement(**columns(note="")), SOURCE, CONTRACT, purpose=PURPOSE, delivered_on=INSIDE
    )

    assert found.keep == ("service", "opened", "closed")
    assert found.pseudonymise == ("person_id",)
    assert found.generalise == ("postcode",)
    assert found.drop == ("name", "nhs_number", "note")
    assert sorted([*found.stored, *found.drop]) == sorted(c.name for c in CONTRACT.columns)


def test_a_licence_without_an_end_is_in_force_on_any_later_day() -> None:
    licence = Agreement.model_validate(CONTENT["agreements/OGL-TM-OPEN.yaml"])

    assert licence.in_force(dt.date(2999, 1, 1))
    assert not licence.in_force(licence.start_date - dt.timedelta(1))


def _decided(kind: str) -> tuple[GateDecision, Agreement]:
    name = "DSA-TM-001" if kind == "data_sharing_agreement" else "OGL-TM-OPEN"
    found = Agreement.model_validate(CONTENT[f"agreements/{name}.yaml"])
    return GateDecision("admitted", (), "In force.", "sources", keep=("service",)), found


#    kind of agreement, headings that may be named, how many may not, decision, in the message
TRIMMED: list[tuple[str, list[str], int, str, str]] = [
    ("data_sharing_agreement", [], 0, "admitted", "In force."),
    ("data_sharing_agreement", ["favourite", "shoe"], 0, "trimmed", "2 column(s)"),
    ("data_sharing_agreement", ["favourite"], 0, "trimmed", "favourite"),
    ("data_sharing_agreement", [], 3, "trimmed", "3 not named here"),
    ("data_sharing_agreement", ["favourite"], 1, "trimmed", "2 column(s)"),
    ("open_licence", ["favourite"], 3, "admitted", "In force."),
]


@pytest.mark.parametrize(("kind", "undeclared", "unnamed", "decision", "said"), TRIMMED)
def test_columns_outside_the_agreement(
    kind: str, undeclared: list[str], unnamed: int, decision: str, said: str
) -> None:
    before, agreed = _decided(kind)

    found = trim(before, agreed, undeclared, unnamed)

    assert found.decision == decision
    assert found.reasons == (("undeclared_columns",) if decision == "trimmed" else ())
    assert said in found.message
    assert found.keep == before.keep


def test_a_refusal_stays_a_refusal_whatever_the_columns() -> None:
    _, agreed = _decided("data_sharing_agreement")
    refused = GateDecision("refused", ("agreement_expired",), "It ended.", "expiry_date")

    assert trim(refused, agreed, ["favourite"], 2) == refused
