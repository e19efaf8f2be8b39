"""The quarterly extract a council's homelessness system exports.

Belongs here: which cases a quarter's file holds, what is known of them at its end, and the truth
about them. Does not belong here: the life of a case, which is ``homelessness``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthetic.homelessness import HEADINGS, quarter_bounds
from synthetic.tables import NEVER, Cells, Table, dates, numbers

# What is known only from the day in the first column on.
DEPENDENT = {
    "prev_start": (),
    "prev_end": ("prev_end_reason",),
    "relief_start": (),
    "relief_end": ("relief_end_reason",),
    "main_decision": ("main_outcome", "priority_need"),
    "main_end": (),
    "ta_entry": ("ta_type",),
    "ta_exit": (),
}
EVENTS = ("assess_date", "prev_end", "relief_end", "main_decision", "main_end")


def in_quarter(cases: pd.DataFrame, quarter: str) -> NDArray[np.bool_]:
    """Whether each case belongs in a quarter's file.

    A case does if in the quarter it was assessed, a duty ended or a main duty was decided, or if
    it was in temporary accommodation on any day of it.
    """
    low, high = quarter_bounds(quarter)
    active = np.zeros(len(cases), dtype=bool)
    for name in EVENTS:
        day = cases[name].to_numpy().astype("datetime64[D]")
        active |= (day >= low) & (day <= high)
    entry = cases["ta_entry"].to_numpy().astype("datetime64[D]")
    leaving = cases["ta_exit"].to_numpy().astype("datetime64[D]")
    housed = (entry <= high) & (np.isnat(leaving) | (leaving >= low))
    known = cases["assess_date"].to_numpy().astype("datetime64[D]") <= high
    return (active | housed) & known


def quarter_table(cases: pd.DataFrame, quarter: str) -> Table:
    """Return the export of a quarter, as known at its end.

    Parameters
    ----------
    cases : pandas.DataFrame
        From ``make_cases``, already limited to the quarter by ``in_quarter``.
    quarter : str
        ``YYYY-MM``.

    Returns
    -------
    dict of str to object array
        Columns ``HEADINGS``; days as dd/mm/yyyy; what happened after the quarter is blank.
    """
    high = quarter_bounds(quarter)[1]
    known: dict[str, Cells] = {}
    for day_name, others in DEPENDENT.items():
        day = cases[day_name].to_numpy().astype("datetime64[D]")
        future = np.isnat(day) | (day > high)
        known[day_name] = dates(np.where(future, NEVER, day), "%d/%m/%Y")
        for other in others:
            known[other] = np.where(future, "", cases[other].to_numpy(dtype=object)).astype(object)
    table: Table = {}
    for heading, name in HEADINGS.items():
        if name in known:
            table[heading] = known[name]
        elif name in ("dob", "assess_date", "app_date"):
            table[heading] = dates(cases[name].to_numpy(), "%d/%m/%Y")
        elif name == "n_children":
            table[heading] = numbers(cases[name].to_numpy())
        else:
            table[heading] = cases[name].to_numpy(dtype=object)
    return table


def quarter_truth(cases: pd.DataFrame, quarter: str, district: str) -> pd.DataFrame:
    """Count the cases of a quarter's file by true LSOA and duty.

    Returns
    -------
    pandas.DataFrame
        ``district``, ``period``, ``lsoa21cd`` (None where the record has no usable address),
        ``duty_owed``, ``n`` (cases assessed in the quarter) and ``records`` (all cases in the
        file, whenever they were assessed).
    """
    low, high = quarter_bounds(quarter)
    assessed = cases["assess_date"].to_numpy().astype("datetime64[D]")
    counted = pd.DataFrame(
        {
            "lsoa21cd": cases["lsoa21cd"].to_numpy(dtype=object),
            "duty_owed": cases["duty_owed"].to_numpy(dtype=object),
            "n": ((assessed >= low) & (assessed <= high)).astype(np.int64),
            "records": 1,
        }
    )
    grouped = counted.groupby(["lsoa21cd", "duty_owed"], dropna=False, as_index=False).sum()
    grouped.insert(0, "period", quarter)
    grouped.insert(0, "district", district)
    return grouped
