"""What an agency runs, and what the hub makes of what it sends: from the file to the release."""

from __future__ import annotations

import copy
import csv
import datetime as dt
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import typer
from agency_factory import AGREEMENT, MONTH, SOURCE, Agency, decide_south, make_agency, prepare_hub
from region_factory import (
    NO_FIXED_ABODE,
    NOT_PLACED,
    OPENED,
    PLANTED,
    case_lines,
    cases_of,
    make_workspace,
    receive,
    rows_of,
    run_all,
    texts_below,
)
from typer.testing import CliRunner

from declarations.errors import (
    AgreementError,
    ConfigurationError,
    ContractError,
    DeliveryError,
    StorageError,
)
from governance.disclosure import protect_count
from governance.signing import create_key_pair, load_signing_key
from indicators.counting import count_source, counts_table
from indicators.tables import theme_table
from intake.admission import admit
from intake.arrival import store_of
from intake.location import located_table
from intake.packages import DATA_NAME, MANIFEST_NAME
from intake.packing import write_package
from intake.records import read_record
from pipelines import agency as agency_module
from pipelines.agency import Made
from pipelines.commands import agency as commands
from publishing.protection import PROTECTED

SOUTHERN = ["E01990004", "E01990005", "E01990006"]
HEADER = ("person_id", "name", "nhs_number", "postcode", "service", "opened", "closed", "note",
          "favourite")  # fmt: skip


def planted_lines() -> list[str]:
    """Return the agency's own file, with planted values and a column nobody agreed to."""
    cases = cases_of(SOUTHERN)
    cases += [{"person_id": f"nfa{n}", "postcode": NO_FIXED_ABODE} for n in range(NOT_PLACED)]
    cases[0] |= {
        "person_id": PLANTED["person"], "name": PLANTED["name"], "note": PLANTED["note"],
        "nhs_number": PLANTED["nhs_number"], "favourite": PLANTED["undeclared"],
    }  # fmt: skip
    return case_lines(cases, HEADER)


@dataclass(frozen=True)
class Sent:
    """An agency, what it made of its file, and the hub that took it in. To be read only."""

    agency: Agency
    made: Made
    decision: dict[str, Any]
    release_id: str = ""


def sent(folder: Path, counts_leave: str, kind: str, *, place: bool = False) -> Sent:
    agency = make_agency(folder, counts_leave, planted_lines())
    made = agency.make(kind, place=place)
    agency.send(made.target)
    if kind == "aggregated":
        release_id = run_all(agency.hub).release_id
        record = read_record(agency.hub, "decisions", SOURCE, MONTH) or {}
        return Sent(agency, made, record["decisions"][-1], release_id)
    return Sent(agency, made, agency.take_in())


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return sent(tmp_path_factory.mktemp("exact"), "exact", "aggregated")


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return sent(tmp_path_factory.mktemp("protected"), "protected", "aggregated")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return sent(tmp_path_factory.mktemp("records"), "exact", "pseudonymised")


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return sent(tmp_path_factory.mktemp("placed"), "exact", "pseudonymised", place=True)


@pytest.fixture
def another_hub(exact: Sent, tmp_path: Path) -> Callable[..., Agency]:
    """Make a hub of the test's own for the agency of `exact`, its declarations changed as asked."""

    def make(region: dict[str, Any] | None = None, **agreement: Any) -> Agency:
        content = copy.deepcopy(exact.agency.content)
        content["region.yaml"] |= region or {}
        content[f"agreements/{AGREEMENT}.yaml"] |= agreement
        hub = make_workspace(tmp_path / "hub", content, leave_out=(SOURCE,))
        return replace(exact.agency, hub=hub, content=content, out=tmp_path)

    return make


def contents(package: Path) -> dict[str, str]:
    with zipfile.ZipFile(package) as archive:
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


