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


def test_every_outcome_is_named(internal):
    accounts = internal[internal.index('id="accounts"') : internal.index('id="lineage"')]
    for words in (
        "Placed by postcode", "Apportioned by lsoa11 code", ">Out of region<",
        "Not placed: no fixed abode",
        "received = placed + apportioned + out of region + not placed",
    ):  # fmt: skip
        assert words in accounts
    bar = accounts[accounts.index("<svg viewBox") :]
    assert re.findall(r"<title>(.*?)</title>", bar)[2:4] == [
        "apportioned: lsoa11 code", "out of region: out of region",
    ]  # fmt: skip


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


def vintage_rows(vintage="2011", confidence=11 / 12):
    """Findings of two deliveries of one source placed by area codes."""
    import pandas as pd

    row = {
        "source_id": "visits", "period": "2026-02", "vintage": vintage, "confidence": confidence,
        "only_2011": 10, "only_2021": 0, "both": 1900, "unknown": 3,
    }  # fmt: skip
    return pd.DataFrame([row, row | {"period": "2026-03", "only_2011": 25, "confidence": 26 / 27}])


def test_the_census_year_of_codes_is_shown_with_its_confidence(facts):
    page = quality_page(to_arrow({"vintages": vintage_rows()}), facts)
    part = page[page.index('<section id="vintages"') : page.index('<section id="boundaries"')]
    for shown in (">2011<", ">0.92<", ">10<", ">3<", "2: Feb 2026 to Mar 2026"):
        assert shown in part
    mixed = quality_page(to_arrow({"vintages": vintage_rows("mixed", 0.6)}), facts)
    assert 'class="tag s-quarantined">Mixed<' in mixed
    assert "No source is placed by area codes" in quality_page({}, facts)


def boundary_rows(level="never_geocode", share=0.866, overlaps=0):
    """Rows of the boundaries of one source: 1,000 postcodes, six areas."""
    import pandas as pd

    placing = {
        "source_id": "areas", "check_id": "placing", "area_code": "", "area_name": None,
        "other_code": "", "outcome": level, "checked": 1000, "faults": round(1000 * (1 - share)),
        "outside": 4, "left_out": 0, "share": share, "lower_ci": share - 0.02,
        "upper_ci": share + 0.02, "area_m2": None, "width_m": None, "meaning": "In plain words",
    }  # fmt: skip
    north = placing | {"area_code": "E08990001", "area_name": "North <b>Mere</b>"}
    south = placing | {"area_code": "E08990002", "area_name": "South Mere"}
    nothing = dict.fromkeys(placing)
    meeting = nothing | {
        "source_id": "areas", "check_id": "overlap", "area_code": "", "other_code": "",
        "outcome": "failed" if overlaps else "passed", "checked": 6, "faults": overlaps,
        "area_m2": 1.5 * overlaps, "width_m": 0.2, "meaning": "Ground in two areas",
    }  # fmt: skip
    findings = [
        meeting | {"area_code": f"E019900{n:02d}", "other_code": f"E019901{n:02d}", "area_m2": 1.5}
        for n in range(overlaps)
    ]
    frame = pd.DataFrame([placing, north, south, meeting, *findings])
    counts = ["checked", "faults", "outside", "left_out"]
    return frame.astype(dict.fromkeys(counts, "Int64"))


@pytest.mark.parametrize("published", [False, True])
def test_both_pages_warn_of_boundaries_that_place_badly(facts, published):
    page = quality_page(to_arrow({"boundaries": boundary_rows()}), facts, published=published)
    part = page[page.index('<section id="boundaries"') : page.index('<section id="lineage"')]
    for words in ("Never geocode", "In plain words.", "86.6%", "1,000 live postcodes",
                  "130 land in another area, 4 in none", "84.6% to 88.6%",
                  "counted in the area next door", "South Mere", "North &lt;b&gt;"):  # fmt: skip
        assert words in part, words


def test_boundaries_that_place_well_bring_no_warning(facts):
    page = quality_page(to_arrow({"boundaries": boundary_rows("fine", 0.994)}), facts)
    assert "Fit for single addresses" in page
    assert "area next door" not in page
    assert "Nothing found in 6 areas." in page


def test_of_many_overlaps_the_largest_are_named(facts):
    page = quality_page(to_arrow({"boundaries": boundary_rows(overlaps=12)}), facts)
    assert "The largest 10" in page
    assert page.count("1.5 m², 0.20 m wide") == 10
    few = quality_page(to_arrow({"boundaries": boundary_rows(overlaps=2)}), facts)
    assert "Which</summary>" in few


def test_boundaries_that_were_not_measured_are_said(facts):
    assert "without a measurement of the boundaries" in quality_page({}, facts)
    rows = boundary_rows("not_measured")
    rows[["share", "lower_ci", "upper_ci"]] = None
    rows["checked"] = 0
    page = quality_page(to_arrow({"boundaries": rows}), facts)
    assert "Not measured" in page
    assert "live postcodes land" not in page


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
