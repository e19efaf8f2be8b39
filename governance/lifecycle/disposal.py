"""Disposal: what is due is removed, its absence looked up on the disk, and certified.

Belongs here: the steps, each so that a killed command is completed by the next one, and the marks
by which later runs know that something is gone on purpose. Does not belong here: what is due
(``retention.py``).

Per item: a record of the intent, with hashes; a mark for later runs; each file renamed out of the
way, overwritten and unlinked; a search of the whole region for the same bytes; the certificate.
Overwriting reaches the blocks a file occupies on an ordinary disk. Flash, copy-on-write file
systems, snapshots and backups keep older blocks: for those only encryption helps. See
``docs/disposal.md``.
"""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from declarations.errors import StorageError
from governance.audit import AuditChain
from governance.lifecycle.certificates import HEAD, statement_hash, write_certificate
from governance.lifecycle.holdings import GONE, RECORD, hash_of, read_json, records_in
from governance.lifecycle.holds import active, covering
from governance.lifecycle.marks import is_marked, leave_mark
from governance.lifecycle.retention import Due
from warehouse.lake import State, write_atomically
from warehouse.leftovers import sweep
from warehouse.private import wipe

STARTED, DISPOSED = "disposal_started", "disposed"
METHOD = (
    "renamed, overwritten once with zeros, synchronised to the disk and unlinked; older blocks may "
    "remain on flash or copy-on-write storage and in backups"
)
_OUT = ".disposing-"
_DELIVERED = re.compile(r"(?:quarantine/[^/]+/)?received/[^/]+/[^/]+/v\d+-[^/]+/[^/.][^/]*")
"""Place of an original: another delivery of the same bytes, in use or in quarantine."""


OnRelease = Callable[[str, dict[str, Any]], None]
"""Called with a release's name and its intent, before its files go: leaves word in its place."""


@dataclass
class Disposals:
    """What a purge came to.

    Attributes
    ----------
    certificates : list of Path
        The page of each certificate written.
    failures : list of str
        What could not be removed or proved absent, in sentences.
    held : list of str
        What a legal hold stopped half way.
    """

    certificates: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)


def dispose(
    root: Path, items: Iterable[Due], *, chain: AuditChain, day: dt.date, by: str,
    landing: Path | None = None, on_release: OnRelease | None = None, synthetic: str = "",
) -> Disposals:  # fmt: skip
    """Dispose of things that are due; what a legal hold covers is left.

    Parameters
    ----------
    items : iterable of Due
    day : datetime.date
        The day of the region's calendar.
    by : str
        Who asked for it; the account of the operating system is recorded beside it.
    synthetic : str
        Words that mark synthetic data, for the certificate.
    """
    for item in items:
        if item.hold is None:
            _start(root, item, chain, day=day, by=by, synthetic=synthetic)
    return complete_started(root, chain, landing=landing, on_release=on_release)


def complete_started(
    root: Path, chain: AuditChain, *, landing: Path | None = None,
    on_release: OnRelease | None = None,
) -> Disposals:  # fmt: skip
    """Bring every disposal that was begun to its end; does nothing where none was.

    A certificate is written only once absence is proved. What cannot be removed stays begun, and
    is tried again by the next command.
    """
    outcome = Disposals()
    open_ones = _intents(root)
    if not open_ones:
        return outcome
    ready = []
    for intent in open_ones:
        stopped = _stopped_by_hold(root, intent, chain)
        if stopped:
            outcome.held.append(stopped)
            continue
        try:
            _remove_all(root, intent, landing, on_release)
        except OSError as error:
            outcome.failures.append(
                f"{intent['what']} cannot be removed ({error.strerror or type(error).__name__})"
            )
        else:
            ready.append(intent)
    sweep(root)
    copies = _copies(root, ready, landing)
    certified = {str(e["certificate"]): e for e in chain.entries() if e.get("event") == DISPOSED}
    for intent in ready:
        elsewhere = copies.get(intent["id"], [])
        stray = [name for name in elsewhere if not _has_its_own_clock(name)]
        if stray or not _is_gone(root, intent, landing):
            named = ", ".join(stray[:3]) or "its own place"
            outcome.failures.append(
                f"{intent['what']} is not gone: the same bytes are still at {named}"
            )
            continue
        page = _certify(root, intent, elsewhere, chain, certified.get(intent["id"]))
        outcome.certificates.append(page)
    return outcome


