"""Patterns mean the same in Python and in DuckDB."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.patterns import UnsupportedPatternError, for_re2, list_of, portable

PATTERNS = [
    r"^E01\d{6}$",
    r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
    r"a|b",
    r"\w+",
    r"\W\s\D\S",
    r"(?i)yes|no",
    r"(?:a|b)+",
    r"[^\d\s]*",
    r"[]a]+",
    r"\++",
    r"a.c",
    r"x$|y",
    r"(?P<part>a)b",
    r"\d{4}-\d{2}\Z",
    r"[$a]",
]
TEXTS = st.one_of(
    st.sampled_from(
        ["E01000001", "AB1 2CD", "a", "b", "yes", "YES", "x\n", "a\nc", "++", "é", "٣"]
    ),
    st.text(alphabet="aAbBcxyé٣ 019E]$+-_\n\t\x1c\u00a0²Ⅷ", max_size=6),
)


def in_duckdb(pattern, text):
    return duckdb.execute("SELECT regexp_matches(?, ?)", [text, for_re2(pattern)]).fetchone()[0]


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=25, deadline=None)
@given(text=TEXTS)
def test_a_contract_pattern_means_the_same_in_both(pattern, text):
    shared = portable(pattern)
    assert in_duckdb(shared, text) == bool(re.search(shared, text))


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=25, deadline=None)
@given(text=TEXTS)
def test_a_foreign_pattern_means_the_same_in_both(pattern, text):
    assert in_duckdb(pattern, text) == bool(re.search(pattern, text))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\d{3}", "123", True),
        (r"\d{3}", "1234", False),
        (r"^\d{3}$", "123", True),
        (r"\d", "٣", False),
        (r"a|bc", "abc", False),
        (r"(?i)ab", "AB", True),
        (r"ab", "AB", False),
    ],
)
def test_a_contract_pattern_is_about_the_whole_cell(pattern, text, expected):
    assert bool(re.search(portable(pattern), text)) is expected


@pytest.mark.parametrize(
    "pattern",
    [r"(?=a)", r"(?<!a)b", r"(a)\1", r"\bword\b", r"(?>a)", r"a++", r"[\D]", r"(?P=x)", "[", "\\"],
)
def test_what_the_engines_do_not_share_is_refused(pattern):
    with pytest.raises(UnsupportedPatternError):
        portable(pattern)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A1", True),
        ("A1;B.2", True),
        ("A1 ; B.2;A1", True),
        ("A1;", False),
        ("A1;Bx2", False),
        ("A", False),
        ("A1 B.2", False),
    ],
)
def test_a_list_of_codes_checks_each_part(text, expected):
    pattern = list_of(["A1", "B.2"], ";")
    assert bool(re.search(pattern, text)) is expected
    assert in_duckdb(pattern, text) is expected


def test_codes_may_be_separated_by_blanks():
    pattern = list_of(["A", "B"], " ")
    assert re.search(pattern, "A  B")
    assert not re.search(pattern, "AB")
