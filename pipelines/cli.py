"""The command line ``lsoalink``.

Belongs here: commands, options and help. Each imports what it needs when it is called, so that
``--help`` answers at once. Does not belong here: work; that is in ``running.py``, ``inspecting.py``
and the rooms.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from declarations.errors import LsoalinkError
from pipelines.commands import (
    agency,
    agreement,
    area,
    audit,
    disclosure,
    export,
    hold,
    indicators,
    keys,
    purge,
    redact,
    roles,
    withdraw,
)
from pipelines.commands.options import DataDir, OpenData, RegionName, RegionOption

EXIT_CODES = """
Exit codes: 0 done · 1 unexpected · 2 wrong command · 3 declaration or setting · 4 file delivered ·
5 contract of a source · 6 agreement · 7 geography · 8 disclosure · 9 approval · 10 storage or key ·
130 interrupted
"""

app = typer.Typer(
    name="lsoalink",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Link council, NHS, police and ONS data by neighbourhood (LSOA), under the agreements it "
    "is shared under, and publish protected indicators.",
    epilog=EXIT_CODES,
)


class Output(StrEnum):
    """Ways to write a result."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Role(StrEnum):
    """The two roles of an approval."""

    REQUESTER = "requester"
    APPROVER = "approver"


@app.command(epilog="Example: lsoalink demo")
def demo(data_dir: DataDir = None) -> None:
    """Make the synthetic region arden, run everything, and say where the results are."""
    _run("arden", data_dir=data_dir, open_data=None, summary=True)


@app.command(
    epilog="Examples:  lsoalink run arden   ·   lsoalink run west-midlands --open-data DIR   ·   "
    "lsoalink run my-region --period 2026-10   ·   "
    "lsoalink run arden --select 'key:\"*homelessness*\"'"
)
def run(
    region: RegionName,
    period: Annotated[
        str | None, typer.Option(help="Only this month, YYYY-MM. Default: all.")
    ] = None,
    select: Annotated[
        str | None, typer.Option(help="Only these assets, in Dagster's selection syntax.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Look at everything even if nothing changed.")
    ] = False,
    data_dir: DataDir = None,
    open_data: OpenData = None,
) -> None:
    """Bring a region up to date: receive, admit, place, count, protect, publish.

    What is current is left alone, so a run after a crash goes on where it stopped, and a run with
    nothing new does no work.
    """
    _run(
        region, data_dir=data_dir, open_data=open_data, period=period, select=select, force=force,
        summary=True,
    )  # fmt: skip


def _run(
    region: str,
    *,
    data_dir: Path | None,
    open_data: Path | None,
    period: str | None = None,
    select: str | None = None,
    force: bool = False,
    summary: bool = False,
) -> None:
    from pipelines.console import complain, out, say
    from pipelines.progress import ProgressHandler
    from pipelines.running import run_region, settings_for

    settings = settings_for(data_dir, open_data)
    with ProgressHandler(out) as progress:
        outcome = run_region(region, settings, period=period, select=select, force=force)
    if not outcome.did_work:
        say(f"Nothing new: {outcome.region_id} is up to date ({outcome.seconds:.1f} s).")
    elif not progress.did_work:
        say(
            f"Nothing had to be made again: {outcome.region_id} is up to date "
            f"({outcome.seconds:.1f} s)."
        )
    for failure in outcome.failures:
        complain(failure)
    if outcome.lacking:
        say(
            f"A candidate waits for {outcome.lacking}. Review it with 'lsoalink status {region}', "
            f"then run 'lsoalink approve {region} --as ROLE --by NAME'."
        )
    if summary:
        from pipelines.inspecting import print_summary

        print_summary(region, settings, seconds=outcome.seconds if outcome.did_work else None)
    if outcome.failures:
        raise typer.Exit(outcome.failures[0].exit_code)


