import itertools

import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geography.placement.lookups import typed_postcodes_sql
from geography.postal.postcodes import (
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


def test_repair_in_sql_passes_over_no_text_that_python_would_change():
    """Every text of five to seven of the characters that matter."""
    texts = [
        "".join(letters)
        for length, alphabet in ((5, "AVOI019"), (6, "AVOI09"), (7, "AOI01"))
        for letters in itertools.product(alphabet, repeat=length)
    ]
    found = TWINS.execute(
        f"SELECT c, {normalise_sql('c')}, {repair_sql('c')}"
        " FROM (SELECT unnest(?::VARCHAR[]) AS c)",
        [texts],
    ).fetchall()
    assert [row for row in found if row[1:] != (normalise(row[0]), repair(row[0]))] == []


HOSTILE = ["\x00", "QA4\x007XB", "qa4 7xb\x00", "Q" * 100_000, "QA4 7XB" * 1000, "\u017fw1a 1aa"]
HOSTILE += [
    "\ufeffQA4 7XB",
    "QA4\u00a07XB",
    "\uff31\uff21\uff14 \uff17\uff38\uff22",
    "QA4\n7XB",
    "'; --",
    "%_",
    "\U0001f600",
]


def test_hostile_and_random_texts_read_the_same_in_sql_and_python():
    generator = np.random.default_rng(20240229)
    alphabet = np.array(list("AQOI01479XBVZ -.\tqß\u0131\u017fé\u00a0\x00"))
    texts = [
        "".join(generator.choice(alphabet, size)) for size in generator.integers(0, 12, 4000)
    ] + HOSTILE
    with duckdb.connect() as con:
        con.execute("CREATE TABLE texts AS SELECT unnest(?::VARCHAR[]) AS raw", [texts])
        found = con.execute(typed_postcodes_sql("texts")).fetchall()
    assert sorted(found, key=str) == sorted(((t, normalise(t), repair(t)) for t in texts), key=str)


@given(texts)
def test_reading_a_postcode_again_changes_nothing(text):
    normal = normalise(text)
    assert normalise(normal) == normal
    assert repair(repair(text)) == repair(text)
    if normal is not None:
        assert repair(normal) == repair(text)
