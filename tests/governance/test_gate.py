"""The gate as tables an officer can read: facts of a delivery, and what becomes of it.

Each row is one agreement, one delivery, the decision expected and the reason. The agreement is that
of a made-up region, in force from 1 April 2025 to 31 March 2026; a row says only what is different.
"""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest
from region_factory import PURPOSE, region_content

from declarations.agreements import Agreement
from declarations.contracts import Column, Contract, Source
from declarations.permission import Use
from governance.gate import Circumstances, GateDecision, decide, trim, without_redaction
from governance.policy import policy

STARTS, EXPIRES = dt.date(2025, 4, 1), dt.date(2026, 3, 31)
INSIDE = dt.date(2025, 10, 10)
DAY = dt.timedelta(1)
CONTENT = region_content()
SOURCE = Source.model_validate(CONTENT["sources/north_cases.yaml"])
CONTRACT = Contract.model_validate(CONTENT["contracts/mere_cases.yaml"])
CARE = CONTRACT.model_copy(update={"health_or_care": True})
COUNTS = Contract.model_validate(CONTENT["contracts/mere_visits.yaml"])
AGENCY = SOURCE.agency
GRACE = dt.timedelta(policy().gate.dspt_grace_days)


def agreement(**changes: Any) -> Agreement:
    content = {
        **CONTENT["agreements/DSA-TM-001.yaml"], "start_date": STARTS, "expiry_date": EXPIRES,
        **changes,
    }  # fmt: skip
    return Agreement.model_validate(content)


def covered(**changes: Any) -> dict[str, Any]:
    """Say something of the source that the agreement covers."""
    (source,) = copy.deepcopy(CONTENT["agreements/DSA-TM-001.yaml"]["sources"])
    return {"sources": [{**source, **changes}]}


def columns(**actions: str) -> dict[str, Any]:
    """Say otherwise what is done to some columns; '' leaves a column out of the agreement."""
    (source,) = covered()["sources"]
    agreed = [
        {**c, "action": actions.get(c["name"], c["action"])}
        for c in source["columns"]
        if actions.get(c["name"]) != ""
    ]
    return {"sources": [{**source, "columns": agreed}]}


def column(name: str, **changes: Any) -> dict[str, Any]:
    """Say something of one column."""
    (source,) = covered()["sources"]
    agreed = [{**c, **(changes if c["name"] == name else {})} for c in source["columns"]]
    return {"sources": [{**source, "columns": agreed}]}


def signed(fingerprint: str) -> dict[str, Any]:
    signatories = CONTENT["agreements/DSA-TM-001.yaml"]["signatories"]
    return {"signatories": [{**s, "signed_sha256": fingerprint} for s in signatories]}


def health(**changes: Any) -> dict[str, Any]:
    """Return an agreement over care records with everything such records need."""
    return {
        **covered(health_or_care=True),
        "confidentiality_basis": "Section 251 support (synthetic)",
        "opt_out": {"applied": "yes", "reason": "Removed at source.", "date": STARTS},
        "dspt": [{"organisation": AGENCY, "status": "standards_met", "expires": EXPIRES}],
        **changes,
    }


def dspt(status: str = "standards_met", expires: dt.date = EXPIRES, who: str = AGENCY) -> Any:
    return {"dspt": [{"organisation": who, "status": status, "expires": expires}]}


OTHER = Agreement.model_validate(CONTENT["agreements/DSA-TM-002.yaml"])
STRANGER = OTHER.model_copy(update={"permitted_linkages": []})


def use(**changes: Any) -> Circumstances:
    """Return what the region publishes from the source."""
    plain: dict[str, Any] = {
        "source": SOURCE.id, "indicator": "T01", "level": "lsoa21", "frequency": "quarterly",
        "profile": "hide0-r5",
    }  # fmt: skip
    return Circumstances(uses=(Use(**{**plain, **changes}),))


def output(**changes: Any) -> dict[str, Any]:
    plain = {"indicator": "T01", "geography": "lsoa21", "frequency": "quarterly"}
    return {"permitted_outputs": [{**plain, **changes}]}


@dataclass(frozen=True)
class Row:
    """One line of the specification."""

    title: str
    agreement: dict[str, Any]
    decision: str
    reason: str = ""
    arrived: dt.date = INSIDE
    purpose: str = PURPOSE
    contract: Contract = CONTRACT
    circumstances: Circumstances = field(default_factory=Circumstances)


