"""Pages for officers and the public: one document model, written as HTML and as plain text.

Belongs here: the parts of a page (paragraphs, lists, facts, tables, drawings, lights), and the two
ways to write them. An HTML page is one self-contained file without a script, with a content
security policy that lets it fetch nothing. Does not belong here: what a page says.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from markupsafe import Markup

from governance.reports.self_contained import SHARED_STYLE, render

TEMPLATES = Path(__file__).with_name("templates")
TEXT_WIDTH = 100

State = Literal["good", "soon", "bad", "none"]
SIGNS: dict[State, str] = {"good": "✓", "soon": "!", "bad": "✗", "none": "–"}  # noqa: RUF001 - a dash
STATES_IN_WORDS: dict[State, str] = {
    "good": "in order", "soon": "needs attention soon", "bad": "needs action now",
    "none": "not applicable or not known",
}  # fmt: skip


@dataclass(frozen=True)
class Light:
    """A traffic light: a state, shown by colour, sign and words together."""

    state: State
    words: str

    @property
    def sign(self) -> str:
        """A sign that differs by shape, for those who do not see the colour."""
        return SIGNS[self.state]


Cell = str | Light


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str
    kind: str = "text"


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[Cell, ...]
    kind: str = "bullets"


@dataclass(frozen=True)
class Facts:
    """Terms and what is to be said of each."""

    rows: tuple[tuple[str, Cell], ...]
    kind: str = "facts"


@dataclass(frozen=True)
class Grid:
    """A table: the first cell of each row names the row. A folded one opens on demand."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False
    kind: str = "grid"


@dataclass(frozen=True)
class Drawing:
    """A picture in SVG, and the same in words."""

    svg: Markup
    words: str
    kind: str = "drawing"


@dataclass(frozen=True)
class Lines:
    """Lines to be filled in by hand, such as those for a signature."""

    labels: tuple[str, ...]
    kind: str = "lines"


Block = Text | Bullets | Facts | Grid | Drawing | Lines


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    level: int = 2


@dataclass(frozen=True)
class Page:
    """A whole page.

    Attributes
    ----------
    title, eyebrow, lead : str
        The heading, what stands above it, and the sentence below it.
    banner : str
        What must be seen first, for example that everything is synthetic; may be empty.
    sections : tuple of Section
    foot : tuple of (str, str)
        Terms and words at the end: who made it, from what.
    """

    title: str
    eyebrow: str
    lead: str
    sections: tuple[Section, ...]
    banner: str = ""
    foot: tuple[tuple[str, str], ...] = field(default=())


def html_page(page: Page) -> str:
    """Write a page as one HTML file that fetches nothing and runs nothing."""
    styles = [SHARED_STYLE, TEMPLATES / "governance.css"]
    return render(TEMPLATES / "governance.html.j2", styles, page=page)


def text_page(page: Page) -> str:
    """Write a page as plain text for a terminal or an e-mail."""
    lines = [page.title, "=" * len(page.title), *_wrapped(page.lead)]
    if page.banner:
        lines += ["", *_wrapped(page.banner)]
    for section in page.sections:
        lines += ["", section.title, "-" * len(section.title)]
        for block in section.blocks:
            lines += _block_lines(block)
    if page.foot:
        lines += ["", *(f"{term}: {words}" for term, words in page.foot)]
    return "\n".join(lines) + "\n"


def _cell_text(cell: Cell) -> str:
    return f"[{cell.sign}] {cell.words}" if isinstance(cell, Light) else cell


def _wrapped(words: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        words, TEXT_WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent),
        break_long_words=False, break_on_hyphens=False,
    ) or [""]  # fmt: skip


def _block_lines(block: Block) -> list[str]:
    if isinstance(block, Text):
        return _wrapped(block.words)
    if isinstance(block, Bullets):
        return [line for item in block.items for line in _wrapped(_cell_text(item), "- ")]
    if isinstance(block, Facts):
        return [line for term, cell in block.rows
                for line in _wrapped(f"{term}: {_cell_text(cell)}")]  # fmt: skip
    if isinstance(block, Drawing):
        return _wrapped(block.words)
    if isinstance(block, Lines):
        return [f"{label}: {'_' * 40}" for label in block.labels]
    return _grid_lines(block)


def _grid_lines(grid: Grid) -> list[str]:
    rows = [list(grid.headings), *([_cell_text(c) for c in row] for row in grid.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(grid.headings))]
    before = sum(widths[:-1]) + 2 * len(widths[:-1])
    if before <= TEXT_WIDTH // 2:
        return [line for row in rows for line in _row_lines(row, widths[:-1], before)]
    lines = []
    for row in rows[1:]:
        lines += _wrapped(row[0], "- ")
        for heading, cell in zip(grid.headings[1:], row[1:], strict=True):
            lines += _wrapped(f"{heading}: {cell}", "    ")
    return lines


def _row_lines(row: Sequence[str], widths: Sequence[int], before: int) -> list[str]:
    """Write a row in columns, its last cell wrapped."""
    head = "".join(f"{c.ljust(w)}  " for c, w in zip(row[:-1], widths, strict=True))
    last = textwrap.wrap(row[-1], TEXT_WIDTH - before, break_long_words=False) or [""]
    return [(head + last[0]).rstrip(), *(" " * before + line for line in last[1:])]
