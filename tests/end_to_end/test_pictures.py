"""The pictures of the documentation, taken of what the run made.

Every run takes them anew and looks at them. With ``LSOALINK_PICTURES=docs/pictures`` they are
written there, which is how those in the documentation came about.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command_line import REPOSITORY

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
DOCS = REPOSITORY / "docs"
WIDTH, HEIGHT = 1200, 900
NAMED = re.compile(r"!\[[^\]]+\]\(pictures/(\w+)\.png\)")
PICTURES = ("quality", "register", "dpia", "certificate", "disclosure")

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium binary on this machine"),
]


@pytest.fixture(scope="module")
def records(arden, lsoalink, tmp_path_factory) -> Path:
    """Write the register and the risk register of the finished region."""
    folder = tmp_path_factory.mktemp("records")
    for command in (("agreement", "register", arden.region), ("export", arden.region, "dpia")):
        said = lsoalink(*command, "--to", folder, "--data-dir", arden.data)
        assert said.code == 0, said.err
    return folder


@pytest.fixture
def certificate(finished_copy, lsoalink) -> Path:
    """Dispose of what is due of a small region; return the page of a certificate."""
    root = finished_copy.declared.root
    said = lsoalink(
        "purge", root, "--yes", "--by", "Ann Example", "--as-of", "2026-08-01",
        "--data-dir", finished_copy.data_dir,
    )  # fmt: skip
    assert said.code == 0, said.err
    return sorted((finished_copy.root / "governance").rglob("*.html"))[0]


def page_of(name: str, request: pytest.FixtureRequest) -> Path:
    if name == "quality":
        return request.getfixturevalue("arden").root / "quality" / "quality.html"
    if name == "disclosure":
        return request.getfixturevalue("arden").root / "published" / "latest" / "certificate.html"
    if name == "certificate":
        return request.getfixturevalue("certificate")
    return request.getfixturevalue("records") / f"{name}.html"


def taken(page: Path, target: Path, profile: Path) -> None:
    subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}",
            f"--user-data-dir={profile}", f"--screenshot={target}", page.as_uri(),
        ],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip


def looked_at(picture: Path) -> tuple[tuple[int, int], int]:
    """Return a picture's size and how many colours it has: a blank page has one or two."""
    from PIL import Image

    with Image.open(picture) as image:
        colours = image.convert("RGB").getcolors(maxcolors=WIDTH * HEIGHT)
        return image.size, len(colours or ())


@pytest.mark.parametrize("name", PICTURES)
def test_the_page_can_be_pictured(name, request, tmp_path) -> None:
    folder = Path(os.environ.get("LSOALINK_PICTURES") or tmp_path)
    target = (REPOSITORY / folder / f"{name}.png").resolve()

    taken(page_of(name, request), target, tmp_path / "profile")

    size, colours = looked_at(target)
    assert size == (WIDTH, HEIGHT)
    assert colours > 20


def test_the_documentation_shows_these_pictures_and_no_others() -> None:
    named = NAMED.findall((DOCS / "governance.md").read_text(encoding="utf-8"))

    assert sorted(named) == sorted(PICTURES)
    assert sorted(p.stem for p in (DOCS / "pictures").iterdir()) == sorted(PICTURES)
    assert {looked_at(DOCS / "pictures" / f"{name}.png")[0] for name in named} == {(WIDTH, HEIGHT)}
