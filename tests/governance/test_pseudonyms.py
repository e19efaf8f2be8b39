"""Pseudonyms: HMAC-SHA-256 by the book, the same in SQL, and different under each agreement."""

from __future__ import annotations

import hashlib
import hmac

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import StorageError
from governance.pseudonyms import (
    BLOCK_BYTES,
    PSEUDONYM_CHARACTERS,
    agreement_key,
    hmac_pads,
    pseudonym,
    pseudonym_sql,
)
from warehouse.keys import KeyRing

KEY = bytes(range(32))

RFC_4231 = [
    (b"\x0b" * 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
]
"""Test cases 1 and 2 of RFC 4231, section 4, for HMAC-SHA-256."""


def in_sql(key: bytes, values: list[str | None]) -> list[str | None]:
    con = duckdb.connect()
    try:
        con.execute(
            "CREATE TABLE people AS SELECT unnest(?::VARCHAR[]) AS person, "
            "generate_subscripts(?::VARCHAR[], 1) AS i",
            [values, values],
        )
        sql = f"SELECT {pseudonym_sql('person')} FROM people ORDER BY i"
        return [row[0] for row in con.execute(sql, list(hmac_pads(key))).fetchall()]
    finally:
        con.close()


@pytest.mark.parametrize(("key", "text", "digest"), RFC_4231)
def test_the_construction_is_that_of_the_standard(key: bytes, text: str, digest: str) -> None:
    assert pseudonym(key, text) == digest[:PSEUDONYM_CHARACTERS]
    assert in_sql(key, [text]) == [digest[:PSEUDONYM_CHARACTERS]]


def test_the_pads_are_those_of_the_standard() -> None:
    outer, inner = hmac_pads(KEY)

    assert len(outer) == len(inner) == BLOCK_BYTES == 64
    assert outer[32:] == b"\x5c" * 32
    assert inner[32:] == b"\x36" * 32
    by_hand = hashlib.sha256(outer + hashlib.sha256(inner + b"text").digest()).digest()
    assert hmac.compare_digest(by_hand, hmac.new(KEY, b"text", hashlib.sha256).digest())


@settings(max_examples=40, deadline=None, database=None)
@given(
    st.binary(min_size=1, max_size=64),
    st.lists(
        st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        min_size=1, max_size=20,
    ),
)  # fmt: skip
def test_sql_and_python_agree(key: bytes, values: list[str | None]) -> None:
    expected = [None if v is None else pseudonym(key, v) for v in values]

    assert in_sql(key, values) == expected


def test_missing_stays_missing_and_an_empty_text_does_not() -> None:
    assert in_sql(KEY, [None, "", "x"])[0] is None
    assert in_sql(KEY, [""]) == [pseudonym(KEY, "")]


def test_two_agreements_give_one_person_two_pseudonyms() -> None:
    ring = KeyRing(KEY)
    first, second = (agreement_key(ring, name) for name in ("DSA-TM-001", "DSA-TM-002"))

    assert pseudonym(first, "P0001") != pseudonym(second, "P0001")
    assert pseudonym(first, "P0001") == pseudonym(agreement_key(ring, "DSA-TM-001"), "P0001")
    other = agreement_key(KeyRing(bytes(32)), "DSA-TM-001")
    assert pseudonym(first, "P0001") != pseudonym(other, "P0001")


def test_a_pseudonym_is_not_the_plain_hash() -> None:
    plain = hashlib.sha256(b"P0001").hexdigest()[:PSEUDONYM_CHARACTERS]

    assert pseudonym(agreement_key(KeyRing(KEY), "DSA-TM-001"), "P0001") != plain


def test_an_agreements_own_key_goes_before_a_derived_one() -> None:
    own = bytes(range(32, 64))
    ring = KeyRing(KEY, agreements=lambda name: [own] if name == "DSA-TM-001" else [])

    assert agreement_key(ring, "DSA-TM-001") == own
    assert agreement_key(ring, "DSA-TM-002") == agreement_key(KeyRing(KEY), "DSA-TM-002")
    limited = ring.bundle(["pseudonym:DSA-TM-001"]).ring()
    assert agreement_key(limited, "DSA-TM-001") == own
    with pytest.raises(StorageError):
        agreement_key(limited, "DSA-TM-002")
