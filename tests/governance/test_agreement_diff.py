"""What changed between two versions: an executable table, and that nothing goes unsaid."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any, get_args

import pytest
from agreement_samples import CONTENT, TODAY, agreement, column, content, source
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.agreements import (
    AgreedColumn,
    AgreedSource,
    Agreement,
    Amendment,
    Dspt,
    OptOut,
    PermittedLinkage,
    PermittedOutput,
    PermittedRole,
    Redaction,
    Retention,
    Signatory,
)
from declarations.base import ProfileName
from governance.agreement_text.diff import agreement_changes
from governance.agreement_text.diff_page import diff_data, diff_page, summary_words
from governance.agreement_text.words import fate, span_words
from governance.reports.pages import html_page, text_page


def listed(key: str, position: int, **changes: Any) -> dict[str, Any]:
    entries = copy.deepcopy(CONTENT[key])
    entries[position].update(changes)
    return {key: entries}


def more(key: str, entry: Any) -> dict[str, Any]:
    return {key: [*copy.deepcopy(CONTENT[key]), entry]}


def fewer(key: str, position: int = -1) -> dict[str, Any]:
    entries = copy.deepcopy(CONTENT[key])
    del entries[position]
    return {key: entries}


def turned(key: str) -> dict[str, Any]:
    return {key: copy.deepcopy(CONTENT[key])[::-1]}


AMENDED = {
    "version": "1.1",
    "date": dt.date(2026, 1, 1),
    "summary": "More",
    "signed_by": ["A", "B"],
}
OUTPUT = {"indicator": "T09", "geography": "lad24", "frequency": "yearly"}
RETENTION = CONTENT["retention"]
OPT_OUT = CONTENT["opt_out"]

CHANGES: list[tuple[str, dict[str, Any], str, str]] = [
    # what is asked, the change, the effect, the sentence
    ("column added", {"sources": column("faith", **{"class": "special", "action": "keep"})},
     "widening", "adds column faith (special category, kept) to source north_visits"),
    ("column added, dropped", {"sources": column("age", **{"class": "measure", "action": "drop"})},
     "neutral", "adds column age (measure, dropped) to source north_visits"),
    ("column kept", {"sources": column("ethnicity", action="keep")},
     "widening", "changes action of ethnicity from drop to keep in source north_visits"),
    ("column dropped", {"sources": column("visits", action="drop")},
     "narrowing", "changes action of visits from keep to drop in source north_visits"),
    ("class lowered", {"sources": column("ethnicity", **{"class": "measure"})}, "widening",
     "changes class of ethnicity from special category to measure in source north_visits"),
    ("class raised", {"sources": column("visits", **{"class": "special"})}, "narrowing",
     "changes class of visits from measure to special category in source north_visits"),
    ("recall", {"sources": column("note", redaction={"minimum_recall": 0.5})}, "widening",
     "changes the recall asked of the redaction of note from 0.95 to 0.5 in source north_visits"),
    ("column from a day", {"sources": column("visits", from_date=dt.date(2026, 1, 1))},
     "narrowing", "changes the day from which visits is agreed, from the start to 1 January 2026 "
     "in source north_visits"),
    ("source gone", fewer("sources"), "narrowing", "no longer covers source south_visits"),
    ("source new", more("sources", {"id": "east", "columns": [
        {"name": "visits", "class": "measure", "action": "keep"}]}),
     "widening", "covers source east"),
    ("geography finer", {"sources": source(minimum_geography="msoa21")}, "narrowing",
     "changes the minimum geography from lsoa21 to msoa21 for source north_visits"),
    ("health", {"sources": source(health_or_care=False)}, "widening",
     "no longer takes it for health or care records: source north_visits"),
    ("offences", {"sources": source(criminal_offence=True)}, "narrowing",
     "takes it for criminal-offence data: source north_visits"),
    ("exact counts", {"sources": source(counts_leave="exact")}, "widening",
     "changes the counts that may leave the agency from protected to exact for source "
     "north_visits"),
    ("key", {"sources": source(signing_keys=["abcdefghijklmnop"])}, "widening",
     "adds signing key abcdefghijkl for source north_visits"),
    ("covered from", {"sources": source(from_date=dt.date(2026, 1, 1))}, "narrowing",
     "changes the day from which it is covered, from the start to 1 January 2026 for source "
     "north_visits"),
    ("subjects", {"sources": source(subjects="Guests")}, "neutral",
     'changes whom the records are about, from "Visitors" to "Guests" for source north_visits'),
    ("controller of source", {"sources": source(controller="A council (synthetic)")}, "neutral",
     'changes the controller from nothing to "A council (synthetic)" for source north_visits'),
    ("order", turned("sources"), "neutral", "lists the sources in another order"),
    ("expiry later", {"expiry_date": dt.date(2029, 3, 31)}, "widening",
     "extends expiry by 12 months (31 March 2028 to 31 March 2029)"),
    ("expiry a month", {"expiry_date": dt.date(2028, 4, 30)}, "widening",
     "extends expiry by 1 month (31 March 2028 to 30 April 2028)"),
    ("expiry by days", {"expiry_date": dt.date(2028, 4, 10)}, "widening",
     "extends expiry by 10 days (31 March 2028 to 10 April 2028)"),
    ("expiry earlier", {"expiry_date": dt.date(2028, 2, 29)}, "narrowing",
     "brings expiry forward by 1 month (31 March 2028 to 29 February 2028)"),
    ("start earlier", {"start_date": dt.date(2025, 3, 1)}, "widening",
     "brings the start forward by 1 month (1 April 2025 to 1 March 2025)"),
    ("start later", {"start_date": dt.date(2025, 5, 1)}, "narrowing",
     "puts the start off by 1 month (1 April 2025 to 1 May 2025)"),
    ("review later", {"review_date": dt.date(2027, 11, 30)}, "widening",
     "puts the review off by 2 months (30 September 2027 to 30 November 2027)"),
    ("review gone", {"review_date": None}, "widening",
     "removes the review due by 30 September 2027"),
    ("overdue refuses", {"review_overdue": "refuse"}, "narrowing",
     "after the day of review refuses deliveries, where it only warns today"),
    ("purpose", {"purposes": ["neighbourhood-indicators", "research"]}, "widening",
     "adds purpose research"),
    ("party gone", {"parties": ["A council (synthetic)"]}, "narrowing",
     "removes party Testmere partnership (synthetic)"),
    ("recipient", {"recipients": ["Testmere partnership (synthetic)", "B"]}, "widening",
     "adds recipient B"),
    ("basis", {"lawful_basis": "Article 6(1)(c)"}, "neutral",
     'changes the lawful basis from "Article 6(1)(e) public task" to "Article 6(1)(c)"'),
    ("statute gone", {"statute": None}, "widening",
     'removes the statute relied on ("A made-up Act 2001")'),
    ("criminal condition", {"criminal_condition": "DPA 2018"}, "widening",
     'states the condition for criminal-offence data: "DPA 2018"'),
    ("gateway", {"dea_gateway": "s64"}, "widening",
     "changes the gateway of the Digital Economy Act 2017 from none to s64"),
    ("onward", {"onward_sharing": "Anybody"}, "widening",
     "changes onward sharing from none to Anybody"),
    ("output new", more("permitted_outputs", OUTPUT), "widening",
     "permits output T09 at lad24 and above, yearly at most, under profile hide0-r5"),
    ("output gone", fewer("permitted_outputs"), "narrowing", "no longer permits output T03"),
    ("output finer", listed("permitted_outputs", 0, geography="lsoa21"), "widening",
     "permits output T01 at lsoa21 and above, where it was msoa21"),
    ("output more often", listed("permitted_outputs", 0, frequency="monthly"), "widening",
     "permits output T01 monthly, where it was quarterly"),
    ("output profile", listed("permitted_outputs", 0, profile="r5"), "neutral",
     "changes the disclosure profile of output T01 from hide0-r5 to r5"),
    ("role new", more("permitted_roles", {"role": "analyst", "zones": ["published"]}),
     "widening", "lets analysts read releases"),
    ("role gone", fewer("permitted_roles"), "narrowing",
     "no longer lets the public read anything"),
    ("zone", listed("permitted_roles", 1, zones=["quality", "published", "linked"]),
     "widening", "lets governance officers also read exact counts by neighbourhood"),
    ("linkage record", listed("permitted_linkages", 0, level="record"), "widening",
     "permits its data to meet that of DSA-TM-001 person by person, where it was by neighbourhood"),
    ("linkage gone", {"permitted_linkages": []}, "narrowing",
     "no longer permits its data to meet that of DSA-TM-001"),
    ("kept longer", {"retention": {**RETENTION, "received_days": 120}}, "widening",
     "keeps originals for 120 days, where it was for 90 days"),
    ("releases end", {"retention": {**RETENTION, "published_days": 900}}, "narrowing",
     "keeps releases for 900 days, where it was for good"),
    ("opt-out gone", {"opt_out": None}, "widening",
     "removes the evidence on the National Data Opt-out"),
    ("opt-out not applied", {"opt_out": {**OPT_OUT, "applied": "not_applicable"}},
     "widening", "says that the National Data Opt-out does not apply"),
    ("opt-out counted", {"opt_out": {**OPT_OUT, "removed": 4}}, "neutral",
     "changes the number of records removed by the National Data Opt-out from 3 to 4"),
    ("dspt status", listed("dspt", 0, status="not_met"), "neutral",
     "changes the DSPT status of A council (synthetic) from standards met to standards not met"),
    ("dspt later", listed("dspt", 0, expires=dt.date(2028, 6, 30)), "widening",
     "extends the DSPT status of A council (synthetic) to 30 June 2028 (from 30 June 2027)"),
    ("signed again", listed("signatories", 0, date=dt.date(2026, 3, 1)), "neutral",
     "Director, A council (synthetic) signs on 1 March 2026, where it was 1 March 2025"),
    ("signature bound", listed("signatories", 0, signed_sha256="0" * 64), "neutral",
     "binds the signature of Director, A council (synthetic) to the text 000000000000, where it "
     "was no text"),
    ("amendment", {"amendments": [AMENDED], "version": "1.1"}, "neutral",
     'records amendment 1.1 of 1 January 2026, signed by A and B: More'),
    ("notice gone", {"privacy_notice": None}, "widening",
     "removes the privacy notice (https://example.org/privacy)"),
    ("anything else", {"title": "Other"}, "neutral",
     'changes title from "Visits (synthetic)" to Other'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "effect", "sentence"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_a_change_is_said(change: dict[str, Any], effect: str, sentence: str) -> None:
    found = agreement_changes(agreement(), agreement(**change))

    assert (effect, sentence) in {(c.effect, c.sentence) for c in found}


def test_every_change_of_one_field_is_one_sentence() -> None:
    found = agreement_changes(agreement(), agreement(expiry_date=dt.date(2029, 3, 31)))

    assert [c.key for c in found] == ["expiry_date"]


def test_identical_versions_have_no_change() -> None:
    assert agreement_changes(agreement(), agreement()) == []
    assert summary_words([]) == "The two versions say the same."


def test_the_same_change_in_several_sources_is_said_once() -> None:
    sources = copy.deepcopy(CONTENT["sources"])
    for entry in sources:
        entry["columns"].append({"name": "age", "class": "measure", "action": "keep"})

    found = agreement_changes(agreement(), agreement(sources=sources))

    assert [c.sentence for c in found] == [
        "adds column age (measure, kept) to sources north_visits and south_visits"
    ]


def test_the_weightiest_comes_first() -> None:
    changed = agreement(
        title="Other", expiry_date=dt.date(2029, 3, 31),
        sources=column("ethnicity", action="keep"),
    )  # fmt: skip

    found = agreement_changes(agreement(), changed)

    assert [c.key.split(".")[0] for c in found] == ["sources", "expiry_date", "title"]


@pytest.mark.parametrize(
    ("earlier", "later", "words"),
    [
        (dt.date(2027, 3, 31), dt.date(2028, 3, 31), "12 months"),
        (dt.date(2027, 2, 28), dt.date(2027, 3, 31), "1 month"),
        (dt.date(2027, 2, 28), dt.date(2027, 3, 28), "1 month"),
        (dt.date(2027, 3, 1), dt.date(2027, 3, 2), "1 day"),
        (dt.date(2027, 3, 5), dt.date(2027, 4, 4), "30 days"),
    ],
)
def test_a_span_is_in_months_where_it_is_whole(
    earlier: dt.date, later: dt.date, words: str
) -> None:
    assert span_words(earlier, later) == words


NAMES = st.sampled_from(["alpha", "beta", "gamma"])
TEXTS = st.sampled_from(["", "none", "one text", "another"])
MAYBE = st.none() | TEXTS
DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2030, 12, 31))
HASHES = st.none() | st.sampled_from(["0" * 64, "a" * 64])


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=3)


def made(model: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return any instance of a model, held to no rule: the words must cover every one."""
    missing = set(model.model_fields) - set(fields)
    assert not missing, f"the test does not know {missing} of {model.__name__}"
    return st.fixed_dictionaries(fields).map(lambda given: model.model_construct(**given))


