"""``lsoalink attack``: known traps are caught, what is safe passes, and the truth is never outside.

Every trap comes with the figures it is built from and with its safe half, so that a trap that stops
being one is noticed.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from disclosing_tables import PLANTED, rows_of, run, write_text

STARS = ("--count", "n", "--marker", "*", "--below", "5")

# Two hidden cells in each line, and yet: row B is 1 and 1, so column x leaves 4 for A, and y 2.
TWO_PER_LINE = """area,kind,n
A,x,*
A,y,*
A,z,20
A,all,26
B,x,*
B,y,*
B,z,11
B,all,13
C,x,9
C,y,12
C,z,7
C,all,28
"""
LINE_TOTALS = "kind,n\nx,14\ny,15\nz,38\nall,67\n"


def exposed(report: Path) -> dict[tuple[str, str], tuple[int, int | None]]:
    """Return the exposed intervals of a report, by level and area with its categories."""
    found = {}
    for cell in json.loads(report.read_text(encoding="utf-8"))["exposed"]:
        if not cell["known_without_this_release"]:
            name = "".join([cell["area"], *cell["categories"].values()])
            found[cell["level"], name] = (cell["lower"], cell["upper"])
    return found


def test_two_hidden_cells_a_line_that_are_solvable(tmp_path: Path) -> None:
    folder = tmp_path / "bulletin"
    write_text(folder / "cells.csv", TWO_PER_LINE)
    write_text(folder / "totals.csv", LINE_TOTALS)
    options = ("--area", "area", "--category", "kind", *STARS)
    found = run("attack", folder, *options, "--report", tmp_path / "r.json")
    assert found.code == 8
    values = {name: low for (_, name), (low, high) in exposed(tmp_path / "r.json").items()
              if low == high}  # fmt: skip
    assert values == {"Ax": 4, "Ay": 2, "Bx": 1, "By": 1}
    assert "4 of 4" in found.out

    # Without the column totals, row A stays open to 6 less 1 to 4.
    (folder / "totals.csv").unlink()
    run("attack", folder, *options, "--report", tmp_path / "s.json")
    assert exposed(tmp_path / "s.json")["area", "Ax"] == (2, 4)


def described(folder: Path, hierarchy: str, *more: str) -> Path:
    """Describe a folder by a profile of exact figures with secondary cells."""
    lines = ["profile: suppress", "count: n", f"hierarchy: ['{hierarchy}']", *more, ""]
    return write_text(folder / "attack.yaml", "\n".join(lines))


def linked(tmp_path: Path) -> tuple[Path, Path]:
    """Return two releases of the same counts: A 3, B 2, C 9, D 20, by MSOA and by ward."""
    first, second = tmp_path / "by-msoa", tmp_path / "by-ward"
    described(first, "lsoa21cd<msoa21cd")
    write_text(first / "lsoa.csv", "lsoa21cd,msoa21cd,n\nA,M,[c]\nB,M,[c]\nC,M,[c]\nD,M,20\n")
    write_text(first / "msoa.csv", "msoa21cd,n\nM,34\n")
    described(second, "lsoa21cd<wd24cd")
    write_text(second / "areas.csv", "lsoa21cd,wd24cd\nA,W1\nB,W1\nC,W2\nD,W2\n")
    write_text(second / "wards.csv", "wd24cd,n\nW1,5\nW2,29\n")
    return first, second


def test_linked_tables_each_safe_alone_and_unsafe_together(tmp_path: Path) -> None:
    first, second = linked(tmp_path)
    assert run("attack", first, "--no-insider").code == 0
    assert run("attack", second, "--no-insider").code == 0
    # A and B are 5 together and at least 1 each: both are surely small.
    found = run("attack", second, "--with", first, "--report", tmp_path / "r.json")
    assert found.code == 8
    assert {name for _, name in exposed(tmp_path / "r.json")} == {"A", "B"}
    intervals = exposed(tmp_path / "r.json")
    assert intervals["lsoa21cd", "A"] == intervals["lsoa21cd", "B"] == (1, 4)


def test_a_later_release_that_unhides_an_earlier_one(tmp_path: Path) -> None:
    earlier, later = tmp_path / "2025", tmp_path / "2026"
    described(earlier, "lsoa21cd<msoa21cd")
    write_text(earlier / "t.csv", "lsoa21cd,msoa21cd,n\nA,M,[c]\nB,M,[c]\nC,M,20\nD,M,11\n")
    write_text(earlier / "m.csv", "msoa21cd,n\nM,50\n")
    described(later, "lsoa21cd<town24cd")
    write_text(later / "areas.csv", "lsoa21cd,town24cd\nA,T\nB,V\nC,T\nD,V\n")
    write_text(later / "towns.csv", "town24cd,n\nT,23\n")
    assert run("attack", earlier, "--no-insider").code == 0
    assert run("attack", later, "--no-insider").code == 0
    found = run("attack", later, "--with", earlier, "--report", tmp_path / "r.json")
    assert found.code == 8
    # 23 in the town less 20 in C leave 3 in A.
    assert exposed(tmp_path / "r.json")["lsoa21cd", "A"] == (3, 3)


def test_what_earlier_releases_expose_is_not_put_on_the_new_one(tmp_path: Path) -> None:
    earlier, later = tmp_path / "2025", tmp_path / "2026"
    described(earlier, "lsoa21cd<msoa21cd")
    write_text(earlier / "t.csv", "lsoa21cd,msoa21cd,n\nA,M,[c]\nB,M,20\nC,N,30\n")
    write_text(earlier / "m.csv", "msoa21cd,n\nM,23\n")
    described(later, "lsoa21cd<msoa21cd")
    write_text(later / "t.csv", "lsoa21cd,msoa21cd,n\nA,M,[c]\nB,M,20\nC,N,30\n")
    found = run("attack", later, "--with", earlier)
    assert found.code == 0
    assert "1 more are known without this release" in found.out
    assert run("attack", earlier).code == 8


def test_as_many_hidden_cells_as_the_total(tmp_path: Path) -> None:
    folder = tmp_path / "bulletin"
    write_text(folder / "cells.csv", "area,region,n\nA,R,*\nB,R,*\nC,R,*\nD,R,9\n")
    write_text(folder / "region.csv", "region,n\nR,12\n")
    options = ("--hierarchy", "area<region", *STARS, "--report", tmp_path / "r.json")
    assert run("attack", folder, *options).code == 8
    assert set(exposed(tmp_path / "r.json").values()) == {(1, 1)}
    # Where zeros are hidden too, three hidden cells may share three as they like.
    assert run("attack", folder, *options, "--zeros", "hidden").code == 8
    write_text(folder / "region.csv", "region,n\nR,15\n")
    assert run("attack", folder, *options, "--zeros", "hidden", "--no-insider").code == 0


def test_merged_neighbourhoods_in_both_vintages(tmp_path: Path) -> None:
    folder = tmp_path / "bulletin"
    write_text(folder / "new.csv", "lsoa21cd,msoa21cd,n\nN1,M,9\nN2,M,14\n")
    write_text(folder / "old.csv", "lsoa11cd,n\nO1,*\nO2,6\nO3,14\n")
    write_text(folder / "changes.csv", "LSOA11CD,LSOA21CD,CHGIND\nO1,N1,M\nO2,N1,M\nO3,N2,U\n")
    options = ("--hierarchy", "lsoa21cd<msoa21cd", *STARS)
    found = run("attack", folder, *options, "--vintages", "changes.csv",
                "--report", tmp_path / "r.json")  # fmt: skip
    assert found.code == 8
    assert exposed(tmp_path / "r.json") == {("lsoa11cd", "O1"): (3, 3)}


def test_a_rate_and_its_denominator(tmp_path: Path) -> None:
    folder = tmp_path / "bulletin"
    described(folder, "lsoa21cd",
              "rate: {column: per_100, denominator: households, decimals: 1}")  # fmt: skip
    text = "lsoa21cd,n,per_100,households\nA,[c],1.5,200\nB,20,,\nC,[c],,\n"
    write_text(folder / "t.csv", text)
    assert run("attack", folder, "--report", tmp_path / "r.json").code == 8
    assert exposed(tmp_path / "r.json") == {("lsoa21cd", "A"): (3, 3)}
    write_text(folder / "t.csv", text.replace("1.5", ""))
    assert run("attack", folder).code == 0


def test_totals_known_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "bulletin"
    write_text(folder / "t.csv", "lsoa21cd,lad24cd,n\nA,L,*\nB,L,*\nC,L,20\n")
    options = ("--hierarchy", "lsoa21cd<lad24cd", *STARS, "--report", tmp_path / "r.json")
    assert run("attack", folder, *options).code == 0
    public = write_text(tmp_path / "ministry.csv", "lad24cd,n\nL,22\n")
    assert run("attack", folder, *options, "--public", public).code == 8
    assert set(exposed(tmp_path / "r.json").values()) == {(1, 1)}
    strange = write_text(tmp_path / "other.csv", "lad24cd,n\nX,22\n")
    assert run("attack", folder, *options, "--public", strange).code == 4
    impossible = write_text(tmp_path / "impossible.csv", "lad24cd,n\nL,3\n")
    assert run("attack", folder, *options, "--public", impossible).code == 8


def test_small_counts_that_nobody_hid(tmp_path: Path) -> None:
    folder = tmp_path / "bulletin"
    write_text(folder / "t.csv", "area,n\nA,3\nB,0\nC,30\n")
    found = run("attack", folder, "--area", "area", *STARS, "--report", tmp_path / "r.json")
    assert found.code == 8
    assert exposed(tmp_path / "r.json") == {("area", "A"): (3, 3)}


def test_the_truth_is_inside_every_interval_or_the_audit_is_void(tmp_path: Path) -> None:
    first, _ = linked(tmp_path)
    write_text(tmp_path / "truth.csv", "lsoa21cd,msoa21cd,n\nA,M,3\nB,M,2\nC,M,9\nD,M,20\n")
    sound = run("attack", first, "--truth", tmp_path / "truth.csv")
    assert sound.code == 0
    # Four neighbourhoods, their MSOA and the total.
    assert "All 6 true counts" in sound.out
    write_text(
        tmp_path / "truth.csv", f"lsoa21cd,msoa21cd,n\nA,M,{PLANTED}\nB,M,2\nC,M,9\nD,M,20\n"
    )
    void = run("attack", first, "--truth", tmp_path / "truth.csv")
    assert void.code == 8
    assert "3 of 6 true counts" in void.error
    assert str(PLANTED) not in void.error + void.out


def test_a_report_says_that_it_is_confidential(tmp_path: Path) -> None:
    folder = tmp_path / "bulletin"
    write_text(folder / "cells.csv", "area,region,n\nA,R,*\nB,R,*\n")
    write_text(folder / "region.csv", "region,n\nR,2\n")
    page = tmp_path / "r.html"
    found = run("attack", folder, "--hierarchy", "area<region", *STARS, "--report", page)
    assert found.code == 8
    text = page.read_text(encoding="utf-8")
    assert "Confidential" in text
    assert "it can be worked back exactly" in text
    assert page.stat().st_mode & 0o077 == 0
    refused = run("attack", folder, "--hierarchy", "area<region", *STARS, "--report",
                  tmp_path / "r.pdf")  # fmt: skip
    assert refused.code == 3


@pytest.mark.parametrize(
    ("files", "options", "code", "words"),
    [
        ({}, (), 3, "Nothing says what the files"),
        ({}, ("--area", "area", *STARS), 4, "No file of"),
        ({"t.csv": ""}, ("--area", "area", *STARS), 4, "empty"),
        ({"t.csv": "area,n\n"}, ("--area", "area", *STARS), 4, "No file of"),
        ({"t.csv": f"area,n\nA,{PLANTED}?\n"}, ("--area", "area", *STARS), 4, "marker"),
        ({"t.csv": f"area,n\nA,{PLANTED}\nA,9\n"}, ("--area", "area", *STARS), 4, "another value"),
        ({"t.csv": "area,n\nA,9\n"}, ("--hierarchy", "area<region", *STARS), 4, "'region'"),
        ({"t.csv": "area,n\nA,9\n"}, ("--area", "area", "--count", "n"), 3, "--profile"),
        ({"t.csv": "area,n\nA,9\n"}, ("--area", "area", "--marker", "*"), 3, "--below"),
        ({"t.csv": "area,n\nA,9\n"}, STARS, 3, "--hierarchy"),
        (
            {"t.csv": f"area,n\nA,{PLANTED}\n"},
            ("--area", "area", "--count", "n", "--profile", "hide0-r5"), 8, "none that the profile",
        ),
        ({"t.csv": "area,n\nA,9\n"}, ("--area", "area", "--category", "n", *STARS), 3,
         "'n' is named for two"),
        (
            {
                "t.csv": f"area,n,per\nA,{PLANTED},1\n",
                "attack.yaml": "hierarchy: [area]\nprofile: suppress\ncount: n\n"
                "rate: {column: per, denominator: households}\n",
            },
            (), 4, "no column 'households'",
        ),
        ({"attack.yaml": "hierarchy: [area]\nprofle: r5\n"}, (), 3, "profle"),
    ],
)  # fmt: skip
def test_what_cannot_be_audited_says_why(
    files: dict[str, str], options: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    folder = tmp_path / "bulletin"
    folder.mkdir()
    for name, content in files.items():
        write_text(folder / name, content)
    refused = run("attack", folder, *options)
    assert refused.code == code, refused.error
    assert words in refused.error
    assert str(PLANTED) not in refused.error + refused.out


def release(folder: Path, rows: list[str], combined: list[str]) -> Path:
    """Write the files of a release of this platform that an outsider reads."""
    said = {"release": {"profile": "hide0-r5"}}
    write_text(folder / "manifest.json", json.dumps(said))
    write_text(folder / "csv" / "indicators.csv",
               "indicator_id,numerator,denominator,profile\nH01,Duties,,hide0-r5\n")  # fmt: skip
    write_text(folder / "csv" / "areas.csv",
               "lsoa21cd,msoa21cd,lad24cd\nA,M,L\nB,M,L\nC,M,L\n")  # fmt: skip
    heads = "period_start,period_end,geography_type,geography_code,indicator_id,numerator,"
    heads += "denominator,value_status,note_id"
    lines = [f"{heads},breakdown_type,breakdown_value", *rows, ""]
    write_text(folder / "csv" / "observations.csv", "\n".join(lines))
    lines = [f"{heads},members", *combined, ""]
    write_text(folder / "csv" / "combined_observations.csv", "\n".join(lines))
    return folder


def row(kind: str, code: str, figure: str, note: str = "", last: str = "none,all") -> str:
    """Write an observation of 2025."""
    status = "" if figure else "[c]"
    return f"2025-01-01,2025-12-31,{kind},{code},H01,{figure},,{status},{note},{last}"


def test_a_release_of_this_platform(tmp_path: Path) -> None:
    def with_denominator(line: str) -> str:
        return line.replace(",,[c]", ",500,[c]").replace(",H01,500,,", ",H01,,500,")

    hidden = [with_denominator(row("lsoa21", code, "")) for code in "AB"]
    shown = [row("lsoa21", "C", "20"), row("lad24", "L", "60")]
    safe = release(tmp_path / "safe", [*hidden, *shown, row("msoa21", "M", "25")], [])
    assert run("attack", safe).code == 0
    # 38 at least in the MSOA less 22 at most leave 16 for two counts of 0 to 4: nobody made that.
    broken = release(tmp_path / "broken", [*hidden, *shown, row("msoa21", "M", "40")], [])
    assert "contradict" in run("attack", broken).error
    # 28 at least less 22 at most leave 6 or more for two counts of 0 to 4: neither can be 0 or 1.
    unsafe = release(tmp_path / "unsafe", [*hidden, *shown, row("msoa21", "M", "30")], [])
    found = run("attack", unsafe, "--report", tmp_path / "r.json")
    assert found.code == 8
    low = min(low for low, _ in exposed(tmp_path / "r.json").values())
    assert low == 2
    # Given only together, they are 8 to 12 or so, and each of them anything.
    pair = row("lsoa21_pair", "A+B", "10", last="A B")
    withheld = [row("lsoa21", code, "", "shown_with_neighbour") for code in "AB"]
    mended = release(tmp_path / "mended", [*withheld, *shown, row("msoa21", "M", "30")], [pair])
    assert run("attack", mended).code == 0


def test_the_output_of_disclose_describes_itself(tmp_path: Path) -> None:
    from disclosing_tables import NESTED, table

    source = table(tmp_path)
    run("disclose", source, "--hierarchy", NESTED, "--category", "reason", "--count", "n",
        "--output", tmp_path / "out")  # fmt: skip
    found = run("attack", tmp_path / "out")
    assert found.code == 0
    # A figure put back by hand is found: the release is no longer what was certified.
    path = tmp_path / "out" / "csv" / "lsoa21cd.csv"
    shown = rows_of(path)
    hidden = next(i for i, r in enumerate(shown) if r["status"] == "[c]" and r["reason"] != "all")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[hidden + 1] = lines[hidden + 1].replace(",,[c]", ",3,")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert run("attack", tmp_path / "out").code == 8


PAGE = Path(__file__).resolve().parents[2] / "docs" / "disclosing.md"


def test_the_examples_of_the_guide_give_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the page: files are saved, commands run, and each says what follows it."""
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.finditer(r"(?:`([^`\n]+)`:\n\n)?```(\w+)\n(.*?)```", text, re.DOTALL)
    ended, said = [], ""
    for name, kind, content in (block.groups() for block in blocks):
        if kind in {"csv", "yaml"}:
            write_text(tmp_path / name, content)
        elif kind == "text":
            first = content.splitlines()[0]
            assert first in said, first
        elif "openssl" not in content:
            for line in content.replace("\\\n", " ").splitlines():
                done = run(*shlex.split(line)[1:])
                assert not done.error, (line, done.error)
                ended.append(done.code)
                said = done.out
    assert ended == [0, 0, 8, 8, 0]
