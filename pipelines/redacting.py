"""Redacting a document: the page to review, then the file without what was decided, and its log.

Belongs here: names and places of files, permissions, and the log. Does not belong here: reading and
writing documents (``governance.redaction.documents``) or finding identifiers (the redactor, handed
in).
"""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from declarations.errors import ConfigurationError
from governance.redaction.documents.files import Options, open_document, read_bytes, type_of
from governance.redaction.documents.model import Document
from governance.redaction.documents.proof import prove
from governance.redaction.documents.proposals import (
    Decision,
    Finder,
    Proposal,
    cuts_of,
    default_decisions,
    kind_in_words,
    propose,
    read_decisions,
    settled,
)
from governance.redaction.review_page import review_page
from warehouse.lake import write_atomically
from warehouse.provenance import code_version

Progress = Callable[[int, int], None]
PRIVATE = 0o600


@dataclass(frozen=True)
class Proposed:
    """What was proposed.

    Attributes
    ----------
    page : Path
    counts : dict of str to int
        Proposals by kind, in words.
    notices : list of str
    name_tells : bool
        The file's own name holds something that would be redacted.
    """

    page: Path
    counts: dict[str, int]
    notices: list[str]
    name_tells: bool


@dataclass(frozen=True)
class Redacted:
    """What was written.

    Attributes
    ----------
    out, log : Path
    redacted, kept, unseen : int
        Passages removed, passages kept, and those removed or kept without a person's look.
    page_removed : bool
    name_tells : bool
    """

    out: Path
    log: Path
    redacted: int
    kept: int
    unseen: int
    page_removed: bool
    name_tells: bool


