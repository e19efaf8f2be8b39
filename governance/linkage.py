"""Record linkage between two agreements: only where both permit it, and only through here.

Pseudonyms of two agreements are made with two keys and never meet. Where each of two agreements
permits its records to be joined with the other's, a third key, of the pair, makes pseudonyms that
do meet, in a column of their own whose name is the pair's. Belongs here: the permission, the pair's
key, the column and the join. Does not belong here: pseudonyms of one agreement (``pseudonyms.py``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection

from declarations.agreements import Agreement
from declarations.errors import AgreementError
from governance.pseudonyms import pseudonym_sql
from warehouse.key_ring import KeyRing
from warehouse.sql import ident

LINKAGE_USE = "linkage"
PAIR_CHARACTERS = 8


def check_linkage(
    first: Agreement, second: Agreement, on: dt.date, withdrawn: Collection[str] = ()
) -> None:
    """Stop unless two agreements permit their records to be joined on a day.

    Parameters
    ----------
    on : datetime.date
        The day of the run: both must be in force.
    withdrawn : collection of str
        Identifiers of agreements that were withdrawn.

    Raises
    ------
    AgreementError
        Naming the agreement and the clause that forbids it.
    """
    if first.id == second.id:
        raise AgreementError(
            f"{first.id} cannot be linked with itself",
            "Records of one agreement share their pseudonyms already",
        )
    for one, other in ((first, second), (second, first)):
        if one.id in withdrawn:
            raise AgreementError(
                f"{one.id} was withdrawn, so its records may not be joined with any others",
                "Leave the link out",
            )
        if not one.in_force(on):
            raise AgreementError(
                f"{one.id} is not in force on {on:%Y-%m-%d}, so its records may not be joined with "
                f"{other.id}'s",
                "Leave the link out, or extend the agreement",
            )
        if not one.permits_linkage(other.id, "record"):
            raise AgreementError(
                f"{one.id} does not permit its records to be joined with {other.id}'s",
                f"Both must list each other under permitted_linkages with level: record; "
                f"{one.id} does not",
            )


def linkage_key(
    keys: KeyRing,
    first: Agreement,
    second: Agreement,
    *,
    on: dt.date,
    withdrawn: Collection[str] = (),
) -> bytes:
    """Return the key of a pair of agreements, the same in either order.

    Raises
    ------
    AgreementError
        Unless both permit it, see `check_linkage`.
    """
    check_linkage(first, second, on, withdrawn)
    return keys.lasting_key(":".join((LINKAGE_USE, *_pair(first, second))))


def linked_name(column: str, first: Agreement, second: Agreement) -> str:
    """Return the name of the column with a pair's pseudonyms, the same in either order."""
    mark = hashlib.sha256("|".join(_pair(first, second)).encode()).hexdigest()[:PAIR_CHARACTERS]
    return f"{column}__link_{mark}"


def linked_pseudonym_sql(column: str, first: Agreement, second: Agreement) -> str:
    """Return the SELECT item of a pair's pseudonyms of a column, under the pair's own name.

    Bind the result of `governance.pseudonyms.hmac_pads` for the pair's `linkage_key`.
    """
    return f"{pseudonym_sql(column)} AS {ident(linked_name(column, first, second))}"


def join_sql(
    first: Agreement,
    left: str,
    second: Agreement,
    right: str,
    column: str,
    *,
    on: dt.date,
    withdrawn: Collection[str] = (),
) -> str:
    """Return the FROM clause that joins records of two agreements by the pair's pseudonyms.

    Parameters
    ----------
    left, right : str
        Tables of the first and of the second agreement, each with the column `linked_name` names.
        They are known as ``one`` and ``other`` in the rest of the statement.
    column : str
        The identifier both have.

    Raises
    ------
    AgreementError
        Unless both permit it, see `check_linkage`.
    """
    check_linkage(first, second, on, withdrawn)
    linked = ident(linked_name(column, first, second))
    return f"FROM {ident(left)} AS one JOIN {ident(right)} AS other USING ({linked})"


def _pair(first: Agreement, second: Agreement) -> tuple[str, str]:
    low, high = sorted((first.id, second.id))
    return low, high
