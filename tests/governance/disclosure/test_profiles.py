"""The file of profiles: complete, coherent, and none that its own figures break."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import ValidationError

from declarations.base import CountProfile, ProfileName
from declarations.errors import ConfigurationError
from governance.disclosure import profiles as module
from governance.disclosure.profiles import (
    Perturbation,
    Profile,
    Rounding,
    default_profile,
    profile,
    profiles,
)

FILE = Path(module.__file__).with_name("profiles.yaml")
NAMES = get_args(ProfileName)


def content(name: str, /, **changes: Any) -> dict[str, Any]:
    """Return a profile as it stands in the file, with parts of its sections changed."""
    book = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    found = copy.deepcopy(next(p for p in book["profiles"] if p["name"] == name))
    for key, value in changes.items():
        found[key] = {**found.get(key, {}), **value} if isinstance(value, dict) else value
    return found


def test_the_file_holds_exactly_the_names_that_a_declaration_may_use() -> None:
    assert tuple(profiles()) == NAMES


def test_the_default_hides_zeros_and_rounds_to_five() -> None:
    chosen = default_profile()

    assert chosen.name == "hide0-r5"
    assert (chosen.small.below, chosen.small.hidden_below, chosen.small.zeros) == (5, 5, "hidden")
    assert (chosen.rounding.kind, chosen.rounding.base) == ("nearest", 5)


def test_a_profile_nobody_wrote_is_not_found() -> None:
    with pytest.raises(ConfigurationError, match="hide0-r5, r5, hes-7/5"):
        profile("hide0-r10")


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_says_all_an_officer_signs(name: str) -> None:
    found = profile(name)

    assert len(found.in_words.split()) > 40
    assert found.sources
    assert found.class_disclosure
    assert (found.minimum_denominator.households, found.minimum_denominator.persons) == (50, 100)
    assert (found.costs.dominance.n, found.costs.dominance.k) == (2, 90)
    assert (found.costs.p_percent, found.costs.contributors) == (10, 10)


@pytest.mark.parametrize(
    ("name", "below", "hidden_below", "marker", "zeros", "kind", "base"),
    [
        ("hide0-r5", 5, 5, "[c]", "hidden", "nearest", 5),
        ("r5", 5, 3, "[low]", "hidden", "nearest", 5),
        ("hes-7/5", 8, 8, "[c]", "shown", "nearest", 5),
        ("midpoint-6", 6, 0, None, "shown", "midpoint", 6),
        ("ons-10-5", 10, 10, "[c]", "hidden", "nearest", 5),
        ("suppress", 5, 5, "[c]", "shown", "none", 1),
        ("ckm", 5, 0, None, "shown", "none", 1),
    ],
)
def test_the_rules_are_those_of_the_bodies_named(
    name: str, below: int, hidden_below: int, marker: str | None, zeros: str, kind: str, base: int
) -> None:
    small, rounding = profile(name).small, profile(name).rounding

    assert (small.below, small.hidden_below, small.marker, small.zeros) == (
        below, hidden_below, marker, zeros,
    )  # fmt: skip
    assert (rounding.kind, rounding.base) == (kind, base)
    assert profile(name).secondary == (name == "suppress")
    assert (profile(name).perturbation is not None) == (name == "ckm")


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("r5", "hes-7/5")])
def test_the_safe_width_is_that_of_the_rule(name: str) -> None:
    found = profile(name)

    assert found.safe.width == max(found.small.below - 1, 2)
    assert found.safe.outside


def test_where_the_marker_is_narrower_all_of_it_must_stay_open() -> None:
    # 1 to 7, of which none is outside; 0 to 2, of which 0 is.
    assert (profile("hes-7/5").safe.width, profile("hes-7/5").safe.outside) == (7 - 1, False)
    assert (profile("r5").safe.width, profile("r5").safe.outside) == (2 - 0, True)


def test_the_perturbation_is_one_a_table_can_be_made_of() -> None:
    from governance.disclosure.cell_key import maximum_entropy_table

    noise = profile("ckm").perturbation
    assert noise is not None

    table = maximum_entropy_table(noise.deviation, noise.variance, noise.blocked, noise.keys)

    assert table.keys == noise.keys
    assert table.deviation <= noise.deviation


@pytest.mark.parametrize("name", NAMES)
def test_each_profile_is_read_back_as_it_stands(name: str) -> None:
    assert Profile(**content(name)) == profile(name)


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("hide0-r5", {"safe": {"width": 5}}, "more than a protected count itself leaves open"),
        ("r5", {"safe": {"width": 3}}, "more than a protected count itself leaves open"),
        ("midpoint-6", {"safe": {"width": 6}}, "more than a protected count itself leaves open"),
        ("ckm", {"safe": {"width": 6}}, "more than a protected count itself leaves open"),
        ("hes-7/5", {"safe": {"outside": True}}, "outside cannot be asked for"),
        ("midpoint-6", {"small": {"below": 7}}, "outside cannot be asked for"),
        ("hide0-r5", {"small": {"zeros": "shown"}}, "more than a protected count itself"),
        ("suppress", {"small": {"hidden_below": 3}}, "more than a protected count itself"),
        ("hide0-r5", {"small": {"marker": None}}, "a marker goes with hidden_below"),
        ("hide0-r5", {"small": {"hidden_below": 0}}, "a marker goes with hidden_below"),
        ("midpoint-6", {"small": {"zeros": "hidden"}}, "only behind a marker"),
        ("hide0-r5", {"secondary": True}, "otherwise exact"),
        ("midpoint-6", {"secondary": True}, "secondary cells need a marker"),
        ("hide0-r5", {"perturbation": {"deviation": 5, "variance": 2, "keys": 256}},
         "neither hidden nor rounded"),
        ("hide0-r5", {"rounding": {"kind": "controlled"}}, "shows every count"),
        ("hide0-r5", {"rounding": {"kind": "none"}}, "kind: none has base: 1"),
        ("hide0-r5", {"rounding": {"base": 1}}, "base of 2 or more"),
        ("ckm", {"perturbation": {"variance": 26}}, "no more variance than its square"),
        ("ckm", {"perturbation": {"blocked": 5}}, "less than the deviation"),
        ("ckm", {"perturbation": {"keys": 100}}, "256 or 4096"),
        ("hide0-r5", {"small": {"marker": "*"}}, r"'\[c\]' or '\[low\]'"),
        ("hide0-r5", {"name": "hide0-r10"}, "hide0-r5"),
        ("hide0-r5", {"in_words": "Hidden."}, "at least 100 characters"),
        ("hide0-r5", {"threshold": 3}, "Extra inputs"),
    ],
)  # fmt: skip
def test_an_incoherent_profile_is_refused(name: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Profile(**content(name, **changes))


def test_controlled_rounding_can_be_declared() -> None:
    changes = {"rounding": {"kind": "controlled", "base": 5}, "small": {"below": 5}}

    found = Profile(**content("midpoint-6", **changes, safe={"width": 4, "outside": True}))

    assert found.rounding == Rounding(kind="controlled", base=5)


def test_noise_that_blocks_nothing_can_be_declared() -> None:
    assert Perturbation(deviation=3, variance=1, keys=4096).blocked == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  - name: r5\n", "  - name: hide0-r5\n", "stands twice"),
        ("default: hide0-r5\n", "default: r5\n", ""),
    ],
)
def test_the_book_names_each_profile_once(old: str, new: str, said: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert text.count(old) == 1
    book = yaml.safe_load(text.replace(old, new))

    if said:
        with pytest.raises(ValidationError, match=said):
            module.ProfileBook(**book)
    else:
        assert module.ProfileBook(**book).default == "r5"


def test_the_default_must_be_one_of_them() -> None:
    book = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    book["profiles"] = [p for p in book["profiles"] if p["name"] != "hide0-r5"]

    with pytest.raises(ValidationError, match="none of the profiles"):
        module.ProfileBook(**book)


def test_a_profile_cannot_be_changed_at_run_time() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        profile("hide0-r5").secondary = True  # type: ignore[misc]


def test_a_region_may_use_the_profiles_that_need_no_more_than_the_count() -> None:
    usable = {
        name
        for name, found in profiles().items()
        if not (found.secondary or found.perturbation or found.rounding.kind == "controlled")
    }
    assert set(get_args(CountProfile)) == usable
