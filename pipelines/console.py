"""What the command line writes: messages, tables and errors, in one voice.

Belongs here: the two consoles and how an expected error is shown. Does not belong here: commands.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from declarations.errors import LsoalinkError

WIDE = 240
"""Characters a line may have where nobody's window sets a width: a file or a pipe."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Write a line."""
    out.print(text, markup=False)


def complain(error: LsoalinkError) -> None:
    """Write an expected error: one plain sentence and the fix, no traceback."""
    err.print(f"[bold red]error:[/] {escape(str(error))}")


def show_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a small table."""
    table = Table(title=title or None, box=None, title_justify="left", pad_edge=False)
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    out.print(table)
