"""Legal holds: what must not be disposed of, whatever its clock says.

Belongs here: adding, lifting and asking for holds. The audit chain is what counts: a hold whose
file was removed by hand still stands, and one is lifted only where the platform wrote into the
chain that it is. What somebody else wrote there can add a hold, and neither change nor end one.
Does not belong here: disposal itself (``disposal.py``).
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from declarations.errors import ConfigurationError
from governance.audit import AuditChain
from governance.lifecycle.holdings import read_json, records_in
from warehouse.key_ring import KeyRing
from warehouse.lake import write_atomically

ADDED, LIFTED = "hold_added", "hold_lifted"


@dataclass(frozen=True)
class Hold:
    """One legal hold.

    Attributes
    ----------
    id : str
    agreement, source : str or None
        What it is about: one of the two.
    period : str or None
        Only this month of the source; None for all.
    reason, by, account : str
    day : datetime.date
        Day of the region's calendar since which it stands.
    lifted : str
        Day, name and reason of its end, in words; empty while it stands.
    """

    id: str
    agreement: str | None
    source: str | None
    period: str | None
    reason: str
    by: str
    account: str
    day: dt.date
    lifted: str = ""

    def words(self) -> str:
        """Say what is held since when, by whom."""
        return f"held since {self.day.isoformat()} by {self.by} ({self.id})"


def required(text: str, option: str) -> str:
    """Return a text somebody must have given.

    Raises
    ------
    ConfigurationError
    """
    if not text.strip():
        raise ConfigurationError(f"{option} is empty", f"Give {option} in words")
    return text.strip()


def add(
    root: Path,
    chain: AuditChain,
    *,
    agreement: str | None,
    source: str | None,
    period: str | None,
    reason: str,
    by: str,
    day: dt.date,
) -> Hold:
    """Put a hold on an agreement, or on a source or one month of it.

    Raises
    ------
    ConfigurationError
        If it names neither or both, or has no reason or name.
    """
    if (agreement is None) == (source is None):
        raise ConfigurationError(
            "A hold is on one agreement or on one source", "Give --agreement ID or --source ID"
        )
    if period is not None and source is None:
        raise ConfigurationError("A month is held of a source", "Give --source with --period")
    hold = Hold(
        id=f"H-{day:%Y%m%d}-{secrets.token_hex(3)}",
        agreement=agreement,
        source=source,
        period=period,
        reason=required(reason, "--reason"),
        by=required(by, "--by"),
        account=getpass.getuser(),
        day=day,
    )
    facts = _facts(hold)
    del facts["lifted"]
    chain.append(ADDED, hold=hold.id, **{k: v for k, v in facts.items() if k != "id"})
    _write(root, hold)
    return hold


def lift(
    root: Path, chain: AuditChain, hold_id: str, *, reason: str, by: str, day: dt.date
) -> Hold:
    """End a hold.

    Raises
    ------
    ConfigurationError
        If there is no such hold, or it was lifted before.
    """
    known = {h.id: h for h in _known(root, chain)}
    hold = known.get(hold_id)
    if hold is None or hold.lifted:
        raise ConfigurationError(
            f"There is no standing hold {hold_id}", "'lsoalink hold list REGION' shows them"
        )
    words = f"{day.isoformat()}, {required(by, '--by')}: {required(reason, '--reason')}"
    chain.append(
        LIFTED, hold=hold.id, agreement=hold.agreement, source=hold.source, period=hold.period,
        reason=reason.strip(), by=by.strip(), account=getpass.getuser(), day=day.isoformat(),
        words=words,
    )  # fmt: skip
    ended = replace(hold, lifted=words)
    _write(root, ended)
    return ended


def all_holds(root: Path, keys: KeyRing | None = None) -> list[Hold]:
    """Return every hold there ever was, by the audit chain and by the files, oldest first.

    Parameters
    ----------
    keys : KeyRing, optional
        With them a hold is lifted only by an entry of the chain that the platform wrote. Without
        them any such entry is believed: enough to show holds, not to dispose of anything.
    """
    return _known(root, AuditChain(root / "audit", keys))


def active(root: Path, keys: KeyRing | None = None) -> list[Hold]:
    """Return the holds that stand; ``keys`` as for `all_holds`."""
    return [hold for hold in all_holds(root, keys) if not hold.lifted]


def _known(root: Path, chain: AuditChain) -> list[Hold]:
    found: dict[str, Hold] = {}
    for path in records_in(root / "governance" / "holds"):
        content = read_json(path)
        # Whether it was lifted is for the chain to say, not for a file anybody may write.
        hold = _hold(content, content.get("id", path.stem)) if content is not None else None
        if hold is not None:
            found[hold.id] = hold
    certain: set[str] = set()
    lifted: dict[str, str] = {}
    for entry in chain.entries():
        if entry.get("event") == ADDED:
            hold = _hold(entry, entry.get("hold"))
            if hold is None or hold.id in certain:
                continue
            if chain.believes(entry):
                certain.add(hold.id)
                found[hold.id] = hold
            else:
                # It may not narrow a hold that is known otherwise.
                found.setdefault(hold.id, hold)
        elif entry.get("event") == LIFTED and chain.believes(entry):
            lifted.update(_lifted(entry))
    holds = (replace(hold, lifted=lifted.get(hold.id, "")) for hold in found.values())
    return sorted(holds, key=lambda h: (h.day, h.id))


def _lifted(entry: dict[str, Any]) -> dict[str, str]:
    """Return the hold an entry ends and how, in words; nothing if it does not say both."""
    name, words = entry.get("hold"), entry.get("words")
    if isinstance(name, str) and isinstance(words, str) and words.strip():
        return {name: words}
    return {}


def covering(
    holds: Collection[Hold],
    agreements: Collection[str],
    sources: Collection[str],
    periods: Collection[str] = (),
) -> Hold | None:
    """Return the first hold that covers something of these, or None.

    Parameters
    ----------
    periods : collection of str
        Months of the thing asked about; empty where it is of every month, or not known: any hold
        on the source then covers it.
    """
    for hold in holds:
        if hold.agreement is not None and hold.agreement in agreements:
            return hold
        of_month = hold.period is None or not periods or hold.period in periods
        if hold.source is not None and hold.source in sources and of_month:
            return hold
    return None


def _facts(hold: Hold) -> dict[str, Any]:
    return {**asdict(hold), "day": hold.day.isoformat()}


def _hold(content: dict[str, Any], name: object) -> Hold | None:
    """Return the hold that an entry or a file tells of; None if it is on nothing.

    One that was written by hand, and not well, holds all the same.
    """
    texts = {k: v for k, v in content.items() if isinstance(v, str)}
    if not isinstance(name, str) or not ("agreement" in texts or "source" in texts):
        return None
    return Hold(
        id=name,
        agreement=texts.get("agreement"),
        source=texts.get("source"),
        period=texts.get("period"),
        reason=texts.get("reason", ""),
        by=texts.get("by", ""),
        account=texts.get("account", ""),
        day=_day(texts),
    )


def _day(texts: dict[str, str]) -> dt.date:
    for name in ("day", "at"):
        try:
            return dt.date.fromisoformat(texts.get(name, "")[:10])
        except ValueError:
            continue
    return dt.date.min


def _write(root: Path, hold: Hold) -> None:
    text = json.dumps(_facts(hold), indent=1, sort_keys=True)
    write_atomically(root / "governance" / "holds" / f"{hold.id}.json", text.encode(), mode=0o600)
