"""Sealed files: read back whole, and no change of a byte or of an order goes unseen."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from declarations.errors import StorageError
from warehouse.key_ring import KeyRing
from warehouse.leftovers import sweep
from warehouse.private import PLAIN_PREFIX, plain_folder, wipe, wipe_folder
from warehouse.sealed import CHUNK_BYTES, TAG_BYTES, Sealer, reseal, seal_of, unsealed

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
RING = KeyRing(OLD)
USE = "original:testmere:DSA-TM-001"
VALUE = b"Zebedee Quillfeather"
PIECE = CHUNK_BYTES + TAG_BYTES
GONE = 2**22 + 1  # above every process number the kernel gives


class Killed(BaseException):
    """Stands for a process that is killed."""


def sealed(path: Path, content: bytes, ring: KeyRing = RING, use: str = USE) -> Path:
    with path.open("wb") as sink:
        sealer = Sealer(sink, ring, use)
        view = io.BytesIO(content)
        while piece := view.read(700_001):
            sealer.write(piece)
        sealer.finish()
    return path


def plain(path: Path, ring: KeyRing = RING) -> bytes:
    return b"".join(unsealed(path, ring))


def body_of(path: Path) -> tuple[bytes, list[bytes]]:
    """Return the header and the chunks of a sealed file."""
    content = path.read_bytes()
    start = 8 + 1 + 12 + 2 + len(USE) + 32
    rest = content[start:]
    return content[:start], [rest[i : i + PIECE] for i in range(0, len(rest), PIECE)]


@pytest.mark.parametrize(
    "size",
    [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5],
)
def test_what_is_sealed_is_read_back_and_its_size_is_known(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = sealed(tmp_path / "a.sealed", content)

    assert plain(path) == content
    seal = seal_of(path)
    assert seal is not None
    assert (seal.plain_bytes, seal.use, seal.fingerprint) == (size, USE, RING.fingerprint())


def test_nothing_of_the_content_is_in_the_file(tmp_path: Path) -> None:
    path = sealed(tmp_path / "a.sealed", VALUE * 9)

    assert VALUE not in path.read_bytes()
    assert OLD not in path.read_bytes()


def test_the_same_content_is_never_the_same_bytes(tmp_path: Path) -> None:
    first, second = (sealed(tmp_path / n, VALUE).read_bytes() for n in "ab")

    assert first[-len(VALUE) - TAG_BYTES :] != second[-len(VALUE) - TAG_BYTES :]


def test_a_plain_file_has_no_seal(tmp_path: Path) -> None:
    for content in (b"", b"LSOA", b"postcode,month\n"):
        (tmp_path / "a.csv").write_bytes(content)
        assert seal_of(tmp_path / "a.csv") is None


@pytest.mark.parametrize("place", [0, 8, 12, 24, 40, 60, 84, -1, -400, -CHUNK_BYTES - 40])
def test_a_changed_byte_anywhere_is_found(tmp_path: Path, place: int) -> None:
    path = sealed(tmp_path / "a.sealed", os.urandom(CHUNK_BYTES + 900))
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)

    with pytest.raises(StorageError) as raised:
        plain(path)

    assert raised.value.__cause__ is None


def test_chunks_cannot_be_cut_off_moved_repeated_or_taken_from_another_file(
    tmp_path: Path,
) -> None:
    content = os.urandom(3 * CHUNK_BYTES + 7)
    path = sealed(tmp_path / "a.sealed", content)
    head, (a, b, c, last) = body_of(path)
    other = body_of(sealed(tmp_path / "b.sealed", content))
    spoilt = {
        "cut at a chunk": [a, b, c],
        "cut to one": [a],
        "nothing left": [],
        "cut within": [a, b, c, last[:-1]],
        "end twice": [a, b, c, last, last],
        "two exchanged": [b, a, c, last],
        "one repeated": [a, a, b, c, last],
        "one missing": [a, c, last],
        "from another file": [a, other[1][1], c, last],
        "end of another file": [a, b, c, other[1][3]],
        "something behind": [a, b, c, last, b"x"],
    }
    for what, pieces in spoilt.items():
        path.write_bytes(head + b"".join(pieces))
        with pytest.raises(StorageError):
            pytest.fail(f"{what}: {len(plain(path))} bytes were read")
    path.write_bytes(other[0] + a + b + c + last)
    with pytest.raises(StorageError):
        plain(path)
    path.write_bytes(head + a + b + c + last)
    assert plain(path) == content


def test_another_key_or_another_use_does_not_open_it(tmp_path: Path) -> None:
    path = sealed(tmp_path / "a.sealed", VALUE)

    with pytest.raises(StorageError, match=RING.fingerprint()):
        plain(path, KeyRing(NEW))
    moved = path.read_bytes().replace(b"DSA-TM-001", b"DSA-TM-002")
    path.write_bytes(moved)
    with pytest.raises(StorageError, match="changed"):
        plain(path)


@pytest.mark.parametrize("content", [b"LSOASEAL", b"LSOASEAL\x02" + b"0" * 90])
def test_a_header_cut_short_or_of_a_later_version_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.sealed"
    path.write_bytes(content)

    with pytest.raises(StorageError):
        seal_of(path)


def test_a_file_is_sealed_again_under_the_current_key(tmp_path: Path) -> None:
    content = os.urandom(CHUNK_BYTES + 3)
    path = sealed(tmp_path / "a.sealed", content)
    path.chmod(0o400)
    both = KeyRing(NEW, [OLD])
    assert plain(path, both) == content

    assert reseal(path, both)
    assert not reseal(path, both)

    assert plain(path, KeyRing(NEW)) == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert [p.name for p in tmp_path.iterdir()] == ["a.sealed"]
    with pytest.raises(StorageError):
        plain(path, RING)


def test_killed_while_sealing_again_the_old_file_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sealed(tmp_path / "a.sealed", VALUE)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(Killed):
            reseal(path, KeyRing(NEW, [OLD]))

    assert plain(path) == VALUE


def test_a_wiped_file_was_overwritten_before_it_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(VALUE * 100)
    path.chmod(0o400)
    second_name = tmp_path / "b.csv"
    os.link(path, second_name)

    wipe(path)

    assert not path.exists()
    assert second_name.read_bytes() == bytes(len(VALUE) * 100)


def test_wiping_a_link_leaves_what_it_points_to(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "a.csv").write_bytes(VALUE)
    for name, target in (("file", real / "a.csv"), ("folder", real)):
        (tmp_path / name).symlink_to(target)
        wipe_folder(tmp_path / name)

    assert [p.name for p in tmp_path.iterdir()] == ["real"]
    assert (real / "a.csv").read_bytes() == VALUE


def test_plain_copies_go_when_the_block_ends_and_after_a_kill_at_the_next_run(
    tmp_path: Path,
) -> None:
    with plain_folder(tmp_path / "spill") as folder:
        (folder / "below").mkdir()
        (folder / "below" / "a.csv").write_bytes(VALUE)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list((tmp_path / "spill").iterdir()) == []

    left = tmp_path / "spill" / f"{PLAIN_PREFIX}{GONE}-abcd"
    left.mkdir()
    (left / "a.csv").write_bytes(VALUE)
    os.link(left / "a.csv", tmp_path / "seen")
    living = tmp_path / "spill" / f"{PLAIN_PREFIX}{os.getpid()}-abcd"
    living.mkdir()
    sweep(tmp_path)

    assert [p.name for p in (tmp_path / "spill").iterdir()] == [living.name]
    assert VALUE not in (tmp_path / "seen").read_bytes()
