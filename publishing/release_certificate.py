"""The disclosure certificate of a release, from what the attack on it found.

Belongs here: putting the findings into the facts a certificate states. Does not belong here: the
certificate (``governance/disclosure/certificate/``) or the attack (``publishing/protection/``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from declarations.declared import RegionDeclarations
from declarations.errors import DisclosureError
from governance.disclosure.certificate.drawings import rings_of
from governance.disclosure.certificate.facts import (
    MOST_EXPOSED,
    CertificateFacts,
    CoarsenedCell,
    Examined,
    ExposedCell,
    Lost,
    ProfileFacts,
    PubliclyExposed,
    Solver,
    WidthCount,
    Withheld,
    certificate_json,
)
from governance.disclosure.certificate.page import certificate_html
from governance.disclosure.counts import MARKERS
from governance.disclosure.profiles import Profile, profile
from indicators.notes import COARSENED_NOTES
from publishing.facts import ReleaseFacts, synthetic_words
from publishing.protection.findings import (
    ATTACKED,
    WITHHELD,
    AttackFacts,
    attack_facts,
    read_rows,
)
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

CERTIFICATE_JSON, CERTIFICATE_PAGE = "certificate.json", "certificate.html"
UNPUBLISHED = "sums"
"""Stands for the indicator of a sum that no indicator publishes."""

WHY = {
    "exact": "the count could be worked back",
    "narrow": "too few counts were left possible",
    "protected_range": "it could be shown to be small",
    "insider": "somebody who is in it could work back the rest",
    "not_proven": "its safety could not be proven",
}
"""The verdicts of the examination, in the certificate's words."""


def certificate_files(
    workspace: Workspace,
    tables: Mapping[str, pa.Table],
    borders: gpd.GeoDataFrame,
    release: ReleaseFacts,
) -> dict[str, bytes]:
    """Return the certificate of a release, for machines and for the officer, by file name."""
    facts = certificate_facts(workspace, tables, release)
    outlines = {
        code: rings_of(shape)
        for code, shape in zip(borders["lsoa21cd"], borders.geometry, strict=True)
    }
    return {
        CERTIFICATE_JSON: certificate_json(facts),
        CERTIFICATE_PAGE: certificate_html(facts, outlines).encode(),
    }


def certificate_facts(
    workspace: Workspace, tables: Mapping[str, pa.Table], release: ReleaseFacts
) -> CertificateFacts:
    """Return everything the certificate of a release states.

    Raises
    ------
    DisclosureError
        If the release was never attacked.
    """
    attack = attack_facts(workspace)
    if attack is None:
        raise DisclosureError(
            "The release was not attacked, so there is no certificate for it",
            f"Run 'lsoalink run {workspace.declared.root.name}' again",
        )
    declared = workspace.declared
    attacked = read_rows(workspace, ATTACKED)
    otherwise = [row for row in attacked if row["known_otherwise"]]
    names = _area_names(tables["areas"])
    observations = tables["observations"].to_pylist()
    examined = [
        row
        for row in attacked
        if not row["known_otherwise"] and row["lower"] < profile(row["profile"]).small.below
    ]
    return CertificateFacts(
        release_id=release.release_id,
        candidate=release.content_hash,
        region_id=release.region_id,
        region_title=release.title,
        synthetic=synthetic_words(declared.region, release),
        made_on=release.as_of,
        code_version=release.code_version,
        profiles=tuple(_profile_facts(p) for p in _profiles(declared, attacked)),
        examined=tuple(_examined(declared, examined)),
        widths=tuple(_widths(examined)),
        exposed=tuple(_exposed(examined, observations, names)),
        public_totals=tuple(
            f"{t.title} ({t.publisher}): exact totals of each "
            f"{'district' if t.level == 'lad24' else 'area'} and {t.window}"
            for t in declared.region.public_totals
        ),
        insider=attack.insider,
        ledger_head=attack.ledger_head,
        earlier_releases=len(attack.earlier),
        solver=_solver(attack),
        lost=_lost(attack, observations),
        coarsened=tuple(_coarsened(read_rows(workspace, WITHHELD), observations, names)),
        publicly_exposed=tuple(
            PubliclyExposed(
                row["area_code"], names.get(row["area_code"], ""), row["indicator_id"] or "",
                _period(row, observations), "what others publish, or an earlier release",
            )
            for row in otherwise
        ),
        withheld=tuple(_withheld(tables["areas"], observations)),
    )  # fmt: skip


def _area_names(areas: pa.Table) -> dict[str, str]:
    found: dict[str, str] = {}
    for level in ("lsoa21", "msoa21", "lad24"):
        codes, names = (areas.column(f"{level}{end}").to_pylist() for end in ("cd", "nm"))
        found |= dict(zip(codes, names, strict=True))
    return found


def _profiles(declared: RegionDeclarations, attacked: Iterable[Mapping[str, Any]]) -> list[Profile]:
    used = {row["profile"] for row in attacked}
    used.add(declared.region.publication.profile)
    return [profile(name) for name in sorted(used)]


