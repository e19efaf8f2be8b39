"""Attack a candidate, and withhold detail until the attack fails.

Belongs here: which true counts are attacked, with what the attacker knows, and the loop that
attacks and withholds in turn. Does not belong here: the attack (``governance/disclosure/``), the
steps by which detail is given up (``withholding.py``), or writing what is left (``stage.py``).

A count that is still exposed when all that shares counts with it is withheld is exposed by what
others publish, or by earlier releases: no publication can change it, and the certificate says so.
If neither exposes it, nothing is published.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from declarations.errors import DisclosureError
from governance.disclosure.attacker.examination import Examination, examine
from governance.disclosure.attacker.system import UNBOUNDED
from governance.disclosure.certificate.facts import Lost
from governance.disclosure.counts import bounds, protect
from governance.disclosure.known.joint import (
    NOWHERE,
    UNPLACED_LEVEL,
    Claim,
    Joint,
    Part,
    Statements,
    joint_system,
)
from governance.disclosure.profiles import Profile, default_profile
from publishing.protection.candidate import TERMS, Candidate, RowKey, definition_id
from publishing.protection.knowledge import Known
from publishing.protection.targets import Exact, Figure, Finder, Target
from publishing.protection.withholding import GROUPED, Withheld, Withholding

progress = logging.getLogger("lsoalink.progress")

LARGEST_FOR_TOTAL = 60_000
"""Unknowns up to which the sum of all hidden counts is attacked, which joins them all."""

MOST_ROUNDS = 40
"""Rounds of attack and withholding; each withholds something, so that this is never reached by a
region of ordinary size."""


Place = tuple[str, str, frozenset[Part]]
"""Level, area and parts of a count: the same in every system it is part of."""


class Exposed(NamedTuple):
    """A count that could be worked back: why, and how wide its interval is."""

    target: Target
    why: str
    width: float

    @property
    def place(self) -> Place:
        """Return where the count stands."""
        return _place(self.target)


@dataclass(frozen=True)
class Outcome:
    """A candidate that withstood the attack.

    Attributes
    ----------
    withheld : Withheld
    statements : Statements
        Everything the attacker was given.
    figures : sequence of Figure
    targets : sequence of Target
    examinations : sequence of Examination
        One for each demand, over the targets that have it.
    known_otherwise : sequence of Target
        Exposed by public totals or earlier releases alone.
    rounds : int
    nesting : mapping of str to (str, str)
        MSOA and district of every LSOA.
    hidden_total : int or None
        Sum of the counts that are hidden; None where telling even a coarse form of it would narrow
        an interval.
    """

    withheld: Withheld
    statements: Statements
    figures: Sequence[Figure]
    targets: Sequence[Target]
    examinations: Sequence[Examination]
    known_otherwise: Sequence[Target]
    rounds: int
    nesting: Mapping[str, tuple[str, str]]
    hidden_total: int | None


class Coarsening:
    """One candidate against one attacker.

    Parameters
    ----------
    candidate : Candidate
    known : sequence of Known
        Public totals and earlier releases.
    profile_of : callable
        The profile of an indicator.
    exact : callable
        The exact values of sums nobody publishes.
    beside : mapping of str to sequence of str
        Neighbouring LSOAs of each LSOA.
    """

    def __init__(
        self,
        candidate: Candidate,
        known: Sequence[Known],
        profile_of: Callable[[str], Profile],
        exact: Exact,
        beside: Mapping[str, Sequence[str]],
        *,
        workers: int = 1,
    ) -> None:
        self._candidate = candidate
        self._known = known
        self._profile_of = profile_of
        self._exact = exact
        self._workers = workers
        self._withholding = Withholding(candidate, self._shown, beside)

    def run(self) -> Outcome:
        """Attack and withhold in turn until nothing can be worked back.

        Raises
        ------
        DisclosureError
            If a count stays exposed although nothing that shares counts with it is shown.
        """
        alone: dict[Place, float] = {}
        for number in range(1, MOST_ROUNDS + 1):
            figures = list(self._figures())
            statements = self._statements(f.claim for f in figures)
            joint = joint_system(statements, self._candidate.nesting)
            targets = self._targets(joint, statements, figures)
            # Insiders only once outsiders learn nothing: theirs is the longer search.
            for insider in (False, True):
                examinations = self._attack(joint, targets, insider=insider)
                exposed = _exposed(targets, examinations)
                self._look_at_what_is_known(exposed, alone)
                # No release can hide what is known without it; what it narrows further, it does.
                ours = [e for e in exposed if e.width < alone[e.place]]
                if ours:
                    break
            progress.info(
                "attack %d: %d counts that could be small, %d could be worked back",
                number, len(targets), len(ours),
            )  # fmt: skip
            if not ours:
                otherwise = [e.target for e in exposed]
                return Outcome(
                    self._withheld,
                    statements,
                    figures,
                    targets,
                    examinations,
                    otherwise,
                    number,
                    self._candidate.nesting,
                    self._hidden_total(joint, figures, targets, otherwise),
                )
            self._withholding.begin_round()
            moved = [
                self._withholding.step(*self._where(e.target), e.target.parts, e.why) for e in ours
            ]
            if not any(moved):
                raise DisclosureError(
                    f"{len(ours)} small count(s) could be worked back from the release however "
                    "much of it is withheld",
                    "Publish fewer indicators that share counts, or longer periods",
                )
        raise DisclosureError(
            f"After {MOST_ROUNDS} rounds of withholding, small counts can still be worked back",
            "Publish fewer indicators at LSOA level, or longer periods",
        )

    @property
    def _withheld(self) -> Withheld:
        return self._withholding.withheld

    def _shown(self, key: RowKey) -> int | None:
        exact = self._candidate.rows[key].numerator
        return protect(exact, self._profile_of(key.indicator_id)).value

    def _definitions(self) -> dict[str, frozenset[Part]]:
        """Return every definition, the candidate's last: its deliveries are the newest."""
        merged: dict[str, frozenset[Part]] = {}
        for known in self._known:
            merged |= known.definitions
        for name, parts in self._candidate.definitions.items():
            merged.pop(name, None)
            merged[name] = parts
        for combined in self._withheld.combined.values():
            for parts in self._candidate.definitions_of(combined.span):
                merged[definition_id(parts, GROUPED)] = parts
        return merged

    def _members(self) -> dict[str, Sequence[str]]:
        found: dict[str, Sequence[str]] = {}
        for known in self._known:
            found |= known.members
        return found | {c.code: c.members for c in self._withheld.combined.values()}

    def _tokens(self) -> dict[tuple[str, str, str], Mapping[str, bytes]]:
        found: dict[tuple[str, str, str], Mapping[str, bytes]] = {}
        for known in self._known:
            found |= known.tokens
        return found | dict(self._candidate.tokens)

    def _statements(self, own: Iterable[Claim]) -> Statements:
        """Return everything the attacker is given, the candidate's own claims last."""
        claims = [claim for known in self._known for claim in known.claims]
        return Statements(self._definitions(), [*claims, *own], self._members(), self._tokens())

    def _figures(self) -> Iterable[Figure]:
        """Yield every term of every figure, and of those that stand for several neighbourhoods."""
        for key, row in self._candidate.rows.items():
            span = self._candidate.span_of(key)
            for term in TERMS:
                name = self._candidate.definition_of.get((span, term))
                exact = row.exact(term)
                if name is None or exact is None:
                    continue
                # Of a withheld figure the candidate says nothing.
                low, high = 0.0, UNBOUNDED
                if key not in self._withheld.rows:
                    low, high = self._bounds(key.indicator_id, exact)
                claim = Claim(name, key.geography_type, key.geography_code, low, high)
                yield Figure(key, term, exact, claim)
        for combined in self._withheld.combined.values():
            for term, exact in self._candidate.combined_terms(
                combined.span, combined.members
            ).items():
                name = self._candidate.definition_of.get((combined.span, term))
                if name is not None and exact is not None:
                    low, high = self._bounds(combined.span.indicator_id, exact)
                    name = definition_id(self._candidate.definitions[name], GROUPED)
                    claim = Claim(name, GROUPED, combined.code, low, high)
                    yield Figure(combined.span.at(combined.code), term, exact, claim)

    def _bounds(self, indicator_id: str, exact: int) -> tuple[float, float]:
        profile = self._profile_of(indicator_id)
        return bounds(*protect(exact, profile), profile)

    def _targets(
        self, joint: Joint, statements: Statements, figures: Sequence[Figure]
    ) -> list[Target]:
        finder = Finder(joint, statements)
        finder.add_figures(figures, self._profile_of)
        current = {p for parts in self._candidate.definitions.values() for p in parts}
        finder.add_sums(current, self._exact, self._strictest)
        finder.add_earlier([known.could_be_small for known in self._known], current, self._exact)
        return finder.found()

    def _strictest(self, parts: frozenset[Part]) -> Profile:
        """Return, of the profiles that a sum's parts are published under, the most demanding."""
        names = {span.indicator_id for span in self._withholding.spans_with(parts)}
        return max(
            (self._profile_of(name) for name in sorted(names)),
            key=lambda p: (p.safe.width, p.safe.outside, p.small.below),
            # Of an earlier release, and nothing like it is published any more.
            default=default_profile(),
        )

    def _where(self, target: Target) -> tuple[str, str]:
        """Return level and area of a target; of one that an earlier release drew, its MSOA."""
        if target.level == UNPLACED_LEVEL:
            return "lad24", target.area
        if target.level != GROUPED or target.key is not None:
            return target.level, target.area
        first = self._members()[target.area][0]
        return "msoa21", self._candidate.nesting[first][0]

    def _attack(
        self, joint: Joint, targets: Sequence[Target], *, insider: bool = True
    ) -> list[Examination]:
        found = []
        for demand in dict.fromkeys(t.demand for t in targets):
            chosen = [t for t in targets if t.demand == demand]
            found.append(
                examine(
                    joint.system,
                    np.array([t.number for t in chosen]),
                    np.array([np.nan if t.truth is None else t.truth for t in chosen]),
                    demand,
                    insider=insider,
                    workers=self._workers,
                )
            )
        return found

    def _hidden_total(
        self,
        joint: Joint,
        figures: Sequence[Figure],
        targets: Sequence[Target],
        stuck: Sequence[Target],
    ) -> int | None:
        """Return the sum of the hidden counts, if telling it coarsely gives nothing away.

        It is one more equation over most of the system, so it is attacked like any other; for a
        region too large for that it is not told.
        """
        numbers = joint.numbers[len(joint.numbers) - len(figures) :]
        hidden = {
            number: figure.exact
            for figure, number in zip(figures, numbers, strict=True)
            if number != NOWHERE
            and figure.key not in self._withheld.rows
            and protect(figure.exact, self._profile_of(figure.key.indicator_id)).value is None
        }
        total = sum(hidden.values())
        told = Lost(len(figures), len(hidden), 0, hidden_total=total).hidden_sum_bounds()
        if told is None or len(joint.system.lower) > LARGEST_FOR_TOTAL:
            return None
        system = joint.system.with_sum(list(hidden), *told)
        free = [t for t in targets if t not in stuck]
        # Against outsiders: an insider knows one record of thousands that a coarse sum is about.
        again = self._attack(Joint(system, joint.numbers, joint.derived), free, insider=False)
        return None if _exposed(free, again) else total

    def _look_at_what_is_known(self, exposed: Sequence[Exposed], alone: dict[Place, float]) -> None:
        """Find out how wide the intervals are that public totals and earlier releases leave.

        Parameters
        ----------
        alone : dict of Place to float
            Added to: the width, if that is too narrow by itself, else infinite.
        """
        places = {e.place for e in exposed} - alone.keys()
        if not places:
            return
        figures = [
            f._replace(claim=f.claim._replace(lower=0.0, upper=UNBOUNDED)) for f in self._figures()
        ]
        statements = self._statements(f.claim for f in figures)
        joint = joint_system(statements, self._candidate.nesting)
        targets = self._targets(joint, statements, figures)
        asked = [t for t in targets if _place(t) in places]
        alone.update(dict.fromkeys(places, UNBOUNDED))
        alone.update({e.place: e.width for e in _exposed(asked, self._attack(joint, asked))})


def _place(target: Target) -> Place:
    return (target.level, target.area, target.parts)


def _exposed(targets: Sequence[Target], examinations: Sequence[Examination]) -> list[Exposed]:
    by_number = {t.number: t for t in targets}
    return [
        Exposed(by_number[int(number)], str(why), float(high - low))
        for examination in examinations
        for number, bad, why, low, high in zip(
            examination.targets, examination.failed, examination.reasons, examination.lower,
            examination.upper, strict=True,
        )
        # What surely is no small count may be known however exactly.
        if bad and low < examination.demand.below
    ]  # fmt: skip
