"""Packages by hand: one good one of each kind, and every way in which another must be refused."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from agency_factory import AGREEMENT, MONTH, SOURCE, agency_content
from region_factory import write_region

from declarations.declared import RegionDeclarations
from declarations.loader import load_region
from governance.gate import GateDecision
from governance.signing import create_key_pair, load_signing_key, signed
from intake.errors import UnsafeFileError
from intake.landing import name_pattern
from intake.packages import (
    CELL_COLUMNS,
    DATA_NAME,
    KEPT,
    LEFT_BEHIND,
    MANIFEST_NAME,
    PSEUDONYMISED,
    ROW_COLUMN,
    Package,
    PackageError,
    open_package,
)
from intake.packing import is_package, manifest_of, new_manifest, package_name, write_package

PSEUDONYM = "0123456789abcdef" * 2
CELLS = f"{','.join(CELL_COLUMNS)}\nE01990005,E08990002,cases_opened,all,20,false,\n"
RECORDS = (
    f"{ROW_COLUMN},person_id,postcode,service,opened,closed\n"
    f"1,{PSEUDONYM},TM2 1AA,advice,2026-02-02,\n"
)
FATES = {
    "person_id": PSEUDONYMISED, "name": LEFT_BEHIND, "nhs_number": LEFT_BEHIND, "postcode": KEPT,
    "service": KEPT, "opened": KEPT, "closed": KEPT, "note": LEFT_BEHIND,
}  # fmt: skip
ROWS = {"read": 30, "filtered": 0, "broken": 0, "formula": 0, "duplicate": 0, "kept": 30}


class Bench:
    """A key, a region that lists it, and packages made of whatever a test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "keys" / "signing.pem"
        self.public = create_key_pair(path)
        self.key = load_signing_key(path)
        self.content = agency_content(self.public, "protected")

    def declared(self, **covered: Any) -> RegionDeclarations:
        content = copy.deepcopy(self.content)
        content[f"agreements/{AGREEMENT}.yaml"]["sources"][0] |= covered
        return load_region(write_region(self.folder / "region", content))

    def manifest(self, kind: str = "aggregated", **more: Any) -> dict[str, Any]:
        declared = self.declared()
        source = declared.sources[SOURCE]
        said = {
            **new_manifest(kind, source, declared.agreement_of(source), MONTH),  # type: ignore[arg-type]
            "made_at": "2026-04-20T12:00:00+00:00", "opt_out": None, "rows": ROWS, "checks": [],
            "columns": FATES, "undeclared": "",
        }  # fmt: skip
        if kind == "aggregated":
            said["counts"] = {"profile": "hide0-r5", "cells": {"cases_opened": ["all"]}}
        else:
            said["placed"] = False
        return {**said, **more}

    def write(self, manifest: dict[str, Any], data: str) -> Path:
        file = self.folder / "made.csv"
        file.write_text(data, encoding="utf-8")
        target = self.folder / f"cases_{MONTH}.csv.lsoalink.zip"
        write_package(target, manifest, file, self.key)
        return target

    def open(self, path: Path, month: str = MONTH, **covered: Any) -> Package:
        declared = self.declared(**covered)
        source = declared.sources[SOURCE]
        return open_package(
            path, source, declared.agreement_of(source), month, declared.contract_of(source)
        )

    def refusal(self, path: Path, month: str = MONTH, **covered: Any) -> str:
        with pytest.raises(PackageError) as caught:
            self.open(path, month, **covered)
        assert PSEUDONYM not in str(caught.value)
        return caught.value.reason


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def rezip(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write an archive again with its entries changed."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_a_package_of_counts_is_opened_as_it_was_made(bench: Bench) -> None:
    package = bench.open(bench.write(bench.manifest(), CELLS))

    assert package.kind == "aggregated"
    assert not package.exact
    assert package.cells == (
        ("E01990005", "E08990002", "cases_opened", "all", "20", "false", None),
    )  # fmt: skip


def test_a_package_of_records_is_opened_as_it_was_made(bench: Bench) -> None:
    package = bench.open(bench.write(bench.manifest("pseudonymised"), RECORDS))

    assert package.kind == "pseudonymised"
    assert package.contract.column("person_id").type == "text"
    assert package.contract.key == []


def test_a_package_is_its_owners_alone_and_nothing_half_written_stays(bench: Bench) -> None:
    path = bench.write(bench.manifest(), CELLS)

    assert path.stat().st_mode & 0o777 == 0o600
    assert not list(bench.folder.glob(".writing-*"))


def altered_manifest(entries: dict[str, bytes]) -> None:
    envelope = json.loads(entries[MANIFEST_NAME])
    envelope["manifest"]["rows"]["read"] = 31
    entries[MANIFEST_NAME] = json.dumps(envelope).encode()


def altered_data(entries: dict[str, bytes]) -> None:
    entries[DATA_NAME] = entries[DATA_NAME].replace(b",20,", b",25,")


def no_manifest(entries: dict[str, bytes]) -> None:
    del entries[MANIFEST_NAME]


def one_more_file(entries: dict[str, bytes]) -> None:
    entries[".hidden.csv"] = b"name\nsomebody\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (altered_manifest, "package_altered"),
        (altered_data, "package_altered"),
        (no_manifest, "package_without_manifest"),
        (one_more_file, "package_without_manifest"),
    ],
)
def test_a_package_that_was_changed_is_refused(
    bench: Bench, change: Callable[[dict[str, bytes]], None], reason: str
) -> None:
    path = rezip(bench.write(bench.manifest(), CELLS), change)

    assert bench.refusal(path) == reason


