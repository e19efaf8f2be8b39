"""Which deliveries feed which window of an indicator, and for which districts some are missing.

Belongs here: the reasoning over declarations and admitted deliveries. It reads no count, so it can
be read and tested as a table. Does not belong here: the summing of counts (``compute.py``).

The rules
---------
flow
    Every delivery a supplier owes within the window is summed. If one was not admitted, the
    districts of that supplier are missing: a sum over fewer months is not a smaller number but an
    unknown one.
stock
    Never summed over time. The last admitted delivery within the window stands for it, with a note
    if it is older than the one owed last.
once
    A source delivered once (a census) serves every window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from declarations.base import month_index, month_of, months_between
from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from declarations.expressions import Term
from declarations.indicators import Level, Output
from indicators.notes import joined
from indicators.windows import MONTHS_IN, Window, WindowKind, window_of, windows

TermName = Literal["numerator", "denominator"]

LATEST_LOOKBACK_MONTHS = 12
"""A district's last stock may be this many months old and still stand in a 'latest' window."""

QUARTER_RESIDUE = 2
"""Month index modulo 3 of March, June, September and December."""


class Counted(Protocol):
    """Whatever sums declared measures over windows: an indicator, or a total others publish."""

    @property
    def numerator(self) -> Term | None:
        """What is summed."""

    @property
    def denominator(self) -> Term | None:
        """What it is divided by, if anything."""

    @property
    def outputs(self) -> list[Output]:
        """The levels and windows it is summed for."""


@dataclass(frozen=True)
class Stretch:
    """A window at a level: one line of an indicator's output plan.

    Attributes
    ----------
    number : int
        Identifies the stretch within its plan.
    level : {'lsoa21', 'msoa21', 'lad24'}
    kind : {'month', 'quarter', 'year', 'latest'}
    window : Window
    """

    number: int
    level: Level
    kind: WindowKind
    window: Window


@dataclass(frozen=True)
class Use:
    """One delivery's counts of one measure, summed into one term of a stretch.

    ``period`` is None for a source that was delivered once: all it holds is used.
    """

    stretch: int
    term: TermName
    measure: str
    source_id: str
    period: str | None


@dataclass(frozen=True)
class Cover:
    """Whether a district's deliveries for a stretch are all there.

    ``notes`` is the comma-separated list of note identifiers that follow, or None.
    """

    stretch: int
    lad24cd: str
    numerator_missing: bool
    denominator_missing: bool
    notes: str | None


@dataclass(frozen=True)
class Plan:
    """All that has to be known before any count is read."""

    stretches: tuple[Stretch, ...]
    uses: tuple[Use, ...]
    covers: tuple[Cover, ...]


@dataclass(frozen=True)
class _Part:
    """What one source gives to one measure in one window."""

    periods: tuple[str | None, ...]
    missing: bool
    notes: frozenset[str] = frozenset()


def calendar_end(
    declarations: RegionDeclarations,
    admitted: Mapping[str, Collection[str]],
    last_period: str | None = None,
) -> str:
    """Return the last month of the region's calendar.

    The one asked for, else the region's own, else the latest month any delivery was admitted for.
    """
    if last_period is not None:
        return last_period
    if declarations.region.last_period is not None:
        return declarations.region.last_period
    delivered = [
        period
        for source in declarations.sources.values()
        if source.cadence != "once"
        for period in admitted.get(source.id, ())
    ]
    return max(delivered, default=declarations.region.first_period)


def plan(
    indicator: Counted,
    declarations: RegionDeclarations,
    admitted: Mapping[str, Collection[str]],
    last_period: str | None = None,
) -> Plan:
    """Lay out which deliveries an indicator needs, uses and lacks.

    Parameters
    ----------
    indicator : Indicator
        A counted one.
    declarations : RegionDeclarations
    admitted : mapping of str to collection of str
        The admitted periods (``YYYY-MM``) of each source; for a source delivered once any entry,
        even an empty text, says that it was admitted.
    last_period : str, optional
        Ends the calendar earlier or later than the region itself says.

    Returns
    -------
    Plan
        Stretches in order of the indicator's outputs, oldest first; a cover for every stretch and
        district.
    """
    end = calendar_end(declarations, admitted, last_period)
    stretches = _stretches(indicator, declarations, admitted, end)
    districts = [d.lad24cd for d in declarations.region.districts]
    terms: dict[TermName, Term | None] = {
        "numerator": indicator.numerator,
        "denominator": indicator.denominator,
    }
    uses: dict[Use, None] = {}
    covers: list[Cover] = []
    for stretch in stretches:
        missing: dict[tuple[TermName, str], bool] = {}
        notes: dict[str, set[str]] = {lad: set() for lad in districts}
        for name, term in terms.items():
            for measure in term.measures if term else ():
                parts = _parts(measure, stretch, declarations, admitted)
                for source, part in parts:
                    for period in part.periods:
                        uses[Use(stretch.number, name, measure, source.id, period)] = None
                for lad in districts:
                    mine = [p for s, p in parts if s.lad24cd in (None, lad)]
                    lacking = not mine or any(p.missing for p in mine)
                    missing[name, lad] = missing.get((name, lad), False) or lacking
                    notes[lad] |= {n for p in mine for n in p.notes}
                    if not mine:
                        notes[lad].add("not_supplied")
        covers += [
            Cover(
                stretch=stretch.number,
                lad24cd=lad,
                numerator_missing=missing["numerator", lad],
                denominator_missing=missing.get(("denominator", lad), False),
                notes=joined(notes[lad]),
            )
            for lad in districts
        ]
    return Plan(tuple(stretches), tuple(uses), tuple(covers))


