"""The changes between two versions as a page that can be signed off.

Belongs here: the page and its data for machines. Does not belong here: finding the changes
(``diff.py``).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from declarations.agreements import Agreement
from governance.agreement_text.changes import EFFECTS, Change, Effect
from governance.agreement_text.words import count_words, day_words, sentence
from governance.reports.pages import Grid, Light, Lines, Page, Section, State, Text

_LIGHTS: dict[Effect, State] = {"widening": "soon", "narrowing": "good", "neutral": "none"}


def summary_words(changes: list[Change]) -> str:
    """Say how many changes there are, and of which effect."""
    if not changes:
        return "The two versions say the same."
    numbers = {effect: sum(c.effect == effect for c in changes) for effect in EFFECTS}
    parts = ", ".join(f"{number} {effect}" for effect, number in numbers.items())
    return f"{count_words(len(changes), 'change')}: {parts}."


def diff_page(old: Agreement, new: Agreement, changes: list[Change], today: dt.date) -> Page:
    """Return the page of the changes from one version to another."""
    rows = tuple(
        (
            Light(_LIGHTS[c.effect], c.effect.capitalize()), sentence(c.sentence), c.key
        )
        for c in changes
    )  # fmt: skip
    what: tuple[Grid | Text, ...] = (
        Grid("Changes, the weightiest first", ("Effect", "The new version", "Where"), rows),
        *(Text(f"{effect.capitalize()}: {words}") for effect, words in EFFECTS.items()),
    )
    labels = ("Name", "Role", "Organisation", "Date", "Signature")
    return Page(
        title=f"What changes in {new.id}",
        eyebrow=f"Version {old.version} to version {new.version}",
        lead=summary_words(changes),
        sections=(
            Section("changes", "Changes", what if changes else (Text(summary_words(changes)),)),
            Section(
                "texts", "The two texts",
                (
                    Text(f"Fingerprint of the old text: {old.text_sha256()}"),
                    Text(f"Fingerprint of the new text: {new.text_sha256()}"),
                    Text("Who signs below has read every change above and agrees to the new text."),
                ),
            ),
            Section("first", "First signature", (Lines(labels),)),
            Section("second", "Second signature, of another organisation", (Lines(labels),)),
        ),
        banner="Synthetic: no real body agreed to this." if new.synthetic else "",
        foot=(("As of", day_words(today)),),
    )  # fmt: skip


def diff_data(old: Agreement, new: Agreement, changes: list[Change]) -> dict[str, Any]:
    """Return the same for machines."""
    return {
        "agreement": new.id,
        "old": {"version": old.version, "text_sha256": old.text_sha256()},
        "new": {"version": new.version, "text_sha256": new.text_sha256()},
        "changes": [
            {"effect": c.effect, "weight": c.weight, "sentence": sentence(c.sentence), "key": c.key}
            for c in changes
        ],
    }
