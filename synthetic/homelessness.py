"""Homelessness cases of invented households.

Belongs here: the life of each case (application, duties, temporary accommodation). Does not belong
here: the file of a quarter, which is ``homelessness_export``. Headings are the H-CLIC field
numbers that council systems export (domain dossier 1.1), and one column that H-CLIC has not.
``make_cases`` needs only postcodes with their LSOA and a weight, so it can be calibrated on any
place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from synthetic import code_lists
from synthetic.draws import days, pick, place_by, yes_no
from synthetic.months import first_day, last_day, shift
from synthetic.people import births, ninos, surnames
from synthetic.tables import NEVER, Cells, blanked

NO_FIXED_ABODE = "ZZ99 3VZ"
DUTY_DAYS = 56
Days = NDArray[np.datetime64]

HEADINGS = {
    "HCLIC 1.1": "case_ref",
    "HCLIC A1.3": "dob",
    "HCLIC A1.5": "last_name",
    "HCLIC A1.6": "nino",
    "HCLIC A1.8": "postcode",
    "HCLIC 1.3": "eligible",
    "HCLIC 1.4": "n_children",
    "HCLIC 1.5": "assess_date",
    "HCLIC 1.6": "duty_owed",
    "HCLIC 1.7": "ethnic_group",
    "HCLIC 1.13": "accom_current",
    "HCLIC 1.14": "accom_last_settled",
    "HCLIC 1.15": "reason_loss",
    "HCLIC 1.19": "referred",
    "HCLIC 1.20": "referral_agency",
    "HCLIC 1.22": "app_date",
    "HCLIC 3.2": "support_need",
    "HCLIC 4.2": "prev_start",
    "HCLIC 4.5": "prev_end",
    "HCLIC 4.6": "prev_end_reason",
    "HCLIC 5.2": "relief_start",
    "HCLIC 5.5": "relief_end",
    "HCLIC 5.6": "relief_end_reason",
    "HCLIC 7.1": "main_decision",
    "HCLIC 7.3": "main_outcome",
    "HCLIC 7.5": "priority_need",
    "HCLIC 8.2": "main_end",
    "HCLIC 9.2": "ta_entry",
    "HCLIC 9.5": "ta_type",
    "HCLIC 9.9": "ta_exit",
    "Previous duty in 24 months": "previous_duty_24m",
}


def make_cases(
    rng: Generator,
    places: pd.DataFrame,
    la_code: str,
    case_prefix: str,
    quarters: Sequence[str],
    owed_per_quarter: Mapping[str, ArrayLike],
    ta_stock: ArrayLike,
    *,
    no_fixed_abode_share: float = 0.05,
    history_quarters: int = 3,
) -> pd.DataFrame:
    """Invent the cases of one council.

    Parameters
    ----------
    rng : numpy.random.Generator
    places : pandas.DataFrame
        ``postcode``, ``lsoa21cd`` and ``weight`` (how likely a case comes from there).
    la_code : str
        GSS code of the council.
    case_prefix : str
        Letters before the case number.
    quarters : sequence of str
        Quarters by their last month, ``YYYY-MM``, in order.
    owed_per_quarter : mapping of str to array
        For each of ``code_lists.DUTIES`` that occurs, the cases assessed in each quarter (or one
        number for all of them). These numbers are met exactly.
    ta_stock : array
        Households in temporary accommodation at the end of each quarter (or one number). Met
        exactly unless a quarter has too few new relief cases to reach it.
    no_fixed_abode_share : float, optional
        Share of relief and prevention cases without an address, sent with postcode ZZ99 3VZ.
    history_quarters : int, optional
        Quarters before the first for which cases are made too, so that the first file already
        holds duties that end and households in temporary accommodation.

    Returns
    -------
    pandas.DataFrame
        One row per case in order of assessment: the columns named in ``HEADINGS`` with days as
        ``datetime64`` over the whole life of the case, and ``lsoa21cd`` (None where there is no
        address). Every person is invented.
    """
    spans = [shift(quarters[0], -3 * back) for back in range(history_quarters, 0, -1)]
    spans += list(quarters)
    duty, quarter = _assessed(owed_per_quarter, len(quarters), history_quarters)
    count = duty.size
    assess = _within(rng, spans, quarter)
    order = np.lexsort((duty, assess))
    duty, quarter, assess = duty[order], quarter[order], assess[order]
    frame = _applicants(rng, places, duty, assess, no_fixed_abode_share)
    frame["case_ref"] = [f"{la_code}/{case_prefix}-{row + 1:06d}" for row in range(count)]
    frame["assess_date"], frame["duty_owed"] = assess, duty
    _add_duties(rng, frame)
    stock = np.broadcast_to(np.asarray(ta_stock, dtype=np.int64), len(quarters))
    _add_temporary_accommodation(rng, frame, spans, quarter, _padded(stock, history_quarters))
    # A stream of its own, so that what is asked of councils beside H-CLIC changes no other draw.
    frame["previous_duty_24m"] = _previous_duty(rng.spawn(1)[0], count)
    return frame[[*HEADINGS.values(), "lsoa21cd"]]


def _padded(values: NDArray[np.int64], history: int) -> NDArray[np.int64]:
    return np.concatenate([np.repeat(values[:1], history), values])


def _assessed(
    owed: Mapping[str, ArrayLike], quarters: int, history: int
) -> tuple[Cells, NDArray[np.int64]]:
    duties, places = [], []
    for duty in code_lists.DUTIES:
        if duty not in owed:
            continue
        counts = np.broadcast_to(np.asarray(owed[duty], dtype=np.int64), quarters)
        place = np.repeat(np.arange(quarters + history), _padded(counts, history))
        places.append(place)
        duties.append(np.full(place.size, duty, dtype=object))
    return np.concatenate(duties), np.concatenate(places)


def quarter_bounds(quarter: str) -> tuple[np.datetime64, np.datetime64]:
    """Return the first and last day of the quarter that ends with a month ``YYYY-MM``."""
    return (
        np.datetime64(first_day(shift(quarter, -2)), "D"),
        np.datetime64(last_day(quarter), "D"),
    )


def _within(rng: Generator, spans: Sequence[str], quarter: NDArray[np.int64]) -> Days:
    bounds = [quarter_bounds(span) for span in spans]
    start = np.array([low for low, _ in bounds])
    length = np.array([(high - low).astype(int) + 1 for low, high in bounds])
    step = (rng.random(quarter.size) * length[quarter]).astype(np.int64)
    return start[quarter] + step


def _applicants(
    rng: Generator,
    places: pd.DataFrame,
    duty: Cells,
    assess: Days,
    no_fixed_abode_share: float,
) -> pd.DataFrame:
    count = duty.size
    home = place_by(rng, places["weight"].to_numpy(), count)
    homeless = rng.random(count) < np.where(duty == "relief", 1.4, 0.5) * no_fixed_abode_share
    age = np.clip(18 + rng.gamma(2.4, 8.0, count), 16, 88).astype(np.int64)
    current = pick(rng, code_lists.ACCOMMODATION, count)
    settled = {k: v for k, v in code_lists.ACCOMMODATION.items() if k not in code_lists.UNSETTLED}
    unsettled = {k: code_lists.ACCOMMODATION[k] for k in code_lists.UNSETTLED}
    roofless = np.isin(current, code_lists.UNSETTLED)
    current[roofless & ~homeless] = pick(rng, settled, int((roofless & ~homeless).sum()))
    current[homeless] = pick(rng, unsettled, int(homeless.sum()))
    referred = yes_no(rng, 0.13, count)
    agency = pick(rng, code_lists.REFERRAL_AGENCIES, count)
    names = surnames()
    return pd.DataFrame(
        {
            "dob": births(rng, age, np.datetime64(assess.min(), "D")),
            "last_name": names[rng.integers(0, names.size, count)],
            "nino": ninos(rng, count),
            "postcode": np.where(
                homeless, NO_FIXED_ABODE, places["postcode"].to_numpy(dtype=object)[home]
            ).astype(object),
            "lsoa21cd": blanked(places["lsoa21cd"].to_numpy(dtype=object)[home], homeless, None),
            "eligible": np.where(duty == "ineligible", "No", "Yes").astype(object),
            "n_children": np.where(age < 60, np.minimum(rng.poisson(0.75, count), 7), 0),
            "ethnic_group": pick(rng, code_lists.ETHNIC_GROUPS, count),
            "accom_current": current,
            "accom_last_settled": pick(rng, settled, count),
            "reason_loss": pick(rng, code_lists.REASONS_LOSS, count),
            "referred": referred,
            "referral_agency": np.where(referred == "Yes", agency, "").astype(object),
            "app_date": assess - days(rng, 0, 21, count),
            "support_need": _support_needs(rng, count),
        }
    )


def _support_needs(rng: Generator, count: int) -> Cells:
    wanted = rng.choice(4, count, p=[0.38, 0.29, 0.19, 0.14])
    drawn = [pick(rng, code_lists.SUPPORT_NEEDS, count) for _ in range(3)]
    order = {label: at for at, label in enumerate(code_lists.SUPPORT_NEEDS)}
    texts = [
        "; ".join(sorted(set(needs[:number]), key=order.__getitem__))
        for number, *needs in zip(wanted.tolist(), *drawn, strict=True)
    ]
    return np.array(texts, dtype=object)


def _previous_duty(rng: Generator, count: int) -> Cells:
    said = yes_no(rng, 0.16, count)
    return blanked(said, rng.random(count) < 0.05)


def _add_duties(rng: Generator, frame: pd.DataFrame) -> None:
    count = len(frame)
    duty = frame["duty_owed"].to_numpy(dtype=object)
    assess = frame["assess_date"].to_numpy().astype("datetime64[D]")
    prevention, relief = duty == "prevention", duty == "relief"
    prev_end = np.where(prevention, assess + days(rng, 10, 120, count), NEVER)
    prev_reason = pick(rng, code_lists.PREVENTION_ENDS, count)
    failed = prevention & (prev_reason == code_lists.BECAME_HOMELESS)
    relief_start = np.where(relief, assess, np.where(failed, prev_end, NEVER))
    in_relief = relief | failed
    relief_reason = pick(rng, code_lists.RELIEF_ENDS, count)
    ran_out = in_relief & (relief_reason == code_lists.RELIEF_RAN_OUT)
    lasted = np.where(ran_out, days(rng, DUTY_DAYS, DUTY_DAYS + 14, count), days(rng, 7, 80, count))
    relief_end = np.where(in_relief, relief_start + lasted, NEVER)
    decision = np.where(ran_out, relief_end + days(rng, 0, 35, count), NEVER)
    children = frame["n_children"].to_numpy() > 0
    outcome = pick(rng, code_lists.MAIN_DECISIONS, count)
    outcome[children & (outcome == "Homeless + no priority need")] = code_lists.ACCEPTANCE
    accepted = ran_out & (outcome == code_lists.ACCEPTANCE)
    need = pick(rng, code_lists.PRIORITY_NEEDS, count)
    need[children & (rng.random(count) < 0.85)] = code_lists.WITH_CHILDREN
    frame["prev_start"] = np.where(prevention, assess, NEVER)
    frame["prev_end"] = prev_end
    frame["prev_end_reason"] = np.where(prevention, prev_reason, "").astype(object)
    frame["relief_start"], frame["relief_end"] = relief_start, relief_end
    frame["relief_end_reason"] = np.where(in_relief, relief_reason, "").astype(object)
    frame["main_decision"] = decision
    frame["main_outcome"] = np.where(ran_out, outcome, "").astype(object)
    frame["priority_need"] = np.where(accepted, need, "").astype(object)
    frame["main_end"] = np.where(accepted, decision + days(rng, 90, 900, count), NEVER)


def _add_temporary_accommodation(
    rng: Generator,
    frame: pd.DataFrame,
    spans: Sequence[str],
    quarter: NDArray[np.int64],
    stock: NDArray[np.int64],
) -> None:
    count = len(frame)
    entry = np.full(count, NEVER)
    leaving = np.full(count, NEVER)
    start = frame["relief_start"].to_numpy().astype("datetime64[D]")
    liking = rng.random(count) - 0.35 * (frame["n_children"].to_numpy() > 0)
    offset = days(rng, 0, 20, count)
    inside = np.zeros(count, dtype=bool)
    for at, span in enumerate(spans):
        low, high = quarter_bounds(span)
        # The first quarter of the history fills the stock from every case it has.
        wanted = int(stock[at])
        moving_in = max(wanted // 9, wanted - int(inside.sum()))
        waiting = np.flatnonzero(
            np.isnat(entry) & ~np.isnat(start) & (quarter <= at) & (start <= high) & (start >= low)
        )
        chosen = waiting[np.argsort(liking[waiting], kind="stable")][:moving_in]
        entry[chosen] = np.minimum(start[chosen] + offset[chosen], high)
        inside[chosen] = True
        surplus = max(0, int(inside.sum()) - wanted)
        settled = np.flatnonzero(inside & (entry < low))
        gone = rng.choice(settled, min(surplus, settled.size), replace=False)
        span_days = int((high - low).astype(int))
        leaving[gone] = low + days(rng, 0, span_days, gone.size)
        inside[gone] = False
    frame["ta_entry"], frame["ta_exit"] = entry, leaving
    kind = pick(rng, code_lists.TA_TYPES, count)
    frame["ta_type"] = np.where(np.isnat(entry), "", kind).astype(object)
