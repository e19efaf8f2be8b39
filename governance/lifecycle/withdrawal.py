"""The stop button: which agreements are withdrawn, what depends on one, and its quarantine.

Belongs here: the record of a withdrawal, the search for what depends on an agreement, and moving
that aside. Does not belong here: what is said of a release (``publishing/withdrawn.py``) or the
order of the steps (``pipelines/stewardship.py``).

A withdrawal stands as soon as the record or the audit chain says so; either alone is enough, so
that removing the one does not undo it. Nothing undoes it: sharing again takes a new agreement with
an id of its own.
"""

from __future__ import annotations

import datetime as dt
import errno
import getpass
import json
import re
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from declarations.agreements import Agreement
from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from governance.audit import AuditChain
from governance.chain_reader import ChainReader
from governance.lifecycle.holdings import (
    QUARANTINE,
    Known,
    Partition,
    Published,
    deliveries,
    derived_tables,
    files_below,
    hash_of,
    landed,
    partitions,
    read_json,
    records_in,
    releases,
)
from governance.lifecycle.holds import required
from governance.lifecycle.marks import mark_gone
from warehouse.lake import write_atomically
from warehouse.leftovers import temporary_beside

WITHDRAWN, COMPLETED = "agreement_withdrawn", "withdrawal_completed"
DEFAULT_DAYS = 14
"""Days until disposal under an open licence, which declares no retention."""

RELEASE_TABLES = ("attack", "derived_", "protected_", "statements_", "withheld_")
"""Beginnings of the names of the tables that a release is made of."""
_AGREEMENT = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Withdrawal:
    """One withdrawn agreement.

    Attributes
    ----------
    agreement, version, reason, by, account : str
        By whom: the name as it was typed, and the account of the operating system.
    at : str
        Moment, UTC.
    day, dispose_on : datetime.date
        By the region's calendar: when it was withdrawn, and when what is quarantined is disposed
        of.
    sources : tuple of str
        The sources it covered then.
    state : {"started", "done"}
        ``done`` once everything that depends on it is in quarantine.
    """

    agreement: str
    version: str
    reason: str
    by: str
    account: str
    at: str
    day: dt.date
    dispose_on: dt.date
    sources: tuple[str, ...] = ()
    state: str = "started"

    def sentence(self) -> str:
        """Say it in one sentence."""
        return f"{self.agreement} was withdrawn on {self.day:%d %B %Y}: {self.reason.rstrip('.')}."


@dataclass(frozen=True)
class Dependents:
    """Everything of a region that rests on one agreement."""

    agreement: str
    sources: tuple[str, ...]
    indicators: tuple[str, ...]
    originals: tuple[Known, ...]
    landed: tuple[tuple[str, Path], ...]
    partitions: tuple[Partition, ...]
    derived: tuple[Path, ...]
    candidates: tuple[Path, ...]
    releases: tuple[Published, ...]

    @property
    def anything(self) -> bool:
        """Whether there is anything to move."""
        return bool(
            self.originals or self.landed or self.partitions or self.derived or self.candidates
            or self.releases
        )  # fmt: skip


def withdrawn(root: Path) -> dict[str, Withdrawal]:
    """Return every withdrawn agreement of a region by id: those of the records and of the chain."""
    found = dict(_chain.read(root))
    for path in records_in(root / "governance" / "withdrawals"):
        content = read_json(path)
        if content is None:
            # A record that cannot be read withdraws all the same: the gate fails closed.
            found.setdefault(path.stem, _unreadable(path.stem))
        else:
            known = _of(content)
            found[known.agreement] = known
    return found


def _unreadable(agreement: str) -> Withdrawal:
    today = dt.datetime.now(dt.UTC)
    return Withdrawal(
        agreement, "", "the record of its withdrawal cannot be read", "", "", today.isoformat(),
        today.date(), today.date() + dt.timedelta(days=DEFAULT_DAYS),
    )  # fmt: skip


def _of(content: dict[str, Any]) -> Withdrawal:
    names = Withdrawal.__annotations__
    kept = {k: v for k, v in content.items() if k in names}
    return Withdrawal(
        **{
            **kept,
            "day": dt.date.fromisoformat(content["day"]),
            "dispose_on": dt.date.fromisoformat(content["dispose_on"]),
            "sources": tuple(content.get("sources") or ()),
        }
    )