def manifest(package: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(contents(package)[MANIFEST_NAME])["manifest"]
    return said


def packed(target: Path, entries: dict[str, str]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target


def made_later(package: Path, key: Path, target: Path, old: str, new: str) -> Path:
    """Make a package as the agency would a minute later, with other counts."""
    data = target.with_suffix(".csv")
    data.write_text(contents(package)[DATA_NAME].replace(old, new))
    said = {**manifest(package), "made_at": "2999-01-01T00:00:00+00:00", "id": "later"}
    write_package(target, said, data, load_signing_key(key))
    return target


def cells(agency: Agency) -> list[dict[str, Any]]:
    return rows_of(agency.hub, counts_table(agency.hub.declared.sources[SOURCE]), MONTH)


@pytest.mark.parametrize("way", ["exact", "records", "placed"])
def test_the_hub_has_the_very_same_counts_as_from_the_records(
    finished: Any, request: pytest.FixtureRequest, way: str
) -> None:
    it: Sent = request.getfixturevalue(way)
    hubs = (it.agency.hub, finished.workspace)

    counted = [rows_of(w, counts_table(w.declared.sources[SOURCE]), MONTH) for w in hubs]
    accounts = [(read_record(w, "accounting", SOURCE, MONTH) or {})["rows"] for w in hubs]

    assert it.decision["decision"] == "admitted"
    assert counted[0] == counted[1] != []
    assert sorted(map(str, accounts[0])) == sorted(map(str, accounts[1])) != []


def test_exact_counts_give_the_same_release_as_the_records(finished: Any, exact: Sent) -> None:
    assert exact.release_id
    for table in (theme_table("social_care"), PROTECTED):
        assert rows_of(exact.agency.hub, table) == rows_of(finished.workspace, table) != []


def test_of_counts_the_hub_has_no_records_and_says_why(exact: Sent) -> None:
    restricted = exact.agency.hub.root / "restricted"

    for name in (f"admitted_{SOURCE}", f"located_{SOURCE}"):
        state = json.loads((restricted / name / f"{MONTH}.json").read_text("utf-8"))
        assert (state["absent"], state["reason"]) == (True, "delivered as counts")


def test_hidden_cells_hide_every_figure_they_are_in_and_no_other(protected: Sent) -> None:
    hub = protected.agency.hub
    rows = [r for r in rows_of(hub, theme_table("social_care")) if r["indicator_id"] == "T01"]
    by_area = {r["geography_code"]: r for r in rows}
    shown = {code for code, r in by_area.items() if r["numerator"] is not None}

    # The southern agency hides its count in every neighbourhood but this one, so every sum that
    # takes one of them in is hidden, the northern district's too.
    assert shown == {"E01990005"}
    assert by_area["E01990005"]["numerator"] == protect_count(OPENED["E01990005"])
    assert {r["value_status"] for c, r in by_area.items() if c not in shown} == {"[c]"}
    assert not any(r["missing"] for r in rows)


def test_publishing_does_not_round_again_what_came_rounded(protected: Sent) -> None:
    hub = protected.agency.hub
    exact_rows, published = (
        {(r["indicator_id"], r["geography_code"]): r["numerator"] for r in rows_of(hub, table)
         if r["indicator_id"] in ("T01", "T02")}
        for table in (theme_table("social_care"), PROTECTED)
    )  # fmt: skip

    assert protected.release_id
    assert exact_rows == published != {}


def test_the_published_accounting_hides_what_the_agency_hid(protected: Sent) -> None:
    hub = protected.agency.hub
    folder = hub.root / "published" / protected.release_id
    rows = [
        r for r in csv.DictReader((folder / "csv" / "accounting.csv").open(encoding="utf-8-sig"))
        if r["source_id"] == SOURCE
    ]  # fmt: skip

    said = {(r["outcome"], r["detail"]): (r["amount"], r["amount_status"]) for r in rows}
    assert said["received", "all"] == ("30", "")
    assert said["not placed", "all"] == ("", "[c]")
    assert said["out of region", "all"] == ("", "[c]")


def test_no_count_below_the_threshold_leaves_under_the_profile(protected: Sent) -> None:
    target = protected.made.target
    said = manifest(target)
    rows = contents(target)[DATA_NAME].splitlines()[1:]

    values = [int(row.split(",")[4]) for row in rows]
    amounts = [line[3] for line in said["accounting"]["rows"]]
    counted = [n for n in said["rows"].values() if n is not None]
    tested = [c[k] for c in said["checks"] for k in ("rows_checked", "rows_failed")]
    everything = [*values, *amounts, *counted, *(n for n in tested if n is not None)]
    assert values
    assert all(n >= 5 and protect_count(n) == n for n in everything)
    # What was not placed is two records: neither their number nor that there are some leaves.
    assert NOT_PLACED < 5
    assert not [line for line in said["accounting"]["rows"] if line[1] == "not placed"]
    assert "zz99" not in json.dumps(said)


@pytest.mark.parametrize("way", ["exact", "protected", "records", "placed"])
def test_no_planted_value_travels_or_is_held(request: pytest.FixtureRequest, way: str) -> None:
    it: Sent = request.getfixturevalue(way)
    package = contents(it.made.target)
    travelled = "\n".join(package.values())
    held = "\n".join(text for _, text in texts_below(it.agency.hub))

    assert list(package) == [DATA_NAME, MANIFEST_NAME]
    assert "favourite" in it.made.manifest["undeclared"]
    assert not [v for v in PLANTED.values() if v in travelled or v in held]
    # Only records that are not placed at the agency still have their postcode.
    assert ("TM2 1AA" in travelled) is (way == "records")


def test_the_search_for_planted_values_finds_them_in_the_agencys_file(exact: Sent) -> None:
    text = exact.agency.file.read_text("utf-8")

    assert all(value in text for value in PLANTED.values())


def test_an_agency_leaves_nothing_behind_in_temporary_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    agency = make_agency(tmp_path, "exact", planted_lines())
    left = tmp_path / "temporary" / f"lsoalink-agency-{os.getuid()}"
    dead = left / "plain-999999999-abc"
    dead.mkdir(parents=True)
    left.chmod(0o700)
    (dead / "data.csv").write_text(PLANTED["name"])
    before = sorted(p for p in agency.hub.landing.rglob("*") if p.is_file())

    agency.make()

    assert [p for p in (tmp_path / "temporary").rglob("*") if p.is_file()] == []
    assert not dead.exists()
    # What it only read is where it was.
    assert agency.file.is_file()
    assert sorted(p for p in agency.hub.landing.rglob("*") if p.is_file()) == before


def test_a_failure_leaves_nothing_behind_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    agency = make_agency(tmp_path, "exact", case_lines([{"service": "unknown"}]))

    with pytest.raises(ContractError):
        agency.make()

    assert [p for p in (tmp_path / "temporary").rglob("*") if p.is_file()] == []
    assert not list(agency.out.iterdir())


def test_a_temporary_folder_that_others_may_enter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    left = tmp_path / "temporary" / f"lsoalink-agency-{os.getuid()}"
    left.mkdir(parents=True)
    left.chmod(0o777)

    with pytest.raises(StorageError, match="not this account's alone"):
        make_agency(tmp_path).make()


def refused(agency: Agency) -> tuple[str, str]:
    decision = decide_south(agency.hub)
    assert decision["decision"] == "refused"
    assert cells(agency) == []
    return decision["reasons"], decision["message"]


def test_an_altered_package_is_refused_with_its_reason(
    exact: Sent, another_hub: Callable[..., Agency], tmp_path: Path
) -> None:
    hub = another_hub()
    entries = contents(exact.made.target)
    entries[DATA_NAME] = entries[DATA_NAME].replace(",15,", ",16,")
    hub.send(packed(tmp_path / "altered.zip", entries))

    code, words = refused(hub)

    assert code == "package_altered"
    assert "is not the one whose manifest the agency signed" in words


def test_a_forged_package_is_refused_with_its_reason(
    exact: Sent, another_hub: Callable[..., Agency], tmp_path: Path
) -> None:
    hub = another_hub()
    forger = tmp_path / "forger" / "signing.pem"
    create_key_pair(forger)
    hub.send(made_later(exact.made.target, forger, tmp_path / "forged.zip", ",15,", ",99,"))

    code, words = refused(hub)

    assert code == "package_unknown_signer"
    assert "signed with a key that the agreement does not list" in words


def test_a_package_sent_for_another_month_is_refused_with_its_reason(
    exact: Sent, another_hub: Callable[..., Agency]
) -> None:
    hub = another_hub().hub
    other = "2026-02"
    replace(exact.agency, hub=hub).send(exact.made.target, month=other)
    receive(hub, SOURCE)

    admit(hub, hub.declared.sources[SOURCE], other)

    (decision,) = (read_record(hub, "decisions", SOURCE, other) or {})["decisions"]
    assert (decision["decision"], decision["reasons"]) == ("refused", "package_other_period")
    assert "was made for 2026-03, not for the 2026-02 its name says" in decision["message"]


@pytest.mark.parametrize(
    ("day", "decision", "reasons"),
    [
        (dt.date(2027, 12, 30), "admitted", ""),
        (dt.date(2027, 12, 31), "admitted", ""),
        (dt.date(2028, 1, 1), "refused", "agreement_expired"),
    ],
)
def test_a_package_is_held_to_the_day_it_arrives(
    exact: Sent, another_hub: Callable[..., Agency], day: dt.date, decision: str, reasons: str
) -> None:
    hub = another_hub({"as_of": dt.date(2028, 2, 1)})
    hub.send(exact.made.target, day=day)

    taken = decide_south(hub.hub)

    assert (taken["decision"], taken["reasons"]) == (decision, reasons)


AMENDED = {
    "version": "1.1",
    "amendments": [
        {"version": "1.1", "date": "2026-04-01", "summary": "Made up.", "signed_by": ["A"]}
    ],
}


def test_a_package_made_under_another_text_is_refused_with_its_reason(
    exact: Sent, another_hub: Callable[..., Agency]
) -> None:
    hub = another_hub(**AMENDED)
    hub.send(exact.made.target)

    code, words = refused(hub)

    assert code == "package_other_text"
    assert "made under version 1.0 of DSA-TM-002, and the hub holds version 1.1" in words


def test_an_amendment_does_not_take_away_what_was_accepted_before(
    exact: Sent, another_hub: Callable[..., Agency]
) -> None:
    hub = another_hub()
    hub.send(exact.made.target)
    assert decide_south(hub.hub)["decision"] == "admitted"

    later = another_hub(**AMENDED)
    assert later.hub.root == hub.hub.root

    assert decide_south(later.hub)["agreement_version"] == "1.1"
    assert decide_south(later.hub)["decision"] == "admitted"


def test_the_same_package_again_is_a_duplicate(
    exact: Sent, another_hub: Callable[..., Agency]
) -> None:
    hub = another_hub()
    hub.send(exact.made.target)
    receive(hub.hub, SOURCE)
    hub.send(exact.made.target, copy_mark=" (1)")
    receive(hub.hub, SOURCE)

    found = sorted((d.outcome, d.version) for d in store_of(hub.hub).deliveries(SOURCE))
    assert found == [("accepted", 1), ("duplicate", 1)]


def test_a_corrected_package_replaces_the_one_before_and_is_not_replaced_by_it(
    exact: Sent, another_hub: Callable[..., Agency], tmp_path: Path
) -> None:
    hub = another_hub()
    prepare_hub(hub.hub)
    first = exact.made.target
    hub.send(first)
    decide_south(hub.hub)
    assert 15 in {r["value"] for r in cells(hub)}
    hub.send(made_later(first, hub.key, tmp_path / "later.zip", ",15,", ",19,"), copy_mark=" (1)")
    assert decide_south(hub.hub)["version"] == 2
    corrected = cells(hub)
    assert 19 in {r["value"] for r in corrected}

    hub.send(packed(tmp_path / "again.zip", contents(first)), copy_mark=" (2)")
    decide_south(hub.hub)

    decisions = (read_record(hub.hub, "decisions", SOURCE, MONTH) or {})["decisions"]
    assert [(d["version"], d["decision"], d["reasons"]) for d in decisions] == [
        (3, "refused", "package_replayed"), (2, "admitted", ""),
    ]  # fmt: skip
    assert cells(hub) == corrected


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    agency = make_agency(tmp_path)

    made = agency.make("pseudonymised", dry_run=True)

    assert not made.written
    assert made.rows == sum(OPENED[a] for a in SOUTHERN) + NOT_PLACED
    assert list(agency.out.iterdir()) == []


def test_a_package_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    agency = make_agency(tmp_path)
    first = agency.make("pseudonymised").manifest["id"]

    with pytest.raises(ConfigurationError, match="is there already"):
        agency.make("pseudonymised")
    again = agency.make("pseudonymised", force=True)

    assert again.manifest["id"] != first
    assert manifest(again.target)["id"] == again.manifest["id"]


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"source": "nobody"}, ConfigurationError, "no source nobody"),
        ({"source": "postcodes"}, ConfigurationError, "needs no package"),
        ({"agreement": "DSA-TM-001"}, AgreementError, "comes under DSA-TM-002"),
        ({"file": Path("nowhere.csv")}, DeliveryError, "does not exist"),
        ({"period": "2026-13"}, ConfigurationError, "is not known"),
        ({"period": "2999-01"}, ConfigurationError, "has not begun"),
        ({"reference": Path("nowhere")}, ConfigurationError, "was not delivered"),
    ],
)
def test_what_cannot_be_done_says_why(
    tmp_path: Path, more: dict[str, Any], error: type[Exception], words: str
) -> None:
    agency = make_agency(tmp_path)

    with pytest.raises(error, match=words):
        agency.make(**more)
    assert list(agency.out.iterdir()) == []


