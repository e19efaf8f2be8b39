"""The asset graph of the bundled synthetic region as plain facts, to be compared with a record.

Run as a program, it writes the record anew: ``python tests/assets/asset_graph.py``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

RECORD = Path(__file__).with_name("arden_graph.json")


def graph(region: str = "arden") -> dict[str, dict[str, Any]]:
    """Return what is declared of every asset of a region, by key."""
    from pipelines.build import build_definitions
    from pipelines.regions import open_region

    resolved = build_definitions(regions=[open_region(region)]).resolve_asset_graph()
    facts = {}
    for key in sorted(resolved.get_all_asset_keys()):
        node = resolved.get(key)
        facts[key.to_user_string()] = {
            "group": node.group_name,
            "deps": sorted(parent.to_user_string() for parent in node.parent_keys),
            "partitioned": node.partitions_def is not None,
            "owners": sorted(node.owners),
            "kinds": sorted(node.kinds),
            "checks": sorted(check.name for check in node.check_keys),
        }
    return facts


def main() -> None:
    """Write the record anew."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    lines = [f"{json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in graph().items()]
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
