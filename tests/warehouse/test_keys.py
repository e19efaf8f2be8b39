"""The master key: where it is found, who may read it, and that it is never said."""

from __future__ import annotations

import base64
import hashlib
import hmac
import stat
from pathlib import Path

import pytest

from declarations.errors import ConfigurationError, StorageError
from warehouse.keys import (
    AGREEMENT_KEYS,
    ENVIRONMENT_KEY,
    ENVIRONMENT_KEY_FILE,
    ENVIRONMENT_KEY_URL,
    KeyBundle,
    KeyRing,
    KeySource,
    KeyText,
    agreement_source,
    fingerprint_of,
    open_key_ring,
    parse_keys,
    prepend_key,
    write_keys,
)

SECRET, OLDER, OLDEST = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
TEXT, OLDER_TEXT, OLDEST_TEXT = (base64.b64encode(k).decode() for k in (SECRET, OLDER, OLDEST))
AGREEMENT = "DSA-TM-001"


@pytest.fixture(autouse=True)
def _no_key_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ENVIRONMENT_KEY, ENVIRONMENT_KEY_FILE, ENVIRONMENT_KEY_URL, AGREEMENT_KEYS):
        monkeypatch.delenv(name, raising=False)


def key_file(path: Path, text: str = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


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


def test_a_key_in_a_folder_anybody_may_write_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "master.key").write_text(base64.b64encode(b"k" * 32).decode())
    (folder / "master.key").chmod(0o600)
    monkeypatch.setenv("LSOALINK_KEY_FILE", str(folder / "master.key"))
    assert open_key_ring(tmp_path / "data").fingerprint()

    folder.chmod(0o777)

    with pytest.raises(StorageError, match="anybody may exchange it"):
        open_key_ring(tmp_path / "data")


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


def test_a_master_key_may_come_from_a_store_by_its_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    fsspec.filesystem("memory").pipe("/vault/master.key", TEXT.encode())
    monkeypatch.setenv(ENVIRONMENT_KEY_URL, "memory://vault/master.key")

    assert open_key_ring(tmp_path).fingerprint() == KeyRing(SECRET).fingerprint()
    assert list(tmp_path.iterdir()) == []


def test_the_hooks_for_secret_stores_are_a_variable_and_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_SECRET", TEXT)
    monkeypatch.setenv(ENVIRONMENT_KEY_URL, "env://OUR_SECRET")
    assert open_key_ring(tmp_path).fingerprint() == fingerprint_of(SECRET)
    program = tmp_path / "fetch"
    program.write_text(f"#!/bin/sh\necho noise >&2\necho {TEXT}\n")
    program.chmod(0o700)
    monkeypatch.setenv(ENVIRONMENT_KEY_URL, f"cmd://{program}")
    assert open_key_ring(tmp_path).fingerprint() == fingerprint_of(SECRET)


@pytest.mark.parametrize("mode", [0o600, 0o722, 0o770])
def test_a_program_that_cannot_run_or_that_others_may_change_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    program, mark = tmp_path / "fetch", tmp_path / "was-run"
    program.write_text(f"#!/bin/sh\ntouch {mark}\necho {TEXT}\n")
    program.chmod(mode)
    monkeypatch.setenv(ENVIRONMENT_KEY_URL, f"cmd://{program}")

    with pytest.raises(StorageError, match="program"):
        open_key_ring(tmp_path)

    assert not mark.exists()


def test_a_program_gets_no_shell_and_its_words_go_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "fetch"
    program.write_text("#!/bin/sh\necho very-secret >&2\nexit 3\n")
    program.chmod(0o700)
    for url in (f"cmd://{program}", f"cmd://{program}; touch x", "cmd://fetch"):
        monkeypatch.setenv(ENVIRONMENT_KEY_URL, url)
        with pytest.raises(StorageError) as raised:
            open_key_ring(tmp_path)
        assert "very-secret" not in str(raised.value)
    assert "very-secret" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "url",
    ["http://h/k", "ftp://h/k", f"data://{TEXT}", "simplecache::memory://vault/k", "no-url"],
)
def test_a_url_over_which_a_key_would_travel_in_the_clear_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv(ENVIRONMENT_KEY_URL, url)

    with pytest.raises(ConfigurationError) as raised:
        open_key_ring(tmp_path)

    assert TEXT not in str(raised.value)


