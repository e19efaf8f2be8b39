"""The region as one value, made once and read by every topic.

Belongs here: putting the geography and the places together. Does not belong here: any file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from numpy.random import Generator

from declarations.errors import ConfigurationError
from synthetic.areas import Areas, make_areas
from synthetic.months import last_day, month_number
from synthetic.places import Places, make_places
from synthetic.seeds import topic_rng
from synthetic.tessellation import tessellate
from synthetic.vintages import Vintages, make_vintages

FEWEST_LSOAS_PER_DISTRICT = 12
# Six output areas each use nearly all of the synthetic codes there are.
MOST_LSOAS = 1600
MOST_DISTRICTS = 26


@dataclass(frozen=True)
class World:
    """Everything the topics share.

    Attributes
    ----------
    seed : int
    areas : Areas
    vintages : Vintages
    places : Places
    first_period, last_period : str
        The months for which agencies deliver, ``YYYY-MM``.
    as_of : datetime.date
        Today, in the region: no file arrives later.
    """

    seed: int
    areas: Areas
    vintages: Vintages
    places: Places
    first_period: str
    last_period: str
    as_of: date

    def rng(self, *topic: str) -> Generator:
        """Return the stream of a topic."""
        return topic_rng(self.seed, *topic)

    def source_id(self, district: int, extract: str) -> str:
        """Return a council source's id, for example ``northwood_homelessness``."""
        name = self.areas.districts[district].lower().replace(" ", "_")
        return f"{name}_{extract}"


def make_world(
    seed: int, *, districts: int, lsoas: int, first_period: str, last_period: str, as_of: date
) -> World:
    """Invent the region.

    Parameters
    ----------
    seed : int
    districts, lsoas : int
        How many of each.
    first_period, last_period : str
        ``YYYY-MM``.
    as_of : datetime.date

    Raises
    ------
    ConfigurationError
        If the periods are out of order or have not ended, or if there are too many districts, too
        few LSOAs for them, or too many for their codes.
    GeographyError
        If no valid map can be drawn.
    """
    if month_number(first_period) > month_number(last_period) or last_day(last_period) >= as_of:
        raise ConfigurationError(
            "The synthetic periods are out of order or have not ended",
            "Give a first period no later than the last, which ended before the date of the region",
        )
    if not 1 <= districts <= MOST_DISTRICTS:
        raise ConfigurationError(
            "The number of synthetic districts is out of range",
            f"Ask for 1 to {MOST_DISTRICTS}",
        )
    if lsoas < FEWEST_LSOAS_PER_DISTRICT * districts:
        raise ConfigurationError(
            "There are too few synthetic LSOAs for the districts",
            f"Ask for at least {FEWEST_LSOAS_PER_DISTRICT} to a district",
        )
    if lsoas > MOST_LSOAS:
        raise ConfigurationError(
            "There are too many synthetic LSOAs for the synthetic output area codes",
            f"Ask for at most {MOST_LSOAS}",
        )
    tessellation = tessellate(topic_rng(seed, "tessellation"), lsoas, districts)
    areas = make_areas(topic_rng(seed, "areas"), tessellation, districts)
    vintages = make_vintages(topic_rng(seed, "vintages"), areas)
    places = make_places(topic_rng(seed, "places"), areas, vintages)
    return World(seed, areas, vintages, places, first_period, last_period, as_of)
