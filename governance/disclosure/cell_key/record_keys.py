"""Record keys: a small secret number for each record, the same in every release.

Belongs here: deriving them from pseudonyms. Does not belong here: pseudonyms themselves
(``governance/pseudonyms.py``) or master keys (``warehouse/key_ring.py``).

Whoever knows the record keys of a cell's people can take the noise off, so a record key is as
secret as a pseudonym key and never leaves with a result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from declarations.errors import ConfigurationError, DisclosureError, StorageError
from governance.pseudonyms import hmac_pads
from warehouse.key_ring import KEY_BYTES, KeyRing, derived

KEY_COUNTS = (256, 4096)
"""How many different record keys there may be: one byte, or twelve bits (section 3.5)."""

LASTING_USE = "cell-key"
"""The use under which the secret is derived from what pseudonym keys are derived from."""

_RECORD_KEY_USE = "record-key"
_DIGEST_BYTES_USED = 2


def record_key_secret(ring: KeyRing) -> bytes:
    """Return the secret of an installation's record keys: 32 bytes.

    A new master key leaves it as it is. It must: with other record keys the same cell would get
    other noise, and a few such releases side by side average to the truth.
    """
    return ring.lasting_key(LASTING_USE)


def record_keys(
    pseudonyms: Iterable[str | None], secret: bytes, keys: int = 256
) -> NDArray[np.uint16]:
    """Return the record key of each pseudonym.

    The first two bytes of HMAC-SHA-256 of the pseudonym, as a big-endian number modulo ``keys``;
    the HMAC key is derived from the secret by HMAC-SHA-256 of a label, as every key of the house.
    Both moduli divide 65,536, so every key is equally likely.

    A million 32-character pseudonyms take about 0.6 s on one core: the padded key is hashed once
    and its state copied for each record. (``hmac.digest`` takes 1.7 s, HMAC spelt out in DuckDB's
    SHA-256 1.2 s on two cores.)

    Parameters
    ----------
    pseudonyms : iterable of str
        n pseudonyms, for example a column's ``to_pylist()``. Equal pseudonyms get equal keys.
    secret : bytes
        At least 32 bytes, from `record_key_secret`.
    keys : int
        256 or 4096.

    Returns
    -------
    (n,) uint16, from 0 to ``keys - 1``.

    Raises
    ------
    ConfigurationError
        If ``keys`` is another number.
    StorageError
        If the secret is too short to be one.
    DisclosureError
        If a pseudonym is missing or empty: its record would be counted without noise of its own.
    """
    check_keys(keys)
    if len(secret) < KEY_BYTES:
        raise StorageError(
            f"The secret of the record keys has {len(secret)} bytes, and {KEY_BYTES} are needed",
            "Take it from the key ring",
        )
    outer_pad, inner_pad = hmac_pads(derived(secret, _RECORD_KEY_USE))
    outer_state, inner_state = hashlib.sha256(outer_pad), hashlib.sha256(inner_pad)
    out = bytearray()
    missing = 0
    for pseudonym in pseudonyms:
        if not pseudonym:
            missing += 1
            continue
        inner = inner_state.copy()
        inner.update(pseudonym.encode())
        outer = outer_state.copy()
        outer.update(inner.digest())
        out += outer.digest()[:_DIGEST_BYTES_USED]
    if missing:
        raise DisclosureError(
            f"{missing} records have no pseudonym, so they can have no record key",
            "Leave them out of the table, or give them pseudonyms",
        )
    return (np.frombuffer(bytes(out), dtype=">u2") % keys).astype(np.uint16)


def check_keys(keys: int) -> None:
    """Refuse a number of keys that is neither 256 nor 4096.

    Raises
    ------
    ConfigurationError
    """
    if keys not in KEY_COUNTS:
        raise ConfigurationError(
            "The number of cell keys is neither 256 nor 4096", "Declare one of the two"
        )
