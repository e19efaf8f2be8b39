"""The master key: where it is found, who may read it, and that it is never said."""

from __future__ import annotations

import base64
import hashlib
import hmac
import stat
from pathlib import Path

import pytest

from declarations.errors import StorageError
from warehouse.keys import ENVIRONMENT_KEY, ENVIRONMENT_KEY_FILE, KeyRing, open_key_ring

SECRET = bytes(range(32))
TEXT = base64.b64encode(SECRET).decode()


@pytest.fixture(autouse=True)
def _no_key_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT_KEY, raising=False)
    monkeypatch.delenv(ENVIRONMENT_KEY_FILE, raising=False)


def test_a_first_run_makes_a_key_that_only_its_owner_may_read(tmp_path: Path) -> None:
    ring = open_key_ring(tmp_path)

    path = tmp_path / ".keys" / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_text())) == 32
    assert [p.name for p in path.parent.iterdir()] == ["master.key"]
    assert open_key_ring(tmp_path).fingerprint() == ring.fingerprint()


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    first, second = (open_key_ring(tmp_path / n).fingerprint() for n in "ab")

    assert first != second


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    open_key_ring(tmp_path)
    (tmp_path / ".keys" / "master.key").chmod(mode)

    with pytest.raises(StorageError, match="may be read by others"):
        open_key_ring(tmp_path)


def test_a_stricter_mode_is_accepted(tmp_path: Path) -> None:
    made = open_key_ring(tmp_path).fingerprint()
    (tmp_path / ".keys" / "master.key").chmod(0o400)

    assert open_key_ring(tmp_path).fingerprint() == made


def test_the_variable_comes_first_and_no_file_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_KEY, f" {TEXT}\n")

    assert open_key_ring(tmp_path).fingerprint() == KeyRing(SECRET).fingerprint()
    assert list(tmp_path.iterdir()) == []


def test_a_named_file_is_used_and_never_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "elsewhere.key"
    monkeypatch.setenv(ENVIRONMENT_KEY_FILE, str(named))
    with pytest.raises(StorageError, match="does not exist"):
        open_key_ring(tmp_path)
    assert not named.exists()
    named.write_text(TEXT)
    named.chmod(0o600)

    assert open_key_ring(tmp_path).fingerprint() == KeyRing(SECRET).fingerprint()


@pytest.mark.parametrize("text", ["not base64 at all!", TEXT[:-4], base64.b64encode(b"x").decode()])
def test_a_malformed_key_is_refused_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(ENVIRONMENT_KEY, text)

    with pytest.raises(StorageError) as raised:
        open_key_ring(tmp_path)

    assert text not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_a_malformed_key_file_is_refused_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "bad.key"
    named.write_bytes(b"caf\xc3\xa9-secret")
    named.chmod(0o600)
    monkeypatch.setenv(ENVIRONMENT_KEY_FILE, str(named))

    with pytest.raises(StorageError) as raised:
        open_key_ring(tmp_path)

    assert "secret" not in str(raised.value)


def test_the_key_is_in_no_text_of_the_ring() -> None:
    ring = KeyRing(SECRET)

    for text in (repr(ring), str(ring), f"{ring}", ring.fingerprint()):
        assert TEXT not in text
        assert SECRET.hex() not in text
        assert repr(SECRET) not in text


def test_each_use_has_its_own_key() -> None:
    ring = KeyRing(SECRET)
    uses = ["parquet:a", "parquet:b", "pseudonym:a", "fingerprint"]

    assert len({ring.derive(u) for u in uses}) == len(uses)
    expected = hmac.new(SECRET, b"lsoalink/1/parquet:a", hashlib.sha256)
    assert ring.derive("parquet:a") == expected.digest()
    assert len(ring.derive_text("parquet:a")) == 32
    assert ring.fingerprint() != KeyRing(bytes(32)).fingerprint()