def test_the_check_of_changes_passes_what_is_only_zipped_again(bench: Bench) -> None:
    path = rezip(bench.write(bench.manifest(), CELLS), lambda _: None)

    assert bench.open(path).kind == "aggregated"


def test_a_forged_package_is_refused(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other" / "signing.pem"
    create_key_pair(other)
    path = bench.write(bench.manifest(), CELLS)
    forger = load_signing_key(other)

    def sign_again(entries: dict[str, bytes]) -> None:
        said = json.loads(entries[MANIFEST_NAME])["manifest"]
        entries[MANIFEST_NAME] = signed(forger, said)

    assert bench.refusal(rezip(path, sign_again)) == "package_unknown_signer"
    assert bench.open(bench.write(bench.manifest(), CELLS)).kind == "aggregated"


def test_no_listed_key_accepts_nothing(bench: Bench) -> None:
    path = bench.write(bench.manifest(), CELLS)

    assert bench.refusal(path, signing_keys=[]) == "package_unknown_signer"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"format": "lsoalink-package/2"}, "package_other_version"),
        ({"kind": "raw"}, "package_other_version"),
        ({"counts": None}, "package_other_version"),
        ({"rows": "many"}, "package_other_version"),
        ({"source": "north_cases"}, "package_other_source"),
        ({"period": "2026-06"}, "package_other_period"),
        ({"period": ""}, "package_other_period"),
        (
            {"agreement": {"id": "DSA-TM-001", "version": "1.0", "text_sha256": "0" * 64}},
            "package_other_agreement",
        ),
        (
            {"agreement": {"id": AGREEMENT, "version": "0.9", "text_sha256": "0" * 64}},
            "package_other_text",
        ),
        ({"counts": {"profile": "exact", "cells": {}}}, "package_exact_counts"),
    ],
)
def test_a_package_of_something_else_is_refused(
    bench: Bench, more: dict[str, Any], reason: str
) -> None:
    assert bench.refusal(bench.write(bench.manifest(**more), CELLS)) == reason


def test_a_package_of_another_month_cannot_be_renamed(bench: Bench) -> None:
    path = bench.write(bench.manifest(), CELLS)

    assert bench.refusal(path, "2026-06") == "package_other_period"


def test_the_refusal_says_which_text_differs(bench: Bench) -> None:
    earlier = {"id": AGREEMENT, "version": "0.9", "text_sha256": "0" * 64}
    path = bench.write(bench.manifest(agreement=earlier), CELLS)

    with pytest.raises(PackageError, match=r"version 0\.9 of DSA-TM-002, and the hub .* 1\.0"):
        bench.open(path)
    same = bench.write(bench.manifest(agreement={**earlier, "version": "1.0"}), CELLS)
    with pytest.raises(PackageError, match="another text of DSA-TM-002 version 1"):
        bench.open(same)


