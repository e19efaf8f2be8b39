"""What the pages of a release share: the style they begin with, and days in words.

Belongs here: naming this room's templates, styles and scripts. Does not belong here: how a page is
made to fetch nothing (``governance/reports/self_contained.py``), or the content of a page
(``map_page.py``, ``quality_page.py``).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from governance.reports.self_contained import SHARED_STYLE, render

TEMPLATES = Path(__file__).with_name("templates")


def render_page(template: str, styles: list[str], scripts: list[str], **content: Any) -> str:
    """Render one page with its styles and scripts inside it, behind the style all pages share.

    Parameters
    ----------
    template : str
        Name of the Jinja template; it places ``style``, ``script`` and ``policy``.
    styles, scripts : list of str
        Names of this room's files.
    **content
        What the template shows.
    """
    return render(
        TEMPLATES / template,
        [SHARED_STYLE, *(TEMPLATES / name for name in styles)],
        [TEMPLATES / name for name in scripts],
        **content,
    )


def in_words(day: dt.date) -> str:
    """Return a day as people write it, for example '16 November 2026'."""
    return f"{day.day} {day:%B %Y}"
