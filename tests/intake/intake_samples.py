"""A small contract and source that the tests of this room share. All names are invented."""

from __future__ import annotations

from typing import Any

from declarations.contracts import Contract, Source


def make_contract(**changes: Any) -> Contract:
    content: dict[str, Any] = {
        "id": "library_sessions",
        "title": "Library sessions",
        "specification": "invented for the tests",
        "kind": "values",
        "key": ["postcode", "month"],
        "columns": [
            {"name": "postcode", "headers": ["Post Code"]},
            {"name": "month", "type": "month"},
            {"name": "sessions", "type": "integer", "additive": True, "null_values": ["NULL"]},
            {"name": "member", "required": False},
        ],
        "locate": {"by": ["postcode"], "postcode": "postcode"},
        "counts": [
            {
                "measure": "library_sessions",
                "title": "Sessions",
                "unit": "sessions",
                "additivity": "flow",
                "value": "sessions",
            }
        ],
    }
    return Contract.model_validate({**content, **changes})


def make_source(**changes: Any) -> Source:
    content: dict[str, Any] = {
        "id": "northwood_library_sessions",
        "title": "Northwood library sessions (synthetic)",
        "agency": "Northwood (synthetic)",
        "agreement": "DSA-NW-LIB",
        "contract": "library_sessions",
        "theme": "digital_inclusion",
        "cadence": "monthly",
        "files": "library_sessions_{period}.csv",
        "synthetic": True,
    }
    return Source.model_validate({**content, **changes})
