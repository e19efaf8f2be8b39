"""``profiles.yaml``: what each disclosure profile does to a count, and what must stay unknown.

Belongs here: the model of that one file, and what makes a profile coherent. Does not belong here:
doing it to a count (``counts.py``), or finding the cells that are sensitive (``sensitive.py``).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from declarations.base import Declaration, ProfileName
from declarations.errors import ConfigurationError
from declarations.loader import read_declaration

Marker = Literal["[c]", "[low]"]
Zeros = Literal["hidden", "shown"]


class SmallCounts(Declaration):
    """Which counts are sensitive, and which are replaced by a marker."""

    below: int = Field(ge=2, description="Counts of 1 to below - 1 are sensitive.")
    hidden_below: int = Field(
        ge=0, description="Counts below this carry the marker; 0 where none does."
    )
    marker: Marker | None
    zeros: Zeros = Field(description="Whether a true zero is hidden with them or shown as 0.")

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if (self.marker is None) != (self.hidden_below == 0):
            raise ValueError("a marker goes with hidden_below, and hidden_below with a marker")
        if self.marker is None and self.zeros == "hidden":
            raise ValueError("zeros can be hidden only behind a marker")
        return self


class Rounding(Declaration):
    """What happens to a count that is shown.

    ``nearest`` takes halves up; ``midpoint`` shows the middle of a band of ``base`` counts;
    ``controlled`` takes one of the two nearest multiples so that a whole table still adds up.
    """

    kind: Literal["none", "nearest", "midpoint", "controlled"]
    base: int = Field(ge=1, le=1000)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if (self.kind == "none") != (self.base == 1):
            raise ValueError("a rounding has a base of 2 or more, and kind: none has base: 1")
        return self


class Perturbation(Declaration):
    """Noise looked up by cell keys.

    A count of 0 is never changed: a cell without records has no keys.
    """

    deviation: int = Field(ge=1, le=20, description="The greatest change either way.")
    variance: float = Field(gt=0)
    keys: Literal[256, 4096] = Field(description="Record keys run from 0 to one less.")
    blocked: int = Field(default=0, ge=0, description="Published counts of 1 to this never occur.")

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.variance > self.deviation**2:
            raise ValueError(
                "changes of at most the deviation have no more variance than its square"
            )
        # A count of 1 must be able to grow past what never occurs, or it could only become 0.
        if self.blocked >= self.deviation:
            raise ValueError("blocked must be less than the deviation")
        return self


class Dominance(Declaration):
    """A sum is sensitive where its ``n`` largest contributions exceed ``k`` per cent of it."""

    n: int = Field(ge=1)
    k: float = Field(gt=0, le=100)


class CostRules(Declaration):
    """When a sum of money is sensitive."""

    dominance: Dominance
    p_percent: float = Field(gt=0, le=100)
    contributors: int = Field(ge=1, description="Sums of fewer contributions than this are hidden.")


class MinimumDenominator(Declaration):
    """Rates over fewer than this are withheld."""

    households: int = Field(ge=1)
    persons: int = Field(ge=1)


class SafeInterval(Declaration):
    """What an attacker must be left with for each sensitive count.

    ``width`` is the highest count that fits less the lowest. ``outside`` says that one of the
    counts that fit must lie outside the protected range, 1 to ``small.below`` - 1.
    """

    width: int = Field(ge=1)
    outside: bool


class Profile(Declaration):
    """One disclosure profile, as an officer signed it."""

    name: ProfileName
    title: str = Field(min_length=1)
    in_words: str = Field(min_length=100, description="The paragraph an officer signs.")
    small: SmallCounts
    rounding: Rounding
    secondary: bool = Field(description="Whether further cells are hidden under the same marker.")
    perturbation: Perturbation | None = None
    costs: CostRules
    minimum_denominator: MinimumDenominator
    class_disclosure: bool
    whole_years_only: bool = Field(
        default=False, description="Whether nothing shorter than a year is published under it."
    )
    safe: SafeInterval
    sources: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_way_to_protect(self) -> Self:
        masked = self.small.marker is not None
        if self.secondary and not masked:
            raise ValueError("secondary cells need a marker")
        if self.secondary and self.rounding.kind != "none":
            raise ValueError("secondary cells are for tables that are otherwise exact")
        if self.perturbation is not None and (masked or self.rounding.kind != "none"):
            raise ValueError("perturbed counts are neither hidden nor rounded as well")
        if self.rounding.kind in ("midpoint", "controlled") and masked:
            raise ValueError(f"{self.rounding.kind} rounding shows every count, without a marker")
        return self

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        """Refuse a demand that the profile's own figures break, however little else is known."""
        for lowest, highest in self._stands_for():
            if highest - lowest < self.safe.width:
                raise ValueError("the safe width is more than a protected count itself leaves open")
            if self.safe.outside and lowest >= 1 and highest < self.small.below:
                raise ValueError(
                    "a protected count itself lies wholly in the protected range: outside cannot "
                    "be asked for"
                )
        return self

    def _stands_for(self) -> list[tuple[float, float]]:
        """Return the narrowest ranges that a published sensitive count can stand for."""
        small, base = self.small, self.rounding.base
        ranges: list[tuple[float, float]] = []
        if small.marker is not None:
            highest = float("inf") if self.secondary else small.hidden_below - 1
            ranges.append((float(small.zeros == "shown"), highest))
        if self.perturbation is not None:
            ranges += [(0, self.perturbation.deviation), (1, 1 + self.perturbation.deviation)]
        elif small.hidden_below < small.below:
            first = max(small.hidden_below, 1)
            if self.rounding.kind == "nearest":
                middle = (first + base // 2) // base * base
                ranges.append(
                    (max(middle - base // 2, small.hidden_below), middle - base // 2 + base - 1)
                )
            elif self.rounding.kind == "midpoint":
                ranges.append((1, base))
            elif self.rounding.kind == "controlled":
                ranges.append((0, base - 1))
            else:
                ranges.append((first, first))
        return ranges


class ProfileBook(Declaration):
    """The whole file."""

    default: ProfileName
    profiles: list[Profile] = Field(min_length=1)

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [p.name for p in self.profiles]
        if len(set(names)) != len(names):
            raise ValueError("a profile stands twice")
        if self.default not in names:
            raise ValueError("the default is none of the profiles")
        return self


@cache
def _book() -> ProfileBook:
    return read_declaration(Path(__file__).with_name("profiles.yaml"), ProfileBook)


def profiles() -> dict[str, Profile]:
    """Return every profile of this installation by its name, in the order of the file.

    Raises
    ------
    ConfigurationError
        If the file is malformed.
    """
    return {p.name: p for p in _book().profiles}


def profile(name: str) -> Profile:
    """Return the profile of a name.

    Raises
    ------
    ConfigurationError
        If there is none of that name.
    """
    found = profiles().get(name)
    if found is None:
        raise ConfigurationError(
            f"There is no disclosure profile {name!r}", f"Use one of {', '.join(profiles())}"
        )
    return found


def default_profile() -> Profile:
    """Return the profile that is used where none is named."""
    return profile(_book().default)
