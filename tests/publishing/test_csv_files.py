"""The CSV text: deterministic, and safe to open in a spreadsheet."""

import csv
import io

import numpy as np
import pytest

from governance.reports.csv_text import safe_text
from publishing.conform import conform_all
from publishing.csv_files import csv_text, number_text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+44", "'+44"),
        ("-x", "'-x"),
        ("@sum", "'@sum"),
        ("\tx", "'\tx"),
        ("Alder = 1", "Alder = 1"),
        ("[c]", "[c]"),
        ("", ""),
    ],
)
def test_formulas_are_disarmed(text, safe):
    assert safe_text(text) == safe


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, 1, ""),
        (0.0, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (-0.06, 1, "-0.1"),
        (12345.678, 2, "12345.68"),
        (1000.0, None, "1000"),
        (0.1, None, "0.1"),
        (7.4, 0, "7"),
    ],
)
def test_numbers_have_one_spelling(value, decimals, text):
    assert number_text(value, decimals) == text


def test_observations_keep_numbers_and_markers_apart(tables):
    text = csv_text("observations", conform_all(tables)["observations"], {"H01": 1})
    assert "\r" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    hidden = [r for r in rows if r["value_status"] == "[c]"]
    assert hidden
    assert {r["value"] for r in hidden} == {""}
    plain = next(r for r in rows if r["indicator_id"] == "H01" and r["value"])
    assert len(plain["value"].split(".")[1]) == 1
    assert plain["period_start"][4] == plain["period_start"][7] == "-"


def test_row_order_of_the_input_does_not_matter(tables):
    ready = conform_all(tables)
    turned = conform_all({k: v.take(np.arange(len(v))[::-1]) for k, v in tables.items()})
    for name in ready:
        assert csv_text(name, ready[name], {}) == csv_text(name, turned[name], {})


def test_a_hostile_area_name_is_disarmed_but_kept(tables):
    text = csv_text("areas", conform_all(tables)["areas"], {})
    names = [r["lsoa21nm"] for r in csv.DictReader(io.StringIO(text))]
    assert '\'=HYPERLINK("x")' in names
