"""The refusals of this room, each with a reason code that reports and tests can rely on.

Belongs here: errors raised while a file is proved safe or read.
Does not belong here: the sentences, which stand where each is raised. None carries a cell's value.
"""

from __future__ import annotations

from declarations.errors import ContractError, DeliveryError


class UnsafeFileError(DeliveryError):
    """A file must not be opened any further.

    Parameters
    ----------
    reason : str
        Reason code, for example ``zip_bomb``.
    problem, fix : str
        See `declarations.errors.LsoalinkError`.
    """

    def __init__(self, reason: str, problem: str, fix: str | None = None) -> None:
        self.reason = reason
        super().__init__(problem, fix)


class ReadError(ContractError):
    """A file cannot be read as its contract says.

    Parameters
    ----------
    reason : str
        Reason code, for example ``missing_column``.
    problem, fix : str
        See `declarations.errors.LsoalinkError`.
    """

    def __init__(self, reason: str, problem: str, fix: str | None = None) -> None:
        self.reason = reason
        super().__init__(problem, fix)
