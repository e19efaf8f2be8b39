"""A delivery under its agreement: refused unread, trimmed, quarantined, or admitted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from region_factory import (
    CASE_HEADER,
    OPENED,
    PLANTED,
    case_lines,
    north_lines,
    put,
    receive,
    region_content,
    rows_of,
    texts_below,
    without_purpose,
)

from governance.audit import AuditChain
from governance.pseudonyms import agreement_key, pseudonym
from intake.admission import admit, admitted_table
from intake.attempt import contract_report
from intake.records import read_record
from warehouse.workspace import Built, Workspace

Make = Callable[..., Workspace]
PERIOD = "2026-03"
NORTH_CASES = sum(OPENED[f"E0199000{n}"] for n in (1, 2, 3))


def admit_north(mere: Workspace) -> Built:
    receive(mere, "north_cases")
    return admit(mere, mere.declared.sources["north_cases"], PERIOD)


def decision(mere: Workspace, source: str = "north_cases") -> dict[str, Any]:
    return decisions(mere, source)[-1]


def decisions(mere: Workspace, source: str = "north_cases") -> list[dict[str, Any]]:
    record = read_record(mere, "decisions", source, PERIOD)
    return record["decisions"] if record else []


def admitted(mere: Workspace, source: str = "north_cases") -> list[dict[str, Any]]:
    return rows_of(mere, admitted_table(mere.declared.sources[source]), PERIOD)


def never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        pytest.fail("the file was opened")

    monkeypatch.setattr("intake.attempt.read_table", opened)


Content = dict[str, dict[str, Any]]


def with_dates(**dates: dt.date) -> Content:
    content = region_content()
    content["agreements/DSA-TM-001.yaml"].update(dates)
    return content


REFUSALS: list[tuple[str, Content, str]] = [
    ("expired", with_dates(expiry_date=dt.date(2026, 4, 19)), "agreement_expired"),
    ("not started", with_dates(start_date=dt.date(2026, 4, 21)), "agreement_not_started"),
    (
        "another purpose",
        without_purpose(region_content(), "DSA-TM-001"),
        "purpose_not_agreed",
    ),
]


@pytest.mark.parametrize(
    ("content", "reason"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS]
)
def test_what_no_agreement_allows_is_refused_unopened(
    make_mere: Make, monkeypatch: pytest.MonkeyPatch, content: Content, reason: str
) -> None:
    mere = make_mere(content)
    never_opened(monkeypatch)

    built = admit_north(mere)

    assert (built.outcome, built.rows) == ("absent", 0)
    assert (decision(mere)["decision"], decision(mere)["reasons"]) == ("refused", reason)
    assert decision(mere)["rows_read"] == decision(mere)["rows_kept"] == 0
    table = admitted_table(mere.declared.sources["north_cases"])
    assert not mere.lake.path(table, PERIOD).exists()
    assert [name for name, text in texts_below(mere) if PLANTED["person"] in text] == []
    (entry,) = [
        e for e in AuditChain(mere.root / "audit").entries() if e["event"] == "gate_decision"
    ]
    assert (entry["decision"], entry["reasons"]) == ("refused", [reason])


def redacting_mere(make_mere: Make) -> Workspace:
    content = region_content()
    (source,) = content["agreements/DSA-TM-001.yaml"]["sources"]
    (note,) = (c for c in source["columns"] if c["name"] == "note")
    note |= {"class": "free_text", "action": "redact", "redaction": {"minimum_recall": 0.5}}
    return make_mere(content)


def gate_entries(mere: Workspace) -> list[dict[str, Any]]:
    return list(AuditChain(mere.root / "audit").find(event="gate_decision"))


def test_the_audit_entry_counts_what_was_taken_out_of_free_text(make_mere: Make) -> None:
    mere = redacting_mere(make_mere)
    notes = ["born here; ring 07700 900123", "ring 07700 900456, then 07700 900789", "all well"]
    put(
        mere.landing,
        "north_cases",
        "cases_2026-03.csv",
        case_lines([{"note": f'"{n}"'} for n in notes]),
    )

    assert admit_north(mere).outcome == "built"

    (entry,) = gate_entries(mere)
    assert entry["identifiers_redacted"] == 3
    kept = [row["note"] for row in admitted(mere)]
    assert len(kept) == 3
    assert not [n for n in ("900123", "900456", "900789") if n in f"{kept} {entry}"]


def test_free_text_without_identifiers_counts_none(make_mere: Make) -> None:
    mere = redacting_mere(make_mere)
    put(mere.landing, "north_cases", "cases_2026-03.csv", case_lines([{"note": "all well"}]))
    admit_north(mere)

    assert [e["identifiers_redacted"] for e in gate_entries(mere)] == [0]


def test_where_no_free_text_was_looked_at_nothing_is_said_of_it(mere: Workspace) -> None:
    admit_north(mere)

    assert [e["identifiers_redacted"] for e in gate_entries(mere)] == [None]


def test_on_the_last_day_of_the_agreement_it_is_still_admitted(make_mere: Make) -> None:
    content = region_content()
    content["agreements/DSA-TM-001.yaml"]["expiry_date"] = dt.date(2026, 4, 20)

    assert admit_north(make_mere(content)).outcome == "built"


def test_a_table_already_admitted_is_taken_away_when_the_agreement_ends(make_mere: Make) -> None:
    assert admit_north(make_mere()).outcome == "built"
    content = region_content()
    content["agreements/DSA-TM-001.yaml"]["expiry_date"] = dt.date(2026, 4, 19)
    mere = make_mere(content)

    assert admit_north(mere).outcome == "absent"

    assert admitted(mere) == []


def test_nothing_delivered_is_absent_and_leaves_no_decision(make_mere: Make) -> None:
    mere = make_mere(leave_out=("north_cases",))

    assert admit_north(mere).reason == "nothing was delivered"
    assert decisions(mere) == []


def test_an_undeclared_column_is_trimmed_and_named(mere: Workspace) -> None:
    built = admit_north(mere)

    found = decision(mere)
    assert (built.outcome, built.rows) == ("built", NORTH_CASES)
    assert (found["decision"], found["reasons"]) == ("trimmed", "undeclared_columns")
    assert found["columns_undeclared"] == "favourite (text)"
    assert found["columns_dropped"] == "name, nhs_number, note"
    assert found["rows_read"] == found["rows_kept"] == NORTH_CASES


def test_a_heading_that_names_somebody_is_counted_and_not_named(mere: Workspace) -> None:
    header = (*CASE_HEADER, "Zebedee Quillfeather", "Date Opened")
    row = ["P1", "n", "1", "TM1 1AA", "home", "2026-02-01", "", "note", "x", "y"]
    put(
        mere.landing, "north_cases", "cases_2026-03.csv", [",".join(header), ",".join(row)],
        day=dt.date(2026, 4, 21),
    )  # fmt: skip

    admit_north(mere)

    assert decision(mere)["columns_undeclared"] == "Date Opened (text), (1 not named)"
    assert "Quillfeather" not in decision(mere)["message"]


def test_a_delivery_within_its_agreement_is_admitted_whole(mere: Workspace) -> None:
    receive(mere, "south_cases")
    admit(mere, mere.declared.sources["south_cases"], PERIOD)

    found = decision(mere, "south_cases")
    assert (found["decision"], found["reasons"]) == ("admitted", "")
    assert found["columns_undeclared"] == ""


def test_the_admitted_table_holds_what_was_agreed_and_no_more(mere: Workspace) -> None:
    admit_north(mere)

    rows = admitted(mere)

    assert set(rows[0]) == {"record_id", "person_id", "postcode", "service", "opened", "closed"}
    key = agreement_key(mere.keys, "DSA-TM-001")
    assert rows[0]["person_id"] == pseudonym(key, PLANTED["person"])
    assert {r["postcode"] for r in rows} == {"TM1 1AA", "TM1 1AB"}


def test_the_same_person_has_another_pseudonym_under_the_other_agreement(mere: Workspace) -> None:
    for source in ("north_cases", "south_cases"):
        put(mere.landing, source, "cases_2026-03.csv", case_lines([{"person_id": "SAME"}]))
    receive(mere, "north_cases", "south_cases")
    pseudonyms = []
    for source in ("north_cases", "south_cases"):
        admit(mere, mere.declared.sources[source], PERIOD)
        pseudonyms.append(admitted(mere, source)[0]["person_id"])

    assert "SAME" not in pseudonyms
    assert pseudonyms[0] != pseudonyms[1]


def test_a_heading_that_may_be_a_value_is_counted_not_named(mere: Workspace) -> None:
    heading = "Quillfeather 9998887771"
    put(mere.landing, "north_cases", "cases_2026-03.csv", case_lines([{}], (*CASE_HEADER, heading)))
    admit_north(mere)

    assert decision(mere)["columns_undeclared"] == "(1 not named)"
    assert [name for name, text in texts_below(mere) if heading in text] == []


BAD = {
    "broken rows": ([*case_lines([{}, {}]), "P0009,too,few"], "broken_rows"),
    "unreadable date": (case_lines([{}, {"opened": "yesterday-Quillfeather"}]), "broken_rows"),
    "unknown code": (case_lines([{"service": "haircut-Quillfeather"}]), "contract_failed"),
    "no heading": (["nothing", "here"], "missing_column"),
    "only headings": (case_lines([]), "header_only"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_broken_delivery_is_quarantined_without_a_word_of_its_content(
    mere: Workspace, fault: str
) -> None:
    lines, reason = BAD[fault]
    put(mere.landing, "north_cases", "cases_2026-03.csv", lines)

    built = admit_north(mere)

    assert built.outcome == "absent"
    assert decision(mere)["decision"] == "quarantined"
    assert decision(mere)["reasons"].split(", ")[0] == reason
    assert admitted(mere) == []
    assert [name for name, text in texts_below(mere) if "Quillfeather" in text] == []


def test_a_broken_delivery_holds_back_no_other(mere: Workspace) -> None:
    put(mere.landing, "north_cases", "cases_2026-03.csv", BAD["broken rows"][0])
    admit_north(mere)
    receive(mere)
    south = admit(mere, mere.declared.sources["south_cases"], PERIOD)
    months = ["2026-01", "2026-02", "2026-03"]
    visits = [admit(mere, mere.declared.sources["north_visits"], m) for m in months]

    assert south.outcome == "built"
    assert [b.outcome for b in visits] == ["built"] * 3


def test_a_few_broken_rows_are_left_out_and_counted(mere: Workspace) -> None:
    lines = [*case_lines([{} for _ in range(99)]), "P0100,too,few"]
    put(mere.landing, "north_cases", "cases_2026-03.csv", lines)

    built = admit_north(mere)

    assert (built.outcome, built.rows) == ("built", 99)
    found = decision(mere)
    assert (found["rows_read"], found["rows_broken"], found["rows_kept"]) == (100, 1, 99)


def second_version(mere: Workspace, lines: list[str]) -> None:
    put(mere.landing, "north_cases", "cases_2026-03 (2).csv", lines, day=dt.date(2026, 4, 25))


def test_a_bad_second_version_does_not_replace_a_good_first(mere: Workspace) -> None:
    admit_north(mere)
    before = admitted(mere)
    second_version(mere, BAD["unknown code"][0])

    built = admit_north(mere)

    assert built.outcome == "built"
    assert [(d["version"], d["decision"]) for d in decisions(mere)] == [
        (2, "quarantined"), (1, "trimmed"),
    ]  # fmt: skip
    assert admitted(mere) == before


def test_a_good_second_version_replaces_the_first(mere: Workspace) -> None:
    admit_north(mere)
    second_version(mere, case_lines([{}]))

    assert admit_north(mere).rows == 1
    assert [(d["version"], d["decision"]) for d in decisions(mere)] == [(2, "admitted")]


def test_a_second_version_after_the_end_does_not_replace_the_first(make_mere: Make) -> None:
    content = region_content()
    content["agreements/DSA-TM-001.yaml"]["expiry_date"] = dt.date(2026, 4, 24)
    mere = make_mere(content)
    second_version(mere, case_lines([{}]))

    assert admit_north(mere).rows == NORTH_CASES
    assert [d["decision"] for d in decisions(mere)] == ["refused", "trimmed"]


def test_what_has_not_changed_is_not_read_again(
    mere: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit_north(mere)
    never_opened(monkeypatch)

    assert admit_north(mere).outcome == "current"


def test_planted_values_are_in_no_artefact_and_in_no_log(finished: Any) -> None:
    found = [
        (what, name)
        for name, text in texts_below(finished.workspace)
        for what, value in PLANTED.items()
        if value in text
    ]
    names = {name for name, _ in texts_below(finished.workspace)}

    assert found == []
    assert [what for what, value in PLANTED.items() if value in finished.log] == []
    assert "counts_north_cases" in finished.log
    # The search does reach every kind of file, and does find what is there.
    assert {n.rsplit(".", 1)[-1] for n in names} >= {"parquet", "duckdb", "gpkg", "html", "csv"}
    for visible in ("TM1 1AA", "support", "E01990002"):
        assert any(visible in text for _, text in texts_below(finished.workspace)), visible
    landed = finished.workspace.landing / "north_cases" / "cases_2026-03.csv"
    assert all(value in landed.read_text() for value in PLANTED.values())


def test_an_agency_can_hold_its_file_to_the_contract_alone(mere: Workspace) -> None:
    contract, source = mere.declared.contracts["mere_cases"], mere.declared.sources["north_cases"]
    good = put(mere.landing, "north_cases", "cases_2026-03.csv", north_lines())
    bad = put(mere.landing, "north_cases", "cases_2026-02.csv", BAD["unknown code"][0])
    with duckdb.connect() as con:
        _, _, fine = contract_report(con, good, contract, source)
    with duckdb.connect() as con:
        _, _, failing = contract_report(con, bad, contract, source)

    assert not fine.blocking_failures
    assert failing.blocking_failures
