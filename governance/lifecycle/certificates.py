"""Certificates of what was done with data: one JSON file, and the same as a page to print.

Belongs here: their form, and the proof that one was not changed. Does not belong here: the doing
(``disposal.py``, ``withdrawal.py``).

The chain holds the hash of what a certificate says, and the certificate names that entry: neither
can be changed without the other showing it.
"""

from __future__ import annotations

import hashlib
import html
import json
from pathlib import Path
from typing import Any

from governance.audit import AuditChain
from governance.lifecycle.holdings import read_json, records_in
from warehouse.lake import write_atomically

FOLDER = Path("governance") / "certificates"
HEAD = "audit_head"

_STYLE = (
    "body{font:11pt/1.45 system-ui,sans-serif;margin:2rem auto;max-width:52rem;color:#222}"
    "h1{font-size:1.4rem}table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "th,td{text-align:left;vertical-align:top;border-bottom:1px solid #bbb;padding:.3rem .6rem "
    ".3rem 0}th{width:13rem}td{overflow-wrap:anywhere}.note{border-left:4px solid #12436D;"
    "padding-left:.8rem}"
)


def statement_hash(content: dict[str, Any]) -> str:
    """Return the hash of what a certificate says, the audit entry it names left out."""
    said = {k: v for k, v in content.items() if k != HEAD}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def write_certificate(
    root: Path, name: str, content: dict[str, Any], *, title: str, rows: list[tuple[str, str]]
) -> Path:
    """Write a certificate as JSON and as a page; return the page.

    Parameters
    ----------
    content : dict
        All it says, `HEAD` included.
    rows : list of (str, str)
        The same for people: what, and its value.
    """
    folder = root / FOLDER
    page = folder / f"{name}.html"
    write_atomically(page, _page(title, content, rows).encode(), mode=0o600)
    text = json.dumps(content, indent=1, sort_keys=True)
    # Last: whoever finds the JSON finds the page too.
    write_atomically(folder / f"{name}.json", text.encode(), mode=0o600)
    return page


def certificate_heads(root: Path) -> dict[str, str]:
    """Return the head each certificate names."""
    found = {}
    for path in records_in(root / FOLDER):
        head = (read_json(path) or {}).get(HEAD)
        if head:
            found[f"certificate {path.stem}"] = str(head)
    return found


def certificate_faults(root: Path, chain: AuditChain) -> list[str]:
    """Return every certificate that is not as the chain knows it, or that is gone."""
    known = {
        str(e["certificate"]): str(e.get("statement"))
        for e in chain.entries()
        if e.get("certificate")
    }
    faults = []
    for path in records_in(root / FOLDER):
        content = read_json(path)
        if content is None:
            faults.append(f"the certificate {path.stem} cannot be read")
        elif known.get(path.stem) != statement_hash(content):
            faults.append(f"the certificate {path.stem} is not the one the chain knows")
    present = {path.stem for path in records_in(root / FOLDER)}
    missing = set(known) - present - _pending(root, set(known))
    return faults + [f"the certificate {name} is gone" for name in sorted(missing)]


def _pending(root: Path, known: set[str]) -> set[str]:
    """Return the certificates that a killed command has yet to write."""
    folders = (root / "governance" / "disposals", root / "governance" / "withdrawals")
    records = [read_json(p) for folder in folders for p in records_in(folder)]
    open_ones = [r for r in records if r is not None and r.get("state") == "started"]
    # Of a withdrawal there may be several, numbered.
    return {str(r.get("id") or "") for r in open_ones} | {
        name for r in open_ones if r.get("agreement") for name in known
        if name.startswith(f"W-{r['agreement']}")
    }  # fmt: skip


def _page(title: str, content: dict[str, Any], rows: list[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><th scope='row'>{html.escape(what)}</th><td>{html.escape(said)}</td></tr>"
        for what, said in rows
    )
    files = "".join(
        f"<tr><td>{html.escape(str(f['path']))}</td><td>{f['bytes']:,}</td>"
        f"<td>{html.escape(str(f['sha256']))}</td></tr>"
        for f in content.get("files", [])
    )
    listed = (
        "<h2>Files</h2><table><tr><th scope='col'>file</th><th scope='col'>bytes</th>"
        f"<th scope='col'>SHA-256 before</th></tr>{files}</table>"
        if files
        else ""
    )
    note = content.get("synthetic")
    said = f"<p class='note'>{html.escape(str(note))}</p>" if note else ""
    return (
        "<!doctype html><html lang='en-GB'><head><meta charset='utf-8'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; "
        "style-src 'unsafe-inline'\">"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{html.escape(title)}</h1>{said}<table>{lines}</table>{listed}</body></html>\n"
    )
