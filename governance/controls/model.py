"""A control and what came of it.

Belongs here: the records. Does not belong here: any check.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from declarations.agreements import AgreedSource, Agreement
from declarations.contracts import Source
from warehouse.workspace import Workspace

Outcome = Literal["passed", "failed", "could_not_run"]


@dataclass(frozen=True)
class Verdict:
    """What a check found: an outcome and a reason, with counts and names but no values."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Control:
    """One live check.

    Attributes
    ----------
    id : str
        As assessments name it.
    words : str
        What is true when it is green.
    check : callable
        Looks at a region's data folder and declarations.
    """

    id: str
    words: str
    check: Callable[[Workspace], Verdict]


@dataclass(frozen=True)
class ControlResult:
    """What came of a control on a day."""

    control: str
    words: str
    outcome: Outcome
    reason: str
    day: dt.date


def passed(reason: str) -> Verdict:
    """Return a green verdict."""
    return Verdict("passed", reason)


def failed(reason: str) -> Verdict:
    """Return a red verdict."""
    return Verdict("failed", reason)


def unable(reason: str) -> Verdict:
    """Return the verdict of a check that had nothing to look at, or could not look."""
    return Verdict("could_not_run", reason)


def shared_sources(workspace: Workspace) -> list[tuple[Source, Agreement, AgreedSource | None]]:
    """Return every source under a data sharing agreement, with what the agreement says of it."""
    declared = workspace.declared
    return [
        (source, agreement, agreement.source(source.id))
        for source in declared.sources.values()
        if (agreement := declared.agreement_of(source)).kind != "open_licence"
    ]


def few(names: list[str], most: int = 3) -> str:
    """Return the first of several names, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
