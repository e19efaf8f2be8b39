"""The register, its calendar and its page."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from region_factory import region_content, write_region

from declarations.declared import RegionDeclarations
from declarations.loader import load_region
from governance.reports.due_dates import DueDay, ahead, behind, due_days, ics_text, timeline
from governance.reports.pages import html_page
from governance.reports.register import Register, read_register, register_csv
from governance.reports.register_page import register_page

TODAY = dt.date(2026, 5, 10)
NORTH = "agreements/DSA-TM-001.yaml"


def declared(folder: Path, **changes: Any) -> RegionDeclarations:
    whole = region_content()
    whole[NORTH].update(changes)
    return load_region(write_region(folder / "region", whole))


def register(folder: Path, **changes: Any) -> Register:
    return read_register(declared(folder, **changes), folder / "data", TODAY)


def north(found: Register) -> Any:
    return next(e for e in found.entries if e.source.id == "north_cases")


@pytest.mark.parametrize(
    ("changes", "light", "state", "words"),
    [
        ({}, "force", "good", "In force until 31 December 2027"),
        (
            {"expiry_date": dt.date(2026, 8, 8)},
            "force",
            "soon",
            "Ends in 90 days, on 8 August 2026",
        ),
        ({"expiry_date": dt.date(2026, 8, 9)}, "force", "good", "In force until 9 August 2026"),
        ({"expiry_date": TODAY}, "force", "soon", "Ends in 0 days, on 10 May 2026"),
        ({"expiry_date": dt.date(2026, 5, 9)}, "force", "bad", "Ended on 9 May 2026"),
        ({"start_date": dt.date(2026, 5, 11)}, "force", "soon", "Starts on 11 May 2026"),
        ({}, "review", "bad", "No day is set"),
        ({"review_date": dt.date(2026, 5, 9)}, "review", "bad", "Overdue since 9 May 2026"),
        ({"review_date": TODAY}, "review", "soon", "Due by 10 May 2026"),
        ({"review_date": dt.date(2026, 8, 9)}, "review", "good", "By 9 August 2026"),
        ({}, "dspt", "none", "Not needed: no health or care records"),
        ({}, "opt_out", "none", "Not needed: no health or care records"),
    ],
)
def test_the_lights(
    tmp_path: Path, changes: dict[str, Any], light: str, state: str, words: str
) -> None:
    found = getattr(north(register(tmp_path, **changes)), light)

    assert (found.state, found.words) == (state, words)


HEALTH = {
    "confidentiality_basis": "Made up",
    "sources": [{**region_content()[NORTH]["sources"][0], "health_or_care": True}],
}
AGENCY = region_content()["sources/north_cases.yaml"]["agency"]


def dspt(status: str, expires: dt.date, organisation: str = AGENCY) -> dict[str, Any]:
    return {"dspt": [{"organisation": organisation, "status": status, "expires": expires}]}


@pytest.mark.parametrize(
    ("changes", "light", "state"),
    [
        (dspt("standards_met", dt.date(2026, 8, 9)), "dspt", "good"),
        (dspt("standards_met", dt.date(2026, 8, 8)), "dspt", "soon"),
        (dspt("standards_met", dt.date(2026, 5, 9)), "dspt", "bad"),
        (dspt("approaching_standards", dt.date(2027, 6, 30)), "dspt", "soon"),
        (dspt("not_met", dt.date(2027, 6, 30)), "dspt", "bad"),
        (dspt("standards_met", dt.date(2027, 6, 30), "Another"), "dspt", "bad"),
        ({}, "opt_out", "bad"),
        ({"opt_out": {"applied": "not_applicable", "reason": "r"}}, "opt_out", "good"),
        ({"opt_out": {"applied": "yes", "reason": "r", "date": TODAY}}, "opt_out", "good"),
        ({"opt_out": {"applied": "yes", "reason": "r", "date": dt.date(2026, 5, 11)}}, "opt_out",
         "bad"),
    ],
)  # fmt: skip
def test_the_lights_of_health_records(
    tmp_path: Path, changes: dict[str, Any], light: str, state: str
) -> None:
    assert getattr(north(register(tmp_path, **HEALTH, **changes)), light).state == state


def test_withdrawn_and_held_are_shown(tmp_path: Path) -> None:
    governance = tmp_path / "data" / "governance"
    (governance / "withdrawals").mkdir(parents=True)
    (governance / "withdrawals" / "DSA-TM-001.json").write_text("not json", encoding="utf-8")
    (governance / "holds").mkdir()
    (governance / "holds" / "H-1.json").write_text(
        json.dumps({"id": "H-1", "agreement": None, "source": "south_cases", "period": None,
                    "reason": "A court case", "by": "Somebody", "account": "x",
                    "day": "2026-05-01"}), encoding="utf-8",
    )  # fmt: skip

    found = register(tmp_path)

    assert north(found).force.state == "bad"
    assert north(found).force.words.startswith("Withdrawn on")
    south = next(e for e in found.entries if e.source.id == "south_cases")
    assert south.hold.reason == "A court case"
    html = html_page(register_page(found))
    assert "Legal hold: A court case" in html
    assert "DSA-TM-001 is withdrawn" in html


def test_the_csv_has_a_row_for_every_source(tmp_path: Path) -> None:
    found = register(tmp_path, title="=cmd()")

    rows = list(csv.DictReader(io.StringIO(register_csv(found))))

    assert {r["source_id"] for r in rows} == set(found.declared.sources)
    row = next(r for r in rows if r["source_id"] == "north_cases")
    assert row["agreement_id"] == "DSA-TM-001"
    assert row["lawful_basis"] == "Article 6(1)(e) public task"
    assert row["expiry_date"] == "2027-12-31"
    assert row["in_force_state"] == "good"
    assert row["agreement_title"] == "'=cmd()"
    assert row["text_sha256"] == found.declared.agreements["DSA-TM-001"].text_sha256()


def test_the_page_is_in_the_order_of_the_five_safes(tmp_path: Path) -> None:
    html = html_page(register_page(register(tmp_path, title="<script>alert(1)</script>")))

    safes = re.findall(r"<h2 id=[^>]+>Safe (\w+)</h2>", html)
    assert safes == ["projects", "people", "settings", "data", "outputs"]
    assert "<script" not in html
    assert "default-src 'none'" in unescape(html)
    assert not re.search(r"(?:src|href)=\"(?!#)", html)
    assert re.findall(r"<h([1-6])", html)[0] == "1"


def test_every_light_has_words_and_a_sign_beside_its_colour(tmp_path: Path) -> None:
    html = html_page(register_page(register(tmp_path)))

    lights = re.findall(r'<span class="light l-(\w+)"><span class="sign"[^>]*>(.)</span> ([^<]+)',
                        html)  # fmt: skip
    assert {(state, sign) for state, sign, _ in lights} <= {
        ("good", "✓"), ("soon", "!"), ("bad", "✗"), ("none", "–"),  # noqa: RUF001
    }  # fmt: skip
    assert all(words.strip() for *_, words in lights)


def test_the_calendar_has_every_day_that_matters(tmp_path: Path) -> None:
    found = declared(
        tmp_path, review_date=dt.date(2026, 6, 1), expiry_date=dt.date(2026, 12, 31),
        **dspt("standards_met", dt.date(2026, 6, 30)),
    )  # fmt: skip

    days = [d for d in due_days(found, []) if d.agreement == "DSA-TM-001"]

    assert [(d.day, d.kind) for d in days] == [
        (dt.date(2026, 6, 1), "review"),
        (dt.date(2026, 6, 30), "dspt"),
        (dt.date(2026, 12, 31), "expiry"),
    ]


def test_what_is_held_has_its_day_of_disposal(finished: Any) -> None:
    workspace = finished.workspace

    found = read_register(workspace.declared, workspace.root, TODAY)

    # The northern cases arrived on 20 April 2026 and their originals may stay 90 days.
    disposals = [d for d in found.days if d.kind == "disposal" and d.agreement == "DSA-TM-001"]
    assert disposals[0].day == dt.date(2026, 7, 19)
    assert disposals[0].words == "Disposal of 1 item of originals as sent (DSA-TM-001)"


def day(text: str, kind: Any = "review") -> DueDay:
    return DueDay(dt.date.fromisoformat(text), kind, "DSA-TM-001", f"Something, {text}; \\ done")


def test_the_next_months_end_with_a_whole_month() -> None:
    days = [day(t) for t in ("2026-05-09", "2026-05-10", "2028-04-30", "2028-05-01")]

    assert [d.day.isoformat() for d in ahead(days, TODAY)] == ["2026-05-10", "2028-04-30"]
    assert [d.day.isoformat() for d in behind(days, TODAY)] == ["2026-05-09"]


def test_the_timeline_draws_a_mark_a_month_and_kind() -> None:
    days = [day("2026-06-01"), day("2026-06-20"), day("2026-06-30", "dspt"),
            replace(day("2027-01-01", "expiry"), agreement="<A>")]  # fmt: skip

    drawn = timeline(days, TODAY)

    marks = re.findall(r"<g transform=", drawn.svg)
    assert len(marks) == 3 + 4  # three marks and the legend's four
    assert "&lt;A&gt;" in drawn.svg
    assert "4 due days for 2 agreements" in drawn.words


def test_the_calendar_file_is_what_calendar_programs_read() -> None:
    long = replace(day("2026-06-01"), words="Überprüfung, " * 12)

    text = ics_text([day("2026-06-01"), day("2026-06-01"), long], "testmere", TODAY)

    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "\n" not in text.replace("\r\n", "")
    unfolded = text.replace("\r\n ", "")
    assert "SUMMARY:Something\\, 2026-06-01\\; \\\\ done" in unfolded
    assert "Überprüfung\\, " * 12 in unfolded
    assert unfolded.count("DTSTART;VALUE=DATE:20260601") == 3
    assert unfolded.count("DTEND;VALUE=DATE:20260602") == 3
    names = re.findall(r"UID:(\S+)", unfolded)
    assert len(set(names)) == 3
    assert text == ics_text([day("2026-06-01"), day("2026-06-01"), long], "testmere", TODAY)