def test_a_file_the_gate_refuses_does_not_leave(tmp_path: Path) -> None:
    agency = make_agency(tmp_path)
    agreement = agency.hub.declared.root / "agreements" / f"{AGREEMENT}.yaml"
    agreement.write_text(agreement.read_text().replace("2027-12-31", "2026-04-01"))

    with pytest.raises(AgreementError, match="ended on 1 April 2026"):
        agency.make()


def test_a_key_the_agreement_does_not_list_stops_the_work(tmp_path: Path) -> None:
    agency = make_agency(tmp_path)
    other = tmp_path / "other" / "signing.pem"
    public = create_key_pair(other)

    with pytest.raises(AgreementError, match="does not list the public key") as caught:
        agency.make(sign=other)
    assert public in str(caught.value)


def test_pseudonyms_need_the_agreements_own_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agency = make_agency(tmp_path)

    with pytest.raises(StorageError, match="no key to make pseudonyms under DSA-TM-002"):
        agency.make("pseudonymised", key_file=None)
    monkeypatch.setenv("LSOALINK_KEY_DSA_TM_002", agency.key_file.read_text())
    by_variable = agency.make("pseudonymised", key_file=None)
    by_file = agency.make("pseudonymised", force=True)

    assert by_variable.manifest["key_version"] == by_file.manifest["key_version"]
    assert agency.key_file.read_text() not in "".join(contents(by_file.target).values())


