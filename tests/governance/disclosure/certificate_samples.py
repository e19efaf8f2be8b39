"""Facts of a certificate of a made-up release, and a made-up map. Does not hold expectations."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from governance.disclosure.certificate.facts import (
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
)

PLANTED = (1_013, 1.318)
"""Sum of the hidden counts and mean change, as they are known and must not leave."""

DEFAULT = ProfileFacts(
    "hide0-r5", "Small counts and zeros hidden, the rest to the nearest 5",
    "Counts of 0 to 4 are hidden behind one marker, [c]; counts of 5 and more are rounded to the "
    "nearest 5.",
    ("Counts of 0 to 4 become [c].", "Other counts go to the nearest 5."), 4,
)  # fmt: skip


def facts(**changes: Any) -> CertificateFacts:
    made = CertificateFacts(
        release_id="2026-11-16-a", candidate="5f1c9a0be2d4", region_id="mere",
        region_title="Mere", synthetic="Synthetic data: everything here is made up.",
        made_on=dt.date(2026, 11, 16), code_version="abc123def456", profiles=(DEFAULT,),
        examined=(
            Examined("H01", "Households in temporary accommodation", "2021 LSOA", "hide0-r5", 700),
            Examined("H02", "Households at risk", "2021 MSOA", "hide0-r5", 60),
        ),
        widths=(
            WidthCount("hide0-r5", None, 21), WidthCount("hide0-r5", 4, 610),
            WidthCount("hide0-r5", 6, 90), WidthCount("hide0-r5", 14, 30),
            WidthCount("hide0-r5", 9, 9),
        ),
        exposed=(
            ExposedCell("E01000001", "Mere 001A", "H01", "2025", 4),
            ExposedCell("E01000002", "Mere 001B", "H01", "2025", 4),
        ),
        public_totals=("exact totals of each district and quarter, published by the ministry",),
        insider=True, ledger_head="ab" * 32, earlier_releases=3,
        solver=Solver("HiGHS", "1.15.1", (("primal_feasibility", 1e-7),), 1412, 96),
        lost=Lost(1600, 690, 6, *PLANTED),
        coarsened=(
            CoarsenedCell("E01000003", "Mere 001C", "H01", "2025", "pair", "P-E01000003",
                          "the interval was too narrow"),
        ),
        publicly_exposed=(
            PubliclyExposed("E07000001", "Mere", "H01", "2025", "the ministry's district totals"),
        ),
        withheld=tuple(
            Withheld(code(i), f"Mere {i:03d}", (0, 1, 3, 5, 11)[i * 7 % 5]) for i in range(60)
        ),
    )  # fmt: skip
    return replace(made, **changes)


def code(number: int) -> str:
    return f"E0100{number:04d}"


def outlines(columns: int = 10, rows: int = 6) -> dict[str, list[list[tuple[float, float]]]]:
    """Return a made-up map: rather irregular quadrangles that share their corners."""

    def corner(x: int, y: int) -> tuple[float, float]:
        return 400_000 + 900 * x + 170 * (x * y % 3), 280_000 + 800 * y + 140 * ((x + 2 * y) % 4)

    return {
        code(y * columns + x): [
            [corner(x, y), corner(x + 1, y), corner(x + 1, y + 1), corner(x, y + 1), corner(x, y)]
        ]
        for y in range(rows)
        for x in range(columns)
    }
