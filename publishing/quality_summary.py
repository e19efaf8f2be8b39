"""What the quality tables say, arranged for people: states, actions, checks and accounts.

Belongs here: pure arrangement of rows. Does not belong here: HTML (``quality_page.py``) or judging
a delivery (``governance/``, ``expectations/``).

Every function takes rows as dictionaries, in the columns of ``dictionary.py``.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from declarations.base import months_between
from intake.accounting import ACCOUNTED
from publishing.facts import SourceFact
from publishing.reasons import reason_of, split_codes

Row = Mapping[str, Any]

STATES = {
    "admitted": ("A", "admitted"),
    "trimmed": ("T", "trimmed: columns or rows were taken out first"),
    "refused": ("R", "refused"),
    "quarantined": ("Q", "quarantined: set aside until it is corrected"),
    "waiting": ("W", "arrived, not decided yet"),
    "missing": ("\u2013", "missing: due and not there"),
    "not_due": ("·", "not due yet"),
}
"""State of a source and month -> letter and words."""

OUTSIDE_CALENDAR = {"unknown_name", "future_period", "out_of_calendar"}
URGENCY = ("quarantined", "refused", "missing", "waiting", "late")


def in_days(number: int) -> str:
    """Return a number of days in words."""
    return "1 day" if number == 1 else f"{number:,} days"


@dataclass(frozen=True)
class Cell:
    """One source in one month of the calendar."""

    state: str
    late_days: int
    reasons: tuple[str, ...]
    message: str = ""

    @property
    def letter(self) -> str:
        """The letter of the state, so that colour is never alone."""
        return STATES[self.state][0]

    @property
    def words(self) -> str:
        """The cell in words."""
        late = f", {in_days(self.late_days)} late" if self.late_days else ""
        return STATES[self.state][1] + late


@dataclass(frozen=True)
class Action:
    """Something somebody must do, over all months it concerns."""

    state: str
    source: SourceFact
    months: tuple[str, ...]
    why: str
    fix: str
    who: str
    message: str = ""


@dataclass(frozen=True)
class FailedCheck:
    """A check that failed or could not run, over all deliveries of one source."""

    source: SourceFact
    check_id: str
    column: str
    severity: str
    outcome: str
    months: tuple[str, ...]
    rows_checked: int
    rows_failed: int
    meaning: str


@dataclass(frozen=True)
class Account:
    """What became of one quantity of one source, over all its periods."""

    source: SourceFact
    quantity: str
    received: int
    received_hidden: int
    parts: tuple[tuple[str, str, int, int], ...]
    periods: int
    open_periods: tuple[str, ...]

    @property
    def shown(self) -> int:
        """Sum of the parts that are not hidden."""
        return sum(amount for _, _, amount, _ in self.parts)

    @property
    def hidden(self) -> int:
        """How many amounts are hidden."""
        return self.received_hidden + sum(hidden for *_, hidden in self.parts)


def known_sources(declared: Sequence[SourceFact], *tables: Iterable[Row]) -> dict[str, SourceFact]:
    """Return every source by id: those declared, then those only the tables name."""
    found = {s.source_id: s for s in declared}
    for row in (r for table in tables for r in table):
        source = row["source_id"]
        if source not in found:
            agency = row.get("agency") or ""
            found[source] = SourceFact(source, source.replace("_", " "), agency, "")
    return found


def states(
    deliveries: Sequence[Row],
    decisions: Sequence[Row],
    sources: Mapping[str, SourceFact],
    as_of: dt.date,
) -> dict[tuple[str, str], Cell]:
    """Return the state of every source and period that arrived or was expected.

    The latest version decides: an early refusal no longer counts once a corrected file is admitted.
    A period without a file is 'missing' from the day after its due day.
    """
    arrived: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in deliveries:
        arrived[row["source_id"], row["period"] or ""].append(row)
    decided: dict[tuple[str, str], Row] = {}
    for row in decisions:
        key = row["source_id"], row["period"] or ""
        if key not in decided or (row["version"] or 0) >= (decided[key]["version"] or 0):
            decided[key] = row
    cells = {}
    for key in sorted({*arrived, *decided}):
        cells[key] = _cell(arrived.get(key, []), decided.get(key))
    for source in sources.values():
        for expected in source.expected:
            key = source.source_id, expected.period
            if key not in cells:
                overdue = (as_of - expected.due_on).days
                cells[key] = Cell("missing" if overdue > 0 else "not_due", max(overdue, 0), ())
    return cells


def _cell(arrived: Sequence[Row], decision: Row | None) -> Cell:
    taken = [r for r in arrived if r["outcome"] == "accepted"]
    first_days = [r["days_late"] for r in taken if r["days_late"] is not None]
    # The period was served by its first accepted file; a later correction is not a late delivery.
    late = max(0, min(first_days)) if first_days else 0
    if decision is not None:
        return Cell(
            decision["decision"],
            late,
            tuple(split_codes(decision["reasons"])),
            decision["message"] or "",
        )
    if taken:
        return Cell("waiting", late, ("waiting",))
    refused = [r for r in arrived if r["outcome"] == "refused"]
    last = (refused or list(arrived))[-1]
    return Cell("refused", 0, tuple(split_codes(last["reason"])), last["message"] or "")


def headline(
    deliveries: Sequence[Row], cells: Mapping[tuple[str, str], Cell]
) -> list[tuple[str, int, str]]:
    """Return name, number and explanation of each headline box."""
    count: dict[str, int] = defaultdict(int)
    for cell in cells.values():
        count[cell.state] += 1
    late = sum(1 for c in cells.values() if c.late_days and c.state != "missing")
    return [
        ("Received", len(deliveries), "files that arrived, repeats and corrections included"),
        ("Admitted", count["admitted"], "source months used as they came"),
        ("Trimmed", count["trimmed"], "source months used after something was taken out"),
        ("Refused", count["refused"], "source months with no usable file"),
        ("Quarantined", count["quarantined"], "source months set aside until corrected"),
        ("Late", late, "source months that arrived after the due day"),
        ("Missing", count["missing"], "source months that are due and not there"),
    ]


def actions(
    cells: Mapping[tuple[str, str], Cell], sources: Mapping[str, SourceFact]
) -> list[Action]:
    """Return what needs doing, the most urgent first, one row per source and reason."""
    grouped: dict[tuple[str, str, str], list[tuple[str, Cell]]] = defaultdict(list)
    for (source, period), cell in cells.items():
        if cell.state in URGENCY:
            codes = cell.reasons or (cell.state,)
            grouped[cell.state, source, ",".join(codes)].append((period, cell))
        elif cell.late_days and cell.state in ("admitted", "trimmed"):
            grouped["late", source, "late"].append((period, cell))
    found = []
    for (state, source, joined), items in grouped.items():
        reasons = [reason_of(c) for c in split_codes(joined)]
        why = "; ".join(r.words for r in reasons)
        days = max(c.late_days for _, c in items)
        if state in ("late", "missing") and days:
            most = "up to " if len(items) > 1 else ""
            why += f" ({most}{in_days(days)} {'overdue' if state == 'missing' else 'late'})"
        found.append(
            Action(
                state,
                sources[source],
                tuple(sorted(p for p, _ in items)),
                why,
                "; ".join(dict.fromkeys(r.fix for r in reasons)),
                "; ".join(dict.fromkeys(r.who for r in reasons)),
                next((c.message for _, c in reversed(items) if c.message), ""),
            )
        )
    return sorted(found, key=lambda a: (URGENCY.index(a.state), a.source.source_id, a.why))


def calendar_months(cells: Mapping[tuple[str, str], Cell]) -> list[str]:
    """Return every month from the first to the last that any source has or owes.

    A file that was refused because its name gives no month of the calendar does not stretch it.
    """
    months = [p for (_, p), cell in cells.items() if p and in_calendar(cell)]
    return months_between(min(months), max(months)) if months else []


def in_calendar(cell: Cell) -> bool:
    """Whether a cell belongs in the calendar: False for a refusal over the month itself."""
    return not OUTSIDE_CALENDAR.intersection(cell.reasons)


def dropped_columns(
    decisions: Sequence[Row], sources: Mapping[str, SourceFact]
) -> list[dict[str, Any]]:
    """Return, by source and agreement, the names of the columns that did not go on."""
    grouped: dict[tuple[str, str, str], dict[str, set[str]]] = defaultdict(
        lambda: {"dropped": set(), "undeclared": set(), "clauses": set()}
    )
    for row in decisions:
        entry = grouped[row["source_id"], row["agreement_id"] or "", row["agreement_version"] or ""]
        entry["dropped"] |= set(split_codes(row["columns_dropped"]))
        entry["undeclared"] |= set(split_codes(row["columns_undeclared"]))
        entry["clauses"] |= {row["clause"]} if row["clause"] else set()
    return [
        {
            "source": sources[source],
            "agreement": agreement,
            "version": version,
            **{name: sorted(values) for name, values in entry.items()},
        }
        for (source, agreement, version), entry in sorted(grouped.items())
        if entry["dropped"] or entry["undeclared"]
    ]


def failed_checks(checks: Sequence[Row], sources: Mapping[str, SourceFact]) -> list[FailedCheck]:
    """Return the checks that did not pass, blocking ones first, then by how many rows failed."""
    grouped: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in checks:
        if row["outcome"] != "passed":
            grouped[row["source_id"], row["check_id"], row["outcome"]].append(row)
    found = [
        FailedCheck(
            sources[source],
            check,
            rows[0]["column_name"] or "",
            rows[0]["severity"],
            outcome,
            tuple(sorted({r["period"] or "" for r in rows})),
            sum(r["rows_checked"] or 0 for r in rows),
            sum(r["rows_failed"] or 0 for r in rows),
            rows[0]["meaning"] or "",
        )
        for (source, check, outcome), rows in grouped.items()
    ]
    return sorted(
        found,
        key=lambda c: (c.severity != "blocking", -c.rows_failed, c.source.source_id, c.check_id),
    )


def accounts(accounting: Sequence[Row], sources: Mapping[str, SourceFact]) -> list[Account]:
    """Return, by source and quantity, what was received and what became of it.

    A period is open where received is not the sum of all that became of it; periods with protected
    amounts cannot be judged and are left out of that test.
    """
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in accounting:
        grouped[row["source_id"], row["quantity"]].append(row)
    found = []
    for (source, quantity), rows in sorted(grouped.items(), key=lambda g: (g[0][0], g[0][1])):
        received = [r for r in rows if r["outcome"] == "received"]
        parts: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            if row["outcome"] != "received":
                parts[row["outcome"], row["detail"]].append(row)
        found.append(
            Account(
                sources[source],
                quantity,
                sum(r["amount"] or 0 for r in received),
                sum(1 for r in received if r["amount"] is None),
                tuple(
                    (
                        outcome,
                        detail,
                        sum(r["amount"] or 0 for r in items),
                        sum(1 for r in items if r["amount"] is None),
                    )
                    for (outcome, detail), items in sorted(
                        parts.items(),
                        key=lambda p: (
                            ACCOUNTED.index(p[0][0]),
                            -sum(r["amount"] or 0 for r in p[1]),
                            p[0][1],
                        ),
                    )
                ),
                len({r["period"] for r in rows}),
                _open_periods(rows),
            )
        )
    return found


def _open_periods(rows: Sequence[Row]) -> tuple[str, ...]:
    balance: dict[str, int] = defaultdict(int)
    hidden = {r["period"] or "" for r in rows if r["protected"] or r["amount"] is None}
    for row in rows:
        amount = row["amount"] or 0
        balance[row["period"] or ""] += amount if row["outcome"] == "received" else -amount
    return tuple(sorted(p for p, rest in balance.items() if rest and p not in hidden))


def lineage_by_source(
    lineage: Sequence[Row], sources: Mapping[str, SourceFact]
) -> list[dict[str, Any]]:
    """Return, by source, its agreement and licence, the indicators made from it and its files."""
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in lineage:
        grouped[row["source_id"], row["agreement_id"] or ""].append(row)
    return [
        {
            "source": sources[source],
            "title": rows[0]["title"] or source,
            "agency": rows[0]["agency"] or "",
            "agreement": agreement,
            "agreement_title": rows[0]["agreement_title"] or "",
            "licence": rows[0]["licence"] or "",
            "synthetic": any(r["synthetic"] for r in rows),
            "indicators": sorted({r["indicator_id"] for r in rows}),
            "files": sorted({(r["period"] or "", r["file_name"], r["sha256"]) for r in rows}),
        }
        for (source, agreement), rows in sorted(grouped.items())
    ]
