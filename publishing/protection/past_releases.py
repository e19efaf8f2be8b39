"""The ledger of a region's releases, believed only as far as the audit chain bears it out.

Belongs here: opening it, and seeing that it is whole before anything is attacked or published.
Does not belong here: the ledger itself (``governance/disclosure/known/``), or what follows from
what it says (``knowledge.py``).
"""

from __future__ import annotations

from declarations.errors import DisclosureError
from governance.audit import chain_of
from governance.disclosure.known.ledger import Ledger
from publishing.withdrawn import PUBLISHED
from warehouse.workspace import Workspace


def ledger_of(workspace: Workspace) -> Ledger:
    """Return the ledger of a region's releases, whatever state it is in."""
    return Ledger(workspace.root / "ledger", workspace.keys)


def whole_ledger(workspace: Workspace) -> Ledger:
    """Return the ledger of a region's releases, if it is as it was written.

    Raises
    ------
    DisclosureError
        If anything is missing: what an earlier release said would be left out of the attack.
    """
    faults = ledger_faults(workspace)
    if faults:
        raise DisclosureError(
            f"The ledger of releases is not whole: {faults[0].rstrip('.')}; nothing was published",
            "Restore the folder 'ledger' of the region from a copy, and see 'lsoalink verify'",
        )
    return ledger_of(workspace)


def ledger_faults(workspace: Workspace) -> list[str]:
    """Return everything about the ledger of releases that is not as it was written.

    The heads that the audit chain names show an end that was cut off; a release that is published
    and not on the ledger would be forgotten when the next one is attacked.
    """
    audit, ledger = chain_of(workspace), ledger_of(workspace)
    approved = [
        e for e in audit.entries() if e.get("event") == "release_approved" and audit.believes(e)
    ]
    faults = ledger.verify(str(e["ledger_head"]) for e in approved if e.get("ledger_head"))
    if faults:
        return faults
    known = {entry.release_id for entry in ledger.releases()}
    published = {e.get("release") for e in audit.entries() if e.get("event") == PUBLISHED}
    # A release from before there was a ledger named no head when it was approved.
    forgotten = {
        str(e["release"])
        for e in approved
        if e.get("ledger_head") and e["release"] in published and e["release"] not in known
    }
    return [f"{name} is not on the ledger of releases." for name in sorted(forgotten)]
