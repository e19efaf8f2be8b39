"""Every error a user of lsoalink is expected to meet, by who must act.

Belongs here: the one base class and its subclasses, each with its exit code.
Does not belong here: the text of a particular error, which stands where it is raised.

A message is one plain sentence that names the file, key or column, and the fix. It carries counts
and reasons, never a value taken from a record.
"""

from __future__ import annotations


class LsoalinkError(Exception):
    """Base of every expected error.

    Parameters
    ----------
    problem : str
        What is wrong, naming the file, key or column. No value of any record.
    fix : str, optional
        What the reader should do about it.
    """

    exit_code = 1
    who = "the data team"

    def __init__(self, problem: str, fix: str | None = None) -> None:
        self.problem = problem.rstrip(".")
        self.fix = fix.rstrip(".") if fix else None
        super().__init__(str(self))

    def __str__(self) -> str:
        """One sentence for the problem and one for the fix."""
        return f"{self.problem}. {self.fix}." if self.fix else f"{self.problem}."


class ConfigurationError(LsoalinkError):
    """A declaration, a setting or an option is wrong: whoever wrote it must act."""

    exit_code = 3
    who = "the author of the declaration"


class DeliveryError(LsoalinkError):
    """A delivered file cannot be accepted as a file: the supplying agency must act."""

    exit_code = 4
    who = "the supplying agency"


class ContractError(LsoalinkError):
    """A delivered file breaks the contract of its source: the supplying agency must act."""

    exit_code = 5
    who = "the supplying agency"


class AgreementError(LsoalinkError):
    """No agreement allows what was asked: the governance officer must act."""

    exit_code = 6
    who = "the governance officer"


class GeographyError(LsoalinkError):
    """Areas, codes or coordinates cannot be used as given: the data team must act."""

    exit_code = 7


class DisclosureError(LsoalinkError):
    """A result would disclose a small count: the governance officer must act."""

    exit_code = 8
    who = "the governance officer"


class ApprovalError(LsoalinkError):
    """A release lacks the approvals it needs, or they are void: the governance officer must act."""

    exit_code = 9
    who = "the governance officer"


class StorageError(LsoalinkError):
    """The lake, a key or a lock is not as it must be: the data team must act."""

    exit_code = 10