LEVELS = st.sampled_from(["lsoa21", "msoa21", "lad24"])
COLUMN = made(
    AgreedColumn, name=NAMES,
    class_=st.sampled_from(["direct_identifier", "quasi_identifier", "special", "measure"]),
    action=st.sampled_from(["drop", "pseudonymise", "generalise", "redact", "keep"]),
    to=st.none() | st.sampled_from(["age_band", "presence"]),
    redaction=st.none() | made(Redaction, minimum_recall=st.sampled_from([0.5, 0.9])),
    from_date=st.none() | DAYS,
)  # fmt: skip
SOURCE = made(
    AgreedSource, id=NAMES, columns=some(COLUMN), minimum_geography=LEVELS, controller=MAYBE,
    subjects=MAYBE, health_or_care=st.booleans(), criminal_offence=st.booleans(),
    counts_leave=st.sampled_from(["protected", "exact"]), signing_keys=some(NAMES),
    from_date=st.none() | DAYS,
)  # fmt: skip
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "id": NAMES, "version": NAMES, "title": NAMES,
    "kind": st.sampled_from(["data_sharing_agreement", "open_licence"]),
    "synthetic": st.booleans(), "parties": some(NAMES), "controllers": some(NAMES),
    "purposes": some(NAMES), "aims": MAYBE, "lawful_basis": MAYBE, "statute": MAYBE,
    "special_condition": MAYBE, "criminal_condition": MAYBE, "confidentiality_basis": MAYBE,
    "dea_gateway": st.sampled_from(["none", "s64", "s48"]), "licence": MAYBE, "attribution": MAYBE,
    "sources": some(SOURCE), "start_date": DAYS, "expiry_date": st.none() | DAYS,
    "review_date": st.none() | DAYS, "review_overdue": st.sampled_from(["warn", "refuse"]),
    "permitted_outputs": some(made(
        PermittedOutput, indicator=NAMES, geography=LEVELS,
        frequency=st.sampled_from(["monthly", "quarterly", "yearly"]),
        profile=st.sampled_from(get_args(ProfileName)))),
    "permitted_roles": some(made(
        PermittedRole, role=st.sampled_from(["analyst", "public"]),
        zones=some(st.sampled_from(["quality", "published"])))),
    "permitted_linkages": some(made(
        PermittedLinkage, agreement=NAMES, level=st.sampled_from(["area", "record"]))),
    "onward_sharing": TEXTS, "recipients": some(NAMES), "transfers": TEXTS,
    "security_measures": MAYBE, "privacy_notice": MAYBE, "complaints": MAYBE, "contact": MAYBE,
    "retention": st.none() | made(
        Retention, received_days=st.integers(1, 3), restricted_days=st.integers(1, 3),
        linked_days=st.integers(1, 3), published_days=st.none() | st.integers(1, 3),
        after_end_days=st.integers(0, 2), after_withdrawal_days=st.integers(0, 2)),
    "disposal": TEXTS,
    "opt_out": st.none() | made(
        OptOut, applied=st.sampled_from(["yes", "not_applicable"]), reason=TEXTS,
        date=st.none() | DAYS, removed=st.none() | st.integers(0, 2)),
    "dspt": some(made(
        Dspt, organisation=NAMES, status=st.sampled_from(["standards_met", "not_met"]),
        expires=DAYS)),
    "signatories": some(made(
        Signatory, role=NAMES, organisation=NAMES, date=DAYS, signed_sha256=HASHES)),
    "amendments": some(made(
        Amendment, version=NAMES, date=DAYS, summary=TEXTS, signed_by=some(NAMES),
        previous_expiry=st.none() | DAYS)),
}  # fmt: skip


