"""The ring of keys: one key a use, derived from a master key, and bundles of a few of them.

Belongs here: deriving, and naming keys in public by fingerprint. Does not belong here: where a
master key comes from (``keys.py``) or what is encrypted or pseudonymised.

A ring may hold earlier master keys beside the current one: new data is written with the current
one, and what an earlier one wrote is still read. No key is ever logged or put into a message.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from declarations.errors import StorageError
from warehouse.leftovers import temporary_beside
from warehouse.private import open_private

KEY_BYTES = 32
FINGERPRINT_CHARACTERS = 12
PSEUDONYM_USE = "pseudonym:"
BUNDLE_FORMAT = "lsoalink-keys/1"
_AGREEMENT = re.compile(r"[A-Za-z0-9-]+")
_FINGERPRINT_USE = "fingerprint"

AgreementKeys = Callable[[str], Sequence[bytes]]
"""Given an agreement's id, its pseudonym keys, the current one first; none where it has no own."""


def derived(key: bytes, use: str) -> bytes:
    """Return the 32-byte key of one use: HMAC-SHA-256 of the use's name under a master key."""
    return hmac.new(key, f"lsoalink/1/{use}".encode(), hashlib.sha256).digest()


def fingerprint_of(key: bytes) -> str:
    """Return the short public name of a key, from which the key cannot be found."""
    return derived(key, _FINGERPRINT_USE).hex()[:FINGERPRINT_CHARACTERS]


def parquet_use(region_id: str, agreement_id: str | None) -> str:
    """Return the use of the key of an agreement's record-level tables; None: the region's own."""
    return f"parquet:{region_id}:{agreement_id}" if agreement_id else f"parquet:{region_id}"


def original_use(region_id: str, agreement_id: str | None) -> str:
    """Return the use of the key of an agreement's originals; None: the region's own."""
    return f"original:{region_id}:{agreement_id}" if agreement_id else f"original:{region_id}"


class KeyRing:
    """Derives every key of an installation from its master keys.

    Parameters
    ----------
    master : bytes
        32 random bytes: the current master key.
    earlier : sequence of bytes
        Earlier ones, the newest first; only for reading.
    pseudonyms : bytes, optional
        What pseudonym keys are derived from; by default the oldest master key, so that a new
        master key in front of it leaves every pseudonym as it is.
    agreements : callable, optional
        Gives agreements' own pseudonym keys, which go before derived ones.
    """

    def __init__(
        self,
        master: bytes,
        earlier: Sequence[bytes] = (),
        *,
        pseudonyms: bytes | None = None,
        agreements: AgreementKeys | None = None,
    ) -> None:
        keys = [master, *earlier]
        for key in (*keys, *([pseudonyms] if pseudonyms is not None else [])):
            if len(key) != KEY_BYTES:
                raise StorageError(
                    f"A master key has {len(key)} bytes instead of {KEY_BYTES}",
                    "Make one with 'openssl rand -base64 32'",
                )
        self._masters = {fingerprint_of(key): key for key in keys}
        self._pseudonyms = pseudonyms if pseudonyms is not None else keys[-1]
        self._agreements = agreements
        self._of_agreement: dict[str, tuple[bytes, ...]] = {}

    def __repr__(self) -> str:
        """Say nothing of the keys."""
        return f"{type(self).__name__}(…)"

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Public names of the master keys, the current one first."""
        return tuple(self._masters)

    def fingerprint(self) -> str:
        """Return the public name of the current master key."""
        return self.fingerprints[0]

    def can_derive(self, use: str, fingerprint: str | None = None) -> bool:
        """Whether this ring may give the key of a use."""
        return (fingerprint or self.fingerprint()) in self._masters and bool(use)

    def derive(self, use: str, fingerprint: str | None = None) -> bytes:
        """Return the 32-byte key of one use, for example ``"parquet:arden:DSA-ARD-001"``.

        Parameters
        ----------
        fingerprint : str, optional
            Of the master key that wrote what is to be read; by default the current one.

        Raises
        ------
        StorageError
            If the ring holds no such master key.
        """
        named = fingerprint or self.fingerprint()
        if named not in self._masters:
            raise _no_key(named)
        return derived(self._masters[named], use)

    def derive_text(self, use: str, fingerprint: str | None = None) -> str:
        """Return the key of one use as 32 printable characters, as DuckDB's key store wants it."""
        return self.derive(use, fingerprint).hex()[:32]

    def agreement_key(self, agreement_id: str, version: str | None = None) -> bytes:
        """Return the pseudonym key of one agreement.

        Parameters
        ----------
        version : str, optional
            Of an earlier key, as `agreement_key_version` named it; by default the current one.

        Raises
        ------
        StorageError
            If the agreement's key cannot be read, or none of its keys has this version.
        """
        keys = self._keys_of(agreement_id)
        if version is None:
            return keys[0]
        for key in keys:
            if fingerprint_of(key) == version:
                return key
        raise _no_key(version)

    def agreement_key_version(self, agreement_id: str) -> str:
        """Return the public name of an agreement's current pseudonym key."""
        return fingerprint_of(self.agreement_key(agreement_id))

    def lasting_key(self, use: str) -> bytes:
        """Return the key of a use that a new master key in front must not change.

        For pseudonyms of no single agreement; derived from what those of agreements are.
        """
        return derived(self._pseudonyms, use)

    def stamp(self, agreement_ids: Sequence[str]) -> str:
        """Return a public text that changes with the master key or any agreement's key."""
        versions = [f"{name}={self.agreement_key_version(name)}" for name in sorted(agreement_ids)]
        return "|".join((self.fingerprint(), *versions))

    def bundle(self, uses: Sequence[str]) -> KeyBundle:
        """Return the keys of some uses alone, for a role that may have no more.

        Parameters
        ----------
        uses : sequence of str
            As for `derive`; ``"pseudonym:<agreement>"`` for an agreement's pseudonym key.
        """
        held: dict[str, dict[str, bytes]] = {}
        for use in dict.fromkeys(uses):
            if use.startswith(PSEUDONYM_USE):
                key = self.agreement_key(use.removeprefix(PSEUDONYM_USE))
                held[use] = {fingerprint_of(key): key}
            else:
                self.derive(use)
                held[use] = {
                    f: self.derive(use, f) for f in self.fingerprints if self.can_derive(use, f)
                }
        return KeyBundle(self.fingerprints, held)

    def _keys_of(self, agreement_id: str) -> tuple[bytes, ...]:
        if not _AGREEMENT.fullmatch(agreement_id):
            raise StorageError("An agreement's id holds letters, digits and hyphens only")
        if agreement_id not in self._of_agreement:
            own = tuple(self._agreements(agreement_id)) if self._agreements else ()
            fallback = (derived(self._pseudonyms, f"{PSEUDONYM_USE}{agreement_id}"),)
            self._of_agreement[agreement_id] = own or fallback
        return self._of_agreement[agreement_id]


