"""The store of originals: every delivery as it was sent, once, with its checksum.

Belongs here: copying a file in so that it is there whole or not at all, versions, duplicates,
refusals, and the one door through which an original is read.
Does not belong here: what a file holds. Only the original itself carries a value of a record.

Layout below the store's root::

    <source>/<period or once>/v<NNN>-<sha12>/<file name>.sealed   the original, encrypted, 0400
    <source>/<period or once>/v<NNN>-<sha12>/<file name>          the same, of an open licence
    <source>/<period or once>/v<NNN>-<sha12>/delivery.json        what is known of it
    <source>/refused/<sha12>.json, <source>/duplicates/<sha12>.json
    <source>/.lock, known.txt
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from declarations.base import last_day
from declarations.contracts import Source
from declarations.errors import StorageError
from intake.landing import Found
from intake.naming import shown_name, without_people
from intake.originals import (
    READ_ONLY,
    SEALED_SUFFIX,
    Sealing,
    copied_in,
    opened,
    seal_in_place,
    sync_folder,
)
from intake.originals import remove_landed as _remove
from intake.safety import Limits, inspect_file, inspect_place
from warehouse.private import FILE_MODE, open_private, private_folder, wipe_folder

INCOMING = ".incoming-"
RECORD = "delivery.json"
ONCE = "once"
REFUSED = "refused"
DUPLICATES = "duplicates"
KNOWN = "known.txt"
STAYS_MARK = " stays"
"""In ``known.txt`` behind a file that stays in the landing folder: refused, or not ours to remove.
"""
SHORT = 12

NAME_MESSAGES = {
    "unknown_name": "{name} does not follow the file names agreed for {source}. "
    "Name it after the pattern {pattern}, with the month as YYYY-MM.",
    "future_period": "{name} is for a month that has not begun. Check the month in its name.",
    "out_of_calendar": "{name} is for a month outside the region's calendar. "
    "Check the month in its name.",
}


@dataclass(frozen=True)
class Delivery:
    """One received file: the columns of the ``deliveries`` table.

    Attributes
    ----------
    source_id : str
    period : str
        ``YYYY-MM``, or empty for a source delivered once.
    version : int
        From 1 within source and period; 0 for a refused file.
    file_name : str
        As it may be shown.
    sha256 : str
        Of the file as sent; empty where it could not be read.
    bytes : int
    arrived_on : datetime.date
    outcome : str
        ``accepted``, ``duplicate`` or ``refused``.
    reason, message : str or None
        Code and sentence; None where accepted.
    days_late : int or None
        Days after the day it was due, 0 in time; None for a source delivered once or read from the
        open-data folder.
    """

    source_id: str
    period: str
    version: int
    file_name: str
    sha256: str
    bytes: int
    arrived_on: dt.date
    outcome: str
    reason: str | None = None
    message: str | None = None
    days_late: int | None = None

    def as_row(self) -> dict[str, object]:
        """Return the delivery as a row of the ``deliveries`` table."""
        return asdict(self)

    def to_json(self) -> str:
        """Return the delivery as the text of its record."""
        return json.dumps({**asdict(self), "arrived_on": self.arrived_on.isoformat()}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Delivery:
        """Return the delivery that a record describes."""
        content = json.loads(text)
        return cls(**{**content, "arrived_on": dt.date.fromisoformat(content["arrived_on"])})


class ReceivedStore:
    """The originals of one region.

    Parameters
    ----------
    root : Path
        Folder of the store, made when the first file arrives.
    limits : Limits, optional
        How large a delivery may be.
    sealing : Sealing, optional
        Keys, and which sources stay plain. Without it nothing is sealed and nothing sealed can be
        opened: for looking at records only.
    """

    def __init__(
        self, root: Path, limits: Limits | None = None, sealing: Sealing | None = None
    ) -> None:
        self.root = root
        self._limits = limits or Limits()
        self._sealing = sealing
        self._known: set[str] | None = None
        self._known_stamp: tuple[tuple[str, int], ...] = ()

    def receive(
        self,
        found: Found,
        source: Source,
        arrived_on: dt.date,
        *,
        remove_landed: bool = False,
    ) -> Delivery:
        """Take a file in.

        The copy is inspected, not the file in the landing folder, so that what was found safe is
        what is stored. A crash leaves nothing or a whole delivery.

        Parameters
        ----------
        found : Found
            From `intake.landing.discover`. One with a reason is recorded as refused.
        source : Source
        arrived_on : datetime.date
        remove_landed : bool
            Remove the file from the landing folder once its original is safe on the disk: of an
            accepted delivery or a duplicate, never of a refused one, a link, or published data.

        Returns
        -------
        Delivery
            Outcome ``accepted``; ``duplicate`` with the version that holds the same bytes; or
            ``refused``, with reason and message.

        Raises
        ------
        StorageError
            If the store cannot be written.
        """
        home = self.root / source.id
        with self._locked(home):
            _sweep(home)
            stamp = _stamp(found, source)
            delivery, facts = self._take(found, source, arrived_on, home)
            held = facts is not None and self.stored_path(delivery) is not None
            stays = delivery.outcome == "refused"
            if remove_landed and source.open_data is None and facts is not None and held:
                # Gone, it is no file to be recognised; the same file sent again is looked at again.
                stays = not _remove(found.path, facts)
                stamp = stamp if stays else None
            if stamp is not None:
                _append(home / KNOWN, f"{stamp}{STAYS_MARK if stays else ''}")
        return delivery

    def seal_plain(self, source: Source | str) -> int:
        """Seal the originals of a source that were stored plain; return how many.

        Only a listing of folders where there is nothing to do.
        """
        sealing, home = self._sealing, self.root / _id(source)
        if sealing is None or sealing.use_of(_id(source)) is None or not home.is_dir():
            return 0
        plain = [
            path
            for path in home.glob("*/v[0-9]*-*/*")
            if path.name != RECORD
            and path.suffix != SEALED_SUFFIX
            and not path.name.startswith(".")
        ]
        if not plain:
            return 0
        with self._locked(home):
            return sum(seal_in_place(p, _id(source), sealing) for p in plain if p.exists())

    def is_known(self, found: Found, source: Source) -> bool:
        """Whether this very file, unchanged since, was dealt with before, for this source.

        Judged by name, size, time of last change and what the calendar says of its name, without
        reading the file: a file refused because its month had not begun is looked at again when it
        has.
        """
        stamp = _stamp(found, source)
        return stamp is not None and bool({stamp, f"{stamp}{STAYS_MARK}"} & self._stamps())

    def stays(self, found: Found, source: Source) -> bool:
        """Whether this very file, unchanged since, was refused or could not be removed."""
        stamp = _stamp(found, source)
        return stamp is not None and f"{stamp}{STAYS_MARK}" in self._stamps()

    def deliveries(self, source: Source | str | None = None) -> list[Delivery]:
        """List every delivery: accepted, duplicate and refused, in a stable order."""
        pattern = _id(source) if source is not None else "*"
        records = [
            *self.root.glob(f"{pattern}/*/v*/{RECORD}"),
            *self.root.glob(f"{pattern}/{REFUSED}/*.json"),
            *self.root.glob(f"{pattern}/{DUPLICATES}/*.json"),
        ]
        read = [Delivery.from_json(path.read_text(encoding="utf-8")) for path in records]
        return sorted(
            read, key=lambda d: (d.source_id, d.period, d.outcome, d.version, d.file_name, d.sha256)
        )

    def versions(self, source: Source | str, period: str) -> list[Delivery]:
        """List the accepted deliveries of a source and month, the oldest first.

        Parameters
        ----------
        period : str
            ``YYYY-MM``, or empty for a source delivered once.
        """
        home = self.root / _id(source) / (period or ONCE)
        return [_record_of(folder) for folder in self._versions(home)]

    def latest(self, source: Source | str, period: str | None) -> Delivery | None:
        """Return the newest accepted delivery of a source and period, or None."""
        folders = self._versions(self.root / _id(source) / (period or ONCE))
        return _record_of(folders[-1]) if folders else None

    @contextmanager
    def open(self, delivery: Delivery) -> Iterator[Path]:
        """Give a readable path of an original for as long as the block runs.

        Every reader of an original comes through here. A sealed one is opened into a copy that is
        wiped when the block ends.

        Raises
        ------
        StorageError
            If the delivery was refused, its original is gone or has changed since it was received,
            or the keys do not open it.
        """
        path = self.stored_path(delivery)
        if path is None:
            raise StorageError(
                f"The original of {delivery.source_id} {delivery.period or ONCE} version "
                f"{delivery.version} is not in the store",
                "It was refused or disposed of; ask the agency to send it again",
            )
        with opened(path, delivery.sha256, delivery.bytes, self._sealing) as plain:
            yield plain

    def verify(self, delivery: Delivery) -> bool:
        """Whether an original still has the checksum with which it was received."""
        with self.open(delivery) as path:
            return _sha256(path) == delivery.sha256

    def stored_path(self, delivery: Delivery) -> Path | None:
        """Return the file an original is stored in, sealed or plain; None where none is held."""
        if delivery.outcome == "refused":
            return None
        home = self.root / delivery.source_id / (delivery.period or ONCE)
        folder = home / _version_name(delivery.version, delivery.sha256)
        if not folder.is_dir():
            return None
        # A duplicate may bear another name than the original it repeats.
        plain = folder / _record_of(folder).file_name
        sealed = plain.with_name(f"{plain.name}{SEALED_SUFFIX}")
        return next((path for path in (sealed, plain) if path.is_file()), None)

    def _take(
        self, found: Found, source: Source, arrived_on: dt.date, home: Path
    ) -> tuple[Delivery, os.stat_result | None]:
        """Return the delivery, and the facts of the landed file if its original is safe."""
        name = found.path.name
        if found.reason == "unknown_name" or ("*" in source.files and source.open_data is None):
            # Nobody agreed on this name, or on a part of it: it may say whom the file is about.
            name = without_people(name)
        name = shown_name(name)
        draft = Delivery(
            source_id=source.id,
            period=found.period or "",
            version=0,
            file_name=name,
            sha256="",
            bytes=0,
            arrived_on=arrived_on,
            outcome="refused",
            days_late=days_late(source, found.period, arrived_on),
        )
        incoming = home / f"{INCOMING}{uuid.uuid4().hex}"
        if found.reason is not None:
            text = NAME_MESSAGES[found.reason].format(
                name=name, source=source.id, pattern=source.files
            )
            readable = inspect_place(found.path, self._limits).ok
            draft = _measured(draft, found.path, hashed=readable)
            return _refuse(home, replace(draft, reason=found.reason, message=text)), None
        # Size, links and rights first: only what may be read at all is copied.
        place = inspect_place(found.path, self._limits)
        if not place.ok:
            draft = _measured(draft, found.path, hashed=place.reason == "empty_file")
            return _refuse(home, replace(draft, reason=place.reason, message=place.message)), None
        private_folder(incoming)
        try:
            with copied_in(found.path, incoming, name, source.id, self._sealing) as copy:
                draft = replace(draft, sha256=copy.sha256, bytes=copy.bytes)
                inspection = inspect_file(copy.plain, self._limits)
            if not inspection.ok:
                refusal = replace(draft, reason=inspection.reason, message=inspection.message)
                return _refuse(home, refusal), None
            return self._place(draft, incoming, home / (found.period or ONCE)), copy.facts
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def _place(self, draft: Delivery, incoming: Path, target: Path) -> Delivery:
        versions = self._versions(target)
        for folder in versions:
            same = folder.name.endswith(f"-{draft.sha256[:SHORT]}")
            # Of what was disposed of nothing is held: sent again, it is a delivery of its own.
            if same and self.stored_path(_record_of(folder)) is not None:
                return _repeat(
                    target.parent, draft, _record_of(folder), newest=folder == versions[-1]
                )
        number = _number(versions[-1]) + 1 if versions else 1
        delivery = replace(draft, version=number, outcome="accepted")
        _write(incoming / RECORD, delivery.to_json())
        sync_folder(incoming)
        private_folder(target)
        incoming.replace(target / _version_name(number, draft.sha256))
        sync_folder(target)
        return delivery

    @staticmethod
    def _versions(folder: Path) -> list[Path]:
        return sorted(folder.glob("v[0-9]*-*"), key=_number)

    @contextmanager
    def _locked(self, home: Path) -> Iterator[None]:
        try:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            private_folder(home)
            lock = os.fdopen(open_private(home / ".lock", 0), "w")
        except OSError:
            raise StorageError(
                f"The store of received files {self.root} cannot be written",
                "Check its permissions and free space",
            ) from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _stamps(self) -> set[str]:
        files = sorted(self.root.glob(f"*/{KNOWN}"))
        sizes = tuple((str(f), f.stat().st_size) for f in files)
        if self._known is None or sizes != self._known_stamp:
            self._known = {line for f in files for line in f.read_text("ascii").splitlines()}
            self._known_stamp = sizes
        return self._known


def days_late(source: Source, period: str | None, arrived_on: dt.date) -> int | None:
    """Return how many days after its due day a delivery came; None where none is due.

    A published file is taken when it is wanted: nobody owes it on a day.
    """
    if period is None or source.open_data is not None:
        return None
    due = last_day(period) + dt.timedelta(days=source.due_days)
    return max(0, (arrived_on - due).days)


def _id(source: Source | str) -> str:
    return source if isinstance(source, str) else source.id


def _version_name(number: int, sha256: str) -> str:
    return f"v{number:03d}-{sha256[:SHORT]}"


def _number(folder: Path) -> int:
    return int(folder.name[1:].split("-")[0])


def _record_of(folder: Path) -> Delivery:
    return Delivery.from_json((folder / RECORD).read_text(encoding="utf-8"))


def _repeat(home: Path, draft: Delivery, original: Delivery, *, newest: bool) -> Delivery:
    """Return a duplicate; it is recorded where it came under another name."""
    fate = (
        "nothing was stored again"
        if newest
        else "a later version has replaced it and stays in force. "
        "To go back to it, export it again so that its content says when it was made"
    )
    delivery = replace(
        draft,
        version=original.version,
        outcome="duplicate",
        reason="duplicate_delivery",
        message=f"{draft.file_name} holds the same bytes as version {original.version}; {fate}.",
    )
    return delivery if draft.file_name == original.file_name else _note(home, DUPLICATES, delivery)


def _refuse(home: Path, delivery: Delivery) -> Delivery:
    return _note(home, REFUSED, delivery)


def _note(home: Path, kind: str, delivery: Delivery) -> Delivery:
    """Record a delivery of which nothing is stored; what was recorded first stands."""
    mark = "|".join((delivery.sha256, delivery.period, delivery.file_name, delivery.reason or ""))
    target = home / kind / f"{hashlib.sha256(mark.encode()).hexdigest()[:SHORT]}.json"
    if target.exists():
        return Delivery.from_json(target.read_text(encoding="utf-8"))
    private_folder(target.parent)
    temporary = home / f"{INCOMING}{uuid.uuid4().hex}"
    _write(temporary, delivery.to_json())
    temporary.replace(target)
    sync_folder(target.parent)
    return delivery


def _measured(draft: Delivery, path: Path, *, hashed: bool) -> Delivery:
    """Add size and, where the file may be read, checksum."""
    try:
        size = path.stat().st_size
        return replace(draft, bytes=size, sha256=_sha256(path) if hashed else "")
    except OSError:
        return draft


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as sink:
        sink.write(text)
        sink.flush()
        os.fsync(sink.fileno())
    path.chmod(READ_ONLY)


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="ascii") as sink:
        os.fchmod(sink.fileno(), FILE_MODE)
        sink.write(f"{line}\n")


def _sweep(home: Path) -> None:
    """Remove what a crash left; under the lock, nobody else is writing."""
    for leftover in home.glob(f"{INCOMING}*"):
        wipe_folder(leftover)


def _stamp(found: Found, source: Source) -> str | None:
    """Return a mark of a file's source, name, size, last change and reason, without reading it."""
    try:
        facts = found.path.stat()
    except OSError:
        return None
    parts = (source.id, found.path.name, facts.st_size, facts.st_mtime_ns, found.reason)
    text = "|".join(str(part) for part in parts)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