def test_the_random_changes_reach_every_field() -> None:
    assert set(FIELDS) == set(Agreement.model_fields)


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_no_change_of_any_field_goes_unsaid(data: st.DataObject) -> None:
    old = agreement()
    names = data.draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=3))
    before = old.model_copy(update={n: data.draw(FIELDS[n]) for n in names})
    after = before.model_copy(update={n: data.draw(FIELDS[n]) for n in names})

    found = agreement_changes(before, after)

    changed = {n for n in Agreement.model_fields if getattr(before, n) != getattr(after, n)}
    assert {c.key.split(".")[0] for c in found} == changed
    assert all(c.sentence.strip() for c in found)


@given(SOURCE, SOURCE)
@settings(max_examples=300, deadline=None)
def test_every_change_inside_a_source_is_said(one: AgreedSource, two: AgreedSource) -> None:
    two = two.model_copy(update={"id": one.id})
    before = agreement().model_copy(update={"sources": [one]})
    after = agreement().model_copy(update={"sources": [two]})

    keys = {part for c in agreement_changes(before, after) for part in c.key.split(", ")}

    changed = {n for n in AgreedSource.model_fields if getattr(one, n) != getattr(two, n)}
    assert {key.split(".")[2] for key in keys} == changed


def test_the_page_can_be_signed_off_and_says_every_change() -> None:
    old, new = agreement(), agreement(expiry_date=dt.date(2029, 3, 31), title="<b>Other</b>")
    changes = agreement_changes(old, new)

    html, text = (write(diff_page(old, new, changes, TODAY)) for write in (html_page, text_page))

    assert "Extends expiry by 12 months (31 March 2028 to 31 March 2029)." in html
    assert old.text_sha256() in html
    assert new.text_sha256() in html
    assert html.count('<span class="rule">') == 10
    assert "&lt;b&gt;Other&lt;/b&gt;" in html
    assert "<b>" not in html
    assert "Widening" in text


