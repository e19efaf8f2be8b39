"""Legal holds: what must not be disposed of, whatever its clock says.

Belongs here: adding, lifting and asking for holds. The audit chain is what counts: a hold whose
file was removed by hand still stands, and one is lifted only where the chain says so.
Does not belong here: disposal itself (``disposal.py``).
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from declarations.errors import ConfigurationError
from governance.audit import AuditChain
from governance.lifecycle.holdings import read_json, records_in
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
    known = {h.id: h for h in all_holds(root)}
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
    ended = Hold(**{**asdict(hold), "lifted": words})
    _write(root, ended)
    return ended


def all_holds(root: Path) -> list[Hold]:
    """Return every hold there ever was, by the audit chain and by the files, oldest first."""
    found: dict[str, Hold] = {}
    for path in records_in(root / "governance" / "holds"):
        content = read_json(path)
        if content is not None:
            # Whether it was lifted is for the chain to say, not for a file anybody may write.
            found[str(content["id"])] = _hold({**content, "lifted": ""})
    for entry in AuditChain(root / "audit").entries():
        if entry.get("event") == ADDED:
            found[str(entry["hold"])] = _hold({**entry, "id": entry["hold"], "lifted": ""})
        elif entry.get("event") == LIFTED and str(entry["hold"]) in found:
            hold = found[str(entry["hold"])]
            found[hold.id] = Hold(**{**asdict(hold), "lifted": str(entry["words"])})
    return sorted(found.values(), key=lambda h: (h.day, h.id))


def active(root: Path) -> list[Hold]:
    """Return the holds that stand."""
    return [hold for hold in all_holds(root) if not hold.lifted]


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


def _hold(content: dict[str, Any]) -> Hold:
    names = Hold.__annotations__
    kept = {k: content.get(k) for k in names if k != "day"}
    return Hold(**{**kept, "day": dt.date.fromisoformat(str(content["day"]))})  # type: ignore[arg-type]


def _write(root: Path, hold: Hold) -> None:
    text = json.dumps(_facts(hold), indent=1, sort_keys=True)
    write_atomically(root / "governance" / "holds" / f"{hold.id}.json", text.encode(), mode=0o600)