def _profile_facts(chosen: Profile) -> ProfileFacts:
    small, rounding = chosen.small, chosen.rounding
    rules = [f"Counts of 1 to {small.below - 1} are sensitive"]
    if small.marker:
        lowest = 0 if small.zeros == "hidden" else 1
        rules.append(f"{lowest} to {small.hidden_below - 1} are shown as {small.marker}")
    if rounding.kind != "none":
        rules.append(f"Other counts: {rounding.kind} rounding, base {rounding.base}")
    if chosen.safe.outside:
        rules.append(f"A count outside 1 to {small.below - 1} must stay possible")
    return ProfileFacts(chosen.name, chosen.title, chosen.in_words, tuple(rules), chosen.safe.width)


def _examined(
    declared: RegionDeclarations, attacked: Iterable[Mapping[str, Any]]
) -> Iterable[Examined]:
    counted = Counter(
        (row["indicator_id"] or "", row["geography_type"], row["profile"]) for row in attacked
    )
    for (name, level, under), cells in sorted(counted.items(), key=lambda c: (not c[0][0], c[0])):
        title = declared.indicators[name].title if name else "Sums that are not published"
        yield Examined(name or UNPUBLISHED, title, level, under, cells)


def _widths(attacked: Iterable[Mapping[str, Any]]) -> Iterable[WidthCount]:
    counted: Counter[tuple[str, int | None]] = Counter()
    for row in attacked:
        counted[row["profile"], _width(row)] += 1
    for (name, width), cells in counted.items():
        yield WidthCount(name, width, cells)


def _width(row: Mapping[str, Any]) -> int | None:
    return None if row["upper"] is None else int(row["upper"] - row["lower"])


def _exposed(
    attacked: Iterable[Mapping[str, Any]],
    observations: Iterable[Mapping[str, Any]],
    names: Mapping[str, str],
) -> list[ExposedCell]:
    """Return the cells an attacker comes closest to, of those that show a marker anyway."""
    marked = {_place(row): row for row in observations if _is_marked(row)}
    found = [
        (row, marked[place])
        for row in attacked
        if row["indicator_id"] is not None and (place := _place_of_attacked(row)) in marked
    ]

    def closeness(pair: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[float, str, str, str]:
        row, shown = pair
        width = _width(row)
        far = float("inf") if width is None else float(width)
        return (far, row["indicator_id"], str(shown["period_start"]), row["area_code"])

    return [
        ExposedCell(
            row["area_code"], names.get(row["area_code"], ""), row["indicator_id"],
            shown["period_label"], _width(row),
        )
        for row, shown in sorted(found, key=closeness)[:MOST_EXPOSED]
    ]  # fmt: skip


def _place(row: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    return (
        row["indicator_id"], str(row["period_start"]), str(row["period_end"]),
        row["geography_type"], row["geography_code"],
    )  # fmt: skip


def _place_of_attacked(row: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    return (
        row["indicator_id"], str(row["period_start"]), str(row["period_end"]),
        row["geography_type"], row["area_code"],
    )  # fmt: skip


def _is_marked(row: Mapping[str, Any]) -> bool:
    return any(marker in (row["value_status"] or "") for marker in MARKERS)


def _solver(attack: AttackFacts) -> Solver:
    name, _, version = attack.solver.partition(" ")
    return Solver(
        name, version, tuple(sorted(attack.tolerances.items())), attack.linear, attack.whole
    )


def _lost(attack: AttackFacts, observations: Iterable[Mapping[str, Any]]) -> Lost:
    counted = [row for row in observations if row["numerator"] is not None or _is_marked(row)]
    notes = [set((row["note_id"] or "").split(",")) for row in counted]
    coarsened = sum(bool(n & COARSENED_NOTES) for n in notes)
    hidden = sum(_is_marked(row) for row in counted) - coarsened
    return Lost(len(counted), hidden, coarsened, attack.hidden_total, attack.mean_change)


def _coarsened(
    withheld: Iterable[Mapping[str, Any]],
    observations: Iterable[Mapping[str, Any]],
    names: Mapping[str, str],
) -> Iterable[CoarsenedCell]:
    labels = {_place(row): row["period_label"] for row in observations}
    for row in withheld:
        yield CoarsenedCell(
            row["geography_code"], names.get(row["geography_code"], ""), row["indicator_id"],
            labels[_place(row)], row["instead"], row["instead_code"], WHY[row["reason"]],
        )  # fmt: skip


def _period(row: Mapping[str, Any], observations: Iterable[Mapping[str, Any]]) -> str:
    if row["indicator_id"] is None:
        return ""
    wanted = (row["indicator_id"], str(row["period_start"]), str(row["period_end"]))
    return next(
        (o["period_label"] for o in observations if _place(o)[:3] == wanted), row["period_end"]
    )


def _withheld(areas: pa.Table, observations: Iterable[Mapping[str, Any]]) -> Iterable[Withheld]:
    counted = Counter(
        row["geography_code"]
        for row in observations
        if row["geography_type"] == "lsoa21" and _is_marked(row)
    )
    names = (areas.column(name).to_pylist() for name in ("lsoa21cd", "lsoa21nm"))
    for code, name in zip(*names, strict=True):
        yield Withheld(code, name, counted[code])
