"""The access log: who asked what of the data, when, and what was refused.

Belongs here: how a question put to the data becomes an entry of the audit chain. A question may
itself quote a person, so its text is not kept: the tables it names are, and a fingerprint by which
the same question is recognised. Does not belong here: running the question.
"""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Iterable

from governance.audit import AuditChain

MOST_TABLES = 40


def fingerprint_of(question: str) -> str:
    """Return a short mark of a question: the same for the same text, blanks aside."""
    return hashlib.sha256(" ".join(question.split()).encode()).hexdigest()[:16]


def record_query(
    audit: AuditChain,
    question: str,
    *,
    internal: bool,
    tables: Iterable[str] = (),
    rows: int | None = None,
    refused: str | None = None,
) -> None:
    """Enter one question into the audit chain.

    Parameters
    ----------
    question : str
        Its text; only a fingerprint of it is kept.
    internal : bool
        It was put to the exact tables, not to the release.
    tables : iterable of str
        Names of the tables it reads.
    rows : int, optional
        How many rows it was answered with.
    refused : str, optional
        Why it was not answered: a kind of error, never its text.
    """
    audit.append(
        "query_refused" if refused else "query",
        account=getpass.getuser(),
        what="internal tables" if internal else "published release",
        tables=sorted(set(tables))[:MOST_TABLES],
        question=fingerprint_of(question),
        rows=rows,
        reason=refused,
    )
