import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geography.postcodes import (
    PSEUDO_KINDS,
    normalise,
    normalise_sql,
    pseudo_postcode_kind,
    pseudo_postcode_kind_sql,
    repair,
    repair_sql,
)

TWINS = duckdb.connect().execute("SET threads = 1")
QUERY = (
    f"SELECT {normalise_sql('c')}, {repair_sql('c')},"
    f" {pseudo_postcode_kind_sql(normalise_sql('c'))} FROM (SELECT unnest(?::VARCHAR[]) AS c)"
)

near_postcodes = st.from_regex(
    r"[ ]?[A-Za-z01]{1,2}[0-9OoIi][A-Z0-9]?[ -]{0,2}[0-9OIoi][A-Za-z01]{2}", fullmatch=True
)
texts = st.one_of(
    st.none(),
    near_postcodes,
    st.from_regex(r"ZZ99 ?[0-9][A-Z]{2}", fullmatch=True),
    st.text(max_size=10).filter(lambda t: "\x00" not in t),
    st.text(alphabet="OI01AB79 ", max_size=9),
)


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=40))
@example(["ß1 1aa", "\u01311 1aa", "", "GIR0AA", "GIR OAA", "\n"])
def test_sql_and_python_agree(rows):
    expected = [(normalise(t), repair(t), pseudo_postcode_kind(normalise(t))) for t in rows]
    assert TWINS.execute(QUERY, [rows]).fetchall() == expected


@given(near_postcodes)
def test_normal_form_is_its_own_normal_form(text):
    for form in (normalise(text), repair(text)):
        if form is not None:
            assert normalise(form) == form


@pytest.mark.parametrize(
    ("text", "pcds"),
    [
        ("qa47xb", "QA4 7XB"),
        (" QA4  7XB ", "QA4 7XB"),
        ("QA4-7XB", "QA4 7XB"),
        ("W1A 1AA", "W1A 1AA"),
        ("EC1A 1BB", "EC1A 1BB"),
        ("M1 1AE", "M1 1AE"),
        ("gir0aa", "GIR 0AA"),
        ("ZZ99 3VZ", "ZZ99 3VZ"),
        ("QA4 7XV", None),
        ("QA4 7", None),
        ("4QA 7XB", None),
        ("QA4 7XBB", None),
        ("", None),
        (None, None),
    ],
)
def test_normal_form(text, pcds):
    assert normalise(text) == pcds


@pytest.mark.parametrize(
    ("text", "pcds"),
    [
        ("QA4 7XB", "QA4 7XB"),
        ("QAI OAA", "QA1 0AA"),
        ("QA1O 7XB", "QA10 7XB"),
        ("S01 4AA", "SO1 4AA"),
        ("S015 4AA", "SO15 4AA"),
        ("WI 1AA", "W1 1AA"),
        ("WIA 1AA", "W1A 1AA"),
        ("EC1A IBB", "EC1A 1BB"),
        ("GIR OAA", "GIR 0AA"),
        ("QA4 70B", None),
        ("QA4 7X", None),
        ("hello", None),
        (None, None),
    ],
)
def test_repair_by_position(text, pcds):
    assert repair(text) == pcds


def test_pseudo_postcodes_say_what_they_stand_for():
    for code, kind in PSEUDO_KINDS.items():
        assert pseudo_postcode_kind(normalise(code.replace(" ", "").lower())) == kind
    assert pseudo_postcode_kind("ZZ99 6CZ") == "zz99_overseas"
    assert pseudo_postcode_kind("QA4 7XB") is None
    assert pseudo_postcode_kind(None) is None
