"""Placing every row of a table in a 2021 LSOA, or saying why it cannot be.

Belongs here: what must be told (`inputs`), what one key means (`lookups`, `point_lookup`), how a
key is chosen (`choice`), the order of the work (`placing`). Does not belong here: what is known of
codes, changes, postcodes and boundaries; those are the modules beside this package.
"""

from geography.placement.inputs import KEYS, PlacementKeys, Reference
from geography.placement.placing import PlacementReport, place

__all__ = ["KEYS", "PlacementKeys", "PlacementReport", "Reference", "place"]
