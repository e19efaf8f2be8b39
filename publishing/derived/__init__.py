"""What follows from the published figures: indices, trends, hotspots, need against service.

Belongs here: feeding the figures that withstood protection, and open data, to the functions that
make more of them, and writing the tables of a release that hold the result. Does not belong here:
the statistics (``indicators/derived/``), or anything that reads an exact count of a source under an
agreement: nothing in this package may (``docs/decisions/0019``).
"""

from publishing.derived.stage import DERIVED_OBSERVATIONS, DERIVED_TABLES, derive, derived_table

__all__ = ["DERIVED_OBSERVATIONS", "DERIVED_TABLES", "derive", "derived_table"]