def test_a_postcode_directory_may_be_given_by_itself(tmp_path: Path) -> None:
    agency = make_agency(tmp_path)
    directory = agency.hub.landing / "postcodes" / "postcodes.csv"
    own = shutil.move(directory, tmp_path / "directory.csv")

    with pytest.raises(ConfigurationError, match="postcodes was not delivered"):
        agency.make()
    made = agency.make(postcodes=Path(own))

    assert sum(OPENED[a] for a in SOUTHERN) == sum(
        line[3] for line in made.manifest["accounting"]["rows"] if line[1] == "placed"
    )


def run(*words: str) -> Any:
    app = typer.Typer()
    commands.register(app)
    return CliRunner().invoke(app, list(words))


def test_the_commands_make_a_key_and_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("pipelines.console.out.print", lambda *a, **_: said.extend(map(str, a)))
    key = tmp_path / "mine" / "signing.pem"
    assert run("agency-key", "new", str(key)).exit_code == 0
    assert len(said[-1]) == 44
    agency = make_agency(tmp_path, "protected")
    words = ["aggregate", str(agency.file), "--source", SOURCE, "--sign", str(agency.key),
             "--region", str(agency.hub.declared.root), "--to", str(agency.out),
             "--reference", str(agency.hub.landing), "--agreement", AGREEMENT]  # fmt: skip

    dry = run(*words, "--dry-run")
    assert (dry.exit_code, list(agency.out.iterdir())) == (0, [])
    done = run(*words)

    assert done.exit_code == 0
    assert [p.name for p in agency.out.iterdir()] == [f"cases_{MONTH}.csv.lsoalink.zip"]
    text = "\n".join(said)
    assert (
        "What leaves: 2 counts of 5 and more, rounded to 5. 14 counts of 0 to 4 stay here" in text
    )
    assert "Nothing was written (--dry-run)" in text
    assert "No record leaves" in text