def test_the_data_for_machines_has_every_change() -> None:
    old, new = agreement(), agreement(title="Other")

    said = diff_data(old, new, agreement_changes(old, new))

    assert [c["key"] for c in said["changes"]] == ["title"]
    assert said["old"]["text_sha256"] != said["new"]["text_sha256"]


def test_the_sample_is_an_agreement() -> None:
    assert Agreement.model_validate(content()).id == "DSA-TM-009"


def test_a_date_of_birth_turned_into_a_band_is_said_in_words() -> None:
    def born(**more: Any) -> AgreedColumn:
        return AgreedColumn.model_validate(
            {"name": "born", "class": "direct_identifier", "action": "generalise", **more}
        )

    def between(was: AgreedColumn, now: AgreedColumn) -> list[tuple[str, str]]:
        sides = [
            agreement().model_copy(update={"sources": [AgreedSource(id="cases", columns=[column])]})
            for column in (was, now)
        ]
        return [(change.effect, change.sentence) for change in agreement_changes(*sides)]

    dropped, band, there = born(action="drop"), born(to="age_band"), born(to="presence")

    ((effect, said),) = between(dropped, band)
    assert effect == "widening"
    assert "generalise (turned into an age band, then removed)" in said
    ((effect, said),) = between(band, there)
    assert effect == "narrowing"
    assert "generalise (turned into whether there is one, then removed)" in said
    assert fate(band) == "Turned into an age band, then removed."
    with pytest.raises(ValueError, match="to goes with the action generalise"):
        born(action="keep", to="age_band", **{"class": "measure"})
