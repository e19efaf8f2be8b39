"""The quarterly Client Level Data returns of adult social care.

Belongs here: the return of a council for a quarter. Does not belong here: its clients and their
events, which are ``care_people`` and ``care_events``. Field names and Release 2 values: domain
dossier 1.2. One row is one event; a return covers the twelve months that end with its quarter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthetic.areas import lad_code
from synthetic.care_events import make_events
from synthetic.care_people import make_people
from synthetic.months import first_day, last_day, shift
from synthetic.tables import NEVER, Table, blanked, dates, select
from synthetic.world import World

FIELDS = [
    "LA_Code",
    "Reporting_Period_Start_Date",
    "Reporting_Period_End_Date",
    "NHS_Number",
    "LA_Person_Unique_Identifier",
    "GP_Practice_Code",
    "GP_Practice_Name",
    "Gender",
    "Ethnicity",
    "Date_of_Birth",
    "Date_of_Death",
    "Client_Type",
    "Primary_Support_Reason",
    "Postcode",
    "Accommodation_Status",
    "Employment_Status",
    "Has_Unpaid_Carer",
    "Autism_Spectrum_Disorder_ASD",
    "Visual_Impairment",
    "Hearing_Impairment",
    "Dementia",
    "Client_Funding_Status",
    "Event_Type",
    "Event_Reference",
    "Event_Start_Date",
    "Event_End_Date",
    "Event_Description",
    "Event_Outcome",
    "Request_Route_of_Access",
    "Assessment_Type",
    "Eligible_Needs_Identified",
    "Method_of_Assessment",
    "Total_Hrs_Caring_per_week",
    "No_of_adults_being_cared_for",
    "Adult_1_Linked_Person_ID",
    "Adult_2_Linked_Person_ID",
    "Adult_3_Linked_Person_ID",
    "Service_Type",
    "Service_Component",
    "Delivery_Mechanism",
    "Provider_CQC_Location_ID",
    "Provider_CQC_Location_Name",
    "Review_Reason",
    "Review_Outcomes_Achieved",
    "Method_of_Review",
    "Unit_Cost",
    "Cost_Frequency_Unit_Type",
    "Planned_units_per_week",
]

TWICE_SHARE, TWICE_DAYS = 0.02, 3
"""Share of ended services returned in two rows with two ends, and the days between the ends."""
INVALID_SHARE, INVALID_VALUE = 0.01, "Local value (synthetic)"
"""Share of outcomes, and of accommodation, that are no value of the specification."""


class Care:
    """The clients of one council and every event of theirs.

    Parameters
    ----------
    world : World
    district : int
        Index of the council.
    first_nhs : int
        NHS numbers of the test range already used by other councils.
    quarters : list of str
        Quarters to be returned, ``YYYY-MM``.

    Attributes
    ----------
    people, events : People, Events
        The truth: what really happened, whatever the returns say of it.
    """

    def __init__(self, world: World, district: int, first_nhs: int, quarters: list[str]) -> None:
        self._code = lad_code(district)
        self._start = np.datetime64(first_day(shift(quarters[0], -11)), "D")
        self._end = np.datetime64(last_day(quarters[-1]), "D")
        rng = world.rng("social_care", str(district))
        self.people = make_people(rng, world, district, first_nhs, self._start)
        self.events = make_events(rng, self.people, self._start, self._end, district)
        self._slips = world.rng("social_care_slips", str(district)).random(self.events.person.size)

    def count(self) -> int:
        """Count the people, which is how many NHS numbers they use."""
        return self.people.kind.size

    def table(self, quarter: str) -> Table:
        """Return the return of a quarter: events on any day of the twelve months it ends."""
        low = np.datetime64(first_day(shift(quarter, -11)), "D")
        high = np.datetime64(last_day(quarter), "D")
        events = self.events
        # Only a service is returned before it has ended.
        returned = (events.cells["Event_Type"] == "Service") | (events.ends <= high)
        there = np.isnat(events.returned_to) | (events.returned_to > high)
        chosen = np.flatnonzero((events.begins <= high) & (events.ends >= low) & returned & there)
        twice = chosen[self._twice(chosen, high)]
        repeated = np.repeat([False, True], [chosen.size, twice.size])
        chosen = np.concatenate([chosen, twice])
        person = events.person[chosen]
        # The repeated row of an event is an older one: it ended before the end now known.
        ended = events.ends[chosen] - np.where(repeated, TWICE_DAYS, 0).astype("timedelta64[D]")
        running = ended > high
        ended = np.where(running, NEVER, ended)
        cells = select(events.cells, chosen)
        died = self.people.died[person]
        cells["Event_Outcome"] = blanked(cells["Event_Outcome"], running)
        cells |= {
            "LA_Code": np.full(chosen.size, self._code, dtype=object),
            "Reporting_Period_Start_Date": np.full(chosen.size, str(low), dtype=object),
            "Reporting_Period_End_Date": np.full(chosen.size, str(high), dtype=object),
            "Event_Start_Date": dates(events.begins[chosen]),
            "Event_End_Date": dates(ended),
            "Date_of_Death": dates(np.where(died > high, NEVER, died)),
        }
        cells |= select(self.people.cells, person)
        slips = self._slips[chosen]
        for field, lowest in (("Event_Outcome", 0.02), ("Accommodation_Status", 0.03)):
            slipped = (slips >= lowest) & (slips < lowest + INVALID_SHARE) & (cells[field] != "")
            cells[field] = blanked(cells[field], slipped, INVALID_VALUE)
        blank = np.full(chosen.size, "", dtype=object)
        return {name: cells.get(name, blank) for name in FIELDS}

    def _twice(self, chosen: NDArray[np.int64], high: np.datetime64) -> NDArray[np.bool_]:
        """Choose services that a return holds in two rows, ended for more than the days between."""
        events, slips = self.events, self._slips[chosen]
        lasted = (events.ends[chosen] - events.begins[chosen]).astype(int) > TWICE_DAYS
        service = events.cells["Event_Type"][chosen] == "Service"
        return (slips < TWICE_SHARE) & service & lasted & (events.ends[chosen] <= high)