def test_the_command_for_records_takes_the_key_file(tmp_path: Path) -> None:
    agency = make_agency(tmp_path)

    done = run(
        "pseudonymise", str(agency.file), "--source", SOURCE, "--sign", str(agency.key),
        "--region", str(agency.hub.declared.root), "--to", str(agency.out), "--place",
        "--reference", str(agency.hub.landing), "--key-file", str(agency.key_file),
    )  # fmt: skip

    assert done.exit_code == 0
    (package,) = agency.out.iterdir()
    assert manifest(package)["placed"] is True


def test_every_helper_of_the_work_is_the_hubs_own() -> None:
    """The agency's module imports the stages; it has no gate, reader or count of its own."""
    text = Path(agency_module.__file__ or "").read_text("utf-8")

    for stage in ("intake.admission import admit", "intake.location import locate",
                  "indicators.counting import AREAS, count_source"):  # fmt: skip
        assert stage in text
    assert "decide(" not in text


def test_counts_stay_when_their_package_is_disposed_of(
    exact: Sent, another_hub: Callable[..., Agency]
) -> None:
    agency = another_hub()
    prepare_hub(agency.hub)
    agency.send(exact.made.target)
    decide_south(agency.hub)
    before = cells(agency)
    source = agency.hub.declared.sources[SOURCE]
    (delivery,) = store_of(agency.hub).deliveries(SOURCE)
    original = store_of(agency.hub).stored_path(delivery)
    assert original is not None
    original.unlink()

    built = count_source(agency.hub, source, MONTH, located_table(source))

    assert built.outcome == "current"
    assert cells(agency) == before != []
