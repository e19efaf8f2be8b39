"""What is stored of a column that an agreement has coarsened: an age band, or that there is one.

Belongs here: the SQL, and the names of such columns. Does not belong here: whether it is agreed
(``governance/gate.py``), or finding a place (``location.py``).
"""

from __future__ import annotations

from collections.abc import Iterable

from declarations.coarsening import UNKNOWN_AGE, Coarsening
from declarations.contracts import Column, Contract
from warehouse.sql import ident, literal

OLDEST = 120
"""In years; who would be older has a date of birth that stands for none, such as 1900-01-01."""


def coarsened(contract: Contract, generalised: Iterable[str]) -> dict[str, Coarsening]:
    """Return how the generalised columns that find no place are coarsened, by column."""
    names = set(generalised)
    return {c.name: c.coarsen for c in contract.columns if c.coarsen and c.name in names}


def stored_names(
    contract: Contract, stored: Iterable[str], generalised: Iterable[str]
) -> list[str]:
    """Return the names under which columns are stored: a coarsened one under that of its band."""
    made = coarsened(contract, generalised)
    return [made[name].into if name in made else name for name in stored]


def coarsen_sql(column: str, coarsening: Coarsening) -> str:
    """Return the SQL of what is stored of a column.

    The age is in whole years on the day; before the day of birth, above `OLDEST`, and without
    either date, it is not known.
    """
    value, into = ident(column), ident(coarsening.into)
    if coarsening.to == "presence":
        return f"({value} IS NOT NULL) AS {into}"
    day = ident(str(coarsening.at))
    # Whole years of DuckDB's own would make somebody born on 29 February older on the 28th.
    before = f"month({day}) * 100 + day({day}) < month({value}) * 100 + day({value})"
    age = f"(year({day}) - year({value}) - CAST({before} AS INTEGER))"
    *middle, last = coarsening.labels
    bands = " ".join(
        f"WHEN {age} < {upper} THEN {literal(label)}"
        for upper, label in zip(coarsening.bands[1:], middle, strict=True)
    )
    unknown = f"{value} IS NULL OR {day} IS NULL OR {value} > {day} OR {age} > {OLDEST}"
    return (
        f"CASE WHEN {unknown} "
        f"THEN {literal(UNKNOWN_AGE)} {bands} ELSE {literal(last)} END AS {into}"
    )


def as_delivered(coarsening: Coarsening) -> Column:
    """Return the column of a package in which an agency sends what it coarsened itself.

    Anything but a band, or yes and no, holds the package back: nothing finer can come in by it.
    """
    plain = {"name": coarsening.into, "type": coarsening.type, "required": False}
    if coarsening.to == "age_band":
        plain |= {"codes": [*coarsening.labels, UNKNOWN_AGE], "blocking": True}
    return Column.model_validate(plain)
