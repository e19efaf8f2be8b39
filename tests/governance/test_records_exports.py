"""Records made from the declarations: what each says, and that none carries a person's data."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from region_factory import INDICATORS, PLANTED, region_content, write_region

from declarations.dpia import Assessment
from declarations.loader import load_region
from governance.agreement_text.show import agreement_page
from governance.audit import AuditChain
from governance.controls.catalogue import run_controls
from governance.controls.model import ControlResult
from governance.disclosure import protect_count
from governance.reports.pages import html_page, text_page
from governance.reports.records.atrs import BLANK, atrs_files
from governance.reports.records.dpia import LiveRisk, dpia_files, live_risks
from governance.reports.records.foi_log import disclosures, foi_files
from governance.reports.records.privacy_notice import BLANK as UNKNOWN
from governance.reports.records.privacy_notice import notice_page, privacy_notice_files
from governance.reports.records.ropa import MISSING, activities, ropa_files
from governance.reports.register import Register, read_register, register_csv
from governance.reports.register_page import register_page
from pipelines.regions import open_region

TODAY = dt.date(2026, 5, 10)
NORTH = "agreements/DSA-TM-001.yaml"
ASSESSMENT = {
    "id": "mere_assessment", "title": "Made up", "agreements": ["DSA-TM-001"], "owner": "Nobody",
    "need": "Made up.", "necessity": "Made up.", "consultation": "Nobody", "sign_off": "Nobody",
    "signed_on": dt.date(2025, 1, 1), "review_date": dt.date(2027, 1, 1),
    "risks": [
        {"id": "seen", "description": "Somebody is seen.", "likelihood": 3, "severity": 4,
         "measure": "Hidden.", "residual_likelihood": 1, "residual_severity": 2,
         "controls": ["small_counts_protected", "audit_chain_holds"]},
    ],
}  # fmt: skip


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def made(folder: Path, **changes: Any) -> Register:
    whole = region_content()
    whole[NORTH].update(changes)
    whole["dpia/mere_assessment.yaml"] = ASSESSMENT
    return read_register(load_region(write_region(folder / "r", whole)), folder / "data", TODAY)


@pytest.fixture(scope="module")
def ran(finished: Any) -> Register:
    workspace = finished.workspace
    assessed = replace(
        workspace.declared, assessments={"mere_assessment": Assessment.model_validate(ASSESSMENT)}
    )
    return read_register(assessed, workspace.root, TODAY)


# Record of processing


def test_the_record_of_processing_has_the_fields_of_article_30(tmp_path: Path) -> None:
    found = made(tmp_path, contact="dpo@example.org", recipients=["B"], security_measures="Locked")

    row = next(r for r in rows(ropa_files(found)["ropa.csv"]) if r["id"].endswith("/north_cases"))

    assert row["controller"] == "A council (synthetic)"
    assert row["controller_contact"] == "dpo@example.org"
    assert row["other_parties"] == "Testmere partnership (synthetic)"
    assert row["purpose"] == "neighbourhood-indicators"
    assert row["subjects"] == MISSING
    assert "direct identifier, pseudonymised: person_id" in row["categories"]
    assert row["recipients"] == "B"
    assert row["transfers"] == "none"
    assert row["retention_days"] == "365"
    assert row["security_measures"] == "Locked"
    assert (row["dsa_id"], row["dpia_id"]) == ("DSA-TM-001", "mere_assessment")
    assert row["last_review"] == "2024-12-02"


def test_a_column_that_is_dropped_is_no_category(tmp_path: Path) -> None:
    found = {a.id: a for a in activities(made(tmp_path))}["DSA-TM-001/north_cases"]

    assert "nhs_number" not in found.categories
    assert found.special_categories == ""


def test_open_data_is_no_processing_of_personal_data(tmp_path: Path) -> None:
    assert {a.dsa_id for a in activities(made(tmp_path))} == {
        "DSA-TM-001", "DSA-TM-002", "DSA-TM-003",
    }  # fmt: skip


# Register of risks


def result(name: str, outcome: Any) -> ControlResult:
    return ControlResult(name, name, outcome, "because", TODAY)


OUTCOMES = [
    ("passed", "passed", "mitigated", 2),
    ("failed", "passed", "reopened", 12),
    ("passed", "could_not_run", "unproven", 12),
    ("failed", "could_not_run", "reopened", 12),
    ("could_not_run", "could_not_run", "unproven", 12),
]


@pytest.mark.parametrize(("first", "second", "standing", "rating"), OUTCOMES)
def test_a_red_control_reopens_its_risk(
    tmp_path: Path, first: str, second: str, standing: str, rating: int
) -> None:
    found = made(tmp_path)
    results = {
        "small_counts_protected": result("small_counts_protected", first),
        "audit_chain_holds": result("audit_chain_holds", second),
    }

    (risk,) = live_risks(found, results)

    assert (risk.standing, risk.now) == (standing, rating)
    files = dpia_files(found, results)
    (row,) = rows(files["dpia-risks.csv"])
    assert (row["standing"], row["current_rating"]) == (standing, str(rating))
    reopened = "reopened: small_counts_protected failed on 10 May 2026"
    assert (reopened in files["dpia.html"]) is (standing == "reopened")
    assert ("mitigated: every control passed" in files["dpia.html"]) is (standing == "mitigated")


def test_a_control_that_was_not_run_is_never_green(tmp_path: Path) -> None:
    (risk,) = live_risks(made(tmp_path), {})

    assert risk.standing == "unproven"
    assert {r.outcome for r in risk.results} == {"could_not_run"}


def test_the_controls_are_really_run(ran: Register, finished: Any) -> None:
    workspace = replace(finished.workspace, declared=ran.declared)

    (risk,) = live_risks(ran, run_controls(workspace, ASSESSMENT["risks"][0]["controls"]))

    assert isinstance(risk, LiveRisk)
    assert risk.standing == "mitigated"


def test_agreements_without_an_assessment_are_named(tmp_path: Path) -> None:
    page = dpia_files(made(tmp_path), {})["dpia.html"]

    assert "No assessment covers DSA-TM-002 and DSA-TM-003." in page


# Transparency record


def test_each_index_has_a_draft_with_its_weights_and_sources(ran: Register, finished: Any) -> None:
    files = atrs_files(ran, finished.workspace.root)

    assert set(files) == {"atrs-t04.html"}
    page = files["atrs-t04.html"]
    assert "T01 Cases opened rate" in page
    assert "50% of the index" in page
    assert "DSA-TM-001" in page
    assert finished.outcome.release_id in page
    for tier in ("Tier 1", "Tier 2, 1", "Tier 2, 2", "Tier 2, 3", "Tier 2, 4", "Tier 2, 5"):
        assert tier in page
    blanks = re.findall(rf"{BLANK}: ([^<]+)", page)
    assert len(blanks) >= 10
    assert all(len(why) > 10 for why in blanks)


def test_a_region_without_an_index_has_no_transparency_record(tmp_path: Path) -> None:
    found = made(tmp_path)
    without = {k: v for k, v in found.declared.indicators.items() if v.kind != "composite"}

    assert atrs_files(
        replace(found, declared=replace(found.declared, indicators=without)), tmp_path
    ) == {}  # fmt: skip
    assert set(without) == set(INDICATORS) - {"T04"}


# Privacy notice


def syllables(word: str) -> int:
    found = len(re.findall(r"[aeiouy]+", word.lower().removesuffix("e")))
    return max(1, found)


def grade(text: str) -> float:
    """Return the Flesch-Kincaid grade (Kincaid and others, 1975): 7 is read at about 12."""
    sentences = [s for s in re.split(r"[.!?:\n]+", text) if re.search(r"[a-z]", s)]
    words = re.findall(r"[A-Za-z']+", text)
    spoken = sum(syllables(w) for w in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * spoken / len(words) - 15.59


def test_the_measure_of_reading_age_tells_plain_from_hard() -> None:
    hard = (
        "Notwithstanding the aforementioned considerations, controllers shall implement "
        "appropriate organisational and technical measures proportionate to identified risks."
    )

    assert grade("The cat sat on the mat. It was glad.") < 3
    assert grade(hard) > 14


@pytest.mark.parametrize("name", ["arden", "west-midlands"])
def test_the_notice_can_be_read_at_twelve(name: str, tmp_path: Path) -> None:
    declared = open_region(name)
    page = notice_page(read_register(declared, tmp_path, declared.region.as_of or TODAY))

    said = [b.words for s in page.sections for b in s.blocks if b.kind == "text"]  # type: ignore[union-attr]

    assert grade("\n".join(said)) < 7


def test_the_notice_says_what_the_agreements_say(tmp_path: Path) -> None:
    found = made(
        tmp_path, privacy_notice="https://example.org/p", complaints="https://example.org/c",
        recipients=["Somebody"], aims="Help people.",
    )  # fmt: skip

    files = privacy_notice_files(found)

    for words in ("https://example.org/p", "https://example.org/c", "Somebody", "Help people",
                  "at most 90 days", "at most 1 year", "stays in the United Kingdom"):  # fmt: skip
        assert words in files["privacy-notice.html"]
        assert words in files["privacy-notice.txt"]
    assert "Health and care" not in files["privacy-notice.txt"]


def test_a_blank_in_the_agreements_is_shown(tmp_path: Path) -> None:
    assert UNKNOWN in privacy_notice_files(made(tmp_path))["privacy-notice.txt"]


def test_an_ended_agreement_is_in_no_notice(tmp_path: Path) -> None:
    found = made(tmp_path, expiry_date=dt.date(2026, 5, 9), recipients=["Somebody"])

    assert "Somebody" not in privacy_notice_files(found)["privacy-notice.txt"]


# Disclosure log


def test_the_log_says_what_was_hidden_and_who_approved(ran: Register, finished: Any) -> None:
    workspace = finished.workspace
    folder = workspace.root / "published" / finished.outcome.release_id

    (found,) = disclosures(ran, workspace.root)

    with (folder / "csv" / "observations.csv").open(encoding="utf-8", newline="") as file:
        published = list(csv.DictReader(file))
    assert found.figures == len(published)
    assert found.hidden_cells == sum("[c]" in r["value_status"] for r in published) > 0
    assert protect_count(4) is None
    assert "Counts of 0 to 4 are hidden" in found.reasoning
    assert found.requested_by == "First person (synthetic)"
    assert found.approved_by == "Second person (synthetic)"
    assert found.status == "published"
    assert "DSA-TM-001" in found.agreements
    assert found.candidate_hash == finished.outcome.candidate_hash


def test_a_release_of_a_withdrawn_agreement_is_said_to_be_withdrawn(
    ran: Register, finished_copy: Any
) -> None:
    folder = finished_copy.root / "governance" / "withdrawals"
    folder.mkdir(parents=True)
    (folder / "DSA-TM-001.json").write_text("{", encoding="utf-8")
    found = read_register(finished_copy.declared, finished_copy.root, TODAY)

    (release,) = disclosures(found, finished_copy.root)

    assert release.status == "withdrawn"
    assert "DSA-TM-001" in release.status_reason


def test_a_release_that_is_gone_stays_in_the_log(ran: Register, finished_copy: Any) -> None:
    published = finished_copy.root / "published"
    (published / "latest").unlink()
    published.rename(finished_copy.root / "elsewhere")

    (release,) = disclosures(ran, finished_copy.root)

    assert release.status == "withdrawn"
    assert release.approved_by == "Second person (synthetic)"


@pytest.mark.parametrize(
    ("kind", "status"), [("withdrawn", "withdrawn"), ("retention", "taken down")]
)
def test_why_a_release_was_taken_back_is_told(
    ran: Register, finished_copy: Any, kind: str, status: str
) -> None:
    (name,) = [d.release_id for d in disclosures(ran, finished_copy.root)]
    AuditChain(finished_copy.root / "audit").append(
        "release_withdrawn", release=name, reason="Its days have passed", kind=kind
    )

    (release,) = disclosures(ran, finished_copy.root)

    assert (release.status, release.status_reason) == (status, "Its days have passed")


def test_a_region_that_never_ran_has_an_empty_log(tmp_path: Path) -> None:
    files = foi_files(made(tmp_path), tmp_path / "data")

    assert rows(files["disclosure-log.csv"]) == []
    assert "Nothing has been published yet." in files["disclosure-log.html"]


# All of them


def every_file(register: Register, workspace: Any) -> dict[str, str]:
    results = run_controls(replace(workspace, declared=register.declared))
    pages = [register_page(register)] + [
        agreement_page(a, register.declared, TODAY) for a in register.declared.agreements.values()
    ]
    return {
        **ropa_files(register),
        **dpia_files(register, results),
        **atrs_files(register, workspace.root),
        **privacy_notice_files(register),
        **foi_files(register, workspace.root),
        "register.csv": register_csv(register),
        **{f"page{n}.html": html_page(p) for n, p in enumerate(pages)},
        **{f"page{n}.txt": text_page(p) for n, p in enumerate(pages)},
    }


def test_no_record_carries_a_planted_value(ran: Register, finished: Any) -> None:
    files = every_file(ran, finished.workspace)

    assert len(files) > 15
    text = "\n".join(files.values()).lower()
    assert [name for name, value in PLANTED.items() if value.lower() in text] == []


def test_every_page_fetches_and_runs_nothing(ran: Register, finished: Any) -> None:
    for name, text in every_file(ran, finished.workspace).items():
        if name.endswith(".html"):
            assert "default-src 'none'; style-src 'sha256-" in unescape(text), name
            assert not re.search(r"<(script|img|iframe|link|object)\b", text), name
            assert not re.search(r"\son\w+=", text), name
            assert 'lang="en-GB"' in text, name
            assert "Synthetic" in text or "synthetic" in text, name
            assert text.count("<h1") == 1, name
