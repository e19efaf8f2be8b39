"""Of which census year the area codes of each source are, summed up over its deliveries.

Belongs here: the summary for the quality page. Does not belong here: the finding itself
(``geography/codes.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from publishing.facts import SourceFact


@dataclass(frozen=True)
class VintageFinding:
    """What the codes of one source are found to be, and in which deliveries.

    Attributes
    ----------
    source : SourceFact
    vintage : str
        2011, 2021, mixed or unknown.
    periods : tuple of str
        Its deliveries with this finding, in order.
    confidence : float
        The least of them, 0 to 1.
    deciding : int
        Fewest codes that decided.
    unknown : int
        Most codes of neither vintage.
    """

    source: SourceFact
    vintage: str
    periods: tuple[str, ...]
    confidence: float
    deciding: int
    unknown: int


def vintage_findings(
    vintages: Sequence[Mapping[str, Any]], sources: Mapping[str, SourceFact]
) -> list[VintageFinding]:
    """Return the findings by source; a source whose deliveries differ has several."""
    grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in vintages:
        grouped[row["source_id"], row["vintage"]].append(row)
    return [
        VintageFinding(
            sources[source],
            vintage,
            tuple(sorted(r["period"] for r in rows)),
            min(r["confidence"] for r in rows),
            min(r["only_2011"] + r["only_2021"] for r in rows),
            max(r["unknown"] for r in rows),
        )
        for (source, vintage), rows in sorted(grouped.items())
    ]