def require_done(outcome: Disposals) -> None:
    """Stop if anything could not be disposed of.

    Raises
    ------
    StorageError
    """
    if outcome.failures:
        raise StorageError(
            f"{len(outcome.failures)} thing(s) that are due are not gone: "
            + "; ".join(outcome.failures[:3]),
            "Remove the copies or correct the permissions, and run 'lsoalink purge' again",
        )


def _start(
    root: Path, item: Due, chain: AuditChain, *, day: dt.date, by: str, synthetic: str
) -> None:
    """Write down what is about to go, and mark it gone for later runs."""
    files = [
        {"path": p.relative_to(root).as_posix(), "bytes": p.lstat().st_size, "sha256": hash_of(p)}
        for p in item.files
    ]
    files += [
        {
            "path": f"landing/{item.source_id}/copy {number}",
            "bytes": p.stat().st_size,
            "sha256": hash_of(p),
        }
        for number, p in enumerate(item.landed, start=1)
    ]
    total = hashlib.sha256("".join(str(f["sha256"]) for f in files).encode()).hexdigest()
    intent = {
        "id": f"D-{day:%Y%m%d}-{secrets.token_hex(5)}",
        "state": "started",
        "kind": item.kind,
        "what": item.what,
        "zone": item.zone,
        "agreements": list(item.agreements),
        "clause": item.clause,
        "source_id": item.source_id,
        "period": item.period,
        "version": item.version,
        "due_since": item.due_on.isoformat(),
        "rows": item.rows,
        "bytes": sum(int(str(f["bytes"])) for f in files),
        "files": files,
        "as_sent": item.as_sent,
        "sent_bytes": item.sent_bytes,
        "sha256": str(files[0]["sha256"]) if len(files) == 1 else total,
        "on": day.isoformat(),
        "started_at": _now(),
        "by": by,
        "account": getpass.getuser(),
        "synthetic": synthetic,
    }
    _write_intent(root, intent)
    chain.append(
        STARTED, disposal=str(intent["id"]), what=item.what, zone=item.zone,
        agreement=item.agreements[0], clause=item.clause, bytes=int(str(intent["bytes"])),
        rows=item.rows, sha256=str(intent["sha256"]), by=by, account=str(intent["account"]),
    )  # fmt: skip


def _remove_all(
    root: Path, intent: dict[str, Any], landing: Path | None, on_release: OnRelease | None
) -> None:
    if intent["kind"] == "release" and on_release is not None:
        on_release(str(intent["what"]).removeprefix("release "), intent)
    leave_mark(root, intent)
    number = 0
    for path, wanted_hash in _targets(root, intent):
        number += 1
        if path.parent.is_dir():
            _finish_wiping(path.parent, intent["id"])
        if _stands(path, wanted_hash):
            _wipe(path, intent["id"], number)
            _leave_word(path, intent)
        elif not path.exists():
            _leave_word(path, intent)
    folder = _landing_folder(intent, landing)
    if folder is not None:
        _finish_wiping(folder, intent["id"])
        wanted = _contents(intent)
        sizes = {size for size, _ in wanted}
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
            size = path.stat().st_size
            if size in sizes and (size, hash_of(path)) in wanted:
                number += 1
                _wipe(path, intent["id"], number)
    if intent["kind"] in ("release", "quarantine"):
        _drop_empty_folders(root, [root / f["path"] for f in intent["files"]])


def _targets(root: Path, intent: dict[str, Any]) -> list[tuple[Path, str]]:
    """Return the places of what is to go, with the hash that it must have; '' for any.

    A table may have been made again in the same place since, which is not ours to remove. Places
    of an original, a release or a quarantined file are never used again, though a key may have been
    changed there.
    """
    if intent["kind"] in ("partition", "derived"):
        return [(root / f["path"], str(f["sha256"])) for f in intent["files"]]
    paths = [root / f["path"] for f in intent["files"] if not _is_landed(f)]
    if intent["kind"] == "original" and paths[0].parent.is_dir():
        inside = sorted(paths[0].parent.iterdir())
        paths = [p for p in inside if p.name not in (RECORD, GONE) and not _is_out(p)] or paths
    return [(path, "") for path in paths]