@dataclass(frozen=True)
class KeyBundle:
    """Derived keys of named uses, and nothing from which another key could be found.

    Attributes
    ----------
    fingerprints : tuple of str
        Public names of the master keys they were derived from, the current one first.
    """

    fingerprints: tuple[str, ...]
    keys: Mapping[str, Mapping[str, bytes]] = field(repr=False)

    @property
    def uses(self) -> tuple[str, ...]:
        """What the keys are for."""
        return tuple(self.keys)

    def write(self, path: Path) -> None:
        """Write the bundle as JSON that only its owner can read (0600), whole or not at all."""
        content = {
            "format": BUNDLE_FORMAT,
            "fingerprints": list(self.fingerprints),
            "keys": {u: {f: k.hex() for f, k in held.items()} for u, held in self.keys.items()},
        }
        temporary = temporary_beside(path)
        with os.fdopen(open_private(temporary), "w", encoding="ascii") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> KeyBundle:
        """Read a bundle.

        Raises
        ------
        StorageError
            If it is missing, malformed, or may be read by others.
        """
        check_private(path)
        try:
            content = json.loads(path.read_text(encoding="ascii"))
            if content["format"] != BUNDLE_FORMAT or not content["fingerprints"]:
                raise ValueError
            keys = {
                str(use): {str(f): bytes.fromhex(text) for f, text in held.items()}
                for use, held in content["keys"].items()
            }
            return cls(tuple(map(str, content["fingerprints"])), keys)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StorageError(
                f"{path} is not a bundle of keys", "Ask for a new one from the platform's owner"
            ) from None

    def ring(self) -> LimitedKeyRing:
        """Return the ring that gives these keys and refuses every other."""
        return LimitedKeyRing(self)


class LimitedKeyRing(KeyRing):
    """A ring without a master key: it gives the keys of a bundle and refuses every other.

    Parameters
    ----------
    bundle : KeyBundle
    """

    def __init__(self, bundle: KeyBundle) -> None:
        self._bundle = bundle

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Public names of the master keys the bundle was derived from, the current one first."""
        return self._bundle.fingerprints

    def can_derive(self, use: str, fingerprint: str | None = None) -> bool:
        """Whether the bundle holds the key of a use."""
        return (fingerprint or self.fingerprint()) in self._bundle.keys.get(use, {})

    def derive(self, use: str, fingerprint: str | None = None) -> bytes:
        """Return the key of a use that the bundle holds.

        Raises
        ------
        StorageError
            For any other use.
        """
        held = self._bundle.keys.get(use, {})
        named = fingerprint or self.fingerprint()
        if named not in held:
            raise StorageError(
                f"These keys are not for {use}", "Ask the platform's owner for a bundle that is"
            )
        return held[named]

    def lasting_key(self, use: str) -> bytes:
        """Refuse: no bundle holds such a key.

        Raises
        ------
        StorageError
        """
        raise StorageError(
            f"These keys are not for {use}", "Ask the platform's owner for a bundle that is"
        )

    def _keys_of(self, agreement_id: str) -> tuple[bytes, ...]:
        use = f"{PSEUDONYM_USE}{agreement_id}"
        if use not in self._bundle.keys:
            raise StorageError(
                f"These keys are not for {use}", "Ask the platform's owner for a bundle that is"
            )
        return tuple(self._bundle.keys[use].values())


def check_private(path: Path) -> None:
    """Refuse a file of keys that is missing or that others may read.

    Raises
    ------
    StorageError
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        raise StorageError(
            f"The key file {path} does not exist or cannot be opened",
            "Create it, or correct its name",
        ) from None
    if mode & 0o077:
        raise StorageError(
            f"The key file {path} may be read by others (mode {mode:04o})",
            f"Run 'chmod 600 {path}'",
        )
    folder = path.resolve().parent.stat().st_mode
    if folder & stat.S_IWOTH and not folder & stat.S_ISVTX:
        raise StorageError(
            f"The key file {path} lies in a folder in which anybody may exchange it",
            f"Run 'chmod o-w {path.parent}'",
        )


def _no_key(fingerprint: str) -> StorageError:
    return StorageError(
        f"This was written with the key {fingerprint}, which is not among the keys given",
        "Add that key as a further line after the current one; 'lsoalink keys show' lists keys",
    )
