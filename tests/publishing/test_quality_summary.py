"""What the quality tables say: small tables a reader can check by eye."""

import datetime as dt

import pytest
from publishing_samples import check, decision, delivery

from publishing.boundary_findings import boundary_fits
from publishing.facts import ExpectedDelivery, SourceFact
from publishing.quality_summary import (
    accounts,
    actions,
    calendar_months,
    dropped_columns,
    failed_checks,
    headline,
    known_sources,
    states,
)
from publishing.reasons import REASONS, reason_of, split_codes

TODAY = dt.date(2026, 11, 16)
SOURCE = SourceFact(
    "s", "Cases", "Council", "monthly",
    expected=(
        ExpectedDelivery("2026-08", dt.date(2026, 9, 30)),
        ExpectedDelivery("2026-09", dt.date(2026, 11, 15)),
        ExpectedDelivery("2026-10", dt.date(2026, 11, 16)),
    ),
)  # fmt: skip
SOURCES = {"s": SOURCE}


def cells(deliveries=(), decisions=()):
    return states(list(deliveries), list(decisions), SOURCES, TODAY)


@pytest.mark.parametrize(
    ("deliveries", "decisions", "state"),
    [
        ([delivery("s", "2026-08")], [decision("s", "2026-08")], "admitted"),
        ([delivery("s", "2026-08")], [decision("s", "2026-08", decision="trimmed")], "trimmed"),
        ([delivery("s", "2026-08")], [], "waiting"),
        ([delivery("s", "2026-08", outcome="refused", reason="truncated")], [], "refused"),
        (
            [delivery("s", "2026-08"), delivery("s", "2026-08", 2)],
            [
                decision("s", "2026-08", 2),
                decision("s", "2026-08", decision="quarantined", reasons="contract_failed"),
            ],
            "admitted",
        ),
        (
            [
                delivery("s", "2026-08", outcome="refused", reason="truncated"),
                delivery("s", "2026-08"),
            ],
            [],
            "waiting",
        ),
    ],
)
def test_the_latest_version_decides(deliveries, decisions, state):
    assert cells(deliveries, decisions)["s", "2026-08"].state == state


def test_missing_begins_the_day_after_the_due_day():
    found = cells()
    assert found["s", "2026-09"].state == "missing"
    assert found["s", "2026-09"].late_days == 1
    assert found["s", "2026-10"].state == "not_due"


def test_a_correction_does_not_make_a_punctual_delivery_late():
    found = cells(
        [delivery("s", "2026-08", days_late=0), delivery("s", "2026-08", 2, days_late=40)],
        [decision("s", "2026-08", 2)],
    )
    assert found["s", "2026-08"].late_days == 0


def test_the_headline_counts_each_state_once():
    found = cells(
        [delivery("s", "2026-08", days_late=3), delivery("s", "2026-07")],
        [decision("s", "2026-08"), decision("s", "2026-07", decision="refused")],
    )
    numbers = {name: n for name, n, _ in headline([{}, {}], found)}
    assert numbers == {
        "Received": 2, "Admitted": 1, "Trimmed": 0, "Refused": 1, "Quarantined": 0, "Late": 1,
        "Missing": 1,
    }  # fmt: skip


def test_actions_are_urgent_first_and_say_who():
    found = cells(
        [delivery("s", "2026-08", outcome="refused", reason="truncated")],
        [decision("s", "2026-07", decision="quarantined", reasons="contract_failed")],
    )
    listed = actions(found, SOURCES)
    assert [a.state for a in listed] == ["quarantined", "refused", "missing"]
    assert listed[1].why == REASONS["truncated"].words
    assert listed[1].who == "The supplying agency"
    assert listed[2].why.endswith("(1 day overdue)")


def test_nothing_to_do_is_an_empty_list():
    found = states([delivery("s", "2026-08")], [decision("s", "2026-08")], {}, TODAY)
    assert actions(found, SOURCES) == []


def test_an_unknown_reason_is_shown_as_it_is():
    assert reason_of("moon_phase").words == "Moon phase"
    assert split_codes(None) == []
    assert split_codes("a, b,") == ["a", "b"]


def test_a_month_in_the_far_future_does_not_stretch_the_calendar():
    found = cells([delivery("s", "2099-01", outcome="refused", reason="future_period")])
    assert calendar_months(found) == ["2026-08", "2026-09", "2026-10"]
    assert "2099-01" in actions(found, SOURCES)[0].months


def test_dropped_columns_are_named_once():
    rows = [
        decision("s", "2026-08", columns_dropped="nino,surname"),
        decision("s", "2026-09", columns_dropped="surname", columns_undeclared="x"),
    ]
    (entry,) = dropped_columns(rows, SOURCES)
    assert entry["dropped"] == ["nino", "surname"]
    assert entry["undeclared"] == ["x"]
    assert dropped_columns([decision("s", "2026-08")], SOURCES) == []


