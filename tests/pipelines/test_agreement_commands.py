"""``lsoalink agreement`` and ``lsoalink export`` as they are typed."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from region_factory import PLANTED, region_content, without_purpose, write_region
from typer.testing import CliRunner

from declarations.errors import AgreementError, ConfigurationError, LsoalinkError
from pipelines.agreements import lint_findings
from pipelines.commands import agreement, export

ARDEN = Path(__file__).resolve().parents[2] / "pipelines" / "regions" / "arden"
RECORDS = {
    "ropa": {"ropa.csv", "ropa.html"},
    "dpia": {"dpia-risks.csv", "dpia.html"},
    "atrs": {"atrs-t04.html"},
    "privacy-notice": {"privacy-notice.html", "privacy-notice.txt"},
    "foi-log": {"disclosure-log.csv", "disclosure-log.html"},
}

app = typer.Typer()
agreement.register(app)
export.register(app)


def run(*words: object) -> tuple[str, LsoalinkError | None]:
    """Run a command; return what it wrote and the expected error it ended with."""
    ended = CliRunner().invoke(app, [str(w) for w in words])
    if ended.exception is None or isinstance(ended.exception, LsoalinkError):
        return ended.output, ended.exception
    raise ended.exception


@pytest.fixture
def region(tmp_path: Path) -> Path:
    return write_region(tmp_path / "mere")


def edit(path: Path, **changes: Any) -> Path:
    content = {**yaml.safe_load(path.read_text(encoding="utf-8")), **changes}
    kept = {k: v for k, v in content.items() if v is not None}
    path.write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")
    return path


def north(region: Path) -> Path:
    return region / "agreements" / "DSA-TM-001.yaml"


# lint


def test_warnings_do_not_fail_and_strict_makes_them() -> None:
    said, error = run("agreement", "lint", "arden")

    assert error is None
    assert "warning: DSA-ARD-004.yaml:15: expiry_date: it ended on 30 June 2026" in said
    assert "7 agreement(s): 0 error(s)" in said

    _, error = run("agreement", "lint", "arden", "--strict")
    assert isinstance(error, AgreementError)
    assert error.exit_code == 6


def test_a_fault_fails_and_names_file_line_key_and_fix(region: Path) -> None:
    path = edit(north(region), titel="x")

    said, error = run("agreement", "lint", region)

    line = path.read_text(encoding="utf-8").splitlines().index("titel: x") + 1
    assert error is not None
    assert error.exit_code == 6
    assert (
        f"error: DSA-TM-001.yaml:{line}: titel: this is not a key an agreement knows. Remove it "
        "or correct its spelling. [schema_extra_forbidden]"
    ) in said


def test_one_file_is_seen_in_its_region(region: Path) -> None:
    write_region(region, without_purpose(region_content(), "DSA-TM-001"))

    said, error = run("agreement", "lint", north(region))

    assert error is None
    assert "[purpose_not_agreed]" in said
    assert "1 agreement(s)" in said


@pytest.mark.parametrize("name", ["DSA-TM-001", "DSA-TM-002"])
def test_of_one_file_only_what_contradicts_it_is_said(region: Path, name: str) -> None:
    edit(north(region), purposes=["something-else"])

    said, error = run("agreement", "lint", region / "agreements" / f"{name}.yaml")

    assert (error is not None) is (name == "DSA-TM-001")
    assert ("does not list the purpose neighbourhood-indicators" in said) is (error is not None)


def test_one_file_outside_any_region_is_linted_too(tmp_path: Path) -> None:
    path = tmp_path / "a" / "x.yaml"
    path.parent.mkdir()
    text = (ARDEN / "agreements" / "DSA-ARD-002.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("; DPA 2018 Schedule 1 paragraph 2", "").replace("policy", "p"))

    found, looked = lint_findings(str(path))

    assert looked == 1
    assert {"special_without_safeguards", "file_name"} <= {f.code for f in found}


def test_a_region_whose_files_contradict_each_other_is_an_error(region: Path) -> None:
    edit(region / "sources" / "north_cases.yaml", agreement="DSA-NOBODY")

    said, error = run("agreement", "lint", region)

    assert error is not None
    assert "there is no agreement DSA-NOBODY" in said


def test_an_unknown_control_is_an_error(region: Path) -> None:
    (region / "dpia").mkdir()
    shutil.copy(ARDEN / "dpia" / "arden_indicators.yaml", region / "dpia" / "a.yaml")
    content = yaml.safe_load((region / "dpia" / "a.yaml").read_text(encoding="utf-8"))
    content["risks"][0]["controls"] = ["no_such_thing"]
    edit(region / "dpia" / "a.yaml", agreements=["DSA-TM-001"], risks=content["risks"])

    said, error = run("agreement", "lint", region)

    assert error is not None
    assert "there is no control no_such_thing" in said


def test_findings_for_machines(region: Path) -> None:
    said, _ = run("agreement", "lint", region, "--format", "json")

    found = json.loads(said)
    assert {"level", "code", "file", "line", "key", "problem", "fix"} == set(found[0])


def test_neither_region_nor_file(tmp_path: Path) -> None:
    said, error = run("agreement", "lint", tmp_path / "none.yaml")
    assert isinstance(error, AgreementError)
    assert "the file does not exist" in said

    assert isinstance(run("agreement", "lint", "nowhere")[1], ConfigurationError)


# diff


def test_two_files_are_compared_in_words(region: Path, tmp_path: Path) -> None:
    old = shutil.copy(north(region), tmp_path / "old.yaml")
    new = edit(north(region), expiry_date=dt.date(2028, 12, 31))

    said, error = run("agreement", "diff", old, new)

    assert error is None
    assert "Extends expiry by 12 months (31 December 2027 to 31 December 2028)." in said
    assert "1 change: 1 widening, 0 narrowing, 0 neutral." in said


def test_a_region_s_agreement_is_compared_with_an_older_file(region: Path, tmp_path: Path) -> None:
    old = shutil.copy(north(region), tmp_path / "old.yaml")
    edit(north(region), expiry_date=dt.date(2026, 12, 31))

    said, _ = run("agreement", "diff", region, "DSA-TM-001", "--against", old, "--format", "json")

    assert [c["effect"] for c in json.loads(said)["changes"]] == ["narrowing"]


def test_a_page_is_written_once_unless_forced(region: Path, tmp_path: Path) -> None:
    words = ("agreement", "diff", north(region), region / "agreements" / "DSA-TM-002.yaml",
             "--format", "html", "--to", tmp_path / "page.html")  # fmt: skip

    assert run(*words)[1] is None
    assert isinstance(run(*words)[1], ConfigurationError)
    assert run(*words, "--force")[1] is None
    assert "Second signature" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_is_no_agreement_cannot_be_compared(region: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("id: [", encoding="utf-8")

    _, error = run("agreement", "diff", bad, north(region))

    assert isinstance(error, AgreementError)
    assert "bad.yaml line" in str(error)


# show


def test_an_agreement_in_plain_words(tmp_path: Path) -> None:
    said, error = run("agreement", "show", "arden", "DSA-ARD-002", "--data-dir", tmp_path)

    assert error is None
    for words in (
        "In force: [✓] In force until 31 March 2030",
        "National Data Opt-out: [✓] Applied since 1 October 2024",
        "Fingerprint of the text:",
        "S03 Adults receiving long-term support",
        "Replaced by a keyed pseudonym of this agreement before anything is stored.",
    ):
        assert words in said


def test_an_agreement_for_machines_and_as_a_page(tmp_path: Path) -> None:
    show = ("agreement", "show", "arden", "DSA-ARD-003", "--data-dir", tmp_path, "--format")

    said, _ = run(*show, "json")
    assert json.loads(said)["id"] == "DSA-ARD-003"
    assert len(json.loads(said)["text_sha256"]) == 64
    assert run(*show, "html", "--to", tmp_path / "a.html")[1] is None
    assert "What depends on it" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_an_unknown_agreement_is_refused(tmp_path: Path) -> None:
    _, error = run("agreement", "show", "arden", "DSA-NOBODY", "--data-dir", tmp_path)

    assert isinstance(error, ConfigurationError)
    assert "DSA-ARD-001" in str(error)


# register and export


def test_the_register_is_written_before_anything_has_run(tmp_path: Path) -> None:
    said, error = run("agreement", "register", "arden", "--data-dir", tmp_path / "data")

    folder = tmp_path / "data" / "arden" / "governance" / "exports"
    assert error is None
    assert {p.name for p in folder.iterdir()} == {"register.html", "register.csv", "calendar.ics"}
    assert "52 sources under 7 agreements" in said
    modes = {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("record", [*RECORDS, "all"])
def test_each_record_is_written(finished: Any, tmp_path: Path, record: str) -> None:
    words = ("export", finished.folder / "region", record, "--data-dir", finished.folder / "data",
             "--to", tmp_path)  # fmt: skip

    _, error = run(*words)

    assert error is None
    wanted = set().union(*RECORDS.values()) if record == "all" else RECORDS[record]
    assert {p.name for p in tmp_path.iterdir()} == wanted
    text = "".join(p.read_text(encoding="utf-8") for p in tmp_path.iterdir()).lower()
    assert [name for name, value in PLANTED.items() if value.lower() in text] == []


def test_a_risk_without_data_is_not_shown_to_be_mitigated(tmp_path: Path) -> None:
    said, error = run("export", "arden", "dpia", "--data-dir", tmp_path / "data", "--to", tmp_path)

    assert error is None
    assert "12 risk(s): 0 mitigated, 0 reopened, 12 not shown to be mitigated." in said
    with (tmp_path / "dpia-risks.csv").open(encoding="utf-8", newline="") as file:
        assert {row["standing"] for row in csv.DictReader(file)} == {"unproven"}


def test_what_each_control_found_is_said(finished: Any, tmp_path: Path) -> None:
    region = shutil.copytree(finished.folder / "region", tmp_path / "region")
    (region / "dpia").mkdir()
    shutil.copy(ARDEN / "dpia" / "arden_indicators.yaml", region / "dpia" / "a.yaml")
    edit(region / "dpia" / "a.yaml", agreements=["DSA-TM-001"])

    said, error = run(
        "export", region, "dpia", "--data-dir", finished.folder / "data", "--to", tmp_path / "to"
    )

    assert error is None
    assert "passed small_counts_protected" in said
    assert "people_are_surprised: reopened: privacy_notice_given failed on 10 May 2026" in said


@pytest.mark.parametrize("words", [("agreement",), ("agreement", "lint"), ("export",)])
def test_help_teaches(words: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(app, [*words, "--help"])

    assert ended.exit_code == 0
    assert "lsoalink" in ended.output or words == ("agreement",)
