"""What an agency's data officer is shown of a package, before it is sent.

Belongs here: the words and tables. Does not belong here: making the package (``agency.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.console import say, show_table

if TYPE_CHECKING:
    from pipelines.agency import Made


def show_made(made: Made) -> None:
    """Say what leaves, in words a data officer can check."""
    said = made.manifest
    agreement = said["agreement"]
    say(
        f"{said['source']} {said['period']} under {agreement['id']} version {agreement['version']}:"
        f" {said['gate']['decision']}. {said['gate']['message']}"
    )
    rows = ", ".join(f"{n} {_number(said['rows'][n])}" for n in said["rows"])
    say(f"Rows of the file: {rows}")
    show_table("Columns", ("column", "what becomes of it"), sorted(said["columns"].items()))
    if said["undeclared"]:
        say(f"Outside the agreement, never read: {said['undeclared']}")
    failed = [c for c in said["checks"] if c["outcome"] != "passed"]
    say(f"Contract: {len(said['checks'])} checks, {len(failed)} not passed")
    for check in failed:
        say(f"  {check['check_id']}: {check['meaning']}")
    if said["kind"] == "aggregated":
        _show_counts(made)
    else:
        how = "placed in their neighbourhood, without addresses" if said["placed"] else "not placed"
        say(f"What leaves: {made.rows:,} records, pseudonymised, {how}.")
    if made.written:
        say(f"Signed and written: {made.target}. Put this file into your delivery folder.")
    else:
        say(f"Nothing was written (--dry-run). It would be {made.target}.")


def _show_counts(made: Made) -> None:
    said = made.manifest
    cells = [(m, ", ".join(labels)) for m, labels in sorted(said["counts"]["cells"].items())]
    show_table("Counts by neighbourhood", ("measure", "categories"), cells)
    show_table(
        "What became of the rows",
        ("quantity", "outcome", "by", "amount"),
        [(q, o, d, _number(n)) for q, o, d, n in said["accounting"]["rows"]],
    )
    if said["counts"]["profile"] == "exact":
        say(f"What leaves: {made.rows:,} exact counts, as the agreement allows. No record leaves.")
        return
    say(
        f"What leaves: {made.rows:,} counts of 5 and more, rounded to 5. {made.hidden:,} counts of "
        "0 to 4 stay here. No record leaves."
    )


def _number(number: int | None) -> str:
    return "hidden (0 to 4)" if number is None else f"{number:,}"
