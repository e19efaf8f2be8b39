"""Changing keys: what is encrypted with which, encrypting again, and letting old keys go.

Belongs here: the work of ``lsoalink keys`` over the whole data folder. It needs no declarations:
each file names its key. Does not belong here: printing (``commands/keys.py``), or how a key is
found (``warehouse/keys.py``).
"""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from declarations.errors import StorageError
from governance.audit import AuditChain
from intake.originals import SEALED_SUFFIX
from intake.received import ReceivedStore
from pipelines.running import LOCK
from warehouse.connection import connect
from warehouse.kept_pseudonyms import kept_path, kept_versions, merged
from warehouse.key_ring import KeyRing, fingerprint_of, parquet_use
from warehouse.keys import (
    KeySource,
    KeyText,
    agreement_source,
    master_source,
    open_key_ring,
    own_key_path,
    prepend_key,
    read_keys,
    write_keys,
)
from warehouse.lake import UNPARTITIONED, Lake, Partition, write_atomically
from warehouse.leftovers import TEMPORARY_PREFIX, sweep
from warehouse.sealed import reseal, seal_of

Progress = Callable[[int, int], None]
"""Called with the files done and the files there are."""

ADMITTED = "admitted_"


@dataclass(frozen=True)
class MasterKey:
    """A master key, by what may be said of it.

    Attributes
    ----------
    fingerprint : str
    current : bool
    files : int
        Files that only this key opens.
    """

    fingerprint: str
    current: bool
    files: int


@dataclass(frozen=True)
class AgreementKey:
    """The pseudonym key of an agreement, by what may be said of it.

    Attributes
    ----------
    source : str
        Where it comes from.
    version : str
    kept : int
        Tables that keep the pseudonyms of an earlier key.
    """

    agreement_id: str
    source: str
    version: str
    kept: int


@dataclass(frozen=True)
class KeyReport:
    """All keys of an installation, without any key.

    Attributes
    ----------
    unknown : dict of str to int
        Files written with keys that are not given, by fingerprint.
    """

    source: str
    masters: tuple[MasterKey, ...]
    pseudonyms: str
    agreements: tuple[AgreementKey, ...]
    unknown: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Rotation:
    """What a rotation did.

    Attributes
    ----------
    fingerprint : str
        Of the key in force afterwards.
    added : bool
        Whether a new key was put in front; False where an earlier rotation was finished.
    files : int
        Files encrypted again.
    kept : int
        Tables that keep the pseudonyms of an earlier key.
    advice : str
        What a person must do where keys cannot be written from here; empty otherwise.
    """

    fingerprint: str
    added: bool
    files: int = 0
    kept: int = 0
    advice: str = ""


def report_keys(data_dir: Path, agreement_ids: Sequence[str] = ()) -> KeyReport:
    """Return what may be said of every key, and how many files need each.

    Parameters
    ----------
    agreement_ids : sequence of str
        Agreements to name beside those that hold data.
    """
    source = master_source(data_dir)
    ring = open_key_ring(data_dir)
    content = read_keys(source)
    files, agreements = _needed(data_dir)
    kept: Counter[str] = Counter()
    for root in _regions(data_dir):
        pinned = kept_versions(root)
        for partition in Lake(root, ring).encrypted_partitions():
            state = partition.state
            if state and pinned.get(_pin(partition)) == state.pseudonyms != "":
                name = state.use.rpartition(":")[2]
                kept[name] += state.pseudonyms != ring.agreement_key_version(name)
    named = sorted({*agreements, *agreement_ids})
    return KeyReport(
        source.name,
        tuple(MasterKey(f, f == ring.fingerprint(), files.get(f, 0)) for f in ring.fingerprints),
        fingerprint_of(content.pseudonyms or content.keys[-1]),
        tuple(
            AgreementKey(name, _where(data_dir, name), ring.agreement_key_version(name), kept[name])
            for name in named
        ),
        {f: n for f, n in sorted(files.items()) if f not in ring.fingerprints},
    )