def _is_landed(file: dict[str, Any]) -> bool:
    return str(file["path"]).startswith("landing/")


def _is_out(path: Path) -> bool:
    return path.name.startswith(_OUT)


def _stands(path: Path, wanted_hash: str) -> bool:
    if path.is_symlink():
        return True
    return path.is_file() and (not wanted_hash or hash_of(path) == wanted_hash)


def _contents(intent: dict[str, Any]) -> set[tuple[int, str]]:
    """Return size and hash of every file of an item, and of the delivery as it was sent."""
    found = {(int(f["bytes"]), str(f["sha256"])) for f in intent["files"]}
    sent = (int(intent["sent_bytes"]), str(intent["as_sent"]))
    return {(size, sha256) for size, sha256 in found | {sent} if size and sha256}


def _landing_folder(intent: dict[str, Any], landing: Path | None) -> Path | None:
    if landing is None or intent["kind"] not in ("original", "landing"):
        return None
    folder = landing / str(intent["source_id"])
    return folder if folder.is_dir() else None


def _wipe(path: Path, ident: str, number: int) -> None:
    """Take a file out of the way in one rename, then overwrite and unlink it."""
    out = path.with_name(f"{_OUT}{ident}-{number}.gone")
    path.rename(out)
    _shred(out)


def _finish_wiping(folder: Path, ident: str) -> None:
    for leftover in sorted(folder.rglob(f"{_OUT}{ident}-*.gone")):
        _shred(leftover)


