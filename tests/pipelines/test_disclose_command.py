"""``lsoalink disclose``: every profile end to end, what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest
from disclosing_tables import (
    NESTED,
    PLANTED,
    WARDS,
    counts,
    records,
    rows_of,
    run,
    table,
    totals,
    write,
    write_text,
)

from governance.disclosure.certificate.facts import certificate_schema

HEADER = ("lsoa21cd", "msoa21cd", "reason", "n")
PLAIN = ("hide0-r5", "r5", "hes-7/5", "midpoint-6", "ons-10-5", "suppress")
BY_REASON = ("--hierarchy", NESTED, "--category", "reason", "--count", "n")


@pytest.mark.parametrize("profile", PLAIN)
def test_what_a_profile_leaves_survives_the_attack(profile: str, tmp_path: Path) -> None:
    public, source = totals(tmp_path), table(tmp_path)
    made = run("disclose", source, *BY_REASON, "--profile", profile, "--public", public,
               "--output", tmp_path / "out")  # fmt: skip
    assert made.code == 0, made.error
    # What others publish is in the release's own words: the column of counts is named as there.
    renamed = write_text(
        tmp_path / "public.csv", public.read_text(encoding="utf-8").replace(",n\n", ",count\n")
    )
    found = run("attack", tmp_path / "out", "--truth", source, "--truth-count", "n",
                "--public", renamed)  # fmt: skip
    assert found.code == 0, found.out
    assert found.out.startswith("Safe:")
    assert "true counts lie inside their intervals" in found.out
    certificate = json.loads((tmp_path / "out" / "certificate.json").read_text(encoding="utf-8"))
    assert certificate["result"]["failures"] == 0
    assert certificate["profiles"][0]["name"] == profile


# Three people of kind x: the district's total, which others publish, leaves 0 to 3 for each area.
GIVEN_AWAY = [("A", "D", "x", 1), ("B", "D", "x", 2), ("C", "D", "x", 0),
              ("A", "D", "y", 30), ("B", "D", "y", 41), ("C", "D", "y", 52)]  # fmt: skip


@pytest.mark.parametrize("profile", ["hide0-r5", "suppress"])
def test_what_public_totals_alone_expose_is_stated_apart(profile: str, tmp_path: Path) -> None:
    source = write(tmp_path / "t.csv", ("lsoa21cd", "district", "kind", "n"), [*GIVEN_AWAY])
    public = write(tmp_path / "p.csv", ("district", "kind", "n"), [("D", "x", 3), ("D", "y", 123)])
    made = run("disclose", source, "--hierarchy", "lsoa21cd<district", "--category", "kind",
               "--count", "n", "--profile", profile, "--public", public,
               "--output", tmp_path / "out")  # fmt: skip
    assert made.code == 0, made.error
    found = certificate(tmp_path / "out")
    alone = found["exposed_by_public_knowledge_alone"]
    assert {(cell["area_code"], cell["indicator"]) for cell in alone} >= {("D", "kind: x")}
    assert {cell["known_from"] for cell in alone} == {"p.csv"}
    # None of those is among the examined, of which every width is accounted for.
    named = {(cell["area_code"], cell["indicator"]) for cell in alone}
    assert not named & {(c["area_code"], c["indicator"]) for c in found["most_exposed"]}
    examined = sum(cells["cells"] for cells in found["sensitive_cells"])
    assert examined == sum(width["cells"] for width in found["interval_widths"])


def test_a_certificate_obeys_its_schema(tmp_path: Path) -> None:
    made = run("disclose", table(tmp_path, areas=12), *BY_REASON, "--output", tmp_path / "out")
    assert made.code == 0, made.error
    found = certificate(tmp_path / "out")
    jsonschema.validate(found, certificate_schema())
    # Nothing is known otherwise where nobody else publishes anything.
    assert found["exposed_by_public_knowledge_alone"] == []
    found["ledger"]["head"] = "none"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, certificate_schema())


@pytest.mark.parametrize("profile", ["hide0-r5", "suppress"])
def test_wards_that_do_not_nest(profile: str, tmp_path: Path) -> None:
    source = table(tmp_path, areas=12)
    made = run("disclose", source, *BY_REASON, "--hierarchy", WARDS, "--profile", profile,
               "--output", tmp_path / "out")  # fmt: skip
    assert made.code == 0, made.error
    assert (tmp_path / "out" / "csv" / "wd24cd.csv").is_file()
    found = run("attack", tmp_path / "out", "--truth", source, "--truth-count", "n")
    assert found.code == 0, found.out


def test_noise_from_record_keys(tmp_path: Path) -> None:
    source = records(tmp_path)
    secret = write_text(tmp_path / "record-keys", "5e" * 32 + "\n")
    secret.chmod(0o600)
    options = ("--category", "reason", "--profile", "ckm", "--record-key", "person",
               "--secret", secret)  # fmt: skip
    for name, hierarchy in (("one", NESTED), ("two", WARDS)):
        made = run("disclose", source, "--hierarchy", hierarchy, *options,
                   "--output", tmp_path / name)  # fmt: skip
        assert made.code == 0, made.error
        assert run("attack", tmp_path / name).code == 0
    # The same people are counted with the same noise in every table.
    one, two = (rows_of(tmp_path / name / "csv" / "lsoa21cd.csv") for name in ("one", "two"))
    noisy = {(row["lsoa21cd"], row["reason"]): row["count"] for row in two}
    both = [row for row in one if (row["lsoa21cd"], row["reason"]) in noisy]
    assert len(both) >= 40
    assert all(row["count"] == noisy[row["lsoa21cd"], row["reason"]] for row in both)
    everything = _bytes(tmp_path / "one")
    assert b"pseudonym-" not in everything
    assert b"5e5e5e" not in everything
    assert not {"1", "2"} & {row["count"] for row in one}


def test_noise_needs_a_secret_that_is_one(tmp_path: Path) -> None:
    source = records(tmp_path)
    options = ("--hierarchy", NESTED, "--profile", "ckm", "--record-key", "person")
    assert run("disclose", source, *options).code == 3
    secret = write_text(tmp_path / "record-keys", "5e" * 32)
    secret.chmod(0o644)
    open_to_all = run("disclose", source, *options, "--secret", secret)
    assert open_to_all.code == 10
    assert "chmod 600" in open_to_all.error
    secret.chmod(0o600)
    secret.write_text("short", encoding="utf-8")
    assert run("disclose", source, *options, "--secret", secret).code == 10


def test_every_level_and_margin_in_both_formats(tmp_path: Path) -> None:
    run("disclose", table(tmp_path), *BY_REASON, "--output", tmp_path / "out")
    out = tmp_path / "out"
    for level in ("lsoa21cd", "msoa21cd", "lad24cd", "total"):
        rows = rows_of(out / "csv" / f"{level}.csv")
        assert {"all", "arrears", "eviction", "family"} == {row["reason"] for row in rows}
        again = pq.read_table(out / "parquet" / f"{level}.parquet").to_pylist()
        assert [(r["count"], r["status"] or "") for r in again] == [
            (int(row["count"]) if row["count"] else None, row["status"]) for row in rows
        ]
    withheld = {row["area"] for row in rows_of(out / "coarsened.csv")}
    shown = {row["lsoa21cd"] for row in rows_of(out / "csv" / "lsoa21cd.csv")}
    assert shown | withheld >= {str(row[0]) for row in counts()}
    assert not shown & withheld
    assert "<html" in (out / "certificate.html").read_text(encoding="utf-8")


def test_missing_zero_and_hidden_are_three_things(tmp_path: Path) -> None:
    rows: list[tuple[str | int, ...]] = []
    for i in range(9):
        for reason, n in (("arrears", 40 + i), ("eviction", 2 if i < 4 else 30), ("family", 0)):
            rows.append((f"E{i}", f"M{i // 3}", reason, n))
    rows[0] = ("E0", "M0", "arrears", "")
    rows += [(f"E{i}", f"M{i // 3}", "other", 25) for i in range(9)]
    source = write(tmp_path / "t.csv", HEADER, rows)
    made = run("disclose", source, "--hierarchy", "lsoa21cd<msoa21cd", "--category", "reason",
               "--count", "n", "--profile", "suppress", "--output", tmp_path / "out")  # fmt: skip
    assert made.code == 0, made.error
    found = {
        (row["lsoa21cd"], row["reason"]): (row["count"], row["status"])
        for row in rows_of(tmp_path / "out" / "csv" / "lsoa21cd.csv")
    }
    assert found["E0", "arrears"] == ("", "[x]")
    assert found["E0", "all"] == ("", "[x]")
    assert found["E1", "family"] == ("0", "")
    assert found["E1", "eviction"] == ("", "[c]")
    assert {status for _, status in found.values()} == {"", "[c]", "[x]"}


def test_combinations_without_a_row_can_be_missing(tmp_path: Path) -> None:
    rows: list[tuple[str | int, ...]] = [
        ("E1", "M1", "a", 30), ("E2", "M1", "a", 20), ("E2", "M1", "b", 25),
    ]  # fmt: skip
    source = write(tmp_path / "t.csv", HEADER, rows)
    common = ("disclose", source, "--hierarchy", "lsoa21cd<msoa21cd", "--category", "reason",
              "--count", "n")  # fmt: skip
    run(*common, "--absent-missing", "--output", tmp_path / "missing")
    run(*common, "--output", tmp_path / "zero")
    status = {
        name: {
            (row["lsoa21cd"], row["reason"]): row["status"]
            for row in rows_of(tmp_path / name / "csv" / "lsoa21cd.csv")
        }["E1", "b"]
        for name in ("missing", "zero")
    }
    assert status == {"missing": "[x]", "zero": "[c]"}


def test_a_planted_count_is_in_no_byte_of_the_result(tmp_path: Path) -> None:
    made = run("disclose", table(tmp_path), *BY_REASON, "--output", tmp_path / "out")
    assert made.code == 0
    assert str(PLANTED) not in made.out
    assert str(PLANTED).encode() not in _bytes(tmp_path / "out")
    assert str(PLANTED - 1).encode() in _bytes(tmp_path / "out")


def test_nothing_is_written_where_nothing_is_safe(tmp_path: Path) -> None:
    # Three people, all in one category, in the only area there is.
    source = write(tmp_path / "t.csv", HEADER, [("E1", "M1", "a", 3), ("E1", "M1", "b", 0)])
    common = ("disclose", source, "--hierarchy", "lsoa21cd<msoa21cd", "--category", "reason",
              "--count", "n", "--profile", "suppress", "--output", tmp_path / "out")  # fmt: skip
    refused = run(*common)
    assert refused.code == 8
    assert not (tmp_path / "out").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]
    # An officer who accepts class disclosure has it stand in the certificate.
    accepted = run(*common, "--accept-class-disclosure")
    assert accepted.code == 0, accepted.error
    text = (tmp_path / "out" / "certificate.json").read_text(encoding="utf-8")
    assert "Contrary to the profile" in text


def test_importance_decides_what_is_hidden(tmp_path: Path) -> None:
    # One small cell: whichever other area is cheaper to lose is hidden with it.
    hidden = {}
    for dear in ("E2", "E3"):
        rows: list[tuple[str | int, ...]] = [
            (f"E{i}", "M1", n, 100 if f"E{i}" == dear else 1) for i, n in ((1, 3), (2, 40), (3, 40))
        ]
        source = write(tmp_path / f"{dear}.csv", ("lsoa21cd", "msoa21cd", "n", "weight"), rows)
        made = run("disclose", source, "--hierarchy", "lsoa21cd<msoa21cd", "--count", "n",
                   "--profile", "suppress", "--cost", "importance:weight",
                   "--output", tmp_path / dear)  # fmt: skip
        assert made.code == 0, made.error
        shown = rows_of(tmp_path / dear / "csv" / "lsoa21cd.csv")
        hidden[dear] = {row["lsoa21cd"] for row in shown if row["status"] == "[c]"}
    assert hidden == {"E2": {"E1", "E3"}, "E3": {"E1", "E2"}}


HOSTILE = {
    "empty": ("", 4, "is empty"),
    "header only": ("lsoa21cd,msoa21cd,reason,n\n", 4, "no rows"),
    "no such column": (f"lsoa21cd,reason,n\nE1,a,{PLANTED}\n", 4, "no column 'msoa21cd'"),
    "negative": (f"lsoa21cd,msoa21cd,reason,n\nE1,M1,a,-{PLANTED}\n", 4, "negative"),
    "fraction": (f"lsoa21cd,msoa21cd,reason,n\nE1,M1,a,{PLANTED}.5\n", 4, "not whole"),
    "not a number": ("lsoa21cd,msoa21cd,reason,n\nE1,M1,a,NaN\n", 4, "no number"),
    "a text": (f"lsoa21cd,msoa21cd,reason,n\nE1,M1,a,{PLANTED}x\n", 4, "no number"),
    "endless": ("lsoa21cd,msoa21cd,reason,n\nE1,M1,a,inf\n", 4, "no number"),
    "twice": (f"lsoa21cd,msoa21cd,reason,n\nE1,M1,a,{PLANTED}\nE1,M1,a,{PLANTED}\n", 4,
              "--sum-rows"),
    "two parents": (f"lsoa21cd,msoa21cd,reason,n\nE1,M1,a,{PLANTED}\nE1,M2,b,1\n", 4,
                    "more than one area"),
    "a category called all": (f"lsoa21cd,msoa21cd,reason,n\nE1,M1,all,{PLANTED}\n", 4, "'all'"),
    "no area": (f"lsoa21cd,msoa21cd,reason,n\n,M1,a,{PLANTED}\n", 4, "empty in 1 rows"),
    "ragged": (f"lsoa21cd,msoa21cd,reason,n\nE1,M1,a,{PLANTED},9\n", 4, "more or fewer cells"),
    "a column twice": (f"lsoa21cd,msoa21cd,reason,n,n\nE1,M1,a,1,{PLANTED}\n", 4, "twice"),
    "semicolons": (f"a;b;c;n\nE1;M1;a;{PLANTED}\n", 4, "does not look like headings"),
    "other columns": (f"code,reason,n\nE1,a,{PLANTED}\n", 4, "columns it has: code, reason, n"),
    "no header": (f"E01990001,X,{PLANTED}\n", 4, "does not look like headings"),
    "no header, an area": (f"E{PLANTED},X,arrears\n", 4, "does not look like headings"),
    "no header, semicolons": (f"area;X;{PLANTED}\n", 4, "does not look like headings"),
    "no header, a record": (f"M,p-{PLANTED}5\n", 4, "does not look like headings"),
    "no header, a sentence": (f"M,{'so many as ' * 4}{PLANTED}\n", 4,
                              "does not look like headings"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_without_a_value(name: str, tmp_path: Path) -> None:
    content, code, words = HOSTILE[name]
    source = write_text(tmp_path / "hostile.csv", content)
    refused = run("disclose", source, "--hierarchy", "lsoa21cd<msoa21cd", "--category", "reason",
                  "--count", "n")  # fmt: skip
    assert refused.code == code
    assert words in refused.error
    assert "hostile.csv" in refused.error
    assert str(PLANTED) not in refused.error + refused.out
    assert not (tmp_path / "hostile-protected").exists()


def test_bytes_that_spreadsheets_leave(tmp_path: Path) -> None:
    text = "lsoa21cd,msoa21cd,reason,n\r\n" + "".join(
        f' E{i} ,M1,"a, b",{20 + i}.0\r\n' for i in range(4)
    )
    source = tmp_path / "t.csv"
    source.write_bytes(b"\xef\xbb\xbf" + text.encode())
    made = run("disclose", source, "--hierarchy", "lsoa21cd<msoa21cd", "--category", "reason",
               "--count", "n", "--output", tmp_path / "out")  # fmt: skip
    assert made.code == 0, made.error
    rows = rows_of(tmp_path / "out" / "csv" / "lsoa21cd.csv")
    assert {row["lsoa21cd"] for row in rows} == {"E0", "E1", "E2", "E3"}
    assert {row["reason"] for row in rows} == {"a, b", "all"}


def test_rows_are_added_up_only_when_told(tmp_path: Path) -> None:
    source = write(tmp_path / "t.csv", HEADER, [("E1", "M1", "a", 20), ("E1", "M1", "a", 20)])
    made = run("disclose", source, "--hierarchy", "lsoa21cd<msoa21cd", "--category", "reason",
               "--count", "n", "--sum-rows", "--output", tmp_path / "out")  # fmt: skip
    assert made.code == 0, made.error
    assert rows_of(tmp_path / "out" / "csv" / "total.csv")[0]["count"] == "40"


def test_parquet_is_read_as_well(tmp_path: Path) -> None:
    import duckdb

    source = table(tmp_path)
    other = tmp_path / "duties.parquet"
    duckdb.sql(f"COPY (FROM read_csv('{source}')) TO '{other}'")
    for name, path in (("csv", source), ("parquet", other)):
        assert run("disclose", path, *BY_REASON, "--output", tmp_path / name).code == 0
    one, two = (rows_of(tmp_path / n / "csv" / "lsoa21cd.csv") for n in ("csv", "parquet"))
    assert one == two


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--hierarchy", NESTED), 3, "--count"),
        (("--count", "n"), 3, "--hierarchy"),
        (("--hierarchy", "lsoa21cd<", "--count", "n"), 3, "names no column"),
        (("--hierarchy", NESTED, "--hierarchy", "msoa21cd<wd24cd", "--count", "n"), 3, "begin"),
        (("--hierarchy", NESTED, "--count", "n", "--profile", "none"), 3, "no disclosure profile"),
        (("--hierarchy", NESTED, "--count", "n", "--cost", "counts"), 3, "no further cells"),
        (("--hierarchy", NESTED, "--count", "n", "--cost", "dear"), 3, "--cost"),
        (("--hierarchy", NESTED, "--count", "n", "--record-key", "n"), 3, "no record keys"),
        (("--hierarchy", NESTED, "--count", "n", "--category", "n"), 3, "'n' is named for two"),
        (("--hierarchy", "lsoa21cd<n", "--count", "n"), 3, "'n' is named for two"),
        (
            (
                "--hierarchy",
                NESTED,
                "--count",
                "n",
                "--profile",
                "suppress",
                "--cost",
                "importance:n",
            ),
            3,
            "'n' is named for two",
        ),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    refused = run("disclose", table(tmp_path), *options)
    assert refused.code == code
    assert words in refused.error


def test_public_totals_must_be_of_the_same_counts(tmp_path: Path) -> None:
    source = table(tmp_path)
    other = write(tmp_path / "o.csv", ("lad24cd", "reason", "n"), [("L0", "arrears", PLANTED * 9)])
    refused = run("disclose", source, *BY_REASON, "--public", other)
    assert refused.code == 8
    assert "count something else" in refused.error
    assert str(PLANTED) not in refused.error
    stranger = write(tmp_path / "s.csv", ("lad24cd", "reason", "n"), [("L9", "arrears", 1)])
    assert run("disclose", source, *BY_REASON, "--public", stranger).code == 4


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    kept = write_text(tmp_path / "out" / "kept.txt", "kept")
    refused = run("disclose", table(tmp_path), *BY_REASON, "--output", tmp_path / "out")
    assert refused.code == 10
    assert kept.read_text(encoding="utf-8") == "kept"


def test_a_category_may_be_called_as_a_text_of_the_counts(tmp_path: Path) -> None:
    rows: list[tuple[str | int, ...]] = [("E1", "M1", "a", 30), ("E2", "M1", "b", 20)]
    source = write(tmp_path / "t.csv", ("lsoa21cd", "msoa21cd", "n_text", "n"), rows)
    made = run("disclose", source, "--hierarchy", "lsoa21cd<msoa21cd", "--category", "n_text",
               "--count", "n", "--output", tmp_path / "out")  # fmt: skip
    assert made.code == 0, made.error


def certificate(folder: Path) -> dict[str, Any]:
    """Read the certificate of a protected table."""
    found: dict[str, Any] = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
    return found


def _bytes(folder: Path) -> bytes:
    """Return every byte of a folder, Parquet's columns as text."""
    found = [p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()]
    found += [
        repr(pq.read_table(p).to_pylist()).encode() for p in sorted(folder.rglob("*.parquet"))
    ]
    return b"\n".join(found)