BAND = {"to": "age_band", "at": "opened", "bands": [0, 18, 65], "into": "age_band"}
THERE = {"to": "presence", "into": "has_nhs_number"}
COARSE = CONTRACT.model_copy(
    update={
        "columns": [
            *(c for c in CONTRACT.columns if c.name != "nhs_number"),
            Column.model_validate({"name": "nhs_number", "coarsen": THERE}),
            Column.model_validate({"name": "born", "type": "date", "coarsen": BAND}),
        ]
    }
)
"""The contract with an NHS number that becomes yes or no, and a date of birth a band."""


def born(**changes: Any) -> dict[str, Any]:
    """Say what is done to the date of birth, and to other columns."""
    (source,) = covered()["sources"]
    whole = {"name": "born", "class": "direct_identifier", "action": "generalise", **changes}
    return {"sources": [{**source, "columns": [*source["columns"], whole]}]}


OTHER_SOURCE = covered(id="south_cases")
NEEDED, NO_PLACE = "needed_column_not_agreed", "generalise_without_place"
FINER, LINKAGE = "finer_than_agreed", "linkage_not_agreed"
RIGHT_TEXT = agreement().text_sha256()
REVIEW = dt.date(2025, 9, 30)
AMENDED: dict[str, Any] = {
    "version": "1.1",
    "amendments": [
        {"version": "1.1", "date": INSIDE, "summary": "Adds a year (synthetic).",
         "signed_by": ["A council (synthetic)"]}
    ],
}  # fmt: skip
LATE = {
    **AMENDED,
    "amendments": [{**AMENDED["amendments"][0], "previous_expiry": INSIDE - 9 * DAY}],
}
LONGER = {**AMENDED, "expiry_date": EXPIRES.replace(year=2027)}