def _shred(path: Path) -> None:
    wipe(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _leave_word(path: Path, intent: dict[str, Any]) -> None:
    """Say beside a table's place that there is rightly no file."""
    if intent["kind"] == "derived":
        # It is made again by the next run, which asks for the state.
        path.with_suffix(".json").unlink(missing_ok=True)
    elif intent["kind"] == "partition":
        reason = (
            f"disposed of on {intent['on']} under {intent['agreements'][0]}, {intent['clause']}"
        )
        state = State(fingerprint=f"disposed:{intent['id']}", rows=0, absent=True, reason=reason)
        text = json.dumps(asdict(state))
        write_atomically(path.with_suffix(".json"), text.encode(), mode=0o600)


def _drop_empty_folders(root: Path, files: list[Path]) -> None:
    keep = {root, root / "published", root / "quarantine"}
    folders = {parent for f in files for parent in f.parents if root in parent.parents}
    for folder in sorted(folders - keep, key=lambda p: -len(p.parts)):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _intents(root: Path) -> list[dict[str, Any]]:
    found = (read_json(p) for p in records_in(root / "governance" / "disposals"))
    return [content for content in found if content and content.get("state") == "started"]


def _write_intent(root: Path, intent: dict[str, Any]) -> None:
    path = root / "governance" / "disposals" / f"{intent['id']}.json"
    write_atomically(path, json.dumps(intent, indent=1, sort_keys=True).encode(), mode=0o600)


def _stopped_by_hold(root: Path, intent: dict[str, Any], chain: AuditChain) -> str:
    """Stop a disposal that a hold has come to cover, if nothing of it has gone yet."""
    sources = [intent["source_id"]] if intent["source_id"] else []
    periods = [intent["period"]] if intent["period"] else []
    hold = covering(active(root, chain.keys), intent["agreements"], sources, periods)
    if hold is None or intent["kind"] == "derived":
        return ""
    paths = [root / f["path"] for f in intent["files"] if not _is_landed(f)]
    if not all(p.exists() for p in paths) or is_marked(root, intent):
        return ""
    _write_intent(root, {**intent, "state": "stopped"})
    return f"{intent['what']}: {hold.words()}"


def _copies(
    root: Path, intents: list[dict[str, Any]], landing: Path | None
) -> dict[str, list[str]]:
    """Return, by disposal, the files anywhere in the region that hold the same bytes still."""
    wanted: dict[tuple[int, str], list[str]] = {}
    for intent in intents:
        if intent["kind"] in ("release", "derived"):
            continue
        if intent["kind"] == "quarantine" and not intent["source_id"]:
            # Files of a quarantined release are public, and may stand in another release too.
            continue
        for content in _contents(intent):
            wanted.setdefault(content, []).append(str(intent["id"]))
    sizes = {size for size, _ in wanted}
    found: dict[str, list[str]] = {}
    places = [root]
    if landing is not None and landing.is_dir() and not landing.is_relative_to(root):
        places.append(landing)
    for place in places if sizes else ():
        for path in sorted(place.rglob("*")):
            if path.is_symlink() or not path.is_file() or path.stat().st_size not in sizes:
                continue
            for ident in wanted.get((path.stat().st_size, hash_of(path)), ()):
                name = path.relative_to(place).as_posix()
                found.setdefault(ident, []).append(name if place == root else "the landing folder")
    return found


def _has_its_own_clock(name: str) -> bool:
    """Whether a copy is a delivery of its own in the store of originals, or in quarantine."""
    return _DELIVERED.fullmatch(name) is not None


def _is_gone(root: Path, intent: dict[str, Any], landing: Path | None) -> bool:
    """Whether nothing of an item stands where it was, looked up on the disk."""
    for path, wanted_hash in _targets(root, intent):
        if _stands(path, wanted_hash):
            return False
        if path.parent.is_dir() and any(path.parent.glob(f"{_OUT}{intent['id']}-*")):
            return False
    folder = _landing_folder(intent, landing)
    return folder is None or not any(folder.rglob(f"{_OUT}{intent['id']}-*"))


def _certify(
    root: Path, intent: dict[str, Any], elsewhere: list[str], chain: AuditChain,
    earlier: dict[str, Any] | None,
) -> Path:  # fmt: skip
    """Write the certificate and its entry in the chain, once each whatever was killed between."""
    if "certified_at" not in intent:
        # Settled before the chain is told, so that a second try says the same.
        intent = {**intent, "certified_at": _now(), "same_bytes_with_own_clock": elsewhere}
        _write_intent(root, intent)
    name = str(intent["id"])
    said: dict[str, Any] = {
        **{k: v for k, v in intent.items() if k not in ("state", "id")},
        "certificate": name,
        "method": METHOD,
        "verified_absent": True,
    }
    if earlier is None:
        head = chain.append(
            DISPOSED, certificate=name, statement=statement_hash(said), what=str(intent["what"]),
            zone=str(intent["zone"]), agreement=str(intent["agreements"][0]),
            clause=str(intent["clause"]), bytes=int(intent["bytes"]), rows=intent["rows"],
            sha256=str(intent["sha256"]), by=str(intent["by"]), account=str(intent["account"]),
        )  # fmt: skip
    else:
        head = str(earlier["hash"])
    page = write_certificate(
        root, name, {**said, HEAD: head}, title="Certificate of disposal", rows=_rows(said, head)
    )
    _write_intent(root, {**intent, "state": "done"})
    return page


def _rows(said: dict[str, Any], head: str) -> list[tuple[str, str]]:
    copies = said["same_bytes_with_own_clock"]
    absent = "yes: nothing stands in its place, and no other file of the region has the same bytes"
    if copies:
        absent = (
            f"yes, in its place; {len(copies)} other delivery(ies) with the same bytes have a "
            "clock of their own"
        )
    return [
        ("Certificate", str(said["certificate"])),
        ("What", str(said["what"])),
        ("Zone", str(said["zone"])),
        ("Agreement", ", ".join(said["agreements"])),
        ("Clause", str(said["clause"])),
        ("Due since", str(said["due_since"])),
        ("Rows", "not counted" if said["rows"] is None else f"{said['rows']:,}"),
        ("Bytes", f"{said['bytes']:,}"),
        ("SHA-256 before", str(said["sha256"])),
        ("SHA-256 as sent", str(said["as_sent"]) or "not a delivery"),
        ("Day of the region", str(said["on"])),
        ("Certified at", str(said["certified_at"])),
        ("By", f"{said['by']} (account {said['account']})"),
        ("Method", str(said["method"])),
        ("Verified absent", absent),
        ("Audit head", head),
    ]


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
