"""Keyed pseudonyms: the same person under the same agreement, and under no other.

HMAC-SHA-256 with a key of the agreement, never a plain hash: NHS numbers, postcodes and UPRNs can
be enumerated (domain dossier, section 2.3). Does not belong here: where keys come from
(``warehouse/keys.py``).
"""

from __future__ import annotations

import hashlib
import hmac

from warehouse.keys import KeyRing
from warehouse.sql import ident

BLOCK_BYTES = 64
PSEUDONYM_CHARACTERS = 32
"""128 bits of the digest: collisions among 100 million people have odds below 1 in 10**22."""


def agreement_key(keys: KeyRing, agreement_id: str) -> bytes:
    """Return the pseudonym key of one agreement: two agreements' pseudonyms never meet.

    Its own where it has one, else derived from the master key (``warehouse/keys.py``).
    """
    return keys.agreement_key(agreement_id)


def pseudonym(key: bytes, value: str) -> str:
    """Return the pseudonym of one value; the twin of `pseudonym_sql`."""
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:PSEUDONYM_CHARACTERS]


def pseudonym_sql(column: str) -> str:
    """Return the SQL expression of a column's pseudonym, with two parameters to bind.

    HMAC spelt out over DuckDB's SHA-256, so that millions of rows stay in the engine:
    ``H((K ^ opad) || H((K ^ ipad) || text))`` (RFC 2104). Bind the result of `hmac_pads`, outer
    first. NULL stays NULL.
    """
    inner = f"sha256(CAST(? AS BLOB) || encode(CAST({ident(column)} AS VARCHAR)))"
    digest = f"sha256(CAST(? AS BLOB) || unhex({inner}))"
    return f"CASE WHEN {ident(column)} IS NOT NULL THEN left({digest}, {PSEUDONYM_CHARACTERS}) END"


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """Return the outer and inner padded keys of RFC 2104 for `pseudonym_sql`."""
    padded = key.ljust(BLOCK_BYTES, b"\x00")
    return bytes(b ^ 0x5C for b in padded), bytes(b ^ 0x36 for b in padded)
