"""The quality page, internal and published."""

import re

import pytest
from publishing_samples import (
    HOSTILE_NAME,
    decision,
    make_accounting,
    make_lineage,
    make_quality,
    to_arrow,
)

from publishing.quality_page import QualityFacts, month_words, quality_page

MESSAGE = "1,187 of 1,263 rows have no postcode."


@pytest.fixture(scope="module")
def facts(region, release):
    return QualityFacts.of_release(region, release)


@pytest.fixture(scope="module")
def internal(quality, facts):
    extra = {"accounting": make_accounting(protected=False), "lineage": make_lineage()}
    return quality_page({**quality, **to_arrow(extra)}, facts)


@pytest.fixture(scope="module")
def published(quality, facts):
    extra = {"accounting": make_accounting(protected=True), "lineage": make_lineage()}
    return quality_page({**quality, **to_arrow(extra)}, facts, published=True)


def test_the_internal_page_gives_exact_counts(internal):
    assert "Internal page: counts are exact" in internal
    assert MESSAGE in internal
    assert "keyworker_notes" in internal
    assert internal.count("Totals close.") == 2


def test_the_published_page_gives_no_count_of_a_delivery(published):
    assert "Published page: counts are protected" in published
    assert MESSAGE not in published
    for exact in ("1,187", "1187", "1,260", "1260", "1,263", "2.94%", "123457", "123,457"):
        assert exact not in published, exact
    assert "keyworker_notes" not in published
    assert "surname" in published
    assert "[c] hidden" in published
    assert "Totals close" not in published


def test_both_pages_say_what_needs_doing(internal, published):
    for page in (internal, published):
        actions = page[page.index('id="action"') : page.index('id="calendar"')]
        order = re.findall(r"tag s-(\w+)", actions)
        assert order == ["quarantined", "refused", "missing", "late"]
        assert "A required column is missing" in actions


def test_every_calendar_cell_has_letter_and_words(internal):
    calendar = internal[internal.index('class="calendar"') : internal.index('id="columns"')]
    cells = re.findall(
        r'<td class="s-(\w+)".*?aria-hidden="true">(.).*?hidden-text">(.*?)<', calendar
    )
    letters = {"admitted": "A", "trimmed": "T", "refused": "R", "quarantined": "Q"}
    letters |= {"missing": "\u2013", "not_due": "\u00b7", "waiting": "W"}
    assert cells
    assert all(letters[state] == letter and words for state, letter, words in cells)
    assert "23 days late" in calendar


def test_totals_that_do_not_close_are_said(facts):
    accounting = make_accounting(protected=False)
    accounting.loc[accounting["detail"] == "uprn", "amount"] = 179
    page = quality_page(to_arrow({"accounting": accounting}), facts)
    assert page.count("Totals do not close in 2 of 2 months") == 2


def test_a_part_without_its_table_says_so(facts):
    page = quality_page({}, facts)
    for part in ("deliveries", "checks", "decisions"):
        assert part in page
    assert "without the record of checks" in page
    assert "without the accounts of the rows" in page


def test_the_page_needs_no_script_and_fetches_nothing(internal):
    assert "<script" not in internal
    assert not re.search(r"https?://", internal)
    assert not re.search(r"<(link|img|iframe|object|embed)\b", internal)
    assert " style=" not in internal


def test_hostile_texts_are_escaped(facts):
    frames = make_quality()
    frames["decisions"].loc[0, "columns_dropped"] = HOSTILE_NAME
    assert "<script" not in quality_page(to_arrow(frames), facts)


def test_a_clean_record_asks_for_nothing(region, release):
    from dataclasses import replace

    import pandas as pd

    facts = replace(QualityFacts.of_release(region, release), sources=())
    tables = to_arrow({"decisions": pd.DataFrame([decision("s", "2026-08")])})
    assert "Nothing: every delivery" in quality_page(tables, facts)


def test_months_in_words():
    assert month_words("2026-09") == "Sep 2026"
    assert month_words("") == "once"
