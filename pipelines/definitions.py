"""What the Dagster tools load: every bundled region, and those named in ``LSOALINK_REGIONS``.

Does not belong here: how definitions are built (``build.py``).
"""

from __future__ import annotations

from pipelines.build import build_definitions

defs = build_definitions()