#   what is special        the agreement                     decision    reason
TABLE = [
    # Time: the day before, of and after each border.
    Row("day before the start", {}, "refused", "agreement_not_started", STARTS - DAY),
    Row("day of the start", {}, "admitted", "", STARTS),
    Row("day after the start", {}, "admitted", "", STARTS + DAY),
    Row("day before the expiry", {}, "admitted", "", EXPIRES - DAY),
    Row("day of the expiry", {}, "admitted", "", EXPIRES),
    Row("day after the expiry", {}, "refused", "agreement_expired", EXPIRES + DAY),
    Row("amended: a year longer", LONGER, "admitted", "", EXPIRES + DAY),
    Row("amended: its own last day", LONGER, "admitted", "", dt.date(2027, 3, 31)),
    Row("amended: and the day after", LONGER, "refused", "agreement_expired", dt.date(2027, 4, 1)),
    Row("amended: ended early", {**AMENDED, "expiry_date": INSIDE - DAY}, "refused",
        "agreement_expired"),
    Row("review due that day", {"review_date": REVIEW}, "admitted", "", REVIEW),
    Row("review overdue, to warn", {"review_date": REVIEW}, "admitted", "", REVIEW + DAY),
    Row("review overdue, to refuse", {"review_date": REVIEW, "review_overdue": "refuse"},
        "refused", "review_overdue", REVIEW + DAY),
    Row("review that day, to refuse", {"review_date": REVIEW, "review_overdue": "refuse"},
        "admitted", "", REVIEW),
    Row("withdrawn", {}, "refused", "agreement_withdrawn", INSIDE,
        circumstances=Circumstances(withdrawn_on=INSIDE)),
    Row("withdrawn after it arrived", {}, "refused", "agreement_withdrawn", STARTS,
        circumstances=Circumstances(withdrawn_on=INSIDE)),
    # Signatures bound to the text.
    Row("signed as it stands", signed(RIGHT_TEXT), "admitted"),
    Row("signed, then changed", {**signed(RIGHT_TEXT), "onward_sharing": "anybody"}, "refused",
        "signed_text_differs"),
    Row("another text signed", signed("0" * 64), "refused", "signed_text_differs"),
    Row("bound once, fingerprints taken out since", {}, "refused", "signature_removed",
        circumstances=Circumstances(signed_before=True)),
    Row("bound once, signed anew", signed(RIGHT_TEXT), "admitted",
        circumstances=Circumstances(signed_before=True)),
    # An extension signed after the end.
    Row("in the gap before an extension", LATE, "refused", "agreement_had_lapsed",
        INSIDE - DAY),
    Row("the last day before the gap", LATE, "admitted", "", INSIDE - 9 * DAY),
    Row("the day of the extension", LATE, "admitted", "", INSIDE),
    # Purpose and source.
    Row("another purpose", {}, "refused", "purpose_not_agreed", purpose="marketing"),
    Row("a longer purpose", {}, "refused", "purpose_not_agreed", purpose=f"{PURPOSE} and more"),
    Row("purpose agreed too", {"purposes": [PURPOSE, "planning"]}, "admitted", purpose="planning"),
    Row("another source", OTHER_SOURCE, "refused", "source_not_agreed"),
    Row("source added later", covered(from_date=INSIDE + DAY), "refused", "source_not_yet_agreed"),
    Row("source added that day", covered(from_date=INSIDE), "admitted"),
    # Columns.
    Row("key dropped", columns(person_id="drop"), "refused", NEEDED),
    Row("place dropped", columns(postcode="drop"), "refused", NEEDED),
    Row("count's date dropped", columns(closed="drop"), "refused", NEEDED),
    Row("count's column not named", columns(service=""), "refused", NEEDED),
    Row("count's column added later", column("service", from_date=INSIDE + DAY), "refused", NEEDED),
    Row("count's column added that day", column("service", from_date=INSIDE), "admitted"),
    Row("unneeded column not named", columns(name=""), "admitted"),
    Row("generalised service", columns(service="generalise"), "refused", NO_PLACE),
    Row("generalised person", columns(person_id="generalise"), "refused", NO_PLACE),
    # What is coarsened must be what the contract makes of it.
    Row("age band agreed and made", born(to="age_band"), "admitted", contract=COARSE),
    Row("age band to be a place", born(), "refused", NO_PLACE, contract=COARSE),
    Row("age band to be presence", born(to="presence"), "refused", NO_PLACE, contract=COARSE),
    Row("the contract makes no band", column("service", action="generalise", to="age_band"),
        "refused", NO_PLACE),
    Row("a place to be a band", column("postcode", to="age_band"), "refused", NO_PLACE),
    Row("presence agreed and made", column("nhs_number", action="generalise", to="presence"),
        "admitted", contract=COARSE),
    Row("a column that counts need coarsened, dropped", born(action="drop"), "refused", NEEDED,
        contract=COARSE.model_copy(update={
            "counts": [c.model_copy(update={"category": "age_band"}) for c in COARSE.counts]})),
    # Geography.
    Row("postcode kept", columns(postcode="keep"), "refused", FINER),
    Row("published finer than the source", covered(minimum_geography="msoa21"), "refused", FINER,
        circumstances=use()),
    Row("published as coarse as the source", covered(minimum_geography="msoa21"), "admitted",
        circumstances=use(level="msoa21")),
    # Outputs.
    Row("output agreed", output(), "admitted", circumstances=use()),
    Row("output not agreed", output(indicator="T02"), "refused", "output_not_agreed",
        circumstances=use()),
    Row("no output agreed", {"permitted_outputs": []}, "refused", "output_not_agreed",
        circumstances=use()),
    Row("output agreed for districts only", output(geography="lad24"), "refused", FINER,
        circumstances=use()),
    Row("more often than agreed", output(frequency="yearly"), "refused", "more_often_than_agreed",
        circumstances=use()),
    Row("less often than agreed", output(frequency="monthly"), "admitted", circumstances=use()),
    Row("another disclosure profile", output(profile="ons-10-5"), "refused",
        "other_profile_agreed", circumstances=use()),
    Row("a purpose the indicator needs", {"purposes": [PURPOSE, "planning"]},
        "admitted", circumstances=use(purposes=("planning",))),
    Row("a purpose not agreed", {}, "refused", "purpose_not_agreed",
        circumstances=use(purposes=("planning",))),
    # Linkages: both must permit.
    Row("both permit", {}, "admitted", circumstances=use(beside=(OTHER,))),
    Row("only the other permits", {"permitted_linkages": []}, "refused", LINKAGE,
        circumstances=use(beside=(OTHER,))),
    Row("only this one permits", {}, "refused", LINKAGE, circumstances=use(beside=(STRANGER,))),
    # Care records: opt-out, confidence, toolkit.
    Row("care records with all they need", health(), "admitted"),
    Row("no opt-out evidence", health(opt_out=None), "refused", "opt_out_not_evidenced"),
    Row("opt-out does not apply",
        health(opt_out={"applied": "not_applicable", "reason": "Consent."}), "admitted"),
    Row("opt-out applied that day",
        health(opt_out={"applied": "yes", "reason": "At source.", "date": INSIDE}), "admitted"),
    Row("opt-out applied the day after",
        health(opt_out={"applied": "yes", "reason": "At source.", "date": INSIDE + DAY}), "refused",
        "opt_out_not_yet_applied"),
    Row("no confidentiality basis", health(confidentiality_basis=None), "refused",
        "confidentiality_basis_missing"),
    Row("gateway closed to health", health(dea_gateway="s35:multiple-disadvantage"), "refused",
        "gateway_closed_to_health"),
    Row("gateway open to others", {"dea_gateway": "s35:multiple-disadvantage"}, "admitted"),
    Row("no toolkit status", health(dspt=[]), "refused", "dspt_missing"),
    Row("toolkit of somebody else", health(**dspt(who="Another body")), "refused", "dspt_missing"),
    Row("toolkit not met", health(**dspt("not_met")), "refused", "dspt_not_met"),
    Row("toolkit approached", health(**dspt("approaching_standards")), "admitted"),
    Row("last day of the toolkit", health(**dspt(expires=INSIDE)), "admitted"),
    Row("toolkit in its days of grace", health(**dspt(expires=INSIDE - GRACE)), "admitted"),
    Row("toolkit past its days of grace", health(**dspt(expires=INSIDE - GRACE - DAY)), "refused",
        "dspt_expired"),
    Row("counts of care need none of it", covered(health_or_care=True, columns=[
        {"name": n, "class": "measure", "action": "keep"} for n in ("visits", "visits_online")
        ] + [{"name": "lsoa", "class": "reference", "action": "generalise"}]),
        "admitted", contract=COUNTS),
    Row("care records the agreement does not call so", {}, "refused",
        "confidentiality_basis_missing", contract=CARE),
    # Criminal-offence data.
    Row("offences record by record", covered(criminal_offence=True), "refused",
        "criminal_condition_missing"),
    Row("offences under a condition",
        {**covered(criminal_offence=True), "criminal_condition": "Schedule 1 paragraph 10"},
        "admitted"),
]  # fmt: skip