def propose_redactions(
    file: Path,
    redactor: Finder,
    *,
    to: Path | None = None,
    force: bool = False,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Proposed:
    """Write the review page of a document, readable by its owner alone.

    Parameters
    ----------
    file : Path
    redactor : Finder
    to : Path, optional
        Folder of the page; that of the file unless given.
    force : bool
        Replace the page of another file.

    Raises
    ------
    DocumentError
        The document cannot be examined.
    ConfigurationError
        The page would replace that of another file.
    """
    content, document = _opened(file, options)
    page, source = _page(file, to), _sha256(str(file.resolve()).encode())
    if not force:
        _refuse_page_of_another(page, (_sha256(content), source))
    proposals = propose(document, redactor, progress)
    note = str(getattr(redactor, "names_note", ""))
    html = review_page(
        document, proposals, name=file.name, sha256=_sha256(content), source=source,
        warnings=[note] if note else [],
    )  # fmt: skip
    write_atomically(page, html.encode(), mode=PRIVATE)
    counts = Counter(kind_in_words(p.kind) for p in proposals)
    notices = [f"{n.what} ({n.count})" if n.count > 1 else n.what for n in document.notices]
    return Proposed(page, dict(counts.most_common()), notices, _tells(file.stem, redactor))


def apply_redactions(
    file: Path,
    redactor: Finder,
    *,
    decisions: Path | None,
    out: Path | None = None,
    to: Path | None = None,
    drop_images: bool = False,
    keep_page: bool = False,
    force: bool = False,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Redacted:
    """Write the document without what was decided, and a log of it without any value.

    Parameters
    ----------
    file : Path
        Never changed.
    redactor : Finder
        Looks again: what it finds and the decisions do not mention is redacted.
    decisions : Path or None
        As the page saved them; None redacts everything proposed, pictures included.
    out : Path, optional
        ``<stem>.redacted.<ext>`` beside the file, or in `to`, unless given.
    drop_images : bool
        Remove all pictures, whatever was decided.
    keep_page : bool
        Leave the review page where it is.
    force : bool
        Replace a result that is there already.

    Raises
    ------
    DocumentError
        The file changed, the decisions do not fit, or the result does not prove clean.
    ConfigurationError
        The result would replace something.
    """
    out = _out(file, out, to)
    log = out.with_name(f"{_stem(out)}{out.suffix}.redaction-log.json")
    _refuse_to_replace(file, (out, log), force=force)
    given = read_decisions(read_bytes(decisions), decisions.name) if decisions else None
    content, document = _opened(file, options)
    sha256 = _sha256(content)
    proposals = propose(document, redactor, progress)
    if given is None:
        decided = default_decisions(proposals, everything=True)
    else:
        decided = settled(given, document, proposals, sha256, file.name)
    if drop_images:
        decided += default_decisions((p for p in proposals if not p.redact), everything=True)
    cuts = cuts_of(decided)
    blocks = list(document.blocks)
    result = document.written(cuts)
    prove(result, document.kind, blocks, cuts, file.name)
    entry = _log(document, proposals, decided, before=sha256, after=_sha256(result),
                 reviewed=given is not None)  # fmt: skip
    write_atomically(out, result, mode=PRIVATE)
    write_atomically(log, json.dumps(entry, indent=1).encode() + b"\n", mode=PRIVATE)
    removed = not keep_page and _remove_pages(file, sha256, to, decisions)
    cut = sum(d.decision == "redact" for d in decided)
    return Redacted(
        out, log, cut, len(decided) - cut, sum(not d.looked_at for d in decided), removed,
        _tells(_stem(out), redactor),
    )  # fmt: skip


def _opened(file: Path, options: Options | None) -> tuple[bytes, Document]:
    type_of(file.name)
    content = read_bytes(file)
    return content, open_document(content, file.name, options)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _page(file: Path, to: Path | None) -> Path:
    return (to or file.parent) / f"{file.name}.redaction.html"


def _out(file: Path, out: Path | None, to: Path | None) -> Path:
    if out is None:
        return (to or file.parent) / f"{file.stem}.redacted{file.suffix}"
    if type_of(out.name) != type_of(file.name):
        raise ConfigurationError(
            f"The result {out.name} would be of another type than {file.name}",
            f"End its name in {file.suffix}",
        )
    return out


def _stem(out: Path) -> str:
    return out.stem.removesuffix(".redacted")


def _refuse_page_of_another(page: Path, marks: Iterable[str]) -> None:
    """Refuse a page of a file that neither lies where this one does nor has its bytes."""
    if page.exists() and not any(mark in page.read_text("utf-8", "replace") for mark in marks):
        raise ConfigurationError(
            f"{page.name} is there already and is the page of another file",
            "Give another folder with --to, or --force to replace it",
        )


def _refuse_to_replace(file: Path, results: Iterable[Path], *, force: bool) -> None:
    for path in results:
        if path.exists() and file.exists() and path.samefile(file):
            raise ConfigurationError(
                f"The result would replace {file.name} itself", "Give another name with --out"
            )
        if path.exists() and not force:
            raise ConfigurationError(
                f"{path.name} is there already", "Give another name with --out, or --force"
            )


def _remove_pages(file: Path, sha256: str, to: Path | None, decisions: Path | None) -> bool:
    """Remove the pages of this very file; one of another file of the same name stays."""
    places = {file.parent, *([to] if to else []), *([decisions.parent] if decisions else [])}
    pages = {_page(file, place) for place in places}
    found = [p for p in pages if p.is_file() and sha256.encode() in p.read_bytes()]
    for page in found:
        page.unlink()
    return bool(found)


def _tells(stem: str, redactor: Finder) -> bool:
    return bool(redactor.find(stem.replace("_", " ").replace("-", " ")) or redactor.find(stem))


def _log(
    document: Document,
    proposals: Sequence[Proposal],
    decided: Sequence[Decision],
    *,
    before: str,
    after: str,
    reviewed: bool,
) -> dict[str, Any]:
    """Return the log: kinds, places and counts. No text of the document, nor its name."""
    where = {block.id: block.where for block in document.blocks}
    why = {(p.block, p.start, p.end): p.why for p in proposals}
    order = {block: number for number, block in enumerate(where)}
    ordered = sorted(decided, key=lambda d: (order[d.block], d.start))
    passages = [
        {
            "where": where[d.block],
            "kind": kind_in_words(d.kind),
            "decision": d.decision,
            "by_hand": d.by_hand,
            "looked_at": d.looked_at,
            "confidence": round(d.score, 2),
            "recogniser": why.get((d.block, d.start, d.end), "" if d.by_hand else "decisions file"),
        }
        for d in ordered
    ]
    counts = {
        decision: dict(sorted(Counter(
            kind_in_words(d.kind) for d in decided if d.decision == decision).items()))
        for decision in ("redact", "keep")
    }  # fmt: skip
    return {
        "format": "lsoalink redaction log 1",
        "type": document.kind,
        "sha256_before": before,
        "sha256_after": after,
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "by": getpass.getuser(),
        "tool": f"lsoalink {_version()}, code {code_version()}",
        "reviewed_by_a_person": reviewed,
        "not_looked_at": sum(not d.looked_at for d in decided),
        "counts": counts,
        "removed_whatever_was_decided": [
            {"what": n.what, "count": n.count} for n in document.notices
        ],
        "passages": passages,
    }


def _version() -> str:
    try:
        return version("lsoalink")
    except PackageNotFoundError:
        return "of a source checkout"


def result_in_words(result: Redacted) -> list[str]:
    """Return what a person must know of a result, a line each."""
    lines = [
        f"Written: {result.out} ({result.redacted:,} passages redacted, {result.kept:,} kept)",
        f"Log without values: {result.log}",
    ]
    if result.unseen:
        lines.append(f"{result.unseen:,} passages were decided without a person's look.")
    if result.page_removed:
        lines.append("The review page was removed; empty your browser's downloads too.")
    if result.name_tells:
        lines.append("The name of the result may itself tell who it is about: rename it.")
    return lines