def _told(found: dict[str, Withdrawal], entry: dict[str, Any]) -> dict[str, Withdrawal]:
    known = _of_entry(entry)
    # The first stands: no later line may put off the day of disposal.
    return found if known is None else {known.agreement: known, **found}


_chain: ChainReader[dict[str, Withdrawal]] = ChainReader(f'"{WITHDRAWN}"'.encode(), {}, _told)


def _of_entry(entry: dict[str, Any]) -> Withdrawal | None:
    """Return the withdrawal an entry tells of.

    It need not be sealed, or well written: a withdrawal only makes the gate refuse more.
    """
    if entry.get("event") != WITHDRAWN:
        return None
    agreement = entry.pop("agreement", None)
    if not isinstance(agreement, str) or not _AGREEMENT.fullmatch(agreement):
        return None
    # Whether everything is in quarantine is for the record to say; the entry came before.
    entry.pop("state", None)
    try:
        known = _of({**entry, "agreement": agreement, "at": entry.get("moment", entry.get("at"))})
    except (ValueError, KeyError, TypeError):
        return _unreadable(agreement)
    texts = (known.version, known.reason, known.by, known.account, known.at, *known.sources)
    return known if all(isinstance(t, str) for t in texts) else _unreadable(agreement)


def begin(
    root: Path, chain: AuditChain, agreement: Agreement, sources: tuple[str, ...], *,
    reason: str, by: str, day: dt.date,
) -> Withdrawal:  # fmt: skip
    """Write down that an agreement is withdrawn: from here on the gate refuses it.

    Raises
    ------
    ConfigurationError
        If it was withdrawn before, or reason or name are missing.
    """
    known = withdrawn(root).get(agreement.id)
    if known is not None:
        raise ConfigurationError(
            f"{known.sentence().rstrip('.')}, by {known.by}",
            "A withdrawal stands: sharing again takes a new agreement with an id of its own",
        )
    days = agreement.retention.after_withdrawal_days if agreement.retention else DEFAULT_DAYS
    record = Withdrawal(
        agreement=agreement.id,
        version=agreement.version,
        reason=required(reason, "--reason"),
        by=required(by, "--by"),
        account=getpass.getuser(),
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        day=day,
        dispose_on=day + dt.timedelta(days=days),
        sources=sources,
    )
    write_record(root, record)
    tell_chain(root, chain, record)
    return record


def tell_chain(root: Path, chain: AuditChain, record: Withdrawal) -> None:
    """Add the withdrawal to the chain, unless a killed run did so before it was killed."""
    if record.agreement in _chain.read(root):
        return
    facts = asdict(record)
    del facts["at"], facts["state"]
    chain.append(
        WITHDRAWN,
        **{
            **facts,
            "moment": record.at,
            "day": record.day.isoformat(),
            "dispose_on": record.dispose_on.isoformat(),
            "sources": list(record.sources),
        },
    )


def write_record(root: Path, record: Withdrawal) -> None:
    """Write a withdrawal's record."""
    content = {
        **asdict(record), "day": record.day.isoformat(), "dispose_on": record.dispose_on.isoformat()
    }  # fmt: skip
    text = json.dumps(content, indent=1, sort_keys=True, default=list)
    path = root / "governance" / "withdrawals" / f"{record.agreement}.json"
    write_atomically(path, text.encode(), mode=0o600)


def finished(root: Path, record: Withdrawal) -> Withdrawal:
    """Record that everything that depends on the agreement is in quarantine."""
    done = replace(record, state="done")
    write_record(root, done)
    return done


def sources_of(declared: RegionDeclarations, record: Withdrawal | str) -> tuple[str, ...]:
    """Return the sources under an agreement: as declared today, and those no longer declared.

    A source that has since come under another agreement is that one's.
    """
    if isinstance(record, str):
        return tuple(s.id for s in declared.sources.values() if s.agreement == record)
    now = [s.id for s in declared.sources.values() if s.agreement == record.agreement]
    gone = [name for name in record.sources if name not in declared.sources]
    return tuple(sorted({*now, *gone}))