def rotate_master(
    data_dir: Path, region_id: str | None = None, on_file: Progress | None = None
) -> Rotation:
    """Put a new master key in front and encrypt everything again with it, file by file.

    Killed at any moment, every file is whole and readable, and the next call goes on: while files
    need an earlier key, no further key is added.

    Parameters
    ----------
    region_id : str, optional
        Encrypt only this region's files again; the others stay readable by the earlier key.

    Raises
    ------
    StorageError
        If another run is working on a region, or a file cannot be opened with any key given.
    """
    source = master_source(data_dir)
    ring = open_key_ring(data_dir)
    regions = [r for r in _regions(data_dir) if region_id in (None, r.name)]
    with ExitStack() as locks:
        for root in regions:
            locks.enter_context(_locked(root))
            sweep(root)
        files, _ = _needed(data_dir)
        added = not any(files.get(f, 0) for f in ring.fingerprints[1:])
        if added:
            if source.path is None:
                return Rotation(ring.fingerprint(), False, advice=_advice_new(source))
            prepend_key(source.path)
            ring = open_key_ring(data_dir)
        done = _encrypt_again(regions, ring, on_file or _silent)
        for root in regions:
            # With the ring, so that the anchor of the chain is under the new key too.
            AuditChain(root / "audit", ring).append(
                "keys_rotated", key=ring.fingerprint(), earlier=list(ring.fingerprints[1:])
            )
    return Rotation(ring.fingerprint(), added, done)


def drop_earlier(data_dir: Path) -> Rotation:
    """Remove the earlier master keys once no file needs them.

    What pseudonyms are derived from stays, on a line of its own.

    Raises
    ------
    StorageError
        If a file still needs one.
    """
    source = master_source(data_dir)
    ring = open_key_ring(data_dir)
    files, _ = _needed(data_dir)
    needing = sum(n for f, n in files.items() if f in ring.fingerprints[1:])
    if needing:
        raise StorageError(
            f"{needing} files still need an earlier key", "Run 'lsoalink keys rotate' first"
        )
    content = read_keys(source)
    root = content.pseudonyms or content.keys[-1]
    if len(content.keys) == 1:
        return Rotation(ring.fingerprint(), False)
    if source.path is None:
        return Rotation(ring.fingerprint(), False, advice=_advice_drop(source))
    kept = None if root == content.keys[0] else root
    for region in _regions(data_dir):
        # Before they go: an anchor under an earlier key can be proved only as long as it is there.
        AuditChain(region / "audit", ring).append(
            "keys_dropped", key=ring.fingerprint(), dropped=list(ring.fingerprints[1:])
        )
    write_keys(source.path, content, KeyText(content.keys[:1], kept))
    return Rotation(ring.fingerprint(), True)


def rotate_agreement(data_dir: Path, agreement_id: str, *, keep_old: bool = False) -> Rotation:
    """Give an agreement a new pseudonym key; the next run makes its tables again from originals.

    Parameters
    ----------
    keep_old : bool
        Tables whose originals are gone keep their pseudonyms, which match no new ones. They are
        put on the region's list of such tables.

    Raises
    ------
    StorageError
        If there are such tables and ``keep_old`` was not given; nothing has changed then.
    """
    ring = open_key_ring(data_dir)
    old = ring.agreement_key(agreement_id)
    regions = _regions(data_dir)
    with ExitStack() as locks:
        for root in regions:
            locks.enter_context(_locked(root))
        lost = {root: _without_original(root, ring, agreement_id) for root in regions}
        count = sum(len(tables) for tables in lost.values())
        if count and not keep_old:
            raise StorageError(
                f"{count} tables of {agreement_id} cannot be made again: their originals are gone",
                "Leave the key as it is, or add --keep-old-pseudonyms: those tables then keep "
                "pseudonyms that match no new ones",
            )
        for root, tables in lost.items():
            if tables:
                write_atomically(kept_path(root), merged(root, tables), mode=0o600)
        source = agreement_source(data_dir, agreement_id)
        path = own_key_path(data_dir, agreement_id)
        if path is None or (source is not None and source.path is None):
            where = source.name if source else f"the key of {agreement_id}"
            return Rotation(
                fingerprint_of(old), False, kept=count,
                advice=f"Put a new key as the first line of {where}, and run the region again.",
            )  # fmt: skip
        new = prepend_key(path, (old,)).keys[0]
        for root in regions:
            AuditChain(root / "audit", ring).append(
                "pseudonym_key_rotated", agreement=agreement_id, key=fingerprint_of(new),
                earlier=fingerprint_of(old), tables_kept=len(lost[root]),
            )  # fmt: skip
    return Rotation(fingerprint_of(new), True, kept=count)


