"""The page on which a person decides what is redacted: one file that can fetch nothing.

Belongs here: what the page knows, and the policy that lets it run its own script and no other. Does
not belong here: how it looks and behaves (``templates/review.*``), or what is proposed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from governance.redaction.documents.model import REDACTED, Block, Document
from governance.redaction.documents.proposals import (
    FORMAT,
    Proposal,
    blocks_hash,
    kind_in_words,
)

TEMPLATES = Path(__file__).with_name("templates")
_ESCAPES = {
    "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029",
}  # fmt: skip


def review_page(
    document: Document,
    proposals: Sequence[Proposal],
    *,
    name: str,
    stem: str,
    sha256: str,
    warnings: Iterable[str] = (),
) -> str:
    """Return the page for one document. It holds the whole text of it.

    Parameters
    ----------
    document : Document
    proposals : sequence of Proposal
    name : str
        The file's name, as a heading.
    stem : str
        What the saved file is named after: ``<stem>.decisions.json``.
    sha256 : str
        Of the file's bytes.
    warnings : iterable of str
        What the reader must know, for example that names were looked for by rules alone.
    """
    kinds = sorted({p.kind for p in proposals} | {"BY_HAND"}, key=kind_in_words)
    data = {
        "format": FORMAT,
        "file_sha256": sha256,
        "blocks_sha256": blocks_hash(document.blocks),
        "saveAs": f"{stem}.decisions.json",
        "redacted": REDACTED,
        "kinds": {kind: kind_in_words(kind) for kind in kinds},
        "blocks": [_block(block) for block in document.blocks],
        "proposals": [
            [p.block, p.start, p.end, p.kind, round(p.score, 2), p.why, int(p.redact)]
            for p in sorted(proposals, key=lambda p: (p.block, p.start, p.end))
        ],
    }
    style, script = f"\n{_part('review.css')}", f"\n{_part('review.js')}"
    policy = (
        f"default-src 'none'; style-src {_source_hash(style)}; script-src {_source_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        _environment()
        .get_template("review.html.j2")
        .render(
            style=Markup(style),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            policy=policy,
            data=_script_json(data),
            name=name,
            kind=document.kind.upper(),
            notices=document.notices,
            warnings=list(warnings),
            proposals=len(proposals),
        )
    )


def _block(block: Block) -> list[str]:
    picture = base64.b64encode(block.picture).decode() if block.picture else ""
    return [block.id, block.where, block.text, block.row, picture]


def _script_json(data: Any) -> Markup:
    """Write data as JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for raw, escaped in _ESCAPES.items():
        text = text.replace(raw, escaped)
    return Markup(text)  # noqa: S704 - escaped above


def _source_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip


def _part(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
