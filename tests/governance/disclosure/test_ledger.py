"""The ledger of releases: kept for ever, whole after a kill, and proof against what is changed."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kill_points import killed_at

from declarations.errors import StorageError
from governance.disclosure.known.ledger import GENESIS, Ledger, LedgerTables, token_secret, tokens
from warehouse.key_ring import KeyRing

KEYS = KeyRing(bytes(range(32)))
AREAS = [f"E0100000{i}" for i in range(1, 7)]


def tables(year: int = 2024, *, cells: dict[str, tuple[int, float]] | None = None, ward=None):
    """Return what a small release says: three neighbourhoods and a ward made of some of them."""
    bounds = cells or {AREAS[0]: (0, 4), AREAS[1]: (8, 12), AREAS[2]: (0, float("inf"))}
    ward = ward or AREAS[:2]
    definition = f"hash-{year}"
    rows = [(code, low, high) for code, (low, high) in bounds.items()] + [("E05000001", 8, 12)]
    state = f"state-{year}"
    return LedgerTables(
        definitions=pa.table(
            {
                "definition_id": [definition], "indicator_id": ["H01"], "term": ["numerator"],
                "geography_type": ["lsoa21"], "period_start": [f"{year}-01"],
                "period_end": [f"{year}-12"],
            }
        ),
        definition_parts=pa.table(
            {
                "definition_id": [definition] * 2, "source_id": ["mere"] * 2,
                "measure": ["households"] * 2, "category": ["all", None],
                "period": [f"{year}-01", f"{year}-02"], "state": [state] * 2,
            }
        ),
        cells=pa.table(
            {
                "definition_id": [definition] * len(rows), "area_code": [r[0] for r in rows],
                "lower": [r[1] for r in rows],
                "upper": pa.array([float(r[2]) for r in rows]),
                "profile": ["hide0-r5"] * len(rows),
                "status": ["hidden" if r[1] == 0 else "published" for r in rows],
            }
        ),
        members=pa.table({"area_code": ["E05000001"] * len(ward), "lsoa21cd": ward}),
        tokens=some_tokens({AREAS[0]: 3}, state=state),
    )  # fmt: skip


def counts(values: dict[str, int | None]) -> pa.Table:
    return pa.table(
        {
            "lsoa21cd": list(values), "measure": ["households"] * len(values),
            "category": ["all"] * len(values), "value": pa.array(values.values(), pa.int64()),
        }
    )  # fmt: skip


def some_tokens(values: dict[str, int | None], *, state: str = "s", secret: bytes | None = None):
    return tokens(
        counts(values), secret or token_secret(KEYS), areas=AREAS, source_id="mere",
        period="2024-01", state=state,
    )  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger", KEYS)


def cells_of(ledger: Ledger, **more) -> list[tuple]:
    read = ledger.read(**more).cells.to_pylist()
    return [(r["area_code"], r["lower"], r["upper"], r["release_id"]) for r in read]


def test_an_empty_ledger_has_a_head_and_no_fault(ledger) -> None:
    assert ledger.head() == GENESIS
    assert ledger.releases() == []
    assert ledger.verify() == []
    assert ledger.read().cells.num_rows == 0
    assert "release_id" in ledger.read().tokens.column_names


def test_everything_released_is_read_back_with_its_release(ledger) -> None:
    ledger.append("r1", tables(2023))
    ledger.append("r2", tables(2024))

    read = ledger.read()

    assert read.definitions.column("release_id").to_pylist() == ["r1", "r2"]
    assert sorted(cells_of(ledger))[:2] == [(AREAS[0], 0, 4, "r1"), (AREAS[0], 0, 4, "r2")]
    assert (AREAS[2], 0, None, "r1") in cells_of(ledger)
    assert read.definition_parts.num_rows == 4
    assert ledger.verify() == []


def test_the_head_binds_content_and_order(tmp_path) -> None:
    def head(*order: str) -> str:
        ledger = Ledger(tmp_path / "-".join(order), KEYS)
        for name in order:
            ledger.append(name, tables(2000 + int(name[1:])))
        return ledger.head()

    assert len({head("r1"), head("r1", "r2"), head("r2", "r1")}) == 3
    first = Ledger(tmp_path / "again", KEYS)
    first.append("r1", tables(2001))
    assert first.head() == head("r1")


def test_the_same_release_again_changes_nothing_whatever_the_order_of_its_rows(ledger) -> None:
    once = ledger.append("r1", tables())
    turned = tables()
    backwards = list(range(turned.cells.num_rows))[::-1]
    doubled = pa.concat_tables([turned.cells.take(backwards), turned.cells])

    again = ledger.append("r1", LedgerTables(**{**vars(turned), "cells": doubled}))

    assert again == once
    assert len(ledger.releases()) == 1


def test_another_content_under_the_same_id_is_refused(ledger) -> None:
    ledger.append("r1", tables(2023))
    with pytest.raises(StorageError, match="another content"):
        ledger.append("r1", tables(2024))
    assert len(ledger.releases()) == 1


def test_many_releases_of_the_same_figures_do_not_make_the_audit_longer(ledger) -> None:
    for number in range(12):
        ledger.append(f"r{number}", tables())

    read = ledger.read()

    assert {name: table.num_rows for name, table in read.items()} == {
        "definitions": 1, "definition_parts": 2, "cells": 4, "members": 2, "tokens": len(AREAS),
    }  # fmt: skip
    assert set(read.cells.column("release_id").to_pylist()) == {"r0"}
    assert len(ledger.releases()) == 12


def test_a_later_release_that_says_more_of_one_cell_adds_only_that(ledger) -> None:
    ledger.append("r1", tables(cells={AREAS[0]: (0, 4), AREAS[1]: (0, 4)}))
    ledger.append("r2", tables(cells={AREAS[0]: (0, 4), AREAS[1]: (3, 7)}))

    assert [c for c in cells_of(ledger) if c[0] in AREAS] == [
        (AREAS[0], 0, 4, "r1"), (AREAS[1], 0, 4, "r1"), (AREAS[1], 3, 7, "r2"),
    ]  # fmt: skip


def test_what_was_released_before_a_release(ledger) -> None:
    first = ledger.append("r1", tables(2023))
    ledger.append("r2", tables(2024))

    assert ledger.head(before="r2") == first.head
    assert {c[3] for c in cells_of(ledger, before="r2")} == {"r1"}
    assert ledger.head(before="r3") == ledger.head()
    assert ledger.read(before="r1").cells.num_rows == 0


def test_an_area_drawn_anew_under_its_old_code_is_another_area(ledger) -> None:
    ledger.append("r1", tables(ward=AREAS[:2]))
    ledger.append("r2", tables(ward=AREAS[:3]))

    read = ledger.read()
    members: dict[str, set[str]] = {}
    for row in read.members.to_pylist():
        members.setdefault(row["area_id"], set()).add(row["lsoa21cd"])
    wards = [r["area_id"] for r in read.cells.to_pylist() if r["area_code"] == "E05000001"]

    assert sorted(map(len, members.values())) == [2, 3]
    assert sorted(wards) == sorted(members)
    # A neighbourhood is itself.
    assert all(
        r["area_id"] == r["area_code"] for r in read.cells.to_pylist() if r["area_code"] in AREAS
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cells": lambda t: t.drop_columns(["upper"])}, "lacks upper"),
        ({"cells": lambda t: t.set_column(2, "lower", [[9, 9, 9, 9]])}, "below"),
        ({"cells": lambda t: t.set_column(2, "lower", [["a"] * 4])}, "not of the kind"),
        ({"cells": lambda t: t.set_column(5, "status", [["known"] * 4])}, "another word"),
        ({"cells": lambda t: t.set_column(4, "profile", [[None, "a", "a", "a"]])}, "gaps"),
        ({"definitions": lambda t: t.slice(0, 0)}, "names a definition"),
        ({"definitions": lambda t: t.set_column(2, "term", [["mean"]])}, "another word"),
    ],
)
def test_tables_that_are_not_as_they_must_be_are_refused(ledger, change, words) -> None:
    given = tables()
    spoilt = {name: alter(getattr(given, name)) for name, alter in change.items()}

    with pytest.raises(StorageError, match=words):
        ledger.append("r1", LedgerTables(**{**vars(given), **spoilt}))

    assert ledger.releases() == []


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a" * 101])
def test_an_id_that_is_no_name_of_a_folder_is_refused(ledger, name) -> None:
    with pytest.raises(StorageError, match="id"):
        ledger.append(name, tables())


def test_without_a_key_the_ledger_is_only_read(ledger) -> None:
    ledger.append("r1", tables())
    reader = Ledger(ledger.folder, None)

    assert reader.read().cells.num_rows == 4
    with pytest.raises(StorageError, match="seal"):
        reader.append("r2", tables(2025))


def test_the_folder_is_for_the_platform_alone(ledger) -> None:
    ledger.append("r1", tables())

    for path in [ledger.folder, *ledger.folder.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path.name


class TestKilled:
    def test_a_kill_at_any_step_leaves_a_ledger_that_the_next_append_completes(
        self, tmp_path
    ) -> None:
        first, second = tables(2023), tables(2024)
        whole = Ledger(tmp_path / "whole", KEYS)
        whole.append("r1", first)
        whole.append("r2", second)
        killed = number = 0
        while True:
            number += 1
            ledger = Ledger(tmp_path / f"l{number}", KEYS)
            ledger.append("r1", first)
            if not killed_at(number, lambda ledger=ledger: ledger.append("r2", second)):
                break
            killed += 1
            assert ledger.verify() == []
            assert len(ledger.releases()) in (1, 2)

            ledger.append("r2", second)

            assert ledger.head() == whole.head()
            assert ledger.verify() == []
            assert not list(ledger.folder.glob(".writing-*"))
        # A file for each table, the entry, the head; folders and renames besides.
        assert killed >= 8

    def test_the_next_release_too_completes_it(self, tmp_path) -> None:
        number = 0
        while True:
            number += 1
            ledger = Ledger(tmp_path / f"l{number}", KEYS)
            if not killed_at(number, lambda ledger=ledger: ledger.append("r1", tables(2023))):
                break
            ledger.append("r2", tables(2024))
            assert ledger.verify() == []
            assert ledger.releases()[-1].release_id == "r2"


class TestVerify:
    @pytest.fixture
    def three(self, ledger) -> Ledger:
        for year in (2022, 2023, 2024):
            ledger.append(f"r{year}", tables(year))
        return ledger

    def test_a_changed_file_is_named_and_nothing_is_read(self, three) -> None:
        path = three.folder / "000002-r2023" / "cells.parquet"
        table = pq.read_table(path)
        pq.write_table(table.slice(1), path)

        assert three.verify() == ["000002-r2023/cells.parquet has been changed"]
        with pytest.raises(StorageError, match=r"000002-r2023/cells\.parquet has been changed"):
            three.read()

    def test_a_changed_file_whose_hash_was_mended_is_still_named(self, three) -> None:
        import hashlib

        folder = three.folder / "000002-r2023"
        path = folder / "cells.parquet"
        pq.write_table(pq.read_table(path).slice(1), path)
        entry = json.loads((folder / "release.json").read_text())
        entry["files"]["cells"] = hashlib.sha256(path.read_bytes()).hexdigest()
        (folder / "release.json").write_text(json.dumps(entry))

        assert three.verify() == [
            "000002-r2023/release.json does not bear the seal of this installation",
            "000002-r2023/cells.parquet is not what was released",
        ]
        # Even without the key the content does not fit the chain.
        assert Ledger(three.folder, None).verify() == [
            "000002-r2023/cells.parquet is not what was released"
        ]

    def test_a_missing_file_is_named(self, three) -> None:
        (three.folder / "000001-r2022" / "tokens.parquet").unlink()
        assert three.verify() == ["000001-r2022/tokens.parquet is missing"]

    def test_a_missing_entry_is_named(self, three) -> None:
        (three.folder / "000001-r2022" / "release.json").unlink()
        assert "000001-r2022/release.json is missing or cannot be opened" in three.verify()

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": "lsoalink-ledger/1"}'])
    def test_an_entry_that_is_none_is_named(self, three, content) -> None:
        (three.folder / "000003-r2024" / "release.json").write_bytes(content)
        assert "000003-r2024/release.json is not an entry of the ledger" in three.verify()

    def test_a_file_too_many_is_named(self, three) -> None:
        (three.folder / "000001-r2022" / "more.parquet").write_bytes(b"")
        assert three.verify() == ["000001-r2022/more.parquet does not belong there"]

    @pytest.mark.parametrize("gone", ["000001-r2022", "000002-r2023"])
    def test_a_missing_release_is_noticed_and_no_other_is_added(self, three, gone) -> None:
        shutil.rmtree(three.folder / gone)

        assert any("one before it is missing" in fault for fault in three.verify())
        with pytest.raises(StorageError, match="damaged"):
            three.append("r2025", tables(2025))

    def test_a_missing_end_is_noticed(self, three) -> None:
        shutil.rmtree(three.folder / "000003-r2024")
        assert three.verify() == ["1 of the last releases are missing"]

    def test_a_missing_end_with_an_old_head_is_noticed_by_what_certificates_name(
        self, ledger
    ) -> None:
        ledger.append("r1", tables(2022))
        ledger.append("r2", tables(2023))
        old = (ledger.folder / "head.json").read_bytes()
        ledger.append("r3", tables(2024))
        certified = ledger.head()
        shutil.rmtree(ledger.folder / "000003-r3")
        (ledger.folder / "head.json").write_bytes(old)

        assert ledger.verify([GENESIS]) == []
        assert ledger.verify([certified]) == [f"the head {certified[:12]} was on this ledger "
                                              "and is gone"]  # fmt: skip

    def test_a_missing_or_spoilt_head_is_noticed(self, three) -> None:
        path = three.folder / "head.json"
        said = json.loads(path.read_text())
        path.write_text(json.dumps({**said, "number": 2}))
        assert three.verify() == ["head.json does not bear the seal of this installation"]
        path.write_text("{")
        assert three.verify() == ["head.json cannot be read"]
        path.unlink()
        assert three.verify() == ["head.json is missing"]

    def test_reordered_releases_are_noticed(self, three) -> None:
        (three.folder / "000001-r2022").rename(three.folder / "aside")
        (three.folder / "000002-r2023").rename(three.folder / "000001-r2023")
        (three.folder / "aside").rename(three.folder / "000002-r2022")

        faults = three.verify()

        assert any(f.startswith("000001-r2023 stands in another place") for f in faults)
        assert any(f.startswith("000002-r2022 stands in another place") for f in faults)

    def test_releases_of_another_installation_are_noticed(self, three) -> None:
        other = Ledger(three.folder, KeyRing(bytes(32)))
        assert any("seal" in fault for fault in other.verify())


class TestTokens:
    def by_area(self, table: pa.Table) -> dict[str, bytes]:
        return {r["lsoa21cd"]: r["token"] for r in table.to_pylist()}

    def test_two_versions_differ_where_a_count_does(self) -> None:
        first = self.by_area(some_tokens({AREAS[0]: 3, AREAS[1]: 5}, state="a"))
        second = self.by_area(some_tokens({AREAS[0]: 3, AREAS[1]: 6}, state="b"))

        assert {a for a in AREAS if first[a] != second[a]} == {AREAS[1]}
        assert {len(t) for t in first.values()} == {16}

    def test_rows_of_zero_do_not_matter_and_every_area_has_a_token(self) -> None:
        with_zero = self.by_area(some_tokens({AREAS[0]: 3, AREAS[1]: 0}))
        without = self.by_area(some_tokens({AREAS[0]: 3}))

        assert with_zero == without
        assert set(without) == set(AREAS)
        # Or whoever reads the file would see where nothing was counted.
        assert len(set(without.values())) == len(AREAS)

    def test_what_is_not_known_is_not_nothing(self) -> None:
        hidden = self.by_area(some_tokens({AREAS[0]: None}))
        assert hidden[AREAS[0]] != self.by_area(some_tokens({}))[AREAS[0]]

    def test_the_order_and_the_cutting_of_rows_do_not_matter(self) -> None:
        whole = counts({AREAS[0]: 3, AREAS[1]: 2})
        cut = pa.concat_tables([counts({AREAS[1]: 2, AREAS[0]: 1}), counts({AREAS[0]: 2})])
        secret = token_secret(KEYS)
        more = {"areas": AREAS, "source_id": "s", "period": "2024-01", "state": "x"}

        assert tokens(whole, secret, **more).equals(tokens(cut, secret, **more))

    def test_without_the_key_no_count_can_be_tried(self) -> None:
        ours = self.by_area(some_tokens({AREAS[0]: 3}))
        guessed = self.by_area(some_tokens({AREAS[0]: 3}, secret=bytes(32)))
        assert not set(ours.values()) & set(guessed.values())

    def test_a_new_master_key_leaves_tokens_as_they_are(self) -> None:
        renewed = KeyRing(bytes(32), [bytes(range(32))])
        assert token_secret(renewed) == token_secret(KEYS)

    def test_a_relation_of_duckdb_will_do(self) -> None:
        import duckdb

        rows = counts({AREAS[0]: 3})
        with duckdb.connect() as connection:
            connection.register("given", rows)
            relation = connection.sql("SELECT *, 'x' AS estimated FROM given")
            made = tokens(
                relation, token_secret(KEYS), areas=AREAS, source_id="mere", period="2024-01",
                state="s",
            )  # fmt: skip
        assert made.equals(some_tokens({AREAS[0]: 3}))

    def test_counts_without_their_columns_are_refused(self) -> None:
        with pytest.raises(StorageError, match="lacks value"):
            tokens(counts({}).drop_columns(["value"]), b"", areas=[], source_id="", period="",
                   state="")  # fmt: skip


def test_no_exact_count_is_among_the_bytes_of_the_ledger(ledger) -> None:
    planted = {AREAS[0]: 30_011, AREAS[1]: 40_013, AREAS[2]: 50_017}
    # Published are 30,010, 40,015 and 50,015.
    bounds = {AREAS[0]: (30_008, 30_012), AREAS[1]: (40_012.0, 40_017), AREAS[2]: (50_014, 50_016)}
    given = tables(cells={a: (int(low), high) for a, (low, high) in bounds.items()})
    told = some_tokens(planted)

    ledger.append("r1", LedgerTables(**{**vars(given), "tokens": told}))

    held = SimpleNamespace(text="", numbers=set())
    for path in (p for p in ledger.folder.rglob("*") if p.is_file()):
        raw = path.read_bytes()
        held.text += raw.decode("latin-1")
        if path.suffix == ".parquet":
            for column in pq.read_table(path).columns:
                if pa.types.is_integer(column.type):
                    held.numbers |= set(column.to_pylist())
                elif pa.types.is_string(column.type):
                    held.text += " ".join(filter(None, column.to_pylist()))
    assert 30_008 in held.numbers
    for value in planted.values():
        assert value not in held.numbers
        assert str(value) not in held.text
        assert value.to_bytes(8, "little").decode("latin-1") not in held.text