def _encrypt_again(regions: list[Path], ring: KeyRing, on_file: Progress) -> int:
    work = [(root, path) for root in regions for path in _originals(root)]
    tables = [(root, p) for root in regions for p in Lake(root, ring).encrypted_partitions()]
    total, done, changed = len(work) + len(tables), 0, 0
    for _, path in work:
        changed += reseal(path, ring)
        done += 1
        on_file(done, total)
    for root in regions:
        lake = Lake(root, ring)
        with connect(spill=root / "restricted" / ".spill", encryption=True) as connection:
            for partition in (p for where, p in tables if where == root):
                changed += lake.encrypt_again(connection, partition)
                done += 1
                on_file(done, total)
    return changed


def _needed(data_dir: Path) -> tuple[Counter[str], set[str]]:
    """Return how many files need each master key, and the agreements they are of."""
    files: Counter[str] = Counter()
    uses: set[str] = set()
    for root in _regions(data_dir):
        for path in _originals(root):
            seal = seal_of(path)
            if seal is not None:
                files[seal.fingerprint] += 1
                uses.add(seal.use)
        # Any ring will do to look at states: they are not encrypted.
        for partition in Lake(root, KeyRing(bytes(32))).encrypted_partitions():
            if partition.state is not None and partition.state.key:
                files[partition.state.key] += 1
                uses.add(partition.state.use)
    return files, {use.split(":", 2)[2] for use in uses if use.count(":") == 2}


def _originals(root: Path) -> Iterator[Path]:
    for path in sorted((root / "received").glob(f"*/*/v[0-9]*-*/*{SEALED_SUFFIX}")):
        if not path.name.startswith(TEMPORARY_PREFIX):
            yield path


def _regions(data_dir: Path) -> list[Path]:
    return [
        root
        for root in sorted(data_dir.glob("[!.]*"))
        if (root / "received").is_dir() or (root / "restricted").is_dir()
    ]


def _without_original(root: Path, ring: KeyRing, agreement_id: str) -> dict[str, str]:
    """Return the agreement's tables, by source and period, that no original is held for."""
    store, pinned = ReceivedStore(root / "received"), kept_versions(root)
    lost: dict[str, str] = {}
    for partition in Lake(root, ring).encrypted_partitions():
        state = partition.state
        if state is None or not state.pseudonyms or not partition.table.name.startswith(ADMITTED):
            continue
        name = _pin(partition)
        mine = state.use == parquet_use(root.name, agreement_id)
        if not mine or pinned.get(name) == state.pseudonyms:
            continue
        source = partition.table.name.removeprefix(ADMITTED)
        held = any(
            (delivery.period or UNPARTITIONED) == partition.period and store.stored_path(delivery)
            for delivery in store.deliveries(source)
            if delivery.outcome == "accepted"
        )
        if not held:
            lost[name] = state.pseudonyms
    return lost


def _pin(partition: Partition) -> str:
    return f"{partition.table.name.partition('_')[2]}/{partition.period}"


def _where(data_dir: Path, agreement_id: str) -> str:
    source = agreement_source(data_dir, agreement_id)
    return source.name if source is not None else "derived from the master key"


def _advice_new(source: KeySource) -> str:
    return (
        f"Put a new key in front of the one in {source.name}: a line from 'openssl rand -base64 "
        "32', then the present one. Then run this again; it encrypts with the new key what the "
        "present one wrote."
    )


def _advice_drop(source: KeySource) -> str:
    return (
        f"No file needs an earlier key. In {source.name} keep the first line; put 'pseudonyms:' "
        "before the last one, unless such a line is there already; remove the others."
    )


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    with (root / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(
                f"A run is working on {root.name}", "Wait for it to end, then do this again"
            ) from None
        yield


def _silent(_done: int, _total: int) -> None:
    """Say nothing of progress."""
