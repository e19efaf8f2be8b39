"""The accounts of ``lsoalink status``: a line a source, a loud one where sums do not close."""

import pytest

from pipelines.inspecting import _print_accounts


def rows(*amounts, source="visits", quantity="rows", period="2026-03"):
    return [
        {"source_id": source, "period": period, "quantity": quantity, "outcome": outcome,
         "detail": "any", "amount": amount}
        for outcome, amount in amounts
    ]  # fmt: skip


@pytest.fixture
def said(capsys):
    def of(accounting):
        _print_accounts(accounting)
        return [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]

    return of


def test_every_source_has_a_line_over_all_its_periods(said):
    lines = said([
        *rows(("received", 1200), ("placed", 1000), ("apportioned", 150), ("out of region", 30),
              ("not placed", 20)),
        *rows(("received", 5), ("placed", 5), period="2026-04"),
        *rows(("received", 9), ("placed", 9), quantity="hours"),
        *rows(("received", 7), ("not placed", 7), source="cases"),
    ])  # fmt: skip

    assert lines[-2:] == [
        ["cases", "7", "0", "0", "0", "7", "yes"],
        ["visits", "1,205", "1,005", "150", "30", "20", "yes"],
    ]


def test_a_sum_that_does_not_close_is_named_with_its_difference(said):
    lines = said([
        *rows(("received", 7), ("placed", 7)),
        *rows(("received", 9), ("placed", 12), quantity="hours"),
    ])  # fmt: skip

    assert " ".join(lines[-1]).endswith("NO: 2026-03 hours by -3")


def test_before_anything_was_placed_there_is_nothing_to_say(said):
    assert said([]) == []