def dependents(
    declared: RegionDeclarations, root: Path, landing: Path | None, agreement: str,
    source_ids: tuple[str, ...],
) -> Dependents:  # fmt: skip
    """Find everything on the disk that rests on an agreement, quarantine left out."""
    wanted = set(source_ids)
    indicators = tuple(
        i.id for i in declared.indicators.values()
        if {s.id for s in declared.sources_behind(i)} & wanted
    )  # fmt: skip
    reference = any(
        declared.contract_of(declared.sources[s]).kind == "reference"
        for s in source_ids if s in declared.sources
    )  # fmt: skip
    derived, candidates = list(derived_tables(declared, root, wanted)), []
    if indicators or reference:
        for prefix in RELEASE_TABLES:
            tables = (root / "linked").glob(f"{prefix}*/*.parquet")
            derived += sorted(p for p in tables if p.name[0] != ".")
        # A candidate has no manifest yet that tells what it is of; it is made again in no time.
        candidates = [p for p in sorted((root / "candidates").glob("*")) if p.name[0] != "."]
    known = [d for s in source_ids for d in deliveries(root, s)]
    return Dependents(
        agreement=agreement,
        sources=source_ids,
        indicators=indicators,
        originals=tuple(d for d in known if d.original is not None),
        landed=tuple(
            (s, p) for s in source_ids if s in declared.sources
            for p in landed(landing, declared.sources[s])
        ),
        partitions=tuple(p for s in source_ids for p in partitions(root, s)),
        derived=tuple(derived),
        candidates=tuple(candidates),
        releases=tuple(r for r in releases(root) if agreement in r.agreements),
    )  # fmt: skip


def quarantine(root: Path, found: Dependents, record: Withdrawal) -> int:
    """Move what depends on a withdrawn agreement aside and return how many things were moved.

    Each move is one rename below ``quarantine/<agreement>``, under the name it had. What is known
    of a delivery stays beside the place of its original, with a mark that it is gone.
    """
    home = _home(root, record.agreement)
    for delivery in found.originals:
        mark_gone(delivery.folder, "withdrawn", record.agreement, record.day, record.agreement)
        if delivery.original is not None:
            _aside(delivery.original, home / delivery.original.relative_to(root))
    for source_id, path in found.landed:
        _aside(path, home / "landing" / source_id / path.name)
    tables = [*(p.path for p in found.partitions), *found.derived]
    for path in tables:
        _aside(path, home / path.relative_to(root))
        path.with_suffix(".json").unlink(missing_ok=True)
    for folder in [*found.candidates, *(r.folder for r in found.releases)]:
        _aside(folder, home / folder.relative_to(root))
    return (
        len(found.originals)
        + len(found.landed)
        + len(tables)
        + len(found.candidates)
        + len(found.releases)
    )


def quarantined(root: Path, agreement: str) -> list[dict[str, Any]]:
    """Return path, bytes and hash of everything in an agreement's quarantine.

    Files of the landing folder are numbered: their names are the agency's own.
    """
    home = root / QUARANTINE / agreement
    listed = []
    for number, path in enumerate(files_below(home) if home.is_dir() else (), start=1):
        parts = path.relative_to(home).parts
        name = "/".join(parts) if parts[0] != "landing" else f"landing/{parts[1]}/file {number}"
        listed.append({"path": name, "bytes": path.lstat().st_size, "sha256": hash_of(path)})
    return listed


def _home(root: Path, agreement: str) -> Path:
    for folder in (root / QUARANTINE, root / QUARANTINE / agreement):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
    return root / QUARANTINE / agreement


def _aside(path: Path, target: Path) -> None:
    """Move a file or folder aside in one rename; from another file system, copy it whole first."""
    if not path.exists() and not path.is_symlink():
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, free = 1, target
    while free.exists():
        number += 1
        free = target.with_name(f"{target.name}.{number}")
    try:
        path.rename(free)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        temporary = temporary_beside(free)
        shutil.copy2(path, temporary)
        temporary.replace(free)
        path.unlink()