@app.command(epilog="Example: lsoalink synth --data-dir /tmp/try")
def synth(
    lsoas: Annotated[int, typer.Option(min=12, help="Neighbourhoods to invent.")] = 450,
    districts: Annotated[int, typer.Option(min=1, max=26, help="Districts to invent.")] = 5,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 20261116,
    first_period: Annotated[str, typer.Option(help="First month, YYYY-MM.")] = "2024-11",
    last_period: Annotated[str, typer.Option(help="Last month, YYYY-MM.")] = "2026-10",
    faults: Annotated[bool, typer.Option(help="Plant the faults of real life.")] = True,
    to: Annotated[
        Path | None, typer.Option(help="Landing folder. Default: DATA_DIR/arden/landing")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make the files of the synthetic region: nobody and nowhere in them is real."""
    from pipelines.console import say
    from pipelines.running import settings_for
    from synthetic.arden import synthesise

    landing = to or settings_for(data_dir, None).data_dir / "arden" / "landing"
    report = synthesise(
        landing, seed=seed, districts=districts, lsoas=lsoas, first_period=first_period,
        last_period=last_period, faults=faults,
        progress=lambda source, rows: say(f"  {source}: {rows:,} rows"),
    )  # fmt: skip
    say(
        f"{report.files:,} files with {report.rows:,} rows in {landing} "
        f"({report.seconds:.1f} s); what was planted: {report.manifest}"
    )


@app.command(epilog="Example: lsoalink init my-region && lsoalink run my-region")
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet.")],
) -> None:
    """Write a small working region to start from: commented files, with synthetic deliveries."""
    from pipelines.console import say
    from pipelines.scaffold import write_region

    files = write_region(folder)
    say(f"Wrote {files} files. Read {folder / 'README.md'}, then run: lsoalink run {folder}")


@app.command()
def regions() -> None:
    """List the bundled regions."""
    from pipelines.console import show_table
    from pipelines.regions import bundled, open_region

    rows = []
    for name in bundled():
        declared = open_region(name)
        rows.append(
            (
                name, declared.region.title, declared.region.synthetic, len(declared.sources),
                len(declared.indicators),
            )
        )  # fmt: skip
    show_table("", ("region", "title", "synthetic", "sources", "indicators"), rows)


@app.command(epilog="Example: lsoalink status arden")
def status(
    region: RegionName = "arden", data_dir: DataDir = None, open_data: OpenData = None
) -> None:
    """Show what arrived, what was refused and why, what is missing, and the release in force."""
    from pipelines.inspecting import print_status
    from pipelines.running import settings_for

    print_status(region, settings_for(data_dir, open_data))


@app.command(
    epilog='Examples:  lsoalink sql "FROM latest_observations LIMIT 5"   ·   '
    "lsoalink sql --internal \"SELECT * FROM quality_decisions WHERE decision <> 'admitted'\""
)
def sql(
    query: Annotated[str, typer.Argument(help="One SQL statement that reads.")],
    region: RegionOption = "arden",
    internal: Annotated[
        bool,
        typer.Option(
            "--internal", help="Ask the exact, unpublished tables of the data team instead."
        ),
    ] = False,
    output: Annotated[Output, typer.Option("--format", help="How to write it.")] = Output.TABLE,
    data_dir: DataDir = None,
) -> None:
    """Ask the published DuckDB file; nothing can be changed by it."""
    from pipelines.querying import run_query
    from pipelines.running import settings_for

    run_query(query, region, settings_for(data_dir, None), internal=internal, output=output.value)


@app.command(
    epilog="Example: lsoalink check hclic_2026-09.csv --source northwood_homelessness --region "
    "arden"
)
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file you are about to send.")],
    source: Annotated[str, typer.Option(help="The source it belongs to.")],
    region: RegionOption = "arden",
    problems: Annotated[
        bool, typer.Option("--problems", help="Show only what did not pass.")
    ] = False,
) -> None:
    """Hold a file to its contract before you send it, on your own machine; nothing is stored."""
    from pipelines.inspecting import check_file

    check_file(file, source, region, only_problems=problems)


@app.command(epilog="Example: lsoalink approve my-region --as approver --by 'Sam Example'")
def approve(
    region: RegionName,
    role: Annotated[Role, typer.Option("--as", help="Your role: the two must be two people.")],
    by: Annotated[str, typer.Option(help="Your name.")],
    data_dir: DataDir = None,
    open_data: OpenData = None,
) -> None:
    """Approve the candidate that waits; the second approval publishes it."""
    from pipelines.inspecting import approve_candidate
    from pipelines.running import settings_for

    approve_candidate(region, settings_for(data_dir, open_data), role.value, by)


@app.command(epilog="Example: lsoalink verify arden")
def verify(region: RegionName, data_dir: DataDir = None) -> None:
    """Hash every file of every release again and compare with the manifests."""
    from pipelines.inspecting import verify_releases
    from pipelines.running import settings_for

    verify_releases(region, settings_for(data_dir, None))


@app.command(epilog="Example: lsoalink schemas my-region/.schemas")
def schemas(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write them.")],
) -> None:
    """Write the JSON Schemas of every declaration file, for editors."""
    from pipelines.console import say
    from pipelines.scaffold import write_schemas

    names = write_schemas(folder)
    say(f"Wrote {', '.join(names)} into {folder}")


for module in (
    agreement,
    export,
    roles,
    hold,
    purge,
    audit,
    keys,
    agency,
    redact,
    area,
    indicators,
    disclosure,
):
    module.register(app)
withdraw.register_withdraw(agreement.agreement_app)

PANELS = {
    "For governance officers": (
        "agreement", "export", "roles", "grant", "approve", "verify", "hold", "purge", "audit",
        "attack",
    ),
    "For agencies that send files": ("check", "aggregate", "pseudonymise", "agency-key", "redact"),
    "For analysts": ("sql", "indicators", "area", "disclose"),
}  # fmt: skip
"""Which commands whom serves; the others are the data team's and stand first."""


def _arrange() -> None:
    """Show each command in the panel of those it serves."""
    panel = {name: title for title, names in PANELS.items() for name in names}
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        command.rich_help_panel = panel.get(name, "For data teams")
    for group in app.registered_groups:
        group.rich_help_panel = panel.get(group.name or "", "For data teams")


_arrange()


def main() -> None:
    """Run the command line: expected errors are one sentence and an exit code, no traceback."""
    try:
        app()
    except LsoalinkError as error:
        from pipelines.console import complain

        complain(error)
        sys.exit(error.exit_code)
    except OSError as error:
        from declarations.errors import StorageError
        from pipelines.console import complain

        where = f" {error.filename}" if error.filename else ""
        failed = StorageError(
            f"The file or folder{where} cannot be used ({error.strerror or type(error).__name__})",
            "Check the path, its permissions and the free space",
        )
        complain(failed)
        sys.exit(failed.exit_code)
    except KeyboardInterrupt:
        from pipelines.console import err

        err.print("Interrupted. What was finished stays; run the same command again to go on.")
        sys.exit(130)


if __name__ == "__main__":
    main()