def test_an_address_that_cannot_be_read_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_KEY_URL, "memory://user:pass-word@nowhere/k")

    with pytest.raises(StorageError, match="memory") as raised:
        open_key_ring(tmp_path)

    assert "pass-word" not in str(raised.value)


class StoreError(Exception):
    """Like the errors of most storage packages: no kin of OSError, and the address in its text."""


@pytest.mark.parametrize("error", [StoreError, OSError, ValueError, TypeError, KeyError])
def test_whatever_a_store_raises_its_words_go_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    import traceback

    from fsspec.implementations.memory import MemoryFileSystem

    def fails(*_: object, **__: object) -> None:
        raise error("https://user:pass-word@nowhere/k?sig=pass-word")

    monkeypatch.setattr(MemoryFileSystem, "open", fails)
    monkeypatch.setattr(MemoryFileSystem, "exists", fails)
    monkeypatch.setenv(ENVIRONMENT_KEY_URL, "memory://user:pass-word@vault/k")
    with pytest.raises(StorageError, match=error.__name__) as of_the_master:
        open_key_ring(tmp_path)
    monkeypatch.setenv(ENVIRONMENT_KEY_URL, "")
    monkeypatch.setenv(AGREEMENT_KEYS, "memory://user:pass-word@vault")
    with pytest.raises(StorageError, match=error.__name__) as of_an_agreement:
        open_key_ring(tmp_path).agreement_key(AGREEMENT)

    for raised in (of_the_master, of_an_agreement):
        assert "pass-word" not in "".join(traceback.format_exception(raised.value))


def test_a_source_of_keys_does_not_show_its_address() -> None:
    source = KeySource("url", "the s3:// address of the key", url="s3://user:pass-word@vault/k")

    assert "pass-word" not in repr(source)


def test_a_store_whose_package_is_missing_is_named_by_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    def fails(*_: object, **__: object) -> None:
        raise ImportError("pass-word")

    monkeypatch.setattr(fsspec, "open", fails)
    monkeypatch.setenv(ENVIRONMENT_KEY_URL, "s3://vault/k")

    with pytest.raises(StorageError, match="not installed") as raised:
        open_key_ring(tmp_path)

    assert "pass-word" not in str(raised.value)


def test_a_key_file_in_a_regions_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = tmp_path / "region"
    region.mkdir()
    (region / "region.yaml").write_text("id: testmere")
    data = tmp_path / "data"
    for place in (region / "a.key", region / "keys" / "a.key", data / "testmere" / "a.key"):
        monkeypatch.setenv(ENVIRONMENT_KEY_FILE, str(key_file(place)))
        with pytest.raises(StorageError, match="region's folder"):
            open_key_ring(data)
    monkeypatch.setenv(ENVIRONMENT_KEY_URL, f"file://{region}/a.key")
    monkeypatch.delenv(ENVIRONMENT_KEY_FILE)
    with pytest.raises(StorageError, match="region's folder"):
        open_key_ring(data)
    monkeypatch.setenv(ENVIRONMENT_KEY_FILE, str(key_file(tmp_path / "safe" / "a.key")))
    assert open_key_ring(data).fingerprint() == fingerprint_of(SECRET)


def test_data_within_a_regions_folder_may_have_the_installations_keys(tmp_path: Path) -> None:
    (tmp_path / "region.yaml").write_text("id: testmere")

    assert open_key_ring(tmp_path / "data").fingerprints


