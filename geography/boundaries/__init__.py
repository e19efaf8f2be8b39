"""The outlines of areas: reading them, whether they fit together, and who borders on whom.

Belongs here: boundary files (`reading`, `files`, `formats`, `crs`), their faults and their
simplification (`coverage`), how well they place points (`accuracy`), and neighbours (`neighbours`).
Does not belong here: point in polygon (`geography.points`).
"""

from geography.boundaries.reading import BoundaryReport, read_boundaries

__all__ = ["BoundaryReport", "read_boundaries"]
