"""What the pages share: one self-contained HTML file that can fetch nothing.

Belongs here: the template environment, data embedded without any way out of its script element,
the content security policy made from the hashes of what the page itself holds.
Does not belong here: the content of a page (``map_page.py``, ``quality_page.py``).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).with_name("templates")

_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def script_json(data: Any) -> Markup:
    """Write data as JSON that cannot end the script element it stands in.

    ``<``, ``>`` and ``&`` become JSON escapes, so that no name, however hostile, opens or closes
    an element or a comment; the parsed value is unchanged.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for raw, escaped in _ESCAPES.items():
        text = text.replace(raw, escaped)
    return Markup(text)  # noqa: S704 - escaped above


def _source_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _part(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def render_page(template: str, styles: list[str], scripts: list[str], **content: Any) -> str:
    """Render one page with its styles and scripts inside it.

    Parameters
    ----------
    template : str
        Name of the Jinja template; it places ``style``, ``script`` and ``policy``.
    styles, scripts : list of str
        Names of the files that are joined into the one style and the one script element.
    **content
        What the template shows.
    """
    style = "\n" + "\n".join(_part(s) for s in styles)
    script = "\n" + "\n".join(_part(s) for s in scripts)
    policy = (
        f"default-src 'none'; style-src {_source_hash(style)}; script-src {_source_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            policy=policy,
            **content,
        )
    )


def in_words(day: dt.date) -> str:
    """Return a day as people write it, for example '16 November 2026'."""
    return f"{day.day} {day:%B %Y}"
