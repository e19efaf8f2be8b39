"""What a profile makes of one count, and what a published figure says of the count behind it.

Belongs here: protecting a count in Python, in bulk and in SQL, and the inverse: the counts that a
published figure can stand for. Does not belong here: the profiles (``profiles.yaml``), whatever
needs more than the one count (further hidden cells, rounding that adds up, cell keys), or rates,
which are recomputed afterwards from the protected counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from declarations.errors import DisclosureError
from governance.disclosure.profiles import Profile, default_profile
from warehouse.sql import ident, literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

CONFIDENTIAL = "[c]"
LOW = "[low]"
MARKERS = (CONFIDENTIAL, LOW)
"""Every marker a profile may use; whatever else stands in a status says nothing of the count."""

UNBOUNDED = float("inf")


class Published(NamedTuple):
    """A count as it may be published.

    Attributes
    ----------
    value : int or None
        None where it is hidden or missing.
    status : str or None
        The profile's marker where it is hidden, and nothing where it is missing.
    """

    value: int | None
    status: str | None


def protect(count: int | None, profile: Profile) -> Published:
    """Return a count as the profile lets it be published.

    Raises
    ------
    DisclosureError
        If the count is negative: then it is no count, and rounding would not protect it. If the
        profile needs more than the count: cell keys, or the table the count stands in.
    """
    _needs_no_more(profile)
    if count is None:
        return Published(None, None)
    if count < 0:
        raise _negative()
    small, base = profile.small, profile.rounding.base
    if count < small.hidden_below and not (count == 0 and small.zeros == "shown"):
        return Published(None, small.marker)
    if profile.rounding.kind == "nearest":
        return Published((count + base // 2) // base * base, None)
    if profile.rounding.kind == "midpoint":
        return Published((count + base - 1) // base * base - base // 2 if count else 0, None)
    return Published(count, None)


def protect_all(
    counts: ArrayLike, profile: Profile
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Return many counts as they may be published.

    Parameters
    ----------
    counts : (n,) integers or floats
        NaN where a count is missing.

    Returns
    -------
    values : (n,) float
        NaN where hidden or missing.
    statuses : (n,) str or None

    Raises
    ------
    DisclosureError
        As `protect`, and if a count is not whole.
    """
    import numpy as np  # noqa: PLC0415 - heavy

    _needs_no_more(profile)
    exact = np.asarray(counts, dtype=float)
    missing = np.isnan(exact)
    if (exact[~missing] < 0).any():
        raise _negative()
    if (exact[~missing] % 1 != 0).any():
        raise DisclosureError("A fraction came where a count was expected")
    small, base = profile.small, profile.rounding.base
    hidden = ~missing & (exact < small.hidden_below)
    if small.zeros == "shown":
        hidden &= exact > 0
    values = exact.copy()
    if profile.rounding.kind == "nearest":
        values = (exact + base // 2) // base * base
    elif profile.rounding.kind == "midpoint":
        values = np.where(exact > 0, np.ceil(exact / base) * base - base // 2, exact)
    values[hidden] = np.nan
    statuses = np.full(exact.shape, None, dtype=object)
    statuses[hidden] = small.marker
    return values, statuses


def protect_count(count: int | None, profile: Profile | None = None) -> int | None:
    """Return the value of `protect`: None where the count is hidden or missing.

    Parameters
    ----------
    profile : Profile, optional
        The installation's default when left out.
    """
    return protect(count, profile or default_profile()).value


def protect_sql(column: str, profile: Profile | None = None) -> str:
    """Return the SQL twin of `protect_count` for an integer column.

    A negative number, which `protect` refuses, gives NULL.
    """
    chosen = profile or default_profile()
    _needs_no_more(chosen)
    name, base = ident(column), chosen.rounding.base
    shown = max(chosen.small.hidden_below, 1)
    value = {
        "nearest": f"({name} + {base // 2}) // {base} * {base}",
        "midpoint": f"({name} + {base - 1}) // {base} * {base} - {base // 2}",
    }.get(chosen.rounding.kind, name)
    zero = f"WHEN {name} = 0 THEN 0 " if chosen.small.zeros == "shown" else ""
    return f"CASE {zero}WHEN {name} >= {shown} THEN {value} END"


def status_sql(column: str, profile: Profile | None = None) -> str:
    """Return SQL for the status of a count: the marker where it is hidden, NULL where not.

    A negative number, which `protect` refuses, is marked as hidden where the profile hides.
    """
    chosen = profile or default_profile()
    _needs_no_more(chosen)
    if chosen.small.marker is None:
        return "CAST(NULL AS VARCHAR)"
    name = ident(column)
    but_zero = f" AND {name} <> 0" if chosen.small.zeros == "shown" else ""
    hidden = f"{name} < {chosen.small.hidden_below}{but_zero}"
    return f"CASE WHEN {hidden} THEN {literal(chosen.small.marker)} END"


def bounds(value: int | None, status: str | None, profile: Profile) -> tuple[int, float]:
    """Return the lowest and highest count that a published figure can stand for.

    This is what an attacker who knows the profile knows of one figure, and exactly that: the least
    and the greatest count the profile publishes so. Under a profile with secondary cells a marker
    is 1 or more, without an end; a missing figure can be any count.

    Parameters
    ----------
    value : int or None
    status : str or None
        Markers other than the profile's (missing, revised, estimated) are taken to say nothing.

    Returns
    -------
    tuple of int and float
        The highest is infinite where nothing limits it, and an int elsewhere.

    Raises
    ------
    DisclosureError
        If the profile never publishes such a figure: it was protected otherwise, or not at all.
    """
    marker = _marker_of(status)
    if marker is not None:
        if marker != profile.small.marker or value is not None:
            raise _not_of(profile)
        return marked_bounds(profile)
    if value is None:
        return 0, UNBOUNDED
    if not could_be_shown(value, profile):
        raise _not_of(profile)
    return _shown_bounds(value, profile)


def bounds_of(
    values: ArrayLike, statuses: ArrayLike, profile: Profile
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `bounds` of many figures.

    Parameters
    ----------
    values : (n,) float
        NaN where there is none.
    statuses : (n,) str or None

    Returns
    -------
    lower, upper : (n,) float
        ``upper`` may be infinite.

    Raises
    ------
    DisclosureError
        As `bounds`.
    """
    import numpy as np  # noqa: PLC0415 - heavy

    figures = np.asarray(values, dtype=float)
    texts = np.asarray(statuses, dtype=object)
    lower, upper = np.zeros(len(figures)), np.full(len(figures), UNBOUNDED)
    empty = np.isnan(figures)
    # There are few different figures and statuses in a table, however many cells it has.
    found = {text: _marker_of(text) for text in set(texts.tolist())}
    marked = np.zeros(len(figures), dtype=bool)
    for text, marker in found.items():
        if marker is not None:
            here = texts == text
            if marker != profile.small.marker or not empty[here].all():
                raise _not_of(profile)
            lower[here], upper[here] = marked_bounds(profile)
            marked |= here
    shown = ~empty & ~marked
    distinct, place = np.unique(figures[shown], return_inverse=True)
    if (distinct % 1 != 0).any():
        raise _not_of(profile)
    known = np.array([bounds(int(v), None, profile) for v in distinct], dtype=float).reshape(-1, 2)
    lower[shown], upper[shown] = known[place, 0], known[place, 1]
    return lower, upper


def bounds_sql(value: str, hidden: str, profile: Profile) -> tuple[str, str]:
    """Return SQL for the lowest and the highest count that a figure can stand for.

    Parameters
    ----------
    value, hidden : str
        SQL expressions, composed from declared names only: the figure, and whether the profile's
        marker stands in its place.

    Returns
    -------
    tuple of str
        Expressions that follow `bounds` for figures the profile gives; both NULL where a figure is
        missing, and the highest NULL where nothing limits it.
    """
    base, half, hides = (
        profile.rounding.base,
        profile.rounding.base // 2,
        profile.small.hidden_below,
    )
    if profile.perturbation is not None:
        most = profile.perturbation.deviation
        low, high = f"greatest({value} - {most}, least({value}, 1))", f"{value} + {most}"
    elif profile.rounding.kind == "midpoint":
        low = f"CASE WHEN {value} = 0 THEN 0 ELSE {value} - {base - 1 - half} END"
        high = f"CASE WHEN {value} = 0 THEN 0 ELSE {value} + {half} END"
    else:
        below, above = {
            "nearest": (half, base - 1 - half),
            "controlled": (base - 1, base - 1),
        }.get(profile.rounding.kind, (0, 0))
        low, high = f"greatest({value} - {below}, {hides})", f"{value} + {above}"
        if profile.small.zeros == "shown":
            nought = _shown_bounds(0, profile)
            low = f"CASE WHEN {value} = 0 THEN {nought[0]} ELSE {low} END"
            high = f"CASE WHEN {value} = 0 THEN {nought[1]} ELSE {high} END"
    if profile.small.marker is None:
        return f"CASE WHEN {value} IS NOT NULL THEN {low} END", (
            f"CASE WHEN {value} IS NOT NULL THEN {high} END"
        )
    lowest, highest = marked_bounds(profile)
    shown = "NULL" if highest == UNBOUNDED else str(highest)
    return (
        f"CASE WHEN {value} IS NOT NULL THEN {low} WHEN {hidden} THEN {lowest} END",
        f"CASE WHEN {value} IS NOT NULL THEN {high} WHEN {hidden} THEN {shown} END",
    )


def could_be_shown(value: int, profile: Profile | None = None) -> bool:
    """Whether the profile ever shows a figure; if not, it was protected otherwise or not at all.

    Parameters
    ----------
    profile : Profile, optional
        The installation's default when left out.
    """
    if value < 0:
        return False
    lowest, highest = _shown_bounds(value, profile or default_profile())
    return lowest <= highest


def marked_bounds(profile: Profile) -> tuple[int, float]:
    """Return the lowest and highest count that the profile's marker can stand for.

    Raises
    ------
    DisclosureError
        If the profile hides nothing.
    """
    if profile.small.marker is None:
        raise _not_of(profile)
    lowest = 1 if profile.small.zeros == "shown" else 0
    return lowest, UNBOUNDED if profile.secondary else profile.small.hidden_below - 1


def _shown_bounds(value: int, profile: Profile) -> tuple[int, int]:
    """Return the bounds of a figure; the first above the second where it never occurs."""
    never = 1, 0
    if profile.perturbation is not None:
        # A count of 0 is never changed, so that whatever is not 0 was not 0 before.
        noise = profile.perturbation
        if 0 < value <= noise.blocked:
            return never
        return max(min(value, 1), value - noise.deviation), value + noise.deviation
    small, base = profile.small, profile.rounding.base
    match profile.rounding.kind:
        case "nearest":
            if value % base:
                return never
            lowest, highest = value - base // 2, value - base // 2 + base - 1
        case "midpoint":
            if value == 0:
                return 0, 0
            if (value + base // 2) % base:
                return never
            lowest, highest = value + base // 2 - base + 1, value + base // 2
        case "controlled":
            if value % base:
                return never
            lowest, highest = value - base + 1, value + base - 1
        case _:
            lowest, highest = value, value
    lowest = max(lowest, small.hidden_below)
    if value == 0 and small.zeros == "shown":
        return 0, max(highest, 0) if lowest <= highest else 0
    return lowest, highest


def _marker_of(status: Any) -> str | None:
    text = status or ""
    return next((marker for marker in MARKERS if marker in text), None)


def _needs_no_more(profile: Profile) -> None:
    if profile.perturbation is not None:
        raise DisclosureError(
            f"The profile {profile.name} changes counts by the keys of their records",
            "Count from records with governance.disclosure.cell_key",
        )
    if profile.rounding.kind == "controlled":
        raise DisclosureError(
            "Controlled rounding needs the whole table a count stands in",
            "Round the table with governance.disclosure.tables.controlled_rounding",
        )


def _negative() -> DisclosureError:
    return DisclosureError("A negative number came where a count was expected")


def _not_of(profile: Profile) -> DisclosureError:
    return DisclosureError(
        f"A published figure is none that the profile {profile.name} gives",
        "Name the profile it was published under, or publish it again under this one",
    )