def test_a_source_may_hold_the_current_key_and_earlier_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_KEY, f"{TEXT}, {OLDER_TEXT}")
    ring = open_key_ring(tmp_path)

    assert ring.fingerprints == (fingerprint_of(SECRET), fingerprint_of(OLDER))
    assert ring.derive("parquet:a") == KeyRing(SECRET).derive("parquet:a")
    earlier = ring.derive("parquet:a", fingerprint_of(OLDER))
    assert earlier == KeyRing(OLDER).derive("parquet:a")
    with pytest.raises(StorageError, match=fingerprint_of(OLDEST)):
        ring.derive("parquet:a", fingerprint_of(OLDEST))


def test_a_key_text_knows_remarks_and_the_root_of_pseudonyms() -> None:
    text = f"# made in May\n{TEXT}  # current\n{OLDER_TEXT}\npseudonyms:{OLDEST_TEXT}\n"

    content = parse_keys(text, "a test")

    assert content == KeyText((SECRET, OLDER), OLDEST)
    assert parse_keys(content.text(), "a test") == content
    assert TEXT not in repr(content)
    for bad in ("", "# nothing", f"pseudonyms:{TEXT}", f"{TEXT}\npseudonyms:", f"{TEXT}\nx"):
        with pytest.raises(StorageError):
            parse_keys(bad, "a test")


def test_a_new_master_key_in_front_leaves_pseudonyms_as_they_are() -> None:
    before = KeyRing(OLDER).agreement_key(AGREEMENT)

    assert before == KeyRing(OLDER).derive(f"pseudonym:{AGREEMENT}")
    assert KeyRing(SECRET, [OLDER]).agreement_key(AGREEMENT) == before
    assert KeyRing(SECRET, pseudonyms=OLDER).agreement_key(AGREEMENT) == before
    assert KeyRing(SECRET).agreement_key(AGREEMENT) != before
    lasting = KeyRing(OLDER).lasting_key("linkage:a:b")
    assert KeyRing(SECRET, [OLDER]).lasting_key("linkage:a:b") == lasting
    with pytest.raises(StorageError, match="not for"):
        KeyRing(OLDER).bundle(["parquet:a"]).ring().lasting_key("linkage:a:b")


def test_an_agreement_may_have_a_key_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    derived = open_key_ring(data).agreement_key(AGREEMENT)
    path = key_file(data / ".keys" / "agreements" / f"{AGREEMENT}.key", f"{OLDER_TEXT}\n{TEXT}")
    ring = open_key_ring(data)
    assert ring.agreement_key(AGREEMENT) == OLDER != derived
    assert ring.agreement_key_version(AGREEMENT) == fingerprint_of(OLDER)
    assert ring.agreement_key(AGREEMENT, fingerprint_of(SECRET)) == SECRET
    with pytest.raises(StorageError):
        ring.agreement_key(AGREEMENT, fingerprint_of(OLDEST))
    assert ring.agreement_key("DSA-TM-002") != OLDER

    folder = tmp_path / "elsewhere"
    key_file(folder / f"{AGREEMENT}.key", OLDEST_TEXT)
    monkeypatch.setenv(AGREEMENT_KEYS, str(folder))
    assert open_key_ring(data).agreement_key(AGREEMENT) == OLDEST
    monkeypatch.setenv("LSOALINK_KEY_DSA_TM_001", TEXT)
    assert open_key_ring(data).agreement_key(AGREEMENT) == SECRET
    assert path.exists()


def test_agreements_keys_may_lie_in_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    fsspec.filesystem("memory").pipe(f"/agreements/{AGREEMENT}.key", OLDER_TEXT.encode())
    monkeypatch.setenv(AGREEMENT_KEYS, "memory://agreements/")
    ring = open_key_ring(tmp_path)

    assert ring.agreement_key(AGREEMENT) == OLDER
    assert ring.agreement_key("DSA-TM-002") == ring.derive("pseudonym:DSA-TM-002")


