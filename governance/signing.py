"""Signatures of what an agency sends: Ed25519 key pairs, and manifests signed and verified.

Belongs here: making a key pair, reading the private half, the envelope around a signed manifest,
and the mark by which an agency knows a file of its own again. A private key never lies in a
region's folder: that folder is handed on. Does not belong here: what a manifest says
(``intake/packages.py``).

Ed25519 is RFC 8032. What is signed is the manifest as canonical JSON (sorted keys, no blanks,
ASCII) behind a fixed prefix, so that a signature made for anything else never fits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from declarations.errors import AgreementError, ConfigurationError, StorageError
from warehouse.key_ring import check_private
from warehouse.private import open_private, private_folder

SIGNED_PREFIX = b"lsoalink-manifest/1\n"
MARK_USE = b"lsoalink-file-mark/1"
PUBLIC_BYTES = 32
_CHUNK = 1 << 20


class SignatureError(AgreementError):
    """A manifest does not bear a signature that the agreement accepts.

    Parameters
    ----------
    reason : str
        ``not_signed``, ``unknown_signer`` or ``altered``.
    problem, fix : str
        See `declarations.errors.LsoalinkError`.
    """

    def __init__(self, reason: str, problem: str, fix: str | None = None) -> None:
        self.reason = reason
        super().__init__(problem, fix)


def create_key_pair(path: Path) -> str:
    """Write a new private key, readable by its owner alone, and return its public key.

    Parameters
    ----------
    path : Path
        A file that does not exist yet, outside every region's folder.

    Returns
    -------
    str
        The public key in base64, for the agreement's ``signing_keys``.

    Raises
    ------
    ConfigurationError
        If the file is there already, or would lie in a region's folder.
    """
    refuse_region_folder(path)
    private_folder(path.parent)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = open_private(path)
    except FileExistsError:
        raise ConfigurationError(
            f"{path} is there already, and a key that is in use must not be lost",
            "Name a file that is not there yet",
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    return public_text(key)


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises
    ------
    StorageError
        If it is missing, is no Ed25519 key, or may be read by others.
    ConfigurationError
        If it lies in a region's folder.
    """
    refuse_region_folder(path)
    check_private(path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise StorageError(
            f"{path} is not a signing key", "Make one with 'lsoalink agency-key new FILE'"
        )
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public half of a key in base64."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def signed(key: Ed25519PrivateKey, manifest: Mapping[str, Any]) -> bytes:
    """Return a manifest in its envelope: what it says, who signed it, and the signature."""
    signature = base64.b64encode(key.sign(_canonical(manifest))).decode()
    envelope = {"manifest": manifest, "signed_with": public_text(key), "signature": signature}
    return json.dumps(envelope, indent=1, sort_keys=True).encode()


def verified(envelope: bytes, accepted: Collection[str], name: str) -> dict[str, Any]:
    """Return what a signed manifest says.

    Parameters
    ----------
    envelope : bytes
        As `signed` made it.
    accepted : collection of str
        Public keys in base64, any of which may have signed.
    name : str
        Of the file, for messages.

    Raises
    ------
    SignatureError
        If it was not signed with one of these keys, or was changed since.
    """
    try:
        content = json.loads(envelope)
        manifest, signer = content["manifest"], str(content["signed_with"])
        signature = base64.b64decode(content["signature"], validate=True)
        if not isinstance(manifest, dict):
            raise TypeError
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise SignatureError(
            "not_signed",
            f"The manifest of {name} cannot be read or bears no signature",
            "Make the package again and send it as it is",
        ) from None
    if signer not in accepted:
        raise SignatureError(
            "unknown_signer",
            f"{name} was signed with a key that the agreement does not list for this source",
            "Add the agency's public key to signing_keys, if it is the agency's",
        )
    try:
        raw = base64.b64decode(signer, validate=True)
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, _canonical(manifest))
    except (InvalidSignature, ValueError, binascii.Error):
        raise SignatureError(
            "altered",
            f"{name} was changed after the agency signed it, or was never signed by it",
            "Do not use it; ask the agency to send the package again",
        ) from None
    return manifest


def file_mark(key: Ed25519PrivateKey, path: Path) -> str:
    """Return a mark of a file's bytes that only the holder of the key can make again.

    A plain hash of a file with one record could be found by trying values; this cannot.
    """
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    secret = hmac.new(raw, MARK_USE, hashlib.sha256).digest()
    mark = hmac.new(secret, digestmod=hashlib.sha256)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            mark.update(chunk)
    return mark.hexdigest()


def _canonical(manifest: Mapping[str, Any]) -> bytes:
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return SIGNED_PREFIX + text.encode("ascii")


def refuse_region_folder(path: Path) -> None:
    """Stop if a key would lie, or lies, in a region's folder.

    Raises
    ------
    ConfigurationError
    """
    if any((folder / "region.yaml").is_file() for folder in path.absolute().parents):
        raise ConfigurationError(
            f"The private key {path} would lie in a region's folder, which is handed to others",
            "Keep it elsewhere, for example in a folder of your own account",
        )
