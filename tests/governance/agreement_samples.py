"""A whole agreement of a place that does not exist, to be changed by tests.

Belongs here: one well-formed agreement without anything an officer would object to, as content and
as a model. Does not belong here: any expectation.
"""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

from declarations.agreements import Agreement

TODAY = dt.date(2026, 11, 16)

CONTENT: dict[str, Any] = {
    "id": "DSA-TM-009", "version": "1.0", "title": "Visits (synthetic)",
    "kind": "data_sharing_agreement", "synthetic": True,
    "parties": ["A council (synthetic)", "Testmere partnership (synthetic)"],
    "controllers": ["A council (synthetic)"], "purposes": ["neighbourhood-indicators"],
    "aims": "Show where people need help.",
    "lawful_basis": "Article 6(1)(e) public task", "statute": "A made-up Act 2001",
    "special_condition": "Article 9(2)(g), Schedule 1 paragraph 6, with our policy document",
    "confidentiality_basis": "A made-up statute", "dea_gateway": "none",
    "sources": [
        {
            "id": "north_visits", "subjects": "Visitors", "health_or_care": True,
            "columns": [
                {"name": "person", "class": "direct_identifier", "action": "pseudonymise"},
                {"name": "postcode", "class": "quasi_identifier", "action": "generalise"},
                {"name": "ethnicity", "class": "special", "action": "drop"},
                {"name": "visits", "class": "measure", "action": "keep"},
                {"name": "note", "class": "free_text", "action": "redact",
                 "redaction": {"minimum_recall": 0.95}},
            ],
        },
        {
            "id": "south_visits", "subjects": "Visitors",
            "columns": [{"name": "visits", "class": "measure", "action": "keep"}],
        },
    ],
    "start_date": dt.date(2025, 4, 1), "expiry_date": dt.date(2028, 3, 31),
    "review_date": dt.date(2027, 9, 30), "review_overdue": "warn",
    "permitted_outputs": [
        {"indicator": "T01", "geography": "msoa21", "frequency": "quarterly"},
        {"indicator": "T03", "geography": "lsoa21", "frequency": "monthly"},
    ],
    "permitted_roles": [
        {"role": "data_engineer", "zones": ["received", "restricted", "linked", "published"]},
        {"role": "governance_officer", "zones": ["quality", "published"]},
        {"role": "public", "zones": ["published"]},
    ],
    "permitted_linkages": [{"agreement": "DSA-TM-001", "level": "area"}],
    "onward_sharing": "none", "recipients": ["Testmere partnership (synthetic)"],
    "transfers": "none", "security_measures": "Encrypted at rest",
    "privacy_notice": "https://example.org/privacy", "complaints": "https://example.org/complain",
    "contact": "dpo@example.org",
    "retention": {"received_days": 90, "restricted_days": 365, "linked_days": 730},
    "opt_out": {"applied": "yes", "reason": "Removed by the council", "removed": 3,
                "date": dt.date(2025, 4, 1)},
    "dspt": [{"organisation": "A council (synthetic)", "status": "standards_met",
              "expires": dt.date(2027, 6, 30)}],
    "signatories": [
        {"role": "Director", "organisation": "A council (synthetic)",
         "date": dt.date(2025, 3, 1)},
        {"role": "Officer", "organisation": "Testmere partnership (synthetic)",
         "date": dt.date(2025, 3, 2)},
    ],
}  # fmt: skip


def content(**changes: Any) -> dict[str, Any]:
    """Return the agreement as content, with keys changed; None takes a key away."""
    whole = {**copy.deepcopy(CONTENT), **changes}
    return {key: value for key, value in whole.items() if value is not None}


def agreement(**changes: Any) -> Agreement:
    """Return the agreement as a model, with keys changed."""
    return Agreement.model_validate(content(**changes))


def signed(**changes: Any) -> Agreement:
    """Return the agreement with every signature bound to its text."""
    made = agreement(**changes)
    bound = [s.model_copy(update={"signed_sha256": made.text_sha256()}) for s in made.signatories]
    return made.model_copy(update={"signatories": bound})


def column(name: str, **changes: Any) -> list[dict[str, Any]]:
    """Return the sources with one column of the first source changed, or added at its end."""
    sources = copy.deepcopy(CONTENT["sources"])
    columns = sources[0]["columns"]
    for entry in columns:
        if entry["name"] == name:
            entry.update(changes)
            return sources
    columns.append({"name": name, **changes})
    return sources


def source(**changes: Any) -> list[dict[str, Any]]:
    """Return the sources with keys of the first one changed."""
    sources = copy.deepcopy(CONTENT["sources"])
    sources[0].update(changes)
    return sources