def test_a_folder_of_agreements_keys_that_is_not_mounted_changes_no_pseudonym(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(AGREEMENT_KEYS, str(tmp_path / "not-mounted"))

    with pytest.raises(StorageError, match="does not exist"):
        open_key_ring(tmp_path).agreement_key(AGREEMENT)


def test_an_agreements_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    key_file(tmp_path / ".keys" / "agreements" / f"{AGREEMENT}.key").chmod(0o640)

    with pytest.raises(StorageError, match="may be read by others"):
        open_key_ring(tmp_path).agreement_key(AGREEMENT)


@pytest.mark.parametrize("name", ["../master", "a/b", "", "a.b"])
def test_an_agreements_id_is_no_path(name: str) -> None:
    with pytest.raises(StorageError, match="letters, digits and hyphens"):
        KeyRing(SECRET).agreement_key(name)


def test_a_new_key_goes_in_front_and_the_file_stays_private(tmp_path: Path) -> None:
    path = key_file(tmp_path / "keys" / "a.key", f"{TEXT}\npseudonyms:{OLDEST_TEXT}")

    content = prepend_key(path)

    assert len(content.keys) == 2
    assert content.keys[1] == SECRET
    assert parse_keys(path.read_bytes(), "") == content
    assert content.pseudonyms == OLDEST
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["a.key"]
    with pytest.raises(StorageError, match="changed meanwhile"):
        write_keys(path, KeyText((SECRET,)), KeyText((OLDER,)))
    write_keys(path, content, KeyText((OLDER,)))
    assert parse_keys(path.read_bytes(), "").keys == (OLDER,)
    assert agreement_source(tmp_path, AGREEMENT) is None


def test_a_bundle_gives_its_keys_and_no_other(tmp_path: Path) -> None:
    ring = KeyRing(SECRET, [OLDER])
    uses = ["parquet:testmere:DSA-TM-001", "pseudonym:DSA-TM-002"]
    path = tmp_path / "analyst.json"
    ring.bundle(uses).write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    limited = KeyBundle.read(path).ring()

    assert limited.fingerprints == ring.fingerprints
    for fingerprint in ring.fingerprints:
        assert limited.derive(uses[0], fingerprint) == ring.derive(uses[0], fingerprint)
    assert limited.agreement_key("DSA-TM-002") == ring.agreement_key("DSA-TM-002")
    assert limited.bundle(uses[:1]).uses == (uses[0],)
    for other in ("parquet:testmere:DSA-TM-002", "parquet:testmere", "fingerprint", "seal:x"):
        assert not limited.can_derive(other)
        with pytest.raises(StorageError, match="not for"):
            limited.derive(other)
        with pytest.raises(StorageError, match="not for"):
            limited.bundle([other])
    with pytest.raises(StorageError, match="not for"):
        limited.agreement_key("DSA-TM-001")


def test_no_master_key_is_in_a_bundle_or_in_its_text(tmp_path: Path) -> None:
    ring = KeyRing(SECRET, [OLDER])
    bundle = ring.bundle(["parquet:testmere"])
    bundle.write(tmp_path / "b.json")
    content = (tmp_path / "b.json").read_text()

    for key in (SECRET, OLDER):
        assert key.hex() not in content
        assert base64.b64encode(key).decode() not in content
    held = ring.derive("parquet:testmere").hex()
    assert held in content
    assert held not in repr(bundle) + repr(bundle.ring())


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "lsoalink-keys/1", "fingerprints": [], "keys": {}}']
)
def test_a_malformed_bundle_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(StorageError, match="not a bundle"):
        KeyBundle.read(key_file(tmp_path / "b.json", text))


def test_a_bundle_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    KeyRing(SECRET).bundle(["parquet:testmere"]).write(path)
    path.chmod(0o644)

    with pytest.raises(StorageError, match="may be read by others"):
        KeyBundle.read(path)


def test_a_stamp_changes_with_any_key_that_matters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = {open_key_ring(tmp_path).stamp([AGREEMENT]), open_key_ring(tmp_path).stamp([])}
    monkeypatch.setenv("LSOALINK_KEY_DSA_TM_001", TEXT)
    stamps.add(open_key_ring(tmp_path).stamp([AGREEMENT]))
    monkeypatch.setenv(ENVIRONMENT_KEY, OLDER_TEXT)
    stamps.add(open_key_ring(tmp_path).stamp([AGREEMENT]))

    assert len(stamps) == 4
