"""The certificate for the officer: one file, complete, drawn, and as silent as that of machines."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from certificate_samples import DEFAULT, PLANTED, code, facts, outlines

from declarations.errors import DisclosureError
from governance.disclosure.certificate.drawings import (
    bars,
    rings_of,
    widths_chart,
    withheld_map,
)
from governance.disclosure.certificate.facts import (
    CoarsenedCell,
    Examined,
    ExposedCell,
    WidthCount,
    Withheld,
)
from governance.disclosure.certificate.page import certificate_html, certificate_page
from governance.reports.pages import text_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")


def test_the_page_says_all_that_the_officer_must_see() -> None:
    text = text_page(certificate_page(facts(), outlines()))

    for words in (
        "Synthetic data", "No sensitive cell can be worked back", "hide0-r5", "760", "width 4",
        "Mere 001A (E01000001)", "pair of neighbourhoods P-E01000003", "HiGHS 1.15.1", "1e-07",
        "1,412", "ab" * 32, "3 earlier releases", "about 1,000", "about 1.5", "43.5 %",
        "What is not promised", "district totals", "abc123def456", "16 November 2026",
    ):  # fmt: skip
        assert words in text, words


def test_a_release_with_nothing_to_report_says_so() -> None:
    empty = facts(
        examined=(), widths=(), exposed=(), coarsened=(), publicly_exposed=(), withheld=(),
        insider=False, earlier_releases=0, synthetic="",
    )  # fmt: skip
    text = text_page(certificate_page(empty))

    assert "No cell had to be given for a larger area." in text
    assert "Public figures alone give no cell away." in text
    assert "Nobody who knows their own record was assumed." in text
    assert "0 earlier releases, withdrawn" not in text
    assert 'class="banner"' not in certificate_html(empty)


def test_what_fails_has_no_page() -> None:
    with pytest.raises(DisclosureError, match="fail"):
        certificate_html(facts(failures=1))


def test_the_page_fetches_and_runs_nothing() -> None:
    html = certificate_html(facts(), outlines())

    assert "default-src &#39;none&#39;" in html
    assert "<script" not in html
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", html)
    assert not re.findall(r"\sstyle=", html)


def test_names_are_text_and_nothing_else() -> None:
    name = '<script>alert("x")</script>'
    html = certificate_html(
        facts(
            region_title=name,
            exposed=(ExposedCell(name, name, name, name, 4),),
            coarsened=(CoarsenedCell(name, name, name, name, "msoa", name, name),),
            withheld=(Withheld(code(1), name, 2),),
            profiles=(dataclasses.replace(DEFAULT, title=name),),
        ),
        outlines(),
    )
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_same_facts_give_the_same_page() -> None:
    turned = dict(reversed(outlines().items()))
    assert certificate_html(facts(), outlines()) == certificate_html(facts(), turned)


def test_exact_figures_are_not_on_the_page() -> None:
    html = certificate_html(facts(), outlines())
    for value in PLANTED:
        assert str(value) not in html
        assert f"{value:,}" not in html


class TestChart:
    def test_wide_intervals_share_a_bar_and_the_axis_has_no_gap(self) -> None:
        widths = [WidthCount("p", w, 1) for w in (10, 13, 16, 40)] + [WidthCount("p", None, 7)]

        made = [(b.label, b.cells) for b in bars(widths)]

        assert made == [
            ("10", 1), ("11", 0), ("12", 0), ("13–16", 2), ("17–32", 0), ("33–64", 1),  # noqa: RUF001
            ("no limit", 7),
        ]  # fmt: skip

    def test_nothing_but_unbounded_intervals_is_one_bar(self) -> None:
        wide = [WidthCount("p", 64, 1), WidthCount("p", 65, 2), WidthCount("p", 4000, 3)]
        assert [(b.label, b.cells) for b in bars(wide)] == [("33–64", 1), ("65+", 5)]  # noqa: RUF001
        assert [b.label for b in bars([WidthCount("p", None, 7)])] == ["no limit"]
        assert bars([WidthCount("p", 4, 0)]) == []

    def test_only_the_cells_of_its_profile_are_drawn(self) -> None:
        widths = [WidthCount("hide0-r5", 4, 11), WidthCount("r5", 4, 5_000)]

        drawing = widths_chart(DEFAULT, widths)

        assert "11 cells" in drawing.words
        assert "5,000" not in drawing.svg
        assert "demanded: 4 or more" in drawing.svg

    def test_it_has_a_title_and_says_in_words_what_it_shows(self) -> None:
        drawing = widths_chart(DEFAULT, facts().widths)

        assert 'aria-labelledby="widths-hide0-r5-title widths-hide0-r5-desc"' in drawing.svg
        assert "<title" in drawing.svg
        assert "width 4: 610" in drawing.words
        assert "no limit: 21" in drawing.words

    def test_every_profile_has_its_own(self) -> None:
        second = dataclasses.replace(DEFAULT, name="r5", title="Nearest 5")
        html = certificate_html(
            facts(
                profiles=(DEFAULT, second),
                examined=(*facts().examined, Examined("L01", "Loans", "2021 LSOA", "r5", 8)),
                widths=(*facts().widths, WidthCount("r5", 5, 8)),
            )
        )
        assert 'id="widths-hide0-r5-title"' in html
        assert 'id="widths-r5-title"' in html


class TestMap:
    def test_the_classes_differ_by_pattern_as_well_as_by_shade(self) -> None:
        drawing = withheld_map(facts().withheld, outlines())

        assert drawing is not None
        patterns = re.findall(r'<pattern id="(held-\d)".*?>(<.*?/>)</pattern>', drawing.svg)
        assert len(patterns) == 4
        assert len({mark for _, mark in patterns}) == 4
        for name, _ in patterns:
            assert f"url(#{name})" in drawing.svg

    def test_it_says_in_words_how_many_neighbourhoods_are_in_each_class(self) -> None:
        held = [Withheld(code(i), "", n) for i, n in enumerate([1, 2, 3, 4, 9])]
        held.append(Withheld("E01999999", "", 2))

        drawing = withheld_map(held, outlines())

        assert drawing is not None
        assert (
            "nothing withheld: 55 neighbourhoods; 1 cell withheld: 1 neighbourhood; "
            "2 to 3 cells withheld: 2 neighbourhoods; 4 to 7 cells withheld: 1 neighbourhood; "
            "8 or more cells withheld: 1 neighbourhood. 1 neighbourhood without a border here."
        ) in drawing.words

    def test_north_is_up_and_everything_is_within_the_picture(self) -> None:
        square = [(0.0, 0.0), (0.0, 9.0), (9.0, 9.0), (9.0, 0.0), (0.0, 0.0)]
        north = [[(x, y + 9) for x, y in square]]

        drawing = withheld_map([Withheld("N", "", 1)], {"N": north, "S": [square]})

        assert drawing is not None
        width, height = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', drawing.svg)[0])
        paths = {
            name: [float(n) for n in re.findall(r"[\d.]+", path)]
            for name, path in re.findall(r'<path id="areas-(\d)"[^>]* d="(M[^"]*Z)"', drawing.svg)
        }
        assert set(paths) == {"0", "1"}
        assert max(paths["1"][1::2]) == min(paths["0"][1::2])
        assert all(max(c[::2]) <= width and max(c[1::2]) <= height for c in paths.values())
        for name in paths:
            assert f'<use href="#areas-{name}"' in drawing.svg

    def test_an_area_too_small_to_see_is_still_drawn(self) -> None:
        far = {"A": [[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]], "B": [[(9e5, 9e5), (9e5, 8e5)]]}
        drawing = withheld_map([], far)
        assert drawing is not None
        assert "h1v1h-1Z" in drawing.svg

    def test_without_borders_there_is_no_map_but_the_table(self) -> None:
        assert withheld_map(facts().withheld, {}) is None
        assert "Cells not shown, by neighbourhood" in certificate_html(facts())

    def test_borders_of_shapely(self) -> None:
        from shapely import MultiPolygon, Polygon, box

        holed = Polygon(box(0, 0, 9, 9).exterior, [box(3, 3, 4, 4).exterior])

        assert [len(r) for r in rings_of(holed)] == [5, 5]
        assert len(rings_of(MultiPolygon([holed, box(20, 20, 21, 21)]))) == 3


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium binary on this machine")
def test_a_browser_draws_it_with_its_style_and_its_pictures(tmp_path: Path) -> None:
    from PIL import Image

    path, picture = tmp_path / "certificate.html", tmp_path / "certificate.png"
    path.write_text(certificate_html(facts(), outlines()), encoding="utf-8")

    ended = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}",
            "--window-size=1000,2600", path.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip

    assert "Content Security Policy" not in ended.stderr
    with Image.open(picture) as image:
        shades = {c for _, c in image.convert("RGB").getcolors(maxcolors=1 << 24) or ()}
    # The lightest and the middle class of the map.
    assert {(0xDB, 0xE8, 0xF2), (0xA6, 0xC4, 0xDC)} <= shades
