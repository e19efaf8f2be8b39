"""Every fault of the synthetic region is found, as its manifest says, and nothing else is."""

from __future__ import annotations

from collections import Counter

import pytest

from intake.quality import missing_periods
from intake.records import read_record

pytestmark = pytest.mark.end_to_end

PLACED = ("postcode_terminated",)
NOT_PLACED = (
    "zz99_no_fixed_abode", "zz99_not_known", "zz99_overseas", "postcode_unknown", "lsoa_unknown",
)  # fmt: skip


class Found:
    """What the quality tables say of one source and period."""

    def __init__(self, arden, fault):
        self.arden, self.fault, self.expect = arden, fault, fault["expect"]
        self.source, self.period = fault["source"], fault["period"]

    def _mine(self, table):
        return [
            row
            for row in self.arden.quality(table)
            if (row["source_id"], row["period"]) == (self.source, self.period)
        ]

    @property
    def delivery(self):
        (row,) = [r for r in self._mine("deliveries") if r["file_name"] == self.fault["file"]]
        return row

    @property
    def decision(self):
        (row,) = self._mine("decisions")
        return row

    def amount(self, outcome, detail):
        return sum(
            row["amount"]
            for row in self._mine("accounting")
            if (row["quantity"], row["outcome"], row["detail"]) == ("rows", outcome, detail)
        )

    def original(self):
        folder = self.arden.region / "landing" / self.source
        return (folder / self.fault["file"]).read_bytes()

    def nothing_counted(self):
        folders = (self.arden.root / "linked").glob(f"*_{self.source}")
        return not any((f / f"{self.period}.parquet").exists() for f in folders)


def accepted_whole(found):
    lines = found.original().rstrip(b"\n").count(b"\n")
    assert found.delivery["outcome"] == "accepted"
    assert (found.decision["decision"], found.decision["reasons"]) == ("admitted", "")
    assert found.decision["rows_read"] == found.decision["rows_kept"] == lines


def duplicate_delivery(found):
    assert (found.delivery["outcome"], found.delivery["reason"]) == (
        "duplicate", found.expect["reason"],
    )  # fmt: skip
    assert found.decision["version"] == 1


def refused_on_arrival(found):
    assert (found.delivery["outcome"], found.delivery["reason"]) == (
        "refused", found.expect["reason"],
    )  # fmt: skip
    assert found.delivery["message"]
    assert found.nothing_counted()


def late(found):
    assert found.delivery["outcome"] == "accepted"
    assert found.delivery["days_late"] > 0


def missing_period(found):
    workspace = found.arden.workspace
    source = workspace.declared.sources[found.source]
    assert missing_periods(workspace, source) == [found.period]
    assert found.nothing_counted()


def trimmed(found):
    assert found.decision["decision"] == "trimmed"
    assert found.expect["reason"] in found.decision["reasons"]
    assert found.decision["columns_undeclared"] == "NHS Number (number)"
    assert "NHS Number" not in found.decision["columns_kept"]
    assert found.decision["rows_kept"] > 0


def refused_unread(found):
    assert found.decision["decision"] == "refused"
    assert found.decision["reasons"] == found.expect["reason"]
    assert found.decision["rows_read"] == 0
    assert found.original().rstrip(b"\n").count(b"\n") == found.expect["rows"]
    assert found.nothing_counted()


def quarantined(found):
    assert found.decision["decision"] == "quarantined"
    assert found.decision["reasons"] == found.expect["reason"]
    assert found.decision["rows_broken"] == found.expect["rows"]
    assert found.decision["rows_kept"] == 0
    assert found.nothing_counted()


def row_excluded(column, detail):
    def rule(found):
        assert found.decision["decision"] == "admitted"
        assert found.decision[column] == found.expect["rows"]
        assert found.amount("not placed", detail) == found.expect["rows"]

    return rule


def not_placed(found):
    assert found.amount("not placed", found.expect["reason"]) == found.expect["rows"]


def placed_by(found):
    assert found.amount("placed", found.expect["reason"]) == found.expect["rows"]


def repaired(found):
    record = read_record(found.arden.workspace, "accounting", found.source, found.period)
    assert record["flags"][found.expect["reason"]] == found.expect["rows"]


