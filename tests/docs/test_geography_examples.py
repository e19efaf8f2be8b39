"""The examples of the page on geography run, and give what their comments say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methodology" / "geography.md"


def examples() -> list[str]:
    """Return the Python blocks of the page."""
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def last_value(example: str) -> Any:
    """Run an example, and return what its last line gives."""
    body, _, last = example.rstrip().rpartition("\n")
    names: dict[str, Any] = {}
    exec(body, names)  # noqa: S102 (our own page)
    return eval(last, names)  # noqa: S307 (our own page)


def test_points_are_in_the_areas_the_page_says() -> None:
    assert last_value(examples()[0]).tolist() == ["E01990001", "E01990001", None]


def test_counts_are_split_as_the_page_says() -> None:
    rows = last_value(examples()[1]).fetchall()
    assert sorted((row[0], row[1], str(row[-1])) for row in rows) == [
        ("E01990001", 4, "split_weighted"),
        ("E01990002", 6, "split_weighted"),
    ]


def test_every_example_is_run() -> None:
    assert len(examples()) == 2
