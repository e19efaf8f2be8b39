"""What an officer would object to in an agreement: the record of a finding.

Belongs here: the record and its order. Does not belong here: the rules (``lint.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One fault or warning, with where it is and what to do.

    Attributes
    ----------
    level : {"error", "warning"}
        An error keeps the agreement from being used at all.
    code : str
        Short name, for example ``no_review_date``.
    key : str
        Key path in the file; empty for the whole file.
    problem, fix : str
        A sentence each.
    file : str
        Name of the file.
    line : int or None
        Counted from 1; None where the file has no such line.
    """

    level: Level
    code: str
    key: str
    problem: str
    fix: str
    file: str = ""
    line: int | None = None

    @property
    def where(self) -> str:
        """File, line and key, as far as they are known."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}" if self.key else place


def ordered(findings: list[Finding]) -> list[Finding]:
    """Return findings with the errors first, then by file and line."""
    return sorted(findings, key=lambda f: (f.level != "error", f.file, f.line or 0, f.code))
