"""Writes the pages of ``docs/`` that follow from declarations: dictionary, catalogue, JSON Schemas.

Run ``.venv/bin/python docs/generate.py`` after a change of ``publishing/dictionary.py``, of an
indicator of the catalogue or of a declaration model; a test compares the committed pages with what
this script would write.
Belongs here: how those pages look. Does not belong here: what is said of a table, column or key,
which stands once, in the code.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from indicators.catalogue_page import catalogue_lines
from indicators.library import catalogue
from pipelines.scaffold import write_schemas
from publishing.dictionary import QUALITY_TABLES, RELEASE_TABLES
from publishing.dictionary_model import Table
from publishing.duckdb_file import ABOUT_COLUMNS
from publishing.statuses import STATUS_WORDS
from publishing.views import VIEWS, View

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "data-dictionary.md"
CATALOGUE = DOCS / "methodology" / "indicators.md"
SCHEMAS = DOCS / "schemas"

HEAD = """# Data dictionary

Made from `publishing/dictionary.py` by `docs/generate.py`; do not edit it by hand. The same words
stand as comments in `lsoalink.duckdb` and as metadata in the Parquet files.

An empty cell means that there is no value, never 0. In the CSV files a text that a spreadsheet
would run as a formula has an apostrophe in front.
"""
CATALOGUE_HEAD = """# The catalogue of indicators

Made from `indicators/catalogue/*.yaml` by `docs/generate.py`; do not edit it by hand. A region
publishes those whose counts its sources give and its agreements permit, and adds its own in
`indicators/*.yaml` of its folder. How counts become figures: [statistics](statistics.md). What the
indices are and are not: [digital inclusion](index-digital-inclusion.md),
[digital exclusion risk](index-digital-exclusion-risk.md), [deprivation](index-deprivation.md),
[need against service](need-and-service.md), [hotspots](hotspots.md).
"""
MARKERS_HEAD = """## Markers

In `value_status` and `amount_status`; several may stand together.
"""
QUALITY_HEAD = """## Tables of the data team

Exact, and never published: `data/<region>/quality/`. Ask them with `lsoalink sql --internal`, where
each is called `quality_` and its name. `accounting` is there too, with exact amounts.
"""


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _grid(headings: tuple[str, ...], rows: Iterable[Iterable[str]]) -> list[str]:
    return [_row(headings), "|" + "---|" * len(headings), *(_row(row) for row in rows), ""]


def table_section(table: Table) -> list[str]:
    """Return the lines of a table's section: what a row is, its key, its columns."""
    names = ", ".join(f"`{name}`" for name in table.key)
    key = f"Sorted by {names}; rows may share it." if table.repeats else f"Key: {names}."
    rows = ((f"`{c.name}`", c.type, c.unit, c.description) for c in table.columns)
    return [
        f"### `{table.name}`",
        "",
        table.description,
        "",
        key,
        "",
        *_grid(("column", "type", "unit", "what it holds"), rows),
    ]


def view_section(view: View) -> list[str]:
    """Return the lines of a view's section."""
    rows = ((f"`{name}`", words) for name, words in view.columns)
    return [
        f"### `{view.name}` (view)",
        "",
        view.description,
        "",
        *_grid(("column", "what it holds"), rows),
    ]


def dictionary_page() -> str:
    """Return the whole data dictionary as Markdown."""
    about = View("about", "What this release is and where it comes from.", "", ABOUT_COLUMNS)
    lines = [HEAD, "## Tables of a release", ""]
    for table in RELEASE_TABLES.values():
        lines += table_section(table)
    lines += ["## Views", "", "Only in `lsoalink.duckdb`.", ""]
    for view in (*VIEWS.values(), about):
        lines += view_section(view)
    markers = ((f"`[{marker}]`", words) for marker, words in STATUS_WORDS.items())
    lines += [MARKERS_HEAD, *_grid(("marker", "meaning"), markers)]
    lines.append(QUALITY_HEAD)
    for name, table in QUALITY_TABLES.items():
        if name not in RELEASE_TABLES:
            lines += table_section(table)
    return "\n".join(lines).rstrip() + "\n"


def catalogue_page() -> str:
    """Return the catalogue of indicators as Markdown."""
    return "\n".join([CATALOGUE_HEAD, *catalogue_lines(catalogue())]).rstrip() + "\n"


def main() -> None:
    """Write every generated page."""
    PAGE.write_text(dictionary_page(), encoding="utf-8")
    CATALOGUE.write_text(catalogue_page(), encoding="utf-8")
    write_schemas(SCHEMAS)


if __name__ == "__main__":
    main()
