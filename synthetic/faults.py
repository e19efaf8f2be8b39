"""Faults planted in the files, each with the outcome it must lead to.

Belongs here: what is spoilt, in which file, and the manifest's entry about it. Does not belong
here: making the sound files. The platform is right when it finds exactly what is listed here; a
sound region (``faults=False``) has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from synthetic.delivery import Extract
from synthetic.fault_postcodes import POSTCODE_FAULTS, POSTCODE_OUTCOMES, spoil_postcodes
from synthetic.homelessness import NO_FIXED_ABODE
from synthetic.months import period_of, shift
from synthetic.nhs import in_2011_areas
from synthetic.people import ACCENTED_SURNAMES, nhs_numbers
from synthetic.police import tomorrows
from synthetic.tables import numbers, rows, select, stacked
from synthetic.world import World

POSTCODE_HEADING = "HCLIC A1.8"
NO_FIXED_ABODE_SHARE = 0.05
BROKEN_SHARE = 0.1
FORMULA = "=cmd|' /C calc'!A1"
LATE = datetime(2026, 9, 28, 9, 30, tzinfo=UTC)
BEFORE_EXPIRY = datetime(2026, 6, 29, 10, 0, tzinfo=UTC)
# Beyond the numbers that clients of any region use.
SPARE_NHS_NUMBERS = 880_000
Handler = Callable[[Extract], list[Extract]]


class FaultPlan:
    """Spoils files as they pass and remembers what it did.

    Parameters
    ----------
    world : World
    enabled : bool
        Whether to plant anything.

    Attributes
    ----------
    entries : list of dict
        The manifest's ``faults``.
    """

    def __init__(self, world: World, enabled: bool) -> None:
        self.entries: list[dict[str, Any]] = []
        self._world = world
        self._enabled = enabled
        self._spelled = {NO_FIXED_ABODE: "zz99_no_fixed_abode"}
        self._handlers: dict[tuple[str, str], Handler] = {
            ("northwood_homelessness", "2025-03"): self._bom,
            ("alderbrook_homelessness", "2025-06"): self._cp1252,
            ("kingsmere_homelessness", "2025-09"): self._header_case,
            ("stonebridge_homelessness", "2025-12"): self._duplicate_rows,
            ("northwood_library_sessions", "2026-01"): self._duplicate_delivery,
            ("wrenfield_library_sessions", "2026-02"): self._undeclared_column,
            ("stonebridge_council_tax", "2026-06"): self._before_expiry,
            ("stonebridge_council_tax", "2026-09"): self._agreement_expired,
            ("nhs_pomi", "2026-06"): self._late,
            ("kingsmere_digital_contacts", "2026-05"): self._wrong_vintage,
            ("alderbrook_library_sessions", "2025-12"): self._broken_rows,
            ("kingsmere_library_sessions", "2026-03"): self._formula,
            ("police_street", world.last_period): self._future_period,
            ("wrenfield_digital_contacts", "2026-04"): self._empty_file,
            ("alderbrook_digital_contacts", "2025-08"): self._missing_period,
            ("northwood_digital_contacts", "2026-07"): self._unknown_lsoas,
        }

    def no_fixed_abode_share(self) -> float:
        """Return the share of homelessness cases to be made without an address."""
        return NO_FIXED_ABODE_SHARE if self._enabled else 0.0

    def apply(self, extract: Extract) -> list[Extract]:
        """Return the files that land in place of a sound one: itself, spoilt, doubled or none."""
        if not self._enabled:
            return [extract]
        if POSTCODE_HEADING in extract.table:
            self._count_postcodes(extract)
        handler = self._handlers.get((extract.source_id, extract.period or ""))
        return [extract] if handler is None else handler(extract)

    def spoil_cases(self, world: World, district: int, cases: pd.DataFrame) -> pd.DataFrame:
        """Mistype the postcodes of some of the first council's homelessness cases.

        Returns
        -------
        pandas.DataFrame
            The cases with spoilt ``postcode`` and, where nobody could place them, no ``lsoa21cd``.
        """
        if not self._enabled or district != 0:
            return cases
        spoilt, spelled = spoil_postcodes(world, cases)
        self._spelled |= spelled
        return spoilt

    def _note(
        self,
        extract: Extract,
        kind: str,
        description: str,
        stage: str,
        outcome: str,
        count: int | None = None,
    ) -> None:
        self.entries.append(
            {
                "id": f"{kind}:{extract.source_id}:{extract.period}",
                "kind": kind,
                "source": extract.source_id,
                "period": extract.period,
                "file": extract.file,
                "description": description,
                "expect": {"stage": stage, "outcome": outcome, "reason": kind, "rows": count},
            }
        )

    def _count_postcodes(self, extract: Extract) -> None:
        found = [self._spelled.get(code) for code in extract.table[POSTCODE_HEADING].tolist()]
        texts = {reason: text for _, reason, text in POSTCODE_FAULTS}
        texts["zz99_no_fixed_abode"] = "the pseudo-postcode for no fixed abode"
        for reason, outcome in POSTCODE_OUTCOMES.items():
            count = found.count(reason)
            if count:
                self._note(
                    extract, reason, f"Rows carry {texts[reason]}", "located", outcome, count
                )

    def _bom(self, extract: Extract) -> list[Extract]:
        self._note(extract, "bom", "File begins with a byte order mark", "received", "accepted")
        return [replace(extract, encoding="utf-8-sig")]

    def _cp1252(self, extract: Extract) -> list[Extract]:
        names = extract.table["HCLIC A1.5"].copy()
        places = np.arange(0, names.size, 9)
        names[places] = [
            ACCENTED_SURNAMES[at % len(ACCENTED_SURNAMES)] for at in range(len(places))
        ]
        extract.table["HCLIC A1.5"] = names
        self._note(extract, "cp1252", "File is in Windows-1252, not UTF-8", "received", "accepted")
        return [replace(extract, encoding="cp1252")]

    def _header_case(self, extract: Extract) -> list[Extract]:
        table = {name.lower(): cells for name, cells in extract.table.items()}
        self._note(extract, "header_case", "Headings are in lower case", "admitted", "accepted")
        return [replace(extract, table=table)]

    def _duplicate_rows(self, extract: Extract) -> list[Extract]:
        ordinary = [
            row
            for row, code in enumerate(extract.table[POSTCODE_HEADING].tolist())
            if code not in self._spelled
        ]
        again = np.array(ordinary[:: max(1, len(ordinary) // 9)][:9], dtype=np.int64)
        table = stacked(extract.table, select(extract.table, again))
        self._note(
            extract,
            "duplicate_rows",
            "Some rows stand twice, cell for cell",
            "admitted",
            "excluded",
            again.size,
        )
        return [replace(extract, table=table)]

    def _duplicate_delivery(self, extract: Extract) -> list[Extract]:
        name = extract.file.replace(".csv", " (1).csv")
        again = replace(extract, file=name, arrived=extract.arrived + timedelta(days=1), truth={})
        self._note(
            again,
            "duplicate_delivery",
            "The same bytes were delivered a day before under another name",
            "received",
            "excluded",
        )
        return [extract, again]

    def _undeclared_column(self, extract: Extract) -> list[Extract]:
        table = dict(extract.table)
        table["NHS Number"] = nhs_numbers(SPARE_NHS_NUMBERS, extract.rows())
        self._note(
            extract,
            "undeclared_columns",
            "A column that no agreement names holds valid NHS numbers",
            "admitted",
            "trimmed",
        )
        return [replace(extract, table=table)]

    def _before_expiry(self, extract: Extract) -> list[Extract]:
        # The agreement ends on the last day of June: its last snapshot is sent just before.
        return [replace(extract, arrived=BEFORE_EXPIRY)]

    def _agreement_expired(self, extract: Extract) -> list[Extract]:
        self._note(
            extract,
            "agreement_expired",
            "Delivered after the agreement ended on 2026-06-30",
            "admitted",
            "refused",
            extract.rows(),
        )
        return [replace(extract, truth={})]

    def _late(self, extract: Extract) -> list[Extract]:
        self._note(extract, "late", "Delivered more than two months late", "received", "flagged")
        return [replace(extract, arrived=LATE)]

    def _wrong_vintage(self, extract: Extract) -> list[Extract]:
        world = self._world
        truth = extract.truth["digital_contacts"]
        names = ["contacts_web", "contacts_phone", "contacts_f2f", "accounts_active"]
        lsoas = world.areas.lsoas
        place = np.flatnonzero(lsoas["lsoa21cd"].isin(truth["lsoa21cd"]))
        counts = np.zeros((len(names), len(lsoas)), dtype=np.int64)
        counts[:, place] = truth[names].to_numpy().T
        restated, codes = in_2011_areas(world, counts)
        here = sorted({row for lsoa in place.tolist() for row in world.vintages.parts[lsoa]})
        table = {
            "lsoa": codes[here],
            "month": np.full(len(here), extract.period, dtype=object),
            **{name: numbers(restated[at, here]) for at, name in enumerate(names)},
        }
        # A split or redrawn area cannot be recovered from 2011 counts, only estimated.
        exact = np.isin(world.vintages.change[place], ["U", "M"])
        self._note(
            extract,
            "wrong_vintage",
            "Areas are given by their 2011 codes instead of those of 2021",
            "located",
            "flagged",
            len(here),
        )
        return [
            replace(extract, table=table, truth={"digital_contacts": truth.assign(exact=exact)})
        ]

    def _broken_rows(self, extract: Extract) -> list[Extract]:
        rng = self._world.rng("faults", "broken_rows")
        table = {name: cells.copy() for name, cells in extract.table.items()}
        count = round(BROKEN_SHARE * extract.rows())
        chosen = np.sort(rng.choice(extract.rows(), count, replace=False))
        table["sessions"][chosen[::2]] = "several"
        table["pc_minutes"][chosen[1::2]] = ""
        self._note(
            extract,
            "broken_rows",
            "One row in twenty has a word for a number, and as many have none",
            "admitted",
            "quarantined",
            # A blank cell can be read: it says that the number is missing.
            len(chosen[::2]),
        )
        return [replace(extract, table=table)]

    def _formula(self, extract: Extract) -> list[Extract]:
        values = (FORMULA, extract.period, "1", "1", "30")
        row = {
            name: np.array([value], dtype=object)
            for name, value in zip(extract.table, values, strict=True)
        }
        self._note(
            extract,
            "formula_injection",
            "A spreadsheet formula stands where a postcode should",
            "admitted",
            "excluded",
            1,
        )
        return [replace(extract, table=stacked(extract.table, row))]

    def _future_period(self, extract: Extract) -> list[Extract]:
        today = self._world.as_of
        period = shift(period_of(today.year * 12 + today.month - 1), 4)
        later = replace(
            extract,
            period=period,
            file=f"{period}-arden-street.csv",
            table=tomorrows(extract, period),
            truth={},
        )
        self._note(
            later,
            "future_period",
            "The file names a month that has not begun",
            "received",
            "refused",
            rows(later.table),
        )
        return [extract, later]

    def _empty_file(self, extract: Extract) -> list[Extract]:
        self._note(extract, "empty_file", "The file has no bytes", "received", "refused", 0)
        return [replace(extract, table={}, body=b"", truth={})]

    def _missing_period(self, extract: Extract) -> list[Extract]:
        self._note(extract, "missing_period", "The file never arrives", "received", "flagged")
        return []

    def _unknown_lsoas(self, extract: Extract) -> list[Extract]:
        extra = {name: np.array(["12", "13", "14"], dtype=object) for name in extract.table}
        extra["lsoa"] = np.array([f"E0197900{n}" for n in (1, 2, 3)], dtype=object)
        extra["month"] = np.full(3, extract.period, dtype=object)
        self._note(
            extract,
            "lsoa_unknown",
            "Some LSOA codes are well formed and exist in neither vintage",
            "located",
            "excluded",
            3,
        )
        return [replace(extract, table=stacked(extract.table, extra))]
