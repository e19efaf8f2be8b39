"""Postcodes, addresses, output areas and invented identifiers."""

import re
from datetime import date

import numpy as np
import pytest
import shapely

from declarations.errors import ConfigurationError
from synthetic.people import births, nhs_numbers, ninos, surnames
from synthetic.world import make_world

POSTCODE = re.compile(r"^Q[A-Z][0-9]{1,2} [0-9][ABD-HJLNP-UW-Z]{2}$")


def passes_mod_11(number: str) -> bool:
    """Apply the NHS data dictionary's rule, written apart from the generator's."""
    total = sum(
        int(digit) * weight for digit, weight in zip(number, range(10, 1, -1), strict=False)
    )
    check = 11 - total % 11
    return check != 10 and int(number[9]) == check % 11


def test_mod_11_rule_of_this_test():
    assert passes_mod_11("9434765919")
    assert not passes_mod_11("9434765918")


def test_nhs_numbers_are_valid_test_numbers():
    numbers = nhs_numbers(0, 5000)
    assert all(re.fullmatch(r"999\d{7}", number) for number in numbers)
    assert all(passes_mod_11(number) for number in numbers)
    assert len(set(numbers)) == 5000
    assert not set(nhs_numbers(5000, 100)) & set(numbers)


def test_nhs_numbers_run_out_with_a_plain_error():
    with pytest.raises(ConfigurationError, match="too small"):
        nhs_numbers(900_000, 100_000)


def test_other_identifiers_are_inventions():
    rng = np.random.default_rng(1)
    assert all(re.fullmatch(r"QQ\d{6}[A-D]", number) for number in ninos(rng, 200))
    names = surnames()
    assert len(set(names)) == names.size >= 100
    assert "Quillfeatherby" in names


def test_births_give_the_age():
    age = np.array([18, 40, 90])
    on = np.datetime64("2025-01-01")
    years = (on - births(np.random.default_rng(1), age, on)).astype(int) / 365.25
    assert np.all((years >= age) & (years <= age + 1))


def test_postcodes_are_well_formed_and_unique(world):
    codes = world.places.postcodes["pcds"]
    assert codes.is_unique
    assert all(POSTCODE.match(code) for code in codes)


def test_live_and_terminated_postcodes(world):
    postcodes = world.places.postcodes
    live = postcodes["live"]
    per_lsoa = live.groupby(postcodes["lsoa"]).sum()
    assert 18 < per_lsoa.mean() < 26
    assert 0.18 < (~live).sum() / live.sum() < 0.32
    assert (postcodes.loc[live, "doterm"] == "").all()
    gone = postcodes[~live]
    assert gone["doterm"].str.fullmatch(r"\d{6}").all()
    assert (gone["doterm"] > gone["dointr"]).all()
    assert (gone["households"] == 0).all()


def test_points_lie_in_their_lsoa(world):
    postcodes, uprns = world.places.postcodes, world.places.uprns
    for lsoa, easting, northing in (
        (postcodes["lsoa"], postcodes["easting"], postcodes["northing"]),
        (uprns["lsoa"], uprns["easting"], uprns["northing"]),
    ):
        polygons = shapely.buffer(world.areas.polygons, 0.02)[np.asarray(lsoa)]
        assert shapely.intersects_xy(polygons, easting, northing).all()


def test_straddling_postcodes_have_addresses_on_both_sides(world):
    postcodes, uprns = world.places.postcodes, world.places.uprns
    away = postcodes["lsoa"].to_numpy()[uprns["postcode"]] != uprns["lsoa"]
    assert away.any()
    assert postcodes["straddling"].to_numpy()[uprns["postcode"][away]].all()
    share = postcodes["straddling"].sum() / postcodes["live"].sum()
    assert 0.01 < share < 0.05


def test_addresses_are_households(world):
    uprns = world.places.uprns
    assert len(set(uprns["uprn"])) == uprns["uprn"].size
    assert all(re.fullmatch(r"0999\d{8}", code) for code in uprns["uprn"])
    assert uprns["uprn"].size == world.areas.lsoas["households"].sum()
    oa_lsoa = world.places.oas["lsoa"].to_numpy()
    assert (oa_lsoa[uprns["oa"]] == uprns["lsoa"]).all()


def test_output_areas_add_up_to_their_lsoa(world):
    oas = world.places.oas
    assert oas["oa21cd"].str.fullmatch(r"E0099\d{4}").all()
    assert oas.groupby("lsoa").size().between(4, 6).all()
    residents = oas.groupby("lsoa")["residents"].sum()
    assert (residents.to_numpy() == world.areas.lsoas["population"].to_numpy()).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"first_period": "2026-11"}, "out of order"),
        ({"as_of": date(2026, 10, 31)}, "not ended"),
        ({"districts": 0}, "districts"),
        ({"districts": 27}, "districts"),
        ({"districts": 5, "lsoas": 20}, "too few"),
        ({"districts": 2, "lsoas": 1601}, "too many"),
    ],
)
def test_impossible_regions_are_refused(settings, words):
    with pytest.raises(ConfigurationError, match=words):
        make_world(
            1,
            **{
                "districts": 2,
                "lsoas": 40,
                "first_period": "2026-05",
                "last_period": "2026-10",
                "as_of": date(2026, 11, 16),
                **settings,
            },
        )