def wrong_vintage(found):
    record = read_record(found.arden.workspace, "accounting", found.source, found.period)
    assert record["vintage"]["vintage"] == "2011"
    whole, split = (found.amount(o, "lsoa11_code") for o in ("placed", "apportioned"))
    assert whole + split == found.expect["rows"]


RULES = {
    "bom": accepted_whole,
    "cp1252": accepted_whole,
    "header_case": accepted_whole,
    "duplicate_delivery": duplicate_delivery,
    "empty_file": refused_on_arrival,
    "future_period": refused_on_arrival,
    "late": late,
    "missing_period": missing_period,
    "undeclared_columns": trimmed,
    "agreement_expired": refused_unread,
    "broken_rows": quarantined,
    "duplicate_rows": row_excluded("rows_duplicate", "row_duplicate"),
    "formula_injection": row_excluded("rows_formula", "row_formula"),
    "postcode_repaired": repaired,
    "wrong_vintage": wrong_vintage,
    **dict.fromkeys(PLACED, placed_by),
    **dict.fromkeys(NOT_PLACED, not_placed),
}


def of_kind(arden, kind):
    return [fault for fault in arden.planted["faults"] if fault["kind"] == kind]


def test_the_run_ends_well_and_says_what_it_made(arden):
    assert arden.ended["code"] == 0
    assert arden.ended["err"] == ""
    assert (arden.root / "published" / "latest" / "lsoalink.duckdb").is_file()
    assert (arden.root / "published" / "latest").resolve().name in arden.ended["out"]


def test_every_planted_kind_has_a_rule_and_every_rule_a_fault(arden):
    assert {fault["kind"] for fault in arden.planted["faults"]} == set(RULES)


@pytest.mark.parametrize("kind", sorted(RULES))
def test_planted_fault_is_found(arden, kind):
    for fault in of_kind(arden, kind):
        RULES[kind](Found(arden, fault))


def test_no_delivery_is_turned_away_that_the_manifest_does_not_name(arden):
    named = {
        (f["source"], f["period"])
        for kind in ("duplicate_delivery", "empty_file", "future_period")
        for f in of_kind(arden, kind)
    }
    found = {
        (d["source_id"], d["period"])
        for d in arden.quality("deliveries")
        if d["outcome"] != "accepted"
    }
    assert found == named


def test_no_delivery_is_late_or_missing_that_the_manifest_does_not_name(arden):
    late_ones = [d["source_id"] for d in arden.quality("deliveries") if d["days_late"]]
    assert late_ones == [f["source"] for f in of_kind(arden, "late")]
    # An empty file is no delivery: its period is missing too.
    named = {
        (f["source"], f["period"])
        for kind in ("missing_period", "empty_file")
        for f in of_kind(arden, kind)
    }
    workspace = arden.workspace
    found = {
        (source.id, period)
        for source in workspace.declared.sources.values()
        for period in missing_periods(workspace, source)
    }
    assert found == named


def test_the_gate_holds_back_or_trims_nothing_else(arden):
    named = {
        (f["source"], f["period"], f["expect"]["outcome"])
        for kind in ("undeclared_columns", "agreement_expired", "broken_rows")
        for f in of_kind(arden, kind)
    }
    found = {
        (d["source_id"], d["period"], d["decision"])
        for d in arden.quality("decisions")
        if d["decision"] != "admitted"
    }
    assert found == named


def test_homelessness_records_are_left_out_for_planted_reasons_only(arden):
    named = Counter()
    for fault in arden.planted["faults"]:
        if fault["kind"] in NOT_PLACED and fault["source"].endswith("_homelessness"):
            named[fault["source"], fault["period"], fault["kind"]] += fault["expect"]["rows"]
    found = Counter()
    for row in arden.quality("accounting"):
        planned = row["detail"] in ("row_duplicate", "all") or row["outcome"] == "placed"
        if row["source_id"].endswith("_homelessness") and not planned:
            found[row["source_id"], row["period"], row["detail"]] += row["amount"]
    assert found == named


def test_every_account_closes(arden):
    sums = Counter()
    for row in arden.quality("accounting"):
        sign = 1 if row["outcome"] == "received" else -1
        sums[row["source_id"], row["period"], row["quantity"]] += sign * row["amount"]
    assert sums
    assert {key: rest for key, rest in sums.items() if rest} == {}