def test_what_was_accepted_under_an_earlier_text_stays_accepted(bench: Bench) -> None:
    earlier = {"id": AGREEMENT, "version": "0.9", "text_sha256": "0" * 64}
    path = bench.write(bench.manifest(agreement=earlier), CELLS)
    declared = bench.declared()
    source = declared.sources[SOURCE]

    package = open_package(
        path, source, declared.agreement_of(source), MONTH, declared.contract_of(source),
        accepted_texts=["0" * 64],
    )  # fmt: skip

    assert package.kind == "aggregated"


def test_exact_counts_are_taken_where_the_agreement_lets_them_leave(bench: Bench) -> None:
    bench.content = agency_content(bench.public, "exact")
    said = bench.manifest(counts={"profile": "exact", "cells": {}})

    assert bench.open(bench.write(said, CELLS.replace(",20,", ",3,"))).exact


@pytest.mark.parametrize("value", ["1", "4", "6", "21"])
def test_counts_that_did_not_go_through_the_profile_are_refused(bench: Bench, value: str) -> None:
    path = bench.write(bench.manifest(), CELLS.replace(",20,", f",{value},"))

    assert bench.refusal(path) == "package_not_protected"


@pytest.mark.parametrize(
    "data",
    ["", "lsoa21cd,value\nE01990005,5\n", CELLS.replace(",20,", ",-5,"),
     CELLS.replace(",20,", ",many,"), CELLS + "E01990005,5\n"],
)  # fmt: skip
def test_a_data_file_that_holds_no_counts_is_refused(bench: Bench, data: str) -> None:
    assert bench.refusal(bench.write(bench.manifest(), data)) == "package_not_counts"


def test_values_in_clear_where_pseudonyms_belong_are_refused(bench: Bench) -> None:
    path = bench.write(bench.manifest("pseudonymised"), RECORDS.replace(PSEUDONYM, "P0042"))

    with pytest.raises(PackageError, match="values of person_id that are no pseudonyms") as caught:
        bench.open(path)
    assert "P0042" not in str(caught.value)


def test_columns_the_manifest_does_not_name_are_refused(bench: Bench) -> None:
    more = RECORDS.replace("closed\n", "closed,name\n").replace("02,\n", "02,,Somebody\n")

    assert (
        bench.refusal(bench.write(bench.manifest("pseudonymised"), more)) == "package_other_columns"
    )


def decision(**columns: tuple[str, ...]) -> GateDecision:
    return GateDecision("admitted", (), "In force.", "sources", **columns)


def test_what_the_agency_did_is_not_done_again(bench: Bench) -> None:
    package = bench.open(bench.write(bench.manifest("pseudonymised"), RECORDS))

    taken = package.taken(
        decision(keep=("service",), pseudonymise=("person_id",), generalise=("postcode",))
    )

    assert taken.pseudonymise == ()
    assert set(taken.stored) == {"service", "person_id", "postcode"}


def test_a_column_that_must_be_pseudonymised_may_not_come_as_it_is(bench: Bench) -> None:
    package = bench.open(bench.write(bench.manifest("pseudonymised"), RECORDS))

    with pytest.raises(PackageError, match="holds service as it is"):
        package.taken(decision(pseudonymise=("person_id", "service")))


def test_of_counts_no_column_is_stored(bench: Bench) -> None:
    package = bench.open(bench.write(bench.manifest(), CELLS))

    assert package.taken(decision(keep=("service",), pseudonymise=("person_id",))).stored == ()


def test_health_records_need_word_of_the_opt_out(bench: Bench) -> None:
    agreed = bench.content[f"agreements/{AGREEMENT}.yaml"]
    agreed["sources"][0]["health_or_care"] = True
    agreed["opt_out"] = {"applied": "yes", "reason": "Made up.", "date": "2025-01-01"}
    evidence = {"applied": True, "removed": 0}

    assert bench.refusal(bench.write(bench.manifest(), CELLS)) == "package_opt_out_missing"
    assert bench.open(bench.write(bench.manifest(opt_out=evidence), CELLS)).kind == "aggregated"