def _stretches(
    indicator: Counted,
    declarations: RegionDeclarations,
    admitted: Mapping[str, Collection[str]],
    end: str,
) -> list[Stretch]:
    measures = indicator.numerator.measures if indicator.numerator else []
    suppliers = {s.id: s for m in measures for s in declarations.suppliers_of(m)}
    found: dict[tuple[Level, str, str], tuple[WindowKind, Window]] = {}
    for output in indicator.outputs:
        for window in _windows(output.window, measures, suppliers, declarations, admitted, end):
            # 'latest' may be a month or quarter that another output of the level already gives.
            found.setdefault((output.level, window.first, window.last), (output.window, window))
    return [
        Stretch(number, level, kind, window)
        for number, ((level, _, _), (kind, window)) in enumerate(found.items())
    ]


def _windows(
    kind: WindowKind,
    measures: Iterable[str],
    suppliers: Mapping[str, Source],
    declarations: RegionDeclarations,
    admitted: Mapping[str, Collection[str]],
    end: str,
) -> list[Window]:
    region = declarations.region
    periodic = [s for s in suppliers.values() if s.cadence != "once"]
    is_flow = any(declarations.measure(m).additivity == "flow" for m in measures)
    delivered = sorted(
        {p for s in periodic for p in admitted.get(s.id, ()) if p <= end} if periodic else ()
    )
    if kind == "latest":
        once = sorted(s.period for s in suppliers.values() if s.period is not None)
        last = delivered[-1] if delivered else (once[-1] if once and not periodic else end)
        if not (is_flow and periodic):
            return windows(last, last, "latest", region.release_month)
        length = max(s.months for s in periodic)
        return [window_of(month_of(month_index(last) - length + 1), last)]
    first = region.first_period
    monthly_flow = is_flow and any(s.months == 1 for s in periodic)
    if kind == "quarter" and not monthly_flow:
        # A quarterly delivery of the first months covers a quarter that began before the calendar.
        first = month_of(month_index(first) - MONTHS_IN["quarter"] + 1)
    found = windows(first, end, kind, region.release_month)
    if periodic and not delivered:
        # What nobody has ever delivered fills no release with a calendar of missing rows.
        return []
    if delivered:
        # Before its first delivery the measure did not exist: no row, rather than a missing one.
        found = [w for w in found if w.last >= delivered[0]]
    ended = [s.last_period for s in periodic if s.last_period is not None]
    if periodic and len(ended) == len(periodic):
        # Nor after the last delivery of suppliers that have all ended.
        found = [w for w in found if w.first <= max(ended)]
    return found


def _parts(
    measure: str,
    stretch: Stretch,
    declarations: RegionDeclarations,
    admitted: Mapping[str, Collection[str]],
) -> list[tuple[Source, _Part]]:
    additivity = declarations.measure(measure).additivity
    found = []
    for source in declarations.suppliers_of(measure):
        periods = sorted(admitted.get(source.id, ()))
        if source.cadence == "once":
            # Whether a census was delivered is all that matters: it serves every window.
            part = _Part((None,), False) if periods else _lacking()
        elif additivity == "flow":
            part = _flow(source, stretch.window, periods, declarations.region.release_month)
        else:
            part = _stock(source, stretch, periods, declarations.region.release_month)
        found.append((source, part))
    return found


def _lacking() -> _Part:
    return _Part((), True, frozenset({"incomplete"}))


def _flow(source: Source, window: Window, periods: list[str], release_month: int) -> _Part:
    owed = owed_periods(source, window, periods, release_month)
    if source.months > window.months or not owed or set(owed) - set(periods):
        return _lacking()
    offset = source.months > 1 and owed[-1] != window.last
    return _Part(tuple(owed), False, frozenset({"period_offset"} if offset else ()))


def _stock(source: Source, stretch: Stretch, periods: list[str], release_month: int) -> _Part:
    window = stretch.window
    earliest = window.first
    if stretch.kind == "latest":
        earliest = month_of(month_index(window.last) - LATEST_LOOKBACK_MONTHS + 1)
    usable = [p for p in periods if earliest <= p <= window.last]
    if not usable:
        return _lacking()
    owed = owed_periods(source, window, periods, release_month)
    older = usable[-1] < (owed[-1] if owed else window.first)
    return _Part((usable[-1],), False, frozenset({"stock_earlier"} if older else ()))


def owed_periods(
    source: Source, window: Window, periods: list[str], release_month: int
) -> list[str]:
    """Return the months within a window a source owes a delivery for.

    Which months those are for a quarterly or yearly source is read from its admitted deliveries
    (some send for March, June, ..., others for January, April, ...); before the first one,
    calendar quarters and years that end in ``release_month`` are taken.
    """
    step = source.months
    if step == 1:
        return months_between(window.first, window.last)
    default = QUARTER_RESIDUE if step == MONTHS_IN["quarter"] else (release_month - 1) % step
    residues = Counter(month_index(p) % step for p in periods)
    residue = min(residues, key=lambda r: (-residues[r], r)) if residues else default
    return [
        p for p in months_between(window.first, window.last) if month_index(p) % step == residue
    ]
