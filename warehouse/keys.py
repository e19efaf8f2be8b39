"""The master key of an installation and the keys derived from it.

Belongs here: finding or making the master key, and deriving one key per use. Keys are never logged,
never put into a message, and never stored in a region's folder.
Does not belong here: what is encrypted or pseudonymised with them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from declarations.errors import StorageError
from warehouse.leftovers import temporary_beside

KEY_BYTES = 32
ENVIRONMENT_KEY = "LSOALINK_KEY"
ENVIRONMENT_KEY_FILE = "LSOALINK_KEY_FILE"


class KeyRing:
    """Derives every key of an installation from one master key.

    Parameters
    ----------
    master : bytes
        32 random bytes.
    """

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise StorageError(
                f"The master key has {len(master)} bytes instead of {KEY_BYTES}",
                "Make one with 'openssl rand -base64 32'",
            )
        self._master = master

    def __repr__(self) -> str:
        """Say nothing of the key."""
        return "KeyRing(…)"

    def derive(self, use: str) -> bytes:
        """Return the 32-byte key of one use, for example ``"parquet:arden"``."""
        return hmac.new(self._master, f"lsoalink/1/{use}".encode(), hashlib.sha256).digest()

    def derive_text(self, use: str) -> str:
        """Return the key of one use as 32 printable characters, as DuckDB's key store wants it."""
        return self.derive(use).hex()[:32]

    def fingerprint(self) -> str:
        """Return a short public name of the key, by which a change of key is noticed."""
        return self.derive("fingerprint").hex()[:12]


def open_key_ring(data_dir: Path) -> KeyRing:
    """Find the master key, or make one for a first run.

    Order: the variable ``LSOALINK_KEY`` (base64), the file ``LSOALINK_KEY_FILE``, else
    ``<data_dir>/.keys/master.key``, which is made with permissions 0600 when it is missing.

    Raises
    ------
    StorageError
        If a key is malformed, or its file may be read by others.
    """
    text = os.environ.get(ENVIRONMENT_KEY)
    if text:
        return KeyRing(_decode(text, f"the variable {ENVIRONMENT_KEY}"))
    named = os.environ.get(ENVIRONMENT_KEY_FILE)
    path = Path(named) if named else data_dir / ".keys" / "master.key"
    if not path.exists():
        if named:
            raise StorageError(
                f"The key file {path} does not exist", "Create it or unset the variable"
            )
        _create(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise StorageError(
            f"The key file {path} may be read by others (mode {mode:04o})",
            f"Run 'chmod 600 {path}'",
        )
    return KeyRing(_decode(path.read_bytes(), f"the key file {path}"))


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = temporary_beside(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link, not a rename: of two first runs at once, one key wins and both use it.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _decode(text: str | bytes, where: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise StorageError(
            f"The key in {where} is not base64",
            "Make one with 'openssl rand -base64 32'",
        ) from None
