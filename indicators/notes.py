"""The notes that stand beside published figures, in words.

Belongs here: every ``note_id`` this room gives, with its text, and how several are written in one
cell. Does not belong here: status markers such as ``[c]`` (``rates.py``).
"""

from __future__ import annotations

from collections.abc import Iterable

NOTES: dict[str, str] = {
    "capped": "The numerator came out above the denominator, because the two were rounded "
    "separately or because the supplier's own counts disagree; the share is shown as 100 %.",
    "fewer_limits": "The share up to one or more limits is hidden; the median is read from the "
    "others.",
    "fewer_inputs": "One or more inputs of the index are missing for this area; the weights were "
    "spread over the inputs that are present.",
    "groups_only": "Expected from the groups alone: need could not be adjusted for; the table "
    "need_and_service says why.",
    "hidden_by_agency": "A part of this figure was hidden by the agency that sent it, so that the "
    "whole is not known; it can be of any size.",
    "includes_not_placed": "District figures include any records that could not be placed in a "
    "neighbourhood, for example people of no fixed abode; the neighbourhoods do not add up to it.",
    "incomplete": "A delivery that belongs to this period is missing or was not admitted, so no "
    "figure can be given.",
    "interval_beyond": "The upper limit of the interval lies beyond the longest limit.",
    "median_beyond": "Fewer than half of the cases ended by the longest limit: the median is "
    "longer.",
    "not_supplied": "No agency of this district supplies the counts this figure needs.",
    "period_offset": "The supplier's own reporting periods end inside this period but do not start "
    "with it: the figure sums the supplier's reporting periods that end in it.",
    "shown_for_msoa": "Withheld so that no small count can be worked back; the figure of the whole "
    "MSOA stands for it.",
    "shown_with_neighbour": "Withheld so that no small count can be worked back; the figure is "
    "shown together with a neighbouring area's, in the table combined_observations.",
    "stock_earlier": "The count at the end of this period was not available; the last one before "
    "it was used.",
    "withheld": "Withheld so that no small count can be worked back.",
}
"""Text of every note, by its identifier."""

COARSENED_NOTES = frozenset({"shown_with_neighbour", "shown_for_msoa", "withheld"})
"""Notes of figures that were withheld because others gave them away."""

WITHHELD_NOTES = COARSENED_NOTES | {"hidden_by_agency"}
"""Notes of figures that are hidden for another reason than their size: they can be of any size."""

SEPARATOR = ","


def joined(note_ids: Iterable[str]) -> str | None:
    """Return identifiers as one cell: sorted, each once, comma separated; None if there is none."""
    return SEPARATOR.join(sorted(set(note_ids))) or None
