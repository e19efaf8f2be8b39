"""Governance pages drawn by a real browser: their style passes their own policy."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest
from agreement_samples import agreement

from governance.agreement_text.diff import agreement_changes
from governance.agreement_text.diff_page import diff_page
from governance.agreement_text.show import agreement_page
from governance.controls.model import ControlResult
from governance.reports.pages import Page, html_page
from governance.reports.records.atrs import atrs_page
from governance.reports.records.dpia import dpia_files
from governance.reports.records.foi_log import foi_files
from governance.reports.records.privacy_notice import notice_page
from governance.reports.records.ropa import ropa_files
from governance.reports.register import read_register
from governance.reports.register_page import register_page
from pipelines.regions import open_region

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
TODAY = dt.date(2026, 11, 16)
PLAIN_BYTES = 40_000
"""A page without its style is black on white and packs into fewer bytes than its bands do."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium binary on this machine")


def pages(folder: Path) -> dict[str, str]:
    declared = open_region("arden")
    found = read_register(declared, folder / "none", TODAY)
    risk = next(iter(declared.assessments.values())).risks[0].controls[0]
    red = {risk: ControlResult(risk, risk, "failed", "because", TODAY)}
    old, new = agreement(), agreement(expiry_date=dt.date(2029, 3, 31))
    made: dict[str, Page] = {
        "register": register_page(found),
        "show": agreement_page(declared.agreements["DSA-ARD-002"], declared, TODAY),
        "diff": diff_page(old, new, agreement_changes(old, new), TODAY),
        "notice": notice_page(found),
        "atrs": atrs_page(found, declared.indicators["D02"], []),
    }
    return {
        **{name: html_page(page) for name, page in made.items()},
        "ropa": ropa_files(found)["ropa.html"],
        "dpia": dpia_files(found, red)["dpia.html"],
        "foi": foi_files(found, folder / "none")["disclosure-log.html"],
    }


def browse(profile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr",
            f"--user-data-dir={profile}", *arguments,
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


def test_every_page_is_drawn_with_its_style(tmp_path: Path) -> None:
    for name, text in pages(tmp_path).items():
        path, picture = tmp_path / f"{name}.html", tmp_path / f"{name}.png"
        path.write_text(text, encoding="utf-8")

        ended = browse(
            tmp_path / "profile", f"--screenshot={picture}", "--window-size=1000,1400",
            path.as_uri(),
        )  # fmt: skip

        assert "Content Security Policy" not in ended.stderr, name
        assert picture.stat().st_size > PLAIN_BYTES, name


def test_a_style_that_was_changed_is_refused_by_the_page_itself(tmp_path: Path) -> None:
    path = tmp_path / "spoilt.html"
    text = pages(tmp_path)["foi"]
    path.write_text(text.replace("--brand: #12436d", "--brand: #ff0000"), encoding="utf-8")

    ended = browse(tmp_path / "profile", f"--screenshot={tmp_path / 's.png'}", path.as_uri())

    assert "Content Security Policy" in ended.stderr
