"""A page that is one file and can fetch nothing: what every page of the platform is written by.

Belongs here: the template environment, data embedded without any way out of its script element,
the content security policy made from the hashes of what the page itself holds, and the style all
pages share (``templates/page.css``). Does not belong here: the content of any page.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

SHARED_STYLE = Path(__file__).with_name("templates") / "page.css"

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


def render(
    template: Path,
    styles: Sequence[Path],
    scripts: Sequence[Path] = (),
    *,
    images: str = "",
    **content: Any,
) -> str:
    """Render one page with its styles and scripts inside it.

    Parameters
    ----------
    template : Path
        The Jinja template; it places ``style``, ``script`` and ``policy``.
    styles, scripts : sequence of Path
        Files that are joined into the one style and the one script element.
    images : str
        Where pictures may come from, for example ``data:``; nowhere by default.
    **content
        What the template shows.
    """
    style, script = _joined(styles), _joined(scripts)
    policy = ["default-src 'none'", f"style-src {_source_hash(style)}"]
    if scripts:
        policy.append(f"script-src {_source_hash(script)}")
    if images:
        policy.append(f"img-src {images}")
    policy += ["base-uri 'none'", "form-action 'none'"]
    return (
        _environment(template.parent)
        .get_template(template.name)
        .render(
            style=Markup(style),  # noqa: S704 - a file of these packages
            script=Markup(script),  # noqa: S704 - a file of these packages
            policy="; ".join(policy),
            **content,
        )
    )


def _joined(files: Sequence[Path]) -> str:
    return "\n" + "\n".join(path.read_text(encoding="utf-8") for path in files)


def _source_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
