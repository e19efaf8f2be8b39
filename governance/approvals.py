"""Approvals: two different people, bound to the hash of what they saw.

Belongs here: recording an approval, and deciding whether a candidate may be published. A changed
byte changes the hash, and with it every earlier approval is void.
Does not belong here: who a person is. The platform has no login of its own: the name is what the
operating system or the proxy in front says, and is recorded beside the account that ran it.
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from declarations.errors import ApprovalError
from declarations.region import Region

Role = Literal["requester", "approver"]
_ROLES = frozenset({"requester", "approver"})
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Approval:
    """One person's word on one candidate; ``audit_head`` is the chain's at that moment."""

    candidate_hash: str
    role: Role
    person: str
    account: str
    at: str
    standing: bool = False
    audit_head: str = ""


def _identity(person: str) -> str:
    """Fold case, accents, blanks and widths, so that one person cannot sign under two spellings."""
    folded = unicodedata.normalize("NFKD", person).casefold()
    return "".join(c for c in folded if c.isalnum())


def _scripts(person: str) -> set[str]:
    """Return the alphabets of a name's letters: a Cyrillic 'a' in a Latin name is a second one."""
    return {unicodedata.name(c, "?").split(" ")[0] for c in person if c.isalpha()}


def _file(folder: Path, candidate_hash: str) -> Path:
    if not _HASH.fullmatch(candidate_hash):
        raise ApprovalError("A candidate is named by the 64 hexadecimal digits of its hash")
    return folder / f"{candidate_hash}.jsonl"


def record(
    folder: Path, candidate_hash: str, role: Role, person: str, *, audit_head: str = ""
) -> Approval:
    """Record that a person requests or approves a candidate.

    Parameters
    ----------
    audit_head : str
        Hash of the last entry of the audit chain, which the approval then anchors.

    Raises
    ------
    ApprovalError
        If the same person already signed in the other role, or gives no name.
    """
    if not _identity(person):
        raise ApprovalError("An approval needs the name of a person", "Give --by 'First Last'")
    if len(_scripts(person)) > 1:
        raise ApprovalError(
            "The name mixes letters of different alphabets, so that two spellings look alike",
            "Write it in one alphabet",
        )
    account = getpass.getuser()
    earlier = recorded(folder, candidate_hash)
    for approval in earlier:
        if approval.role != role and _identity(approval.person) == _identity(person):
            raise ApprovalError(
                f"The same person cannot be {approval.role} and {role} of one release",
                "Ask a second person",
            )
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    approval = Approval(candidate_hash, role, person.strip(), account, now, audit_head=audit_head)
    path = _file(folder, candidate_hash)
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(approval), sort_keys=True) + "\n")
    return approval


def recorded(folder: Path, candidate_hash: str) -> list[Approval]:
    """Return the approvals of exactly this hash; a malformed line is an error, not an approval."""
    path = _file(folder, candidate_hash)
    if not path.exists():
        return []
    approvals = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        approval = _approval_of(line)
        if approval is None:
            raise ApprovalError(
                f"{path} line {number} is not an approval",
                "Move the file away and have the candidate approved again",
            )
        if approval.candidate_hash == candidate_hash:
            approvals.append(approval)
    return approvals


def heads(folder: Path) -> dict[str, str]:
    """Return the head of the audit chain that each recorded approval names."""
    found = {}
    for path in sorted(folder.glob("*.jsonl")):
        if not _HASH.fullmatch(path.stem):
            continue
        for approval in recorded(folder, path.stem):
            if approval.audit_head:
                name = f"the approval of {path.stem[:12]} as {approval.role}"
                found[name] = approval.audit_head
    return found


def _approval_of(line: bytes) -> Approval | None:
    """Return the approval a line holds, or None if it is anything but a person's word."""
    try:
        approval = Approval(**json.loads(line))
        dt.datetime.fromisoformat(approval.at)
    except (ValueError, TypeError):
        return None
    texts = (approval.candidate_hash, approval.person, approval.account)
    if not all(isinstance(text, str) for text in texts) or not _identity(approval.person):
        return None
    # Standing approvals come from the region's declaration alone, never from this file.
    return approval if approval.role in _ROLES and approval.standing is False else None


def standing(region: Region, candidate_hash: str) -> list[Approval]:
    """Return the standing approvals of a synthetic region, bound to this candidate.

    The region model allows a standing approval only where every record is synthetic; this is
    checked again here, because a release must not hang on one check.
    """
    if region.standing_approval is None or region.synthetic == "no":
        return []
    both = region.standing_approval
    return [
        Approval(candidate_hash, "requester", both.requester, "region.yaml", "standing", True),
        Approval(candidate_hash, "approver", both.approver, "region.yaml", "standing", True),
    ]


def missing(approvals: list[Approval], candidate_hash: str) -> str | None:
    """Return what still lacks before the candidate may be published, or None if nothing does."""
    valid = [a for a in approvals if a.candidate_hash == candidate_hash]
    requesters = {_identity(a.person) for a in valid if a.role == "requester"} - {""}
    approvers = {_identity(a.person) for a in valid if a.role == "approver"} - {""}
    if not requesters:
        return "a requester"
    if not approvers:
        return "an approver"
    if not any(r != a for r in requesters for a in approvers):
        return "an approver who is not the requester"
    return None


def require(approvals: list[Approval], candidate_hash: str) -> None:
    """Stop unless two different people approved exactly this candidate.

    Raises
    ------
    ApprovalError
    """
    lacking = missing(approvals, candidate_hash)
    if lacking:
        raise ApprovalError(
            f"The candidate {candidate_hash[:12]} still needs {lacking}",
            "Review its pages, then run 'lsoalink approve REGION --as ROLE --by NAME'",
        )
