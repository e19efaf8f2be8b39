"""Which figures of a candidate are withheld, and what is shown in their place.

Belongs here: the steps by which detail is given up, the mildest first. Does not belong here:
finding out which counts are exposed (``coarsening.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from governance.disclosure.known.joint import Part
from publishing.protection.candidate import Candidate, RowKey, Span

GROUPED = "combined"
"""Geography type of a figure for neighbourhoods taken together, in statements."""

ShownOf = Callable[[RowKey], int | None]
"""Given a figure, the numerator that would be published of it."""


class Combined(NamedTuple):
    """A figure that stands for several neighbourhoods whose own are withheld."""

    span: Span
    kind: str
    code: str
    members: tuple[str, ...]


@dataclass
class Withheld:
    """What is withheld to keep small counts unknown, beyond what the profile hides.

    Attributes
    ----------
    rows : dict of RowKey to str
        Withheld figures; ``"pair"`` or ``"msoa"`` where another stands for them, else ``"whole"``.
    combined : dict of (Span, str) to Combined
    reasons : dict of RowKey to str
        Why: the verdict on the count that could be worked back.
    """

    rows: dict[RowKey, str] = field(default_factory=dict)
    combined: dict[tuple[Span, str], Combined] = field(default_factory=dict)
    reasons: dict[RowKey, str] = field(default_factory=dict)


class Withholding:
    """Gives up detail of one candidate, step by step.

    What is tried for a count that could be worked back, in this order:

    1. its neighbourhood's figures are withheld and shown only together with a neighbour's;
    2. all neighbourhoods of the MSOA are withheld, and the MSOA's figure stands for them;
    3. the MSOA's figure is withheld too (for a district's count: the district's);
    4. every figure of the district that shares counts with it is withheld.

    Parameters
    ----------
    candidate : Candidate
    shown : callable
    beside : mapping of str to sequence of str
        Neighbouring LSOAs of each LSOA.
    """

    def __init__(
        self, candidate: Candidate, shown: ShownOf, beside: Mapping[str, Sequence[str]]
    ) -> None:
        self.withheld = Withheld()
        self._fresh: set[RowKey] = set()
        self._candidate = candidate
        self._shown = shown
        self._beside = beside
        self._lsoas: list[dict[str, list[str]]] = [{}, {}]
        for lsoa, nest in sorted(candidate.nesting.items()):
            for position in (0, 1):
                self._lsoas[position].setdefault(nest[position], []).append(lsoa)
        # By what is counted and when: whatever version of the delivery it was counted from.
        self._spans: dict[tuple[str, ...], set[Span]] = defaultdict(set)
        for (span, _), name in candidate.definition_of.items():
            for part in candidate.definitions[name]:
                self._spans[part[:4]].add(span)

    def spans_with(self, parts: Iterable[Part]) -> list[Span]:
        """Return every indicator and period whose figures share counts with the parts."""
        return sorted({s for part in parts for s in self._spans.get(part[:4], ())})

    def begin_round(self) -> None:
        """Forget what was withheld before: it has been attacked without, and did not suffice."""
        self._fresh.clear()

    def step(self, level: str, area: str, parts: Iterable[Part], why: str) -> bool:
        """Give up some detail for the sake of one count.

        Parameters
        ----------
        level, area : str
            Where the count stands; ``GROUPED`` with the code of a combined figure.
        parts : iterable of Part
            What it sums.
        why : str
            The verdict on it.

        Returns
        -------
        bool
            False where nothing is left that could be given up. What was given up in this round for
            another count's sake counts as given up for this one, too.
        """
        lsoas = self._lsoas_of(level, area)
        if not lsoas:
            # A combined figure that this round has given up already.
            return True
        wanted = list(parts)
        # Figures of the same counts first; then those of the same measure from whatever source: an
        # earlier release may have added up what is published apart now.
        return any(
            self._give_up(spans, level, area, lsoas, why)
            for spans in (self.spans_with(wanted), self._kin_of(wanted))
        )

    def _kin_of(self, parts: Iterable[Part]) -> list[Span]:
        """Return every indicator and period that counts a measure of the parts."""
        measures = {part.measure for part in parts}
        return sorted(
            {s for key, spans in self._spans.items() if key[1] in measures for s in spans}
        )

    def _give_up(
        self, spans: Sequence[Span], level: str, area: str, lsoas: Sequence[str], why: str
    ) -> bool:
        msoas = sorted({self._candidate.nesting[lsoa][0] for lsoa in lsoas})
        lads = sorted({self._candidate.nesting[lsoa][1] for lsoa in lsoas})
        if level == "lsoa21" and self._pair(spans, area, why):
            return True
        if level != "lad24":
            return (
                self._whole_msoas(spans, msoas, why)
                or self._whole(spans, "msoa21", msoas, why)
                or self._district(spans, lads, why)
            )
        return self._whole(spans, "lad24", lads, why) or self._district(spans, lads, why)

    def _lsoas_of(self, level: str, area: str) -> list[str]:
        if level == "lsoa21":
            return [area]
        if level == GROUPED:
            standing = (c for c in self.withheld.combined.values() if c.code == area)
            return next((list(c.members) for c in standing), [])
        return self._lsoas[0 if level == "msoa21" else 1].get(area, [])

    def _pair(self, spans: Sequence[Span], lsoa: str, why: str) -> bool:
        """Show a neighbourhood's figures only together with a neighbour's."""
        done = False
        for span in spans:
            if span.at(lsoa) in self._fresh:
                done = True
                continue
            partner = self._partner(span, lsoa)
            if partner is None:
                continue
            members = tuple(sorted((lsoa, partner)))
            code = "+".join(members)
            self.withheld.combined[span, code] = Combined(span, "lsoa21_pair", code, members)
            for member in members:
                self._note(span.at(member), "pair", why)
            done = True
        return done

    def _partner(self, span: Span, lsoa: str) -> str | None:
        """Return whom to show a neighbourhood with: a neighbour whose shown count is large.

        Only what would be published is looked at, so that the choice tells nothing more.
        """

        def free(area: str) -> bool:
            key = span.at(area)
            return key in self._candidate.rows and key not in self.withheld.rows

        def preference(other: str) -> tuple[bool, int, str]:
            shown = self._shown(span.at(other))
            return (other not in self._beside.get(lsoa, ()), -(shown or 0), other)

        if not free(lsoa):
            return None
        inside = self._lsoas[0][self._candidate.nesting[lsoa][0]]
        return min((o for o in inside if o != lsoa and free(o)), key=preference, default=None)

    def _whole_msoas(self, spans: Sequence[Span], msoas: Sequence[str], why: str) -> bool:
        """Withhold every neighbourhood of the MSOAs; the MSOA's figure stands for them."""
        done = False
        for span in (s for s in spans if s.geography_type == "lsoa21"):
            for msoa in msoas:
                members = [a for a in self._lsoas[0][msoa] if span.at(a) in self._candidate.rows]
                done |= any(span.at(a) in self._fresh for a in members)
                shown = [a for a in members if self.withheld.rows.get(span.at(a)) in (None, "pair")]
                if not shown:
                    continue
                done = True
                self._forget_pairs(span, members)
                for area in shown:
                    self._note(span.at(area), "msoa", why)
                # Where the MSOA has a figure of its own for the period, that one stands for them.
                own = span._replace(geography_type="msoa21").at(msoa)
                if own not in self._candidate.rows:
                    combined = Combined(span, "msoa21", msoa, tuple(members))
                    self.withheld.combined[span, msoa] = combined
        return done

    def _forget_pairs(self, span: Span, members: Sequence[str]) -> None:
        for place, combined in list(self.withheld.combined.items()):
            if place[0] == span and set(combined.members) <= set(members):
                del self.withheld.combined[place]

    def _whole(self, spans: Sequence[Span], level: str, areas: Iterable[str], why: str) -> bool:
        """Withhold the figures of areas altogether, and what stands for an MSOA in their place."""
        done = False
        for span in spans:
            for area in areas:
                gone = self.withheld.combined.pop((span, area), None) is not None
                key = span.at(area)
                done |= span.geography_type == level and key in self._fresh
                if (
                    span.geography_type == level
                    and key in self._candidate.rows
                    and key not in self.withheld.rows
                ):
                    self._note(key, "whole", why)
                    gone = True
                if gone:
                    self._forget_stand_in(span, area)
                done |= gone
        return done

    def _forget_stand_in(self, span: Span, msoa: str) -> None:
        """Say of the neighbourhoods an MSOA's figure stood for that nothing stands for them."""
        for lsoa in self._lsoas[0].get(msoa, ()):
            key = span._replace(geography_type="lsoa21").at(lsoa)
            if self.withheld.rows.get(key) == "msoa":
                self.withheld.rows[key] = "whole"

    def _district(self, spans: Sequence[Span], lads: Sequence[str], why: str) -> bool:
        """Withhold everything of the districts that shares counts with a target."""
        lsoas = [lsoa for lad in lads for lsoa in self._lsoas[1][lad]]
        msoas = sorted({self._candidate.nesting[lsoa][0] for lsoa in lsoas})
        done = self._whole_msoas(spans, msoas, why)
        done |= self._whole(spans, "msoa21", msoas, why)
        return self._whole(spans, "lad24", lads, why) or done

    def _note(self, key: RowKey, instead: str, why: str) -> None:
        self.withheld.rows[key] = instead
        self._fresh.add(key)
        self.withheld.reasons.setdefault(key, why)