def test_a_damaged_package_is_refused_as_damaged(bench: Bench) -> None:
    path = bench.write(bench.manifest(), CELLS)
    path.write_bytes(path.read_bytes()[:-40])

    with pytest.raises(UnsafeFileError) as caught:
        bench.open(path)
    assert caught.value.reason == "truncated"


def test_a_package_is_known_by_its_content_whatever_its_name(bench: Bench, tmp_path: Path) -> None:
    path = bench.write(bench.manifest(), CELLS)
    renamed = path.rename(tmp_path / "cases.zip")
    other = tmp_path / "plain.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("cases.csv", "a\n1\n")

    assert is_package(renamed)
    assert not is_package(other)
    assert not is_package(tmp_path / "made.csv")


def test_only_what_the_agency_signed_counts_as_said(bench: Bench, tmp_path: Path) -> None:
    path = bench.write(bench.manifest(), CELLS)

    assert (manifest_of(path, [bench.public]) or {})["period"] == MONTH
    assert manifest_of(path, []) is None
    assert manifest_of(tmp_path / "made.csv", [bench.public]) is None


@pytest.mark.parametrize(
    ("files", "kind", "name"),
    [
        ("cases_{period}*.csv", "csv", "cases_2026-03.csv.lsoalink.zip"),
        ("{period}/cases.xlsx", "xlsx", "2026-03/cases.xlsx.lsoalink.zip"),
        ("cases_{period}*", "csv", "cases_2026-03.csv.lsoalink.zip"),
        ("cases_{period}.*", "csv", "cases_2026-03.csv.lsoalink.zip"),
    ],
)
def test_the_name_of_a_package_follows_the_sources_pattern(
    bench: Bench, files: str, kind: str, name: str
) -> None:
    declared = bench.declared()
    source = declared.sources[SOURCE].model_copy(update={"files": files})
    contract = declared.contract_of(source)
    contract = contract.model_copy(
        update={"format": contract.format.model_copy(update={"type": kind})}
    )

    assert package_name(source, contract, MONTH) == name
    match = name_pattern(source, contract).match(name)
    assert match is not None
    assert match.group("period") == MONTH


def test_a_delivery_row_is_the_agencys_account_and_the_hubs_together(bench: Bench) -> None:
    rows = {**ROWS, "read": 33, "broken": 2, "duplicate": 1}
    package = bench.open(bench.write(bench.manifest("pseudonymised", rows=rows), RECORDS))
    own = {"rows_filtered": 0, "rows_broken": 1, "rows_formula": 0, "rows_duplicate": 0,
           "rows_read": 30, "rows_kept": 29}  # fmt: skip

    row = package.delivery_row(own)

    assert (row["rows_read"], row["rows_broken"], row["rows_duplicate"]) == (33, 3, 1)
    assert (row["rows_kept"], row["package"]) == (29, "pseudonymised")


def test_the_hubs_own_checks_go_before_the_agencys(bench: Bench) -> None:
    theirs = [{"check_id": "key", "outcome": "failed"}, {"check_id": "mine", "outcome": "failed"}]
    package = bench.open(bench.write(bench.manifest(checks=theirs), CELLS))

    rows = package.check_rows([{"check_id": "mine", "outcome": "passed"}], 2)

    assert rows == [
        {"check_id": "mine", "outcome": "passed"},
        {"check_id": "key", "outcome": "failed", "version": 2},
    ]


def test_an_archive_in_which_one_name_stands_twice_is_refused(bench: Bench) -> None:
    path = bench.write(bench.manifest(), CELLS)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(DATA_NAME, "name\nsomebody\n")

    assert bench.refusal(path) == "package_without_manifest"


def test_the_reading_contract_keeps_what_still_holds(bench: Bench) -> None:
    said = bench.manifest("pseudonymised")
    package = bench.open(bench.write(said, RECORDS))
    contract = replace(package).contract

    assert contract.column("opened").type == "date"
    assert contract.codes_of(contract.column("service")) == ["advice", "support"]
    assert not contract.column("name").required
    assert contract.column("postcode").required
