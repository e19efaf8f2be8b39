"""``lsoalink keys``: which keys there are, a new one, and letting old ones go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.options import DataDir

if TYPE_CHECKING:
    from pipelines.keys import Progress

keys_app = typer.Typer(
    no_args_is_help=True,
    help="Keys by their fingerprints: show them, put a new one in force, let old ones go. "
    "No command ever prints a key.",
)

OneRegion = Annotated[
    str | None,
    typer.Option("--region", "-r", help="Only this region, bundled or a folder. Default: all."),
]


@keys_app.command("show", epilog="Example: lsoalink keys show --region arden")
def keys_show(region: OneRegion = None, data_dir: DataDir = None) -> None:
    """Show where keys come from, their fingerprints, and how many files need each."""
    from pipelines.console import say, show_table
    from pipelines.keys import report_keys
    from pipelines.regions import open_region
    from pipelines.running import settings_for

    declared = open_region(region) if region else None
    shared = [
        a.id for a in (declared.agreements.values() if declared else ())
        if a.kind == "data_sharing_agreement"
    ]  # fmt: skip
    report = report_keys(settings_for(data_dir, None).data_dir, shared)
    say(f"Master key: {report.source}; pseudonyms are derived from {report.pseudonyms}")
    show_table(
        "",
        ("master key", "", "files that need it"),
        [
            (k.fingerprint, "current" if k.current else "earlier", f"{k.files:,}")
            for k in report.masters
        ]
        + [(f, "NOT GIVEN", f"{n:,}") for f, n in report.unknown.items()],
    )
    if report.agreements:
        say("")
        show_table(
            "Keys of pseudonyms",
            ("agreement", "version", "from", "tables with earlier pseudonyms"),
            [(a.agreement_id, a.version, a.source, f"{a.kept:,}") for a in report.agreements],
        )


@keys_app.command(
    "rotate",
    epilog="Examples:  lsoalink keys rotate   ·   lsoalink keys rotate --agreement DSA-ARD-001",
)
def keys_rotate(
    region: OneRegion = None,
    agreement: Annotated[
        str | None,
        typer.Option(help="A new key for this agreement's pseudonyms, instead of a master key."),
    ] = None,
    keep_old: Annotated[
        bool,
        typer.Option(
            "--keep-old-pseudonyms",
            help="With --agreement: tables whose originals are gone keep their pseudonyms, which "
            "then match no new ones.",
        ),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Put a new key in force and encrypt what there is again; interrupted, it goes on."""
    from declarations.errors import ConfigurationError
    from pipelines.console import say
    from pipelines.keys import rotate_agreement, rotate_master
    from pipelines.regions import open_region
    from pipelines.running import settings_for

    folder = settings_for(data_dir, None).data_dir
    if agreement is not None:
        if region is not None:
            raise ConfigurationError(
                "A key of pseudonyms is the same in every region", "Leave --region out"
            )
        outcome = rotate_agreement(folder, agreement, keep_old=keep_old)
        if outcome.kept:
            say(f"{outcome.kept:,} tables keep pseudonyms of an earlier key.")
        if outcome.added:
            say(f"Pseudonyms of {agreement} have the key {outcome.fingerprint} from the next run.")
    else:
        if keep_old:
            raise ConfigurationError(
                "--keep-old-pseudonyms is about an agreement's pseudonyms", "Add --agreement ID"
            )
        only = open_region(region).region.id if region else None
        with _bar() as on_file:
            outcome = rotate_master(folder, only, on_file)
        if not outcome.advice:
            say(
                ("New key " if outcome.added else "An earlier rotation was finished; key ")
                + f"{outcome.fingerprint}: {outcome.files:,} files encrypted again."
            )
    if outcome.advice:
        say(outcome.advice)


@keys_app.command("drop-old", epilog="Example: lsoalink keys drop-old")
def keys_drop_old(data_dir: DataDir = None) -> None:
    """Remove earlier master keys once no file needs them. Old backups can then not be opened."""
    from pipelines.console import say
    from pipelines.keys import drop_earlier
    from pipelines.running import settings_for

    outcome = drop_earlier(settings_for(data_dir, None).data_dir)
    say(
        outcome.advice
        or (
            f"Only {outcome.fingerprint} is left."
            if outcome.added
            else f"There is no earlier key; {outcome.fingerprint} is the only one."
        )
    )


@contextmanager
def _bar() -> Iterator[Progress]:
    """Show how many files are done, on a terminal."""
    from rich.progress import Progress as Bar

    from pipelines.console import err

    with Bar(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("encrypting again", total=None)

        def on_file(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield on_file


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(keys_app, name="keys")
