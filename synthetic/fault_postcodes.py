"""Postcodes as case workers mistype them.

Belongs here: pseudo-postcodes, withdrawn, mistyped and non-existent postcodes put into cases. Does
not belong here: faults of whole files, which are ``faults``. Pseudo-postcodes: domain dossier 1.4.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthetic.homelessness import NO_FIXED_ABODE
from synthetic.world import World

NOT_KNOWN = "ZZ99 3WZ"
OVERSEAS = "ZZ99 4QZ"
FEWEST_OF_A_KIND = 4
# (share of cases, reason, description) of what Northwood's case workers type as a postcode.
POSTCODE_FAULTS = (
    (0.012, "postcode_terminated", "postcodes that Royal Mail has withdrawn"),
    (0.010, "postcode_repaired", "postcodes typed with the letters O or I for 0 or 1"),
    (0.006, "postcode_unknown", "postcodes that are well formed and exist nowhere"),
    (0.006, "zz99_not_known", "the pseudo-postcode for address not known"),
    (0.005, "zz99_overseas", "a pseudo-postcode for a home overseas"),
)
POSTCODE_OUTCOMES = {
    "zz99_no_fixed_abode": "excluded",
    "zz99_not_known": "excluded",
    "zz99_overseas": "excluded",
    "postcode_terminated": "accepted",
    "postcode_repaired": "flagged",
    "postcode_unknown": "excluded",
}


def spoil_postcodes(world: World, cases: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Mistype the postcodes of some cases of the first district.

    Parameters
    ----------
    world : World
    cases : pandas.DataFrame
        From ``homelessness.make_cases``.

    Returns
    -------
    pandas.DataFrame
        The cases with spoilt ``postcode`` and, where nobody could place them, no ``lsoa21cd``. A
        mistyped postcode that can be repaired keeps its LSOA, a withdrawn one has its own.
    dict of str to str
        The reason for each spoilt postcode.
    """
    spelled: dict[str, str] = {}
    rng = world.rng("faults", "postcodes")
    postcode = cases["postcode"].to_numpy(dtype=object).copy()
    lsoa = cases["lsoa21cd"].to_numpy(dtype=object).copy()
    free = np.flatnonzero(postcode != NO_FIXED_ABODE)
    free = free[rng.permutation(free.size)]
    areas = world.areas.lsoas["lsoa21cd"].to_numpy(dtype=object)
    gone = world.places.postcodes.query("district == 0 and not live")
    for share, reason, _ in POSTCODE_FAULTS:
        usable = free
        if reason == "postcode_repaired":
            usable = free[[_mistyped(code) != code for code in postcode[free]]]
        chosen = usable[: max(FEWEST_OF_A_KIND, round(share * len(cases)))]
        free = free[~np.isin(free, chosen)]
        for row in chosen.tolist():
            if reason == "postcode_terminated":
                home = gone.iloc[int(rng.integers(len(gone)))]
                postcode[row], lsoa[row] = home["pcds"], areas[home["lsoa"]]
            elif reason == "postcode_repaired":
                postcode[row] = _mistyped(postcode[row])
            else:
                lsoa[row] = None
                postcode[row] = {
                    "postcode_unknown": f"QA99 {rng.integers(10)}ZZ",
                    "zz99_not_known": NOT_KNOWN,
                    "zz99_overseas": OVERSEAS,
                }[reason]
            spelled[postcode[row]] = reason
    return cases.assign(postcode=postcode, lsoa21cd=lsoa), spelled


def _mistyped(postcode: str) -> str:
    """Return the postcode with its last 0 or 1 typed as a letter, or as it is if it has none."""
    digit = postcode[-3]
    if digit in "01":
        return postcode[:-3] + "OI"[int(digit)] + postcode[-2:]
    outward = postcode[:-4]
    # A two-digit district with O or I at its end would be a valid postcode of another place.
    if len(outward) == 3 and outward[-1] in "01":
        return outward[:-1] + "OI"[int(outward[-1])] + postcode[-4:]
    return postcode