def test_failed_checks_are_summed_and_blocking_first():
    rows = [
        check("s", "2026-08", "a", outcome="failed", rows_failed=5, rows_checked=10),
        check("s", "2026-09", "a", outcome="failed", rows_failed=7, rows_checked=10),
        check("s", "2026-09", "b", outcome="could_not_run", severity="blocking"),
        check("s", "2026-09", "c"),
    ]
    found = failed_checks(rows, SOURCES)
    assert [(c.check_id, c.rows_failed, c.rows_checked) for c in found] == [
        ("b", 0, 1260),
        ("a", 12, 20),
    ]


def account_row(outcome, detail, amount, period="2026-08"):
    return {
        "source_id": "s", "agency": "Council", "period": period, "quantity": "rows",
        "outcome": outcome, "detail": detail, "amount": amount, "amount_status": None,
        "protected": False,
    }  # fmt: skip


def test_accounts_that_close_and_accounts_that_do_not():
    rows = [
        account_row("received", "all", 16),
        account_row("placed", "postcode", 7),
        account_row("not placed", "no_fixed_abode", 3),
        account_row("out of region", "out_of_region", 5),
        account_row("apportioned", "lsoa11_code", 1),
    ]
    (good,) = accounts(rows, SOURCES)
    assert good.open_periods == ()
    assert good.parts == (
        ("placed", "postcode", 7, 0), ("apportioned", "lsoa11_code", 1, 0),
        ("out of region", "out_of_region", 5, 0), ("not placed", "no_fixed_abode", 3, 0),
    )  # fmt: skip
    (bad,) = accounts([*rows[:2], account_row("received", "all", 4, "2026-09")], SOURCES)
    assert bad.open_periods == ("2026-08", "2026-09")


def test_a_hidden_amount_is_counted_and_not_judged():
    (account,) = accounts(
        [
            account_row("received", "all", 10),
            account_row("placed", "postcode", 10),
            account_row("not placed", "no_fixed_abode", None),
        ],
        SOURCES,
    )
    assert account.hidden == 1
    assert account.open_periods == ()


def test_rounded_amounts_are_not_judged():
    rows = [account_row("received", "all", 30), account_row("placed", "postcode", 25)]
    assert accounts(rows, SOURCES)[0].open_periods == ("2026-08",)
    (rounded,) = accounts([{**r, "protected": True} for r in rows], SOURCES)
    assert rounded.open_periods == ()


def test_a_source_only_the_tables_know_is_still_named():
    found = known_sources([], [{"source_id": "x_y", "agency": "Council"}])
    assert found["x_y"].title == "x y"


def placing_row(area_code="", checked=100, faults=20, outside=5, **changes):
    return {
        "source_id": "s", "check_id": "placing", "area_code": area_code, "area_name": None,
        "other_code": "", "outcome": "never_geocode", "checked": checked, "faults": faults,
        "outside": outside, "left_out": 3, "share": 0.8, "lower_ci": 0.7, "upper_ci": 0.9,
        "area_m2": None, "width_m": None, "meaning": "Never", **changes,
    }  # fmt: skip


def meeting_row(check_id, area_code="", **changes):
    nothing = dict.fromkeys(placing_row())
    return nothing | {
        "source_id": "s", "check_id": check_id, "area_code": area_code, "other_code": "",
        "outcome": "passed", **changes,
    }  # fmt: skip


def test_boundaries_are_summed_up_by_source():
    rows = [
        meeting_row("overlap", "a", other_code="b", outcome="failed", area_m2=2.0),
        meeting_row("overlap", "c", other_code="d", outcome="failed", area_m2=9.0),
        meeting_row("overlap", outcome="failed", checked=6, faults=2, area_m2=11.0),
        meeting_row("opening", "a", outcome="listed", area_m2=500.0),
        meeting_row("opening", outcome="listed", checked=6, faults=1, area_m2=500.0),
        meeting_row("validity", checked=6, faults=0),
        placing_row("E08990002", 40),
        placing_row(),
        placing_row("E08990001", 60, area_name="North"),
    ]
    (fit,) = boundary_fits(rows, SOURCES)
    assert (fit.whole.points, fit.whole.elsewhere, fit.whole.outside) == (100, 15, 5)
    assert fit.left_out == 3
    assert [(d.area_code, d.area_name) for d in fit.districts] == [
        ("E08990001", "North"),
        ("E08990002", ""),
    ]
    assert [m.check_id for m in fit.meetings] == ["validity", "overlap", "opening"]
    assert [d["area_code"] for d in fit.meetings[1].largest] == ["c", "a"]
    assert boundary_fits([], SOURCES) == []
