"""Every asset of a region, from its declarations.

Belongs here: the list, and which asset needs which. Does not belong here: any asset's body.
"""

from __future__ import annotations

import dagster as dg

from assets.naming import key
from assets.outputs import (
    derived_asset,
    indicator_asset,
    protected_asset,
    quality_asset,
    reference_asset,
    release_asset,
)
from assets.sources import source_assets
from declarations.declared import RegionDeclarations
from declarations.indicators import DERIVED
from indicators.library import sources_of
from intake.reference_plan import MADE_AFTER, inputs_of, reference_roles, roles_of


def region_assets(declared: RegionDeclarations) -> list[dg.AssetsDefinition]:
    """Return a region's assets: per source, reference tables, indicators, quality, release."""
    region = declared.region
    assets = [
        reference_asset(
            declared,
            role,
            [
                *(f"admitted_{s.id}" for s in inputs_of(declared, role)),
                *(f"reference_{r}" for r in MADE_AFTER.get(role, ())),
            ],
        )
        for role in reference_roles(declared)
    ]
    for source in declared.sources.values():
        roles = roles_of(declared, declared.contract_of(source))
        needed = [key(region, f"reference_{role}") for role in roles]
        assets.extend(source_assets(declared, source, needed))
    themes = sorted({i.theme for i in declared.indicators.values() if i.kind not in DERIVED})
    for theme in themes:
        assets.append(indicator_asset(declared, theme, _theme_deps(declared, theme)))
    stages = [
        key(region, f"{'admitted' if declared.contract_of(s).kind == 'reference' else 'located'}"
            f"_{s.id}")
        for s in declared.sources.values()
    ]  # fmt: skip
    assets.append(protected_asset(declared, themes))
    assets.append(derived_asset(declared))
    assets.append(quality_asset(declared, stages))
    assets.append(release_asset(declared))
    return assets


def _theme_deps(declared: RegionDeclarations, theme: str) -> list[dg.AssetKey]:
    found: dict[str, dg.AssetKey] = {}
    for indicator in declared.indicators.values():
        if indicator.theme == theme and indicator.kind not in DERIVED:
            for source in sources_of(indicator, declared):
                kind = declared.contract_of(source).kind
                stem = "statistics" if kind == "statistics" else "counts"
                found[source.id] = key(declared.region, f"{stem}_{source.id}")
    return [found[name] for name in sorted(found)]
