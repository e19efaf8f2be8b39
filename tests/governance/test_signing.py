"""Key pairs and signed manifests: what is accepted, and everything that is not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from declarations.errors import ConfigurationError, StorageError
from governance.signing import (
    SignatureError,
    create_key_pair,
    file_mark,
    load_signing_key,
    public_text,
    signed,
    verified,
)

MANIFEST = {"source": "cases", "rows": 12, "columns": {"name": "left behind"}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "keys" / "signing.pem"
    create_key_pair(file)
    return file


def test_a_private_key_is_its_owners_alone_and_gives_the_public_one(tmp_path: Path) -> None:
    file = tmp_path / "new" / "signing.pem"

    public = create_key_pair(file)

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert public_text(load_signing_key(file)) == public
    assert len(base64.b64decode(public)) == 32
    assert public not in file.read_text("ascii")


def test_a_key_in_use_is_never_overwritten(path: Path) -> None:
    before = path.read_bytes()

    with pytest.raises(ConfigurationError, match="is there already"):
        create_key_pair(path)

    assert path.read_bytes() == before


def test_a_private_key_never_lies_in_a_regions_folder(path: Path, tmp_path: Path) -> None:
    region = tmp_path / "region"
    (region / "keys").mkdir(parents=True)
    (region / "region.yaml").write_text("id: x")
    moved = region / "keys" / "signing.pem"

    with pytest.raises(ConfigurationError, match="region's folder"):
        create_key_pair(moved)
    assert not moved.exists()
    path.rename(moved)
    with pytest.raises(ConfigurationError, match="region's folder"):
        load_signing_key(moved)


def test_a_key_that_others_may_read_is_refused(path: Path) -> None:
    path.chmod(0o640)

    with pytest.raises(StorageError, match="may be read by others"):
        load_signing_key(path)


def test_a_file_that_is_no_signing_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "no.pem"
    file.write_text("nothing")
    file.chmod(0o600)

    with pytest.raises(StorageError, match="is not a signing key"):
        load_signing_key(file)
    with pytest.raises(StorageError, match="does not exist"):
        load_signing_key(tmp_path / "missing.pem")


def test_a_manifest_comes_back_as_it_was_signed(path: Path) -> None:
    key = load_signing_key(path)

    assert verified(signed(key, MANIFEST), [public_text(key)], "a.zip") == MANIFEST


def refusal(envelope: bytes, keys: list[str]) -> str:
    with pytest.raises(SignatureError) as caught:
        verified(envelope, keys, "a.zip")
    return caught.value.reason


def test_a_changed_manifest_is_refused_whatever_was_changed(path: Path) -> None:
    key = load_signing_key(path)
    envelope = json.loads(signed(key, MANIFEST))
    keys = [public_text(key)]
    changes = [
        {**envelope, "manifest": {**MANIFEST, "rows": 13}},
        {**envelope, "manifest": {**MANIFEST, "more": None}},
        {**envelope, "signature": base64.b64encode(bytes(64)).decode()},
    ]

    assert [refusal(json.dumps(c).encode(), keys) for c in changes] == ["altered"] * 3


def test_a_manifest_signed_by_somebody_else_is_refused(path: Path, tmp_path: Path) -> None:
    other = load_signing_key_of(tmp_path / "other.pem")
    mine = public_text(load_signing_key(path))
    forged = json.loads(signed(other, MANIFEST))

    assert refusal(json.dumps(forged).encode(), [mine]) == "unknown_signer"
    # Claiming to be the agency does not help without its private key.
    assert refusal(json.dumps({**forged, "signed_with": mine}).encode(), [mine]) == "altered"
    assert refusal(json.dumps(forged).encode(), []) == "unknown_signer"


def load_signing_key_of(path: Path) -> Ed25519PrivateKey:
    create_key_pair(path)
    return load_signing_key(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"text"', b'{"manifest": {}}',
     b'{"manifest": [], "signed_with": "a", "signature": "AA=="}',
     b'{"manifest": {}, "signed_with": "a", "signature": "not base64"}'],
)  # fmt: skip
def test_what_is_no_signed_manifest_is_refused(content: bytes) -> None:
    assert refusal(content, ["a"]) == "not_signed"


def test_a_signature_for_something_else_does_not_fit(path: Path) -> None:
    key = load_signing_key(path)
    text = json.dumps(MANIFEST, sort_keys=True, separators=(",", ":")).encode()
    envelope = {
        "manifest": MANIFEST,
        "signed_with": public_text(key),
        "signature": base64.b64encode(key.sign(text)).decode(),
    }

    assert refusal(json.dumps(envelope).encode(), [public_text(key)]) == "altered"


def test_the_mark_of_a_file_needs_the_key(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("a\n1\n")
    mine, other = load_signing_key(path), load_signing_key_of(tmp_path / "other.pem")

    assert file_mark(mine, file) == file_mark(mine, file)
    assert file_mark(mine, file) != file_mark(other, file)
    before = file_mark(mine, file)
    file.write_text("a\n2\n")
    assert file_mark(mine, file) != before