def test_the_specification_is_long_enough_and_says_nothing_twice() -> None:
    titles = [row.title for row in TABLE]

    assert len(titles) == len(set(titles)) >= 40


@pytest.mark.parametrize("row", TABLE, ids=[row.title for row in TABLE])
def test_the_gate(row: Row) -> None:
    found = decide(
        agreement(**row.agreement), SOURCE, row.contract, purpose=row.purpose,
        delivered_on=row.arrived, circumstances=row.circumstances,
    )  # fmt: skip

    assert (found.decision, found.reasons) == (row.decision, (row.reason,) if row.reason else ())
    if row.decision == "refused":
        assert found.stored == ()
        assert found.drop == ()
    assert found.message.endswith(".")
    assert found.clause


def test_what_an_officer_should_see_to_is_said_though_it_lets_in() -> None:
    late = decide(
        agreement(review_date=REVIEW), SOURCE, CONTRACT, purpose=PURPOSE, delivered_on=INSIDE
    )
    grace = decide(
        agreement(**health(**dspt(expires=INSIDE - DAY))), SOURCE, CONTRACT, purpose=PURPOSE,
        delivered_on=INSIDE,
    )  # fmt: skip
    quiet = decide(agreement(), SOURCE, CONTRACT, purpose=PURPOSE, delivered_on=INSIDE)

    assert "was to be reviewed by 30 September 2025" in late.message
    assert "DSPT status" in grace.message
    assert quiet.notes == ()


def test_free_text_is_redacted_only_as_agreed() -> None:
    redacted = column(
        "note", **{"class": "free_text", "action": "redact", "redaction": {"minimum_recall": 0.9}}
    )

    found = decide(agreement(**redacted), SOURCE, CONTRACT, purpose=PURPOSE, delivered_on=INSIDE)
    dropped = without_redaction(found, "note", "0.80 found of 0.90 asked.")

    assert found.redact == ("note",)
    assert "note" in found.stored
    assert (dropped.decision, dropped.redact) == ("trimmed", ())
    assert "note" in dropped.drop
    assert dropped.reasons == ("redaction_below_recall",)


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
