"""What an attacker knows beside the release: earlier releases, and totals others publish.

Belongs here: turning the declared public totals of a region, and its ledger, into statements about
the same counts as the candidate's. Does not belong here: the candidate itself (``candidate.py``),
or how statements overlap (``governance/disclosure/known/joint.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from declarations.declared import RegionDeclarations
from declarations.region import PublicTotals
from governance.disclosure.attacker.system import UNBOUNDED
from governance.disclosure.known.joint import LEVELS, Claim, Derived, Part
from governance.disclosure.profiles import Profile, profile
from indicators.plan import plan
from publishing.protection.candidate import (
    Candidate,
    definition_id,
    exact_sums,
    parts_of_term,
)
from publishing.protection.past_releases import whole_ledger
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass(frozen=True)
class Known:
    """Statements of one origin.

    Attributes
    ----------
    definitions : mapping of str to frozenset of Part
    claims : sequence of Claim
    members : mapping of str to sequence of str
    tokens : mapping of (source, period, state) to mapping of str to bytes
    could_be_small : sequence of (Claim, Profile)
        Those of the claims whose count could be small, with the profile it was published under.
    """

    definitions: Mapping[str, frozenset[Part]]
    claims: Sequence[Claim]
    members: Mapping[str, Sequence[str]]
    tokens: Mapping[tuple[str, str, str], Mapping[str, bytes]]
    could_be_small: Sequence[tuple[Claim, Profile]] = ()


def earlier_releases(workspace: Workspace, among: Collection[str]) -> Known:
    """Return what earlier releases said, as statements about the counts they were made of.

    Parameters
    ----------
    among : collection of str
        The releases that count as earlier.
    """
    said = whole_ledger(workspace).read(only=among)
    definitions: dict[str, set[Part]] = defaultdict(set)
    for name, *part in _rows(said.definition_parts, "definition_id", *Part._fields):
        definitions[name].add(Part(*(p or "" for p in part)))
    level_of = dict(_rows(said.definitions, "definition_id", "geography_type"))
    claims, small = [], []
    for name, code, drawn, low, high, under in _rows(
        said.cells, "definition_id", "area_code", "area_id", "lower", "upper", "profile"
    ):
        definitions.setdefault(name, set())
        upper = UNBOUNDED if high is None else float(high)
        # An MSOA that also stands for its neighbourhoods has members too, and is still that MSOA.
        area = code if level_of[name] in LEVELS else drawn
        claim = Claim(name, level_of[name], area, float(low), upper)
        claims.append(claim)
        if low < profile(under).small.below and upper >= 1:
            small.append((claim, profile(under)))
    members: dict[str, list[str]] = defaultdict(list)
    for area, lsoa in _rows(said.members, "area_id", "lsoa21cd"):
        members[area].append(lsoa)
    tokens: dict[tuple[str, str, str], dict[str, bytes]] = defaultdict(dict)
    for source, period, state, place, token in _rows(
        said.tokens, "source_id", "period", "state", "lsoa21cd", "token"
    ):
        tokens[source, period, state][place] = token
    return Known(
        {name: frozenset(parts) for name, parts in definitions.items()}, claims, members, tokens,
        small,
    )  # fmt: skip


def _rows(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table.column(name).to_pylist() for name in names), strict=True)


def public_totals(
    declared: RegionDeclarations,
    candidate: Candidate,
    connection: duckdb.DuckDBPyConnection,
    areas: str,
) -> Known:
    """Return the totals that anybody can read elsewhere, exactly as they are published there.

    The attacker is credited with the exact number, whatever the region itself shows. It is taken
    from the region's own counts: what the agencies sent here they reported there.
    """
    states = {pair[:2]: pair[2] for pair in candidate.tokens}
    definitions: dict[str, frozenset[Part]] = {}
    wanted: list[tuple[str, str, str]] = []
    for totals in declared.region.public_totals:
        for name, level, lads in _windows(declared, totals, candidate, states, definitions):
            wanted += [(name, level, area) for area in _areas(candidate, level, lads)]
    sums = exact_sums(
        connection,
        areas,
        [Derived(t, a, definitions[d], i) for i, (d, t, a) in enumerate(wanted)],
    )
    claims = [
        Claim(name, level, area, total, total)
        for number, (name, level, area) in enumerate(wanted)
        if (total := sums[number]) is not None
    ]
    return Known(definitions, claims, {}, {})


def _windows(
    declared: RegionDeclarations,
    totals: PublicTotals,
    candidate: Candidate,
    states: Mapping[tuple[str, str], str],
    definitions: dict[str, frozenset[Part]],
) -> list[tuple[str, str, set[str]]]:
    """Return definition, level and the districts whose deliveries are all there, per window."""
    layout = plan(totals, declared, candidate.admitted)
    found: list[tuple[str, str, set[str]]] = []
    for (stretch, _), parts in parts_of_term(
        declared, totals, layout, candidate.categories, states
    ).items():
        level = next(s.level for s in layout.stretches if s.number == stretch)
        name = definition_id(parts, level)
        definitions[name] = parts
        whole = {
            c.lad24cd for c in layout.covers if c.stretch == stretch and not c.numerator_missing
        }
        found.append((name, level, whole))
    return found


def _areas(candidate: Candidate, level: str, lads: set[str]) -> list[str]:
    position = {"msoa21": 0, "lad24": 1}
    found = {
        lsoa if level == "lsoa21" else nest[position[level]]
        for lsoa, nest in candidate.nesting.items()
        if nest[1] in lads
    }
    return sorted(found)
