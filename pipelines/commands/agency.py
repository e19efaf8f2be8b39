"""``lsoalink aggregate``, ``pseudonymise`` and ``agency-key``: what an agency runs itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.options import DataDir, OpenData, RegionOption

if TYPE_CHECKING:
    from pipelines.agency import Job

key_app = typer.Typer(no_args_is_help=True, help="The key an agency signs its packages with.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="Your extract, as it is.")]
SourceOption = Annotated[str, typer.Option("--source", "-s", help="The source it belongs to.")]
SignOption = Annotated[
    Path, typer.Option("--sign", help="Your private key, made by 'agency-key new'.")
]
AgreementOption = Annotated[
    str | None, typer.Option(help="The agreement you send it under; stops if it is another.")
]
PeriodOption = Annotated[
    str | None, typer.Option(help="Its month, YYYY-MM. Default: as in the file's name.")
]
ToOption = Annotated[Path, typer.Option("--to", help="Folder for the package.")]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(help="The agreement's pseudonym key. Default: as the environment says."),
]
Place = Annotated[
    bool, typer.Option("--place", help="Place records here, so that no address travels.")
]
PostcodesOption = Annotated[
    Path | None, typer.Option(help="A postcode directory, if the region's own is not at hand.")
]
ReferenceOption = Annotated[
    Path | None,
    typer.Option(help="Folder of the region's reference files. Default: its landing folder."),
]
OptOutOption = Annotated[
    int | None,
    typer.Option(min=0, help="Records the National Data Opt-out took out before this extract."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would leave, and write nothing.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace a package of the same name.")]


def _make(job: Job, data_dir: Path | None, open_data: Path | None) -> None:
    from pipelines.agency import make_package
    from pipelines.agency_report import show_made
    from pipelines.console import err
    from pipelines.progress import ProgressHandler
    from pipelines.running import settings_for

    with ProgressHandler(err):
        made = make_package(job, settings_for(data_dir, open_data))
    show_made(made)


def aggregate(  # noqa: PLR0917 - options, each given by its name
    file: File,
    source: SourceOption,
    sign: SignOption,
    region: RegionOption = "arden",
    agreement: AgreementOption = None,
    period: PeriodOption = None,
    to: ToOption = Path(),
    postcodes: PostcodesOption = None,
    reference: ReferenceOption = None,
    opt_out_removed: OptOutOption = None,
    dry_run: DryRun = False,
    force: Force = False,
    data_dir: DataDir = None,
    open_data: OpenData = None,
) -> None:
    """Count a file by neighbourhood on your own machine, so that only counts leave: recommended.

    The same gate, contract, placing and counting as at the data team's. Counts below 5 stay here
    and the others are rounded, unless the agreement lets exact counts leave. No record, no
    identifier and no address is in the package; temporary files are wiped.
    """
    from pipelines.agency import Job

    job = Job(
        "aggregated", file, source, region, sign, agreement, period, to, postcodes=postcodes,
        reference=reference, opt_out_removed=opt_out_removed, dry_run=dry_run, force=force,
    )  # fmt: skip
    _make(job, data_dir, open_data)


def pseudonymise(  # noqa: PLR0917 - options, each given by its name
    file: File,
    source: SourceOption,
    sign: SignOption,
    region: RegionOption = "arden",
    agreement: AgreementOption = None,
    period: PeriodOption = None,
    to: ToOption = Path(),
    key_file: KeyFileOption = None,
    place: Place = False,
    postcodes: PostcodesOption = None,
    reference: ReferenceOption = None,
    opt_out_removed: OptOutOption = None,
    dry_run: DryRun = False,
    force: Force = False,
    data_dir: DataDir = None,
    open_data: OpenData = None,
) -> None:
    """Replace identifiers by pseudonyms on your own machine, so that they never travel.

    Columns the agreement does not name, free text and direct identifiers stay here. The key of the
    pseudonyms is yours: from LSOALINK_KEY_<AGREEMENT>, LSOALINK_AGREEMENT_KEYS or --key-file.
    """
    from pipelines.agency import Job

    job = Job(
        "pseudonymised", file, source, region, sign, agreement, period, to, key_file, place,
        postcodes, reference, opt_out_removed, dry_run, force,
    )  # fmt: skip
    _make(job, data_dir, open_data)


@key_app.command("new", epilog="Example: lsoalink agency-key new ~/keys/signing.pem")
def key_new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
) -> None:
    """Make a signing key (for you alone, mode 0600) and print its public half for the agreement."""
    from pipelines.agency import new_key
    from pipelines.console import say

    public = new_key(file)
    say(f"Wrote the private key {file}. It stays with you: never send it.")
    say("Send this public key to the data team; it goes under signing_keys of your source:")
    say(public)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(
        "aggregate",
        epilog="Example: lsoalink aggregate hclic_2026-09.csv --source northwood_homelessness "
        "--region my-region --sign ~/keys/signing.pem --dry-run",
    )(aggregate)
    app.command(
        "pseudonymise",
        epilog="Example: lsoalink pseudonymise hclic_2026-09.csv --source northwood_homelessness "
        "--region my-region --sign ~/keys/signing.pem --key-file ~/keys/agreement.key --place",
    )(pseudonymise)
    app.add_typer(key_app, name="agency-key")
