"""Shared by the expectation tests: one contract with every kind of check, and a good delivery."""

from __future__ import annotations

import duckdb
import pytest

from declarations.contracts import Contract

GOOD_ROWS = """
SELECT * FROM (VALUES
    ('r1', 'A', 'X;Y.1', 'AB1 2CD', 30, TRUE, DATE '2026-01-05', TRUE, DATE '2026-01-09', TRUE),
    ('r2', 'B', 'X',     'AB1 2CE', 41, TRUE, DATE '2026-01-06', TRUE, NULL,              TRUE),
    ('r3', 'A', NULL,    NULL,      NULL, TRUE, DATE '2026-01-07', TRUE, DATE '2026-01-07', TRUE)
) t(case_ref, kind, needs, postcode, age, age__readable,
    start_on, start_on__readable, end_on, end_on__readable)
"""


@pytest.fixture
def con():
    """An empty database in memory."""
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        yield connection


@pytest.fixture
def delivery(con):
    """The good delivery as table ``delivery``; tests spoil it with UPDATE."""
    con.execute(f"CREATE TABLE delivery AS {GOOD_ROWS}")
    con.execute("ALTER TABLE delivery ALTER age TYPE BIGINT")
    return "delivery"


def _contract_with(**changes):
    """The test contract, with some of its keys exchanged."""
    settings = {
        "id": "test_cases",
        "title": "Synthetic cases",
        "specification": "written for the tests",
        "kind": "reference",
        "role": "practices",
        "format": {"broken_rows_allowed": 0.25},
        "code_lists": {"needs": ["X", "Y.1"]},
        "columns": [
            {"name": "case_ref", "nullable": False, "headers": ["Case reference"]},
            {"name": "kind", "codes": ["A", "B"]},
            {"name": "needs", "code_list": "needs", "separator": ";"},
            {"name": "postcode", "pattern": r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}"},
            {"name": "age", "type": "integer", "minimum": 0, "maximum": 120},
            {"name": "start_on", "type": "date"},
            {"name": "end_on", "type": "date", "required": False},
        ],
        "key": ["case_ref", "start_on"],
        "checks": [
            {
                "expect": "column_pair_in_order",
                "columns": ["start_on", "end_on"],
                "why": "A case cannot end before it starts: correct one of the dates.",
            },
        ],
    }
    return Contract(**{**settings, **changes})


@pytest.fixture(scope="session")
def contract_with():
    """A function that makes the test contract with some of its keys exchanged."""
    return _contract_with


@pytest.fixture(scope="session")
def contract():
    """The test contract."""
    return _contract_with()


@pytest.fixture(scope="session")
def suite(contract):
    """Its suite."""
    from expectations.suites import build_suite

    return build_suite(contract)
