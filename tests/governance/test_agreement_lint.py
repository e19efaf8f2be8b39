"""What lint finds: a table of agreements with the finding expected, and faults with their lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from agreement_samples import CONTENT, TODAY, agreement, column, content, signed, source
from region_factory import region_content, without_purpose, write_region

from declarations.declared import RegionDeclarations
from declarations.loader import load_region
from governance.agreement_text.findings import Finding, ordered
from governance.agreement_text.lint import agreement_findings
from governance.agreement_text.lint_region import region_findings
from governance.agreement_text.reading import read_agreement

RETENTION = CONTENT["retention"]
DSPT = CONTENT["dspt"][0]
ROLES = CONTENT["permitted_roles"]

WARNINGS: list[tuple[str, dict[str, Any]]] = [
    ("expired", {"expiry_date": dt.date(2026, 11, 15)}),
    ("expires_soon", {"expiry_date": dt.date(2027, 2, 14)}),
    ("expires_soon", {"expiry_date": TODAY}),
    ("not_started", {"start_date": dt.date(2026, 11, 17)}),
    ("no_review_date", {"review_date": None}),
    ("review_overdue", {"review_date": dt.date(2026, 11, 15)}),
    ("review_after_end", {"review_date": dt.date(2028, 4, 1)}),
    ("basis_without_point", {"lawful_basis": "public task"}),
    ("consent", {"lawful_basis": "Article 6(1)(a) consent"}),
    ("no_statute", {"statute": None}),
    ("special_without_safeguards",
     {"sources": column("ethnicity", action="keep"), "special_condition": "Article 9(2)(g)"}),
    ("no_criminal_condition", {"sources": source(criminal_offence=True)}),
    ("no_confidentiality_basis", {"confidentiality_basis": None}),
    ("health_without_opt_out", {"opt_out": None}),
    ("opt_out_not_counted", {"opt_out": {**CONTENT["opt_out"], "removed": None}}),
    ("health_without_dspt", {"dspt": []}),
    ("gateway_closed_to_health", {"dea_gateway": "s64"}),
    ("dspt_not_met", {"dspt": [{**DSPT, "status": "not_met"}]}),
    ("dspt_expired", {"dspt": [{**DSPT, "expires": dt.date(2026, 11, 15)}]}),
    ("dspt_expires_soon", {"dspt": [{**DSPT, "expires": dt.date(2026, 12, 31)}]}),
    ("no_privacy_notice", {"privacy_notice": None}),
    ("no_complaints_route", {"complaints": None}),
    ("no_contact", {"contact": None}),
    ("no_aims", {"aims": None}),
    ("no_security_measures", {"security_measures": None}),
    ("subjects_not_named", {"sources": source(subjects=None)}),
    ("controller_has_not_signed", {"controllers": ["A council (synthetic)", "Another"]}),
    ("signed_after_start", {"start_date": dt.date(2025, 3, 1)}),
    ("amendments_not_recorded", {"version": "2.0"}),
    ("no_outputs", {"permitted_outputs": []}),
    ("role_reads_nothing", {"permitted_roles": ROLES[:1]}),
    ("onward_without_recipients", {"onward_sharing": "A university", "recipients": []}),
    ("transfer", {"transfers": "To somewhere"}),
    ("exact_counts_unsigned", {"sources": source(counts_leave="exact")}),
    ("originals_kept_long", {"retention": {**RETENTION, "received_days": 91}}),
    ("originals_outlive_records", {"retention": {**RETENTION, "restricted_days": 30}}),
    ("retention_beyond_agreement", {"retention": {**RETENTION, "restricted_days": 1097}}),
    ("recall_too_low", {"sources": column("note", redaction={"minimum_recall": 0.8})}),
]  # fmt: skip


def codes(found: list[Finding]) -> set[str]:
    return {f.code for f in found}


def test_a_good_agreement_has_no_finding() -> None:
    assert agreement_findings(signed(), TODAY) == []


@pytest.mark.parametrize(("code", "change"), WARNINGS, ids=[code for code, _ in WARNINGS])
def test_a_warning_is_raised(code: str, change: dict[str, Any]) -> None:
    found = agreement_findings(signed(**change), TODAY)

    assert code in codes(found)
    named = next(f for f in found if f.code == code)
    assert named.level == "warning"
    assert named.problem
    assert named.fix


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("expires_soon", {"expiry_date": dt.date(2027, 2, 15), "review_date": None}),
        ("expired", {"expiry_date": TODAY}),
        ("not_started", {"start_date": TODAY}),
        ("review_overdue", {"review_date": TODAY}),
        ("dspt_expired", {"dspt": [{**DSPT, "expires": TODAY}]}),
        ("originals_kept_long", {"retention": {**RETENTION, "received_days": 90}}),
        ("retention_beyond_agreement", {"retention": {**RETENTION, "restricted_days": 1096}}),
        ("recall_too_low", {"sources": column("note", redaction={"minimum_recall": 0.9})}),
        ("health_without_opt_out", {"opt_out": None, "sources": source(health_or_care=False)}),
    ],
)
def test_a_day_or_a_step_inside_the_limit_is_no_warning(code: str, change: dict[str, Any]) -> None:
    assert code not in codes(agreement_findings(signed(**change), TODAY))


def test_signatures_must_fit_the_text() -> None:
    unbound, bound = agreement(), signed()
    changed = bound.model_copy(update={"title": "Other"})

    assert codes(agreement_findings(unbound, TODAY)) == {"signatures_unbound"}
    assert codes(agreement_findings(changed, TODAY)) == {"signature_does_not_fit"}


def write(folder: Path, text: str) -> Path:
    path = folder / "DSA-TM-009.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def text_of(**changes: Any) -> str:
    return yaml.safe_dump(content(**changes), sort_keys=False)


def test_a_good_file_has_no_fault(tmp_path: Path) -> None:
    read = read_agreement(write(tmp_path, text_of()))

    assert read.faults == ()
    assert read.agreement == agreement()


@pytest.mark.parametrize(
    ("change", "key", "code"),
    [
        (lambda t: t.replace("title:", "titel:"), "titel", "schema_extra_forbidden"),
        (lambda t: t.replace("title: Visits (synthetic)\n", ""), "title", "schema_missing"),
        (lambda t: t.replace("action: keep", "action: keeps", 1), "sources.0.columns.3.action",
         "schema_literal_error"),
        (lambda t: t + "contact: somebody\n", "contact", "key_twice"),
        (lambda t: t.replace("review_date: 2027-09-30", "review_date: soon"), "review_date",
         "schema_date_from_datetime_parsing"),
        (lambda t: t.replace("expiry_date: 2028-03-31", "expiry_date: 2020-01-01"), "",
         "schema_value_error"),
    ],
)  # fmt: skip
def test_a_fault_of_the_file_is_named_with_its_line(
    tmp_path: Path, change: Callable[[str], str], key: str, code: str
) -> None:
    text = change(text_of())

    read = read_agreement(write(tmp_path, text))

    assert read.agreement is None
    fault = next(f for f in read.faults if f.code == code)
    assert (fault.level, fault.key, fault.file) == ("error", key, "DSA-TM-009.yaml")
    assert fault.fix
    lines = text.splitlines()
    if code == "schema_literal_error":
        assert fault.line is not None
        assert "keeps" in lines[fault.line - 1]
    elif code == "key_twice":
        assert fault.line == len(lines)


def test_all_faults_are_named_not_only_the_first(tmp_path: Path) -> None:
    text = text_of().replace("title:", "titel:").replace("action: keep", "action: keeps")

    assert len(read_agreement(write(tmp_path, text)).faults) == 4


@pytest.mark.parametrize(
    ("text", "line"),
    [("", None), ("- a\n- b\n", None), ("id: [1\nversion: 2\n", 2), ("a:\n\t- b\n", 2)],
)
def test_what_is_no_agreement_is_said(tmp_path: Path, text: str, line: int | None) -> None:
    (fault,) = read_agreement(write(tmp_path, text)).faults

    assert fault.code == "unreadable"
    assert fault.line == line


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x01")

    for path in (tmp_path / "none.yaml", tmp_path, binary):
        assert [f.code for f in read_agreement(path).faults] == ["unreadable"]


def test_lines_are_found_by_the_names_of_entries(tmp_path: Path) -> None:
    text = text_of()
    read = read_agreement(write(tmp_path, text))

    line = read.line_of("sources.north_visits.columns.note")

    assert line is not None
    assert text.splitlines()[line - 1].strip() == "- name: note"
    assert read.line_of("permitted_outputs.T03.nothing") == read.line_of("permitted_outputs.T03")
    assert read.line_of("nothing") is None


Spoil = Callable[[dict[str, dict[str, Any]]], None]


def region(tmp_path: Path, change: Spoil) -> RegionDeclarations:
    whole = region_content()
    change(whole)
    return load_region(write_region(tmp_path, whole))


NORTH = "agreements/DSA-TM-001.yaml"


def _without_columns(whole: dict[str, dict[str, Any]]) -> None:
    columns = whole[NORTH]["sources"][0]["columns"]
    whole[NORTH]["sources"][0]["columns"] = [c for c in columns if c["name"] != "note"]


def _other_purpose(whole: dict[str, dict[str, Any]]) -> None:
    without_purpose(whole, "DSA-TM-001")


def _one_sided(whole: dict[str, dict[str, Any]]) -> None:
    whole[NORTH]["permitted_linkages"] = [{"agreement": "OGL-TM-OPEN", "level": "area"},
                                          *whole[NORTH]["permitted_linkages"]]  # fmt: skip


def _unused_output(whole: dict[str, dict[str, Any]]) -> None:
    whole[NORTH]["permitted_outputs"].append({"indicator": "T09"})


def _unknown_source(whole: dict[str, dict[str, Any]]) -> None:
    whole[NORTH]["sources"].append({"id": "nowhere", "columns": [
        {"name": "aa", "class": "measure", "action": "keep"}]})  # fmt: skip


def _dspt_of_another(whole: dict[str, dict[str, Any]]) -> None:
    whole[NORTH]["sources"][0]["health_or_care"] = True
    whole[NORTH]["dspt"] = [{"organisation": "Somebody", "status": "standards_met",
                             "expires": dt.date(2027, 6, 30)}]  # fmt: skip


def _not_covered(whole: dict[str, dict[str, Any]]) -> None:
    whole["sources/south_cases.yaml"]["agreement"] = "DSA-TM-001"


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("columns_not_named", _without_columns),
        ("purpose_not_agreed", _other_purpose),
        ("linkage_one_sided", _one_sided),
        ("output_not_used", _unused_output),
        ("source_not_declared", _unknown_source),
        ("dspt_of_supplier_missing", _dspt_of_another),
        ("source_not_covered", _not_covered),
    ],
)
def test_what_stands_between_an_agreement_and_its_region(
    tmp_path: Path, code: str, change: Spoil
) -> None:
    good = region(tmp_path / "good", lambda whole: None)
    bad = region(tmp_path / "bad", change)
    day = dt.date(2026, 5, 10)

    before, after = (
        {(f.code, f.key) for f in region_findings(d.agreements["DSA-TM-001"], d, day)}
        for d in (good, bad)
    )
    assert code in {name for name, _ in after - before}


def test_a_source_under_another_agreement_is_named(tmp_path: Path) -> None:
    bad = region(tmp_path, _not_covered)

    found = region_findings(bad.agreements["DSA-TM-002"], bad, dt.date(2026, 5, 10))

    assert "source_under_another" in codes(found)


def test_errors_come_first() -> None:
    warn = Finding("warning", "a", "", "p", "f", "a.yaml", 1)
    fault = Finding("error", "z", "", "p", "f", "z.yaml", 9)

    assert ordered([warn, fault]) == [fault, warn]
