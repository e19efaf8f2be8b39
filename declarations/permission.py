"""What agreements let be published: one rule, asked when a region is loaded and again at the gate.

Belongs here: whether one agreement permits one use of its data. Does not belong here: which uses a
region makes of it (``declared.py``), or what follows from a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass

from declarations.agreements import Agreement

LEVELS = ("lsoa21", "msoa21", "lad24")
"""Levels of publication, the finest first."""

FREQUENCIES = ("yearly", "quarterly", "monthly")
"""How often an indicator is published, the rarest first."""

WINDOW_FREQUENCY = {
    "latest": "yearly", "year": "yearly", "quarter": "quarterly", "month": "monthly",
}  # fmt: skip


@dataclass(frozen=True)
class Use:
    """One way in which a source's data is published.

    Attributes
    ----------
    source : str
    indicator : str
    level : str
        One of `LEVELS`.
    frequency : str
        One of `FREQUENCIES`.
    profile : str
        Disclosure profile of its counts.
    beside : tuple of Agreement
        Other data sharing agreements whose counts meet this one's in the indicator.
    purposes : tuple of str
        Purposes the indicator needs.
    """

    source: str
    indicator: str
    level: str
    frequency: str
    profile: str
    beside: tuple[Agreement, ...] = ()
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Objection:
    """Why an agreement does not permit a use: code, words, and the clause that says so."""

    code: str
    message: str
    clause: str


def objection(agreement: Agreement, use: Use) -> Objection | None:
    """Return why an agreement does not let its data be published so, or None if it does.

    An open licence permits every use at or above the minimum geography of the source.
    """
    agreed = agreement.source(use.source)
    name, level = use.indicator, LEVELS.index(use.level)
    if agreed and level < LEVELS.index(agreed.minimum_geography):
        return Objection(
            "finer_than_agreed",
            f"{agreement.id} allows nothing finer than {agreed.minimum_geography}, and {name} is "
            f"published at {use.level}",
            f"sources.{use.source}.minimum_geography",
        )
    if agreement.kind == "open_licence":
        return None
    permitted = agreement.output(name)
    if permitted is None:
        return Objection(
            "output_not_agreed",
            f"{agreement.id} does not list {name} among its permitted_outputs",
            "permitted_outputs",
        )
    clause = f"permitted_outputs.{name}"
    if level < LEVELS.index(permitted.geography):
        return Objection(
            "finer_than_agreed",
            f"{agreement.id} permits {name} at {permitted.geography} and above, and it is "
            f"published at {use.level}",
            clause,
        )
    if FREQUENCIES.index(use.frequency) > FREQUENCIES.index(permitted.frequency):
        return Objection(
            "more_often_than_agreed",
            f"{agreement.id} permits {name} {permitted.frequency} at most, and it is published "
            f"{use.frequency}",
            clause,
        )
    if permitted.profile != use.profile:
        return Objection(
            "other_profile_agreed",
            f"{agreement.id} permits {name} under the disclosure profile {permitted.profile}, and "
            f"it is published under {use.profile}",
            clause,
        )
    lacking = sorted(set(use.purposes) - set(agreement.purposes))
    if lacking:
        return Objection(
            "purpose_not_agreed",
            f"{agreement.id} does not list the purpose {', '.join(lacking)}, which {name} needs",
            "purposes",
        )
    for other in use.beside:
        for one, two in ((agreement, other), (other, agreement)):
            if not one.permits_linkage(two.id, "area"):
                return Objection(
                    "linkage_not_agreed",
                    f"{one.id} does not permit its data to meet {two.id}'s, which {name} needs",
                    "permitted_linkages",
                )
    return None
