"""``lsoalink disclose`` and ``lsoalink attack``: disclosure control for any table of counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from governance.disclosure.tables.protecting import Progress
    from pipelines.published_tables import Description

UNSAFE = 8
"""Exit code of a release that is not safe: that of disclosure errors."""

SHOWN = 20
"""Exposed counts that are shown on the console; a report has them all."""


class Zeros(StrEnum):
    """Whether true zeros are shown or bear the marker."""

    SHOWN = "shown"
    HIDDEN = "hidden"


class Absent(StrEnum):
    """What a combination without a row says."""

    UNKNOWN = "unknown"
    ZERO = "zero"


Hierarchy = Annotated[
    list[str] | None,
    typer.Option(
        "--hierarchy", help="Area columns, finest first: 'lsoa21cd<msoa21cd<lad24cd'. Repeat it "
        "for areas that do not nest: 'lsoa21cd<wd24cd'.", show_default=False,
    ),
]  # fmt: skip
Category = Annotated[
    list[str] | None,
    typer.Option("--category", help="A category column; repeat it for more.", show_default=False),
]
Public = Annotated[
    Path | None,
    typer.Option(
        help="CSV of exact totals that are known elsewhere: a column of area codes of one level, "
        "categories ('all' or no column: the margin), and the counts.", show_default=False,
    ),
]  # fmt: skip
Insider = Annotated[
    bool,
    typer.Option(
        "--insider/--no-insider", help="Also think of people who know their own record is in it."
    ),
]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Processes for the attack.")]


def disclose(  # noqa: PLR0917 - options, each given by its name
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="CSV or Parquet: one row per finest area and category; for ckm "
            "one row per record.",
        ),
    ],
    hierarchy: Hierarchy = None,
    category: Category = None,
    count: Annotated[
        str | None, typer.Option(help="The column of counts. An empty cell is a missing count.")
    ] = None,
    profile: Annotated[
        str,
        typer.Option(help="hide0-r5, r5, hes-7/5, midpoint-6, ons-10-5, suppress or ckm."),
    ] = "hide0-r5",
    public: Public = None,
    cost: Annotated[
        str,
        typer.Option(
            help="What a further hidden cell costs (suppress): cells, counts or importance:COLUMN."
        ),
    ] = "cells",
    record_key: Annotated[
        str | None,
        typer.Option(help="ckm: the column that names a record, the same in every release."),
    ] = None,
    secret: Annotated[
        Path | None, typer.Option(help="ckm: the file with the secret of the record keys.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="A folder that is not there yet. Default: TABLE-protected.")
    ] = None,
    title: Annotated[str, typer.Option(help="What the certificate calls the table.")] = "",
    absent_missing: Annotated[
        bool,
        typer.Option("--absent-missing", help="A combination without a row is missing, not 0."),
    ] = False,
    sum_rows: Annotated[
        bool, typer.Option("--sum-rows", help="Add up rows of one area and category.")
    ] = False,
    class_disclosure: Annotated[
        bool,
        typer.Option(
            "--class-disclosure/--accept-class-disclosure",
            help="Whether a small group may be seen to be wholly in one category.",
        ),
    ] = True,
    insider: Insider = True,
    workers: Workers = 1,
) -> None:
    """Protect any table of counts, attack it, and write what is left with its certificate.

    Every total along the hierarchies and categories is added up, the profile is applied, and the
    result is attacked with all its sums, the public totals, and by people who are in it. Where
    something small could be worked back, an area is given only together with its neighbour, then
    only the larger area; what was coarsened is listed. Nothing is written that can be worked back:
    exit code 8 if there is no safe table.
    """
    from pipelines.console import say
    from pipelines.disclosed_files import write_disclosed
    from pipelines.disclosing import Asked
    from pipelines.disclosing import disclose as protect

    folder = output or table.with_name(f"{table.stem}-protected")
    _require_new(folder)
    asked = Asked(
        table=table, hierarchies=hierarchy or [], profile=profile, categories=category or [],
        count=count, public=public, cost=cost, record_key=record_key, secret=secret,
        absent_missing=absent_missing, sum_rows=sum_rows, class_disclosure=class_disclosure,
        insider=insider, workers=workers,
    )  # fmt: skip
    with _progress() as progress:
        done = protect(asked, progress)
        files = write_disclosed(done, folder, title=title)
    protected = done.protected
    given_up = len(protected.merging.stands)
    say(
        f"Protected under {done.profile.name} and attacked: no count of "
        f"{len(protected.examination.targets) - len(protected.known_otherwise):,} that could be "
        "small can be worked back "
        f"({protected.rounds} round{'s' if protected.rounds > 1 else ''})."
    )
    if given_up:
        say(f"{given_up:,} areas are given only within a larger one: see coarsened.csv.")
    if len(protected.known_otherwise):
        say(
            f"{len(protected.known_otherwise):,} counts are given away by the public totals alone; "
            "the certificate names them."
        )
    say(f"Wrote {len(files)} files into {folder}; begin with {folder / 'certificate.html'}")


def attack(  # noqa: PLR0917 - options, each given by its name
    release: Annotated[
        Path,
        typer.Argument(
            metavar="RELEASE_DIR",
            help="A release of lsoalink, the output of 'disclose', or any folder of CSV files.",
        ),
    ],
    hierarchy: Hierarchy = None,
    category: Category = None,
    area: Annotated[
        str | None,
        typer.Option(
            help="The column of area codes, where there is but one level.", show_default=False
        ),
    ] = None,
    count: Annotated[str, typer.Option(help="The column of counts.")] = "count",
    status: Annotated[str | None, typer.Option(help="The column of markers, if apart.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="The profile the counts were protected by.")
    ] = None,
    marker: Annotated[
        str | None, typer.Option(help="What stands for a hidden count, e.g. '*'.")
    ] = None,
    below: Annotated[int | None, typer.Option(min=2, help="Counts below this were hidden.")] = None,
    rounding: Annotated[
        int, typer.Option(min=1, help="What figures were rounded to the nearest multiple of.")
    ] = 1,
    zeros: Annotated[Zeros, typer.Option(help="Whether zeros were hidden too.")] = Zeros.SHOWN,
    secondary: Annotated[
        bool, typer.Option("--secondary", help="Larger counts bear the marker as well.")
    ] = False,
    vintages: Annotated[
        str | None,
        typer.Option(
            help="File in the folder with lsoa11cd, lsoa21cd and chgind, where both "
            "vintages are published."
        ),
    ] = None,
    absent: Annotated[
        Absent, typer.Option(help="What a combination without a row says.")
    ] = Absent.UNKNOWN,
    public: Public = None,
    with_: Annotated[
        list[Path] | None,
        typer.Option("--with", help="An earlier release of the same counts; repeat it for more."),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="Owner only: the true counts, to prove that the attack is sound."),
    ] = None,
    truth_count: Annotated[
        str | None, typer.Option(help="Its column of counts, if named otherwise.")
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Write the findings to this .html or .json; repeat it for both."),
    ] = None,
    insider: Insider = True,
    workers: Workers = 1,
) -> None:
    """Audit a release made by anyone: which hidden counts can be worked back from it?

    A folder says what its files hold by an attack.yaml in it (the output of 'disclose' has one), or
    you say it with options. A file may hold any one level of the hierarchy, any of the category
    columns, or none of them (the total). One file must have a row for every finest area with the
    larger areas it lies in. Exit code 8 if the release is not safe.
    """
    from pipelines.attack_report import (
        CONFIDENTIAL_WORDS,
        exposed_rows,
        narrowest,
        verdict,
        write_report,
    )
    from pipelines.attacking import AskedAttack, run_attack
    from pipelines.console import say, show_table

    said = _description(
        hierarchy or ([area] if area else []), category or [], count, status, profile, marker,
        below, rounding, zeros, secondary, vintages, absent,
    )  # fmt: skip
    asked = AskedAttack(
        release=release, description=said, public=public, earlier=with_ or [], truth=truth,
        truth_count=truth_count, insider=insider, workers=workers,
    )  # fmt: skip
    with _progress() as progress:
        found = run_attack(asked, progress)
    say(verdict(found))
    rows = exposed_rows(found.unsafe)
    if rows:
        show_table("Exposed", ("count", "must be", "why that is too much"), rows[:SHOWN])
        if len(rows) > SHOWN:
            say(f"... and {len(rows) - SHOWN:,} more; --report has them all.")
    elif found.cells:
        show_table("Narrowest intervals", ("count", "possible", "width"), narrowest(found))
    if found.proven_by_truth is not None:
        say(f"All {found.proven_by_truth:,} true counts lie inside their intervals.")
    for path in report or []:
        write_report(found, path)
        say(f"Wrote {path}. {CONFIDENTIAL_WORDS}")
    if found.unsafe:
        raise typer.Exit(UNSAFE)


def _description(  # noqa: PLR0917 - options as they came
    hierarchy: list[str],
    category: list[str],
    count: str,
    status: str | None,
    profile: str | None,
    marker: str | None,
    below: int | None,
    rounding: int,
    zeros: Zeros,
    secondary: bool,
    vintages: str | None,
    absent: Absent,
) -> Description | None:
    """Return what the options say of the files; None where they say nothing."""
    from declarations.errors import ConfigurationError

    if not hierarchy:
        if profile or marker or below or category:
            raise ConfigurationError(
                "The files are described by options, but no hierarchy is given",
                "Give --hierarchy 'lsoa21cd<msoa21cd', or --area for a single level",
            )
        return None
    if (marker is None) != (below is None):
        raise ConfigurationError(
            "A marker and what it stands for go together", "Give both --marker and --below"
        )
    from governance.disclosure.profiles import profile as named
    from pipelines.published_tables import Description, MarkedRule

    if profile is not None:
        named(profile)
    rule = None
    if marker is not None and below is not None:
        rule = MarkedRule(
            marker=marker, below=below, zeros=zeros.value, secondary=secondary, rounding=rounding
        )
    return Description.model_validate(
        {
            "hierarchy": hierarchy, "categories": category, "count": count, "status": status,
            "profile": profile, "rule": rule, "vintages": vintages, "absent": absent.value,
        }
    )  # fmt: skip


def _require_new(folder: Path) -> None:
    from declarations.errors import StorageError

    if folder.exists():
        raise StorageError(f"The folder {folder} is there already", "Name another with --output")


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show what is being done, on a terminal."""
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    from pipelines.console import err

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def tell(what: str, number: int) -> None:
            bar.update(task, description=f"{what}, round {number}" if number else what)

        yield tell


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(
        "disclose",
        epilog="Examples:  lsoalink disclose counts.csv --hierarchy 'lsoa21cd<msoa21cd<lad24cd' "
        "--category reason --count n   ·   lsoalink disclose counts.csv --hierarchy "
        "'lsoa21cd<msoa21cd' --count n --profile suppress --public totals.csv --output safe   ·   "
        "lsoalink disclose people.csv --hierarchy 'lsoa21cd<lad24cd' --category reason --profile "
        "ckm --record-key person --secret record-keys",
    )(disclose)
    app.command(
        "attack",
        epilog="Examples:  lsoalink attack counts-protected   ·   lsoalink attack bulletin "
        "--hierarchy 'lsoa21cd<lad24cd' --category reason --count n --marker '*' --below 5 "
        "--public totals.csv --report findings.html   ·   lsoalink attack bulletin-2026 --with "
        "bulletin-2025",
    )(attack)
