"""``lsoalink redact``: a document without what identifies people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from declarations.errors import ConfigurationError

_EXAMPLES = (
    "Examples:  lsoalink redact letter.docx   ·   "
    "lsoalink redact letter.docx --apply letter.docx.decisions.json   ·   "
    "lsoalink redact notes.csv --accept-all"
)


def redact(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="DOCX, XLSX, PDF, HTML, CSV, TXT or "
                                         "EML. It is never changed.")],
    apply: Annotated[
        Path | None,
        typer.Option("--apply", metavar="DECISIONS", help="Write the result: the file that the "
                     "review page saved."),
    ] = None,
    accept_all: Annotated[
        bool, typer.Option("--accept-all", help="Write the result with everything proposed, "
                           "pictures included, without a review.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="The result. Default: STEM.redacted.EXT beside FILE.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Folder of the page and the result. Default: FILE's.")
    ] = None,
    drop_images: Annotated[
        bool, typer.Option("--drop-images", help="Remove every picture.")
    ] = False,
    scanned_as_is: Annotated[
        bool, typer.Option("--scanned-as-is", help="Take PDF pages on which nothing can be read, "
                           "each as one picture to look at.")
    ] = False,
    keep_page: Annotated[
        bool, typer.Option("--keep-page", help="Leave the review page, which holds the text.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an earlier result or another file's page.")
    ] = False,
) -> None:  # fmt: skip
    """Propose what to redact in a document, then write it without what you decided.

    First a page for your browser: the text as it is and as it will be, each proposal to redact or
    keep. Save the decisions there, and give them with --apply. Passages and metadata are removed
    from the new file, not covered.
    """
    from governance.redaction.documents.files import Options, type_of
    from pipelines.console import err, say

    if apply is not None and accept_all:
        raise ConfigurationError("--apply and --accept-all exclude each other", "Give one of them")
    type_of(file.name)
    with err.status("Loading the recognisers") as status:
        from governance.redaction.engine import Redactor
        from pipelines.redacting import apply_redactions, propose_redactions, result_in_words

        redactor = Redactor()
        options = Options(scanned_as_is=scanned_as_is)

        def progress(done: int, total: int) -> None:
            status.update(f"Looked at {done:,} of {total:,} different texts of {file.name}")

        if apply is not None or accept_all:
            result = apply_redactions(
                file, redactor, decisions=apply, out=out, to=to, drop_images=drop_images,
                keep_page=keep_page, force=force, options=options, progress=progress,
            )  # fmt: skip
            lines = result_in_words(result)
        else:
            proposed = propose_redactions(
                file, redactor, to=to, force=force, options=options, progress=progress
            )
            total = sum(proposed.counts.values())
            lines = [f"{total:,} passages proposed in {file.name}:"]
            lines += [f"  {count:,} {kind}" for kind, count in proposed.counts.items()]
            lines += [f"  {what}" for what in proposed.notices]
            lines += [
                f"Review them in {proposed.page}",
                "It holds the whole text; it is removed when you apply the decisions:",
                f"  lsoalink redact {file} --apply {file.name}.decisions.json"
                + (" --scanned-as-is" if scanned_as_is else "")
                + (f" --to {to}" if to else ""),
            ]
            if proposed.name_tells:
                lines.append("The file's name may itself tell who it is about: use --out.")
    for line in lines:
        say(line)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("redact", epilog=_EXAMPLES)(redact)
