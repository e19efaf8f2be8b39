"""Cells that are none of the values of the specification, counted as what they are.

Belongs here: the clean value of a cell. Does not belong here: the checks of a delivery
(``expectations/``).

DHSC keeps a field three times: as it came, cleaned, grouped. What came stays in its own column; the
clean value is that, or 'Invalid and not mapped'; groups are columns such as ``settled``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from declarations.events import INVALID, ClientLevelData
from indicators.care.phrases import within
from warehouse.sql import ident, literal

if TYPE_CHECKING:
    from declarations.contracts import Contract


def clean(contract: Contract, column: str) -> str:
    """Return the SQL of a column's clean value; missing stays missing."""
    codes = contract.codes_of(contract.column(column))
    if codes is None:
        return ident(column)
    known = within(ident(column), codes)
    return (
        f"CASE WHEN {ident(column)} IS NULL OR {known} THEN {ident(column)} "
        f"ELSE {literal(INVALID)} END"
    )


def checked_sql(contract: Contract, rules: ClientLevelData) -> tuple[str, str]:
    """Return the SQL of how many cleaned cells an event has, and how many are invalid."""
    cells = [clean(contract, name) for name in rules.cleaned]
    wrong = [f"coalesce({cell} = {literal(INVALID)}, false)" for cell in cells]
    checked = " + ".join(f"CAST({cell} IS NOT NULL AS INTEGER)" for cell in cells)
    invalid = " + ".join(f"CAST({cell} AS INTEGER)" for cell in wrong)
    return checked or "0", invalid or "0"
