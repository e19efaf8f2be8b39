"""The page on which a person decides what is redacted: one file that can fetch nothing.

Belongs here: what the page knows, and the policy that lets it run its own script and no other. Does
not belong here: how it looks and behaves (``templates/review.*``), or what is proposed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path

from governance.redaction.documents.model import REDACTED, Block, Document
from governance.redaction.documents.proposals import (
    FORMAT,
    Proposal,
    blocks_hash,
    kind_in_words,
)
from governance.reports.self_contained import render, script_json

TEMPLATES = Path(__file__).with_name("templates")


def review_page(
    document: Document,
    proposals: Sequence[Proposal],
    *,
    name: str,
    sha256: str,
    source: str = "",
    warnings: Iterable[str] = (),
) -> str:
    """Return the page for one document. It holds the whole text of it.

    Parameters
    ----------
    document : Document
    proposals : sequence of Proposal
    name : str
        The file's name, as a heading; what is saved is ``<name>.decisions.json``.
    sha256 : str
        Of the file's bytes.
    source : str
        A hash of where the file lies, which tells the page from that of another file.
    warnings : iterable of str
        What the reader must know, for example that names were looked for by rules alone.
    """
    kinds = sorted({p.kind for p in proposals} | {"BY_HAND"}, key=kind_in_words)
    data = {
        "format": FORMAT,
        "file_sha256": sha256,
        "blocks_sha256": blocks_hash(document.blocks),
        "source_sha256": source,
        "saveAs": f"{name}.decisions.json",
        "redacted": REDACTED,
        "kinds": {kind: kind_in_words(kind) for kind in kinds},
        "blocks": [_block(block) for block in document.blocks],
        "proposals": [
            [p.block, p.start, p.end, p.kind, round(p.score, 2), p.why, int(p.redact)]
            for p in sorted(proposals, key=lambda p: (p.block, p.start, p.end))
        ],
    }
    return render(
        TEMPLATES / "review.html.j2",
        [TEMPLATES / "review.css"],
        [TEMPLATES / "review.js"],
        images="data:",
        data=script_json(data),
        name=name,
        kind=document.kind.upper(),
        notices=document.notices,
        warnings=list(warnings),
        proposals=len(proposals),
    )


def _block(block: Block) -> list[str]:
    picture = base64.b64encode(block.picture).decode() if block.picture else ""
    return [block.id, block.where, block.text, block.row, picture]
