"""People known to adult social care who do not exist.

Belongs here: clients and carers with the person fields of the Client Level Data. Does not belong
here: what they ask for and receive, which is ``care_events``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from synthetic import code_lists
from synthetic.areas import short_name
from synthetic.draws import pick, place_by, yes_no
from synthetic.nhs import practice_count
from synthetic.people import births, nhs_numbers
from synthetic.tables import NEVER, Cells, Table, dates, take
from synthetic.world import World

LONG_TERM_PER_LSOA = 25
REQUESTS_PER_LSOA_YEAR = 11
CARERS_PER_LSOA = 3


@dataclass(frozen=True)
class People:
    """The clients and carers of one council.

    Attributes
    ----------
    kind : (n,) object array of str
        Why they are known: ``long`` (term support), ``request`` or ``carer``.
    died : (n,) array of datetime64
        Day of death, NaT if alive.
    cells : dict of str to object array
        Person fields of the return.
    """

    kind: Cells
    died: NDArray[np.datetime64]
    cells: Table


def make_people(
    rng: Generator, world: World, district: int, first_nhs: int, start: np.datetime64
) -> People:
    """Invent the people one council's adult social care knows.

    Parameters
    ----------
    rng : numpy.random.Generator
    world : World
    district : int
    first_nhs : int
        NHS numbers of the test range already used.
    start : numpy.datetime64
        Day to which ages refer.
    """
    lsoas, postcodes = world.areas.lsoas, world.places.postcodes
    home = postcodes[(postcodes["district"] == district) & postcodes["live"]]
    lsoa = home["lsoa"].to_numpy()
    need = 0.16 * lsoas["deprivation"].to_numpy() + 0.30 * lsoas["age"].to_numpy()
    weight = home["households"].to_numpy() * np.exp(need)[lsoa]
    areas = int((lsoas["district"] == district).sum())
    kinds = np.repeat(
        ["long", "request", "carer"],
        [
            int(areas * LONG_TERM_PER_LSOA * 1.9),
            int(areas * REQUESTS_PER_LSOA_YEAR * 2.2),
            areas * CARERS_PER_LSOA,
        ],
    )
    count = kinds.size
    row = place_by(rng, weight, count)
    older = rng.random(count) < 0.64
    age = np.where(older, 65 + rng.gamma(3.2, 5.0, count), 18 + rng.uniform(0, 47, count))
    age = np.clip(age, 18, 104).astype(np.int64)
    reason = pick(rng, code_lists.SUPPORT_REASONS, count)
    young_reasons = (code_lists.LEARNING_DISABILITY, "Mental Health Support")
    reason[(age > 75) & np.isin(reason, young_reasons)] = "Physical Support: Personal care support"
    carer = kinds == "carer"
    reason[carer] = "Social Support: Support to Carer"
    nhs = nhs_numbers(first_nhs, count)
    prefix = short_name(district)
    ident = np.array([f"{prefix}-P{n + 1:06d}" for n in range(count)], dtype=object)
    unknown = np.full(count, "Unknown", dtype=object)
    cells: Table = {
        "NHS_Number": np.where(rng.random(count) < 0.97, nhs, "").astype(object),
        "LA_Person_Unique_Identifier": ident,
        "GP_Practice_Code": np.array(
            [f"Q99{n:03d}" for n in rng.integers(1, practice_count(world) + 1, count)], dtype=object
        ),
        "Gender": pick(rng, {"Female": 58, "Male": 41.5, "Unknown": 0.5}, count),
        "Ethnicity": pick(rng, code_lists.ETHNIC_GROUPS, count),
        "Date_of_Birth": dates(births(rng, age, start)),
        "Client_Type": np.where(carer, "Carer", "Service User").astype(object),
        "Primary_Support_Reason": reason,
        "Postcode": home["pcds"].to_numpy(dtype=object)[row],
        "Accommodation_Status": pick(rng, code_lists.CARE_ACCOMMODATION, count),
        # Mandatory only for people with a learning disability aged 18 to 64.
        "Employment_Status": np.where(
            (reason == code_lists.LEARNING_DISABILITY) & (age < 65),
            pick(rng, code_lists.EMPLOYMENT, count),
            "",
        ).astype(object),
        "Has_Unpaid_Carer": np.where(
            rng.random(count) < 0.1, unknown, yes_no(rng, 0.35, count)
        ).astype(object),
        "Autism_Spectrum_Disorder_ASD": yes_no(rng, 0.06, count),
        "Visual_Impairment": yes_no(rng, 0.08, count),
        "Hearing_Impairment": yes_no(rng, 0.07, count),
        "Dementia": yes_no(rng, np.where(age > 75, 0.22, 0.02), count),
        "Client_Funding_Status": pick(
            rng,
            {
                "Fully social care funded": 38,
                "Joint client and social care funded": 56,
                "Fully client funded": 6,
            },
            count,
        ),
    }
    cells["GP_Practice_Name"] = np.array(
        [f"SURGERY {code[3:]} (SYNTHETIC)" for code in cells["GP_Practice_Code"]], dtype=object
    )
    linked = np.where(carer, ident[rng.integers(0, max(1, int((~carer).sum())), count)], "")
    cells["Adult_1_Linked_Person_ID"] = linked.astype(object)
    cells["No_of_adults_being_cared_for"] = np.where(carer, "1", "").astype(object)
    hours = ("1-19 hours", "20-49 hours", "50+ hours", "Unknown")
    cells["Total_Hrs_Caring_per_week"] = np.where(
        carer, take(hours, rng.integers(0, 4, count)), ""
    ).astype(object)
    return People(kinds, np.full(count, NEVER), cells)
