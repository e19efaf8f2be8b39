"""Record keys: HMAC by the book, the same for ever, evenly spread, and refused without a secret."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import ConfigurationError, DisclosureError, StorageError
from governance.disclosure.cell_key.record_keys import record_key_secret, record_keys
from warehouse.key_ring import KeyRing

SECRET = bytes(range(32))
OTHER = bytes(range(1, 33))


def by_the_book(pseudonym: str, secret: bytes, keys: int) -> int:
    """The same number from the standard library's HMAC alone."""
    key = hmac.new(secret, b"lsoalink/1/record-key", hashlib.sha256).digest()
    digest = hmac.new(key, pseudonym.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:2], "big") % keys


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(min_size=1), max_size=20), st.sampled_from([256, 4096]))
def test_each_is_the_hmac_of_its_pseudonym(pseudonyms: list[str], keys: int) -> None:
    made = record_keys(pseudonyms, SECRET, keys)

    assert made.dtype == np.uint16
    assert made.tolist() == [by_the_book(p, SECRET, keys) for p in pseudonyms]


def test_they_depend_on_the_pseudonym_and_the_secret_alone() -> None:
    people = [f"person-{i}" for i in range(1000)]
    first = record_keys(people, SECRET)

    assert (record_keys(reversed(people), SECRET)[::-1] == first).all()
    assert (record_keys(people[500:], SECRET) == first[500:]).all()
    assert (record_keys(people, OTHER) != first).mean() > 0.9


@pytest.mark.parametrize("keys", [256, 4096])
def test_they_are_spread_evenly(keys: int) -> None:
    made = record_keys((f"person-{i}" for i in range(40 * keys)), SECRET, keys)
    observed = np.bincount(made, minlength=keys)

    assert len(observed) == keys
    # Chi-squared with keys - 1 degrees of freedom: six standard deviations either way.
    statistic = ((observed - 40) ** 2 / 40).sum()
    assert abs(statistic - (keys - 1)) < 6 * np.sqrt(2 * (keys - 1))


def test_a_new_master_key_leaves_them_as_they_are() -> None:
    before = record_key_secret(KeyRing(SECRET))

    assert record_key_secret(KeyRing(OTHER, [SECRET])) == before
    assert record_key_secret(KeyRing(OTHER)) != before
    assert len(before) == 32


def test_a_record_without_a_pseudonym_is_refused_and_only_counted() -> None:
    with pytest.raises(DisclosureError, match="2 records have no pseudonym") as raised:
        record_keys(["PLANTED-7", None, ""], SECRET)

    assert "PLANTED" not in str(raised.value)


def test_a_short_secret_and_another_number_of_keys_are_refused() -> None:
    with pytest.raises(StorageError, match="16 bytes"):
        record_keys(["a"], SECRET[:16])
    with pytest.raises(ConfigurationError, match="neither 256 nor 4096"):
        record_keys(["a"], SECRET, 1000)


def test_no_records_have_no_keys() -> None:
    assert record_keys([], SECRET).shape == (0,)
