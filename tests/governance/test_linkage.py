"""Who may be joined with whom: a table an officer can read, and the pseudonyms that follow."""

from __future__ import annotations

import ast
import datetime as dt
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from region_factory import region_content

from declarations.agreements import Agreement
from declarations.errors import AgreementError
from governance.linkage import (
    check_linkage,
    join_sql,
    linkage_key,
    linked_name,
    linked_pseudonym_sql,
)
from governance.pseudonyms import agreement_key, hmac_pads, pseudonym, pseudonym_sql
from warehouse.keys import KeyRing
from warehouse.provenance import ROOMS

ROOT = Path(__file__).resolve().parents[2]
TODAY = dt.date(2026, 4, 20)
KEYS = KeyRing(bytes(range(32)))
ONE, TWO, THREE = "DSA-TM-001", "DSA-TM-002", "DSA-TM-003"


def agreement(ident: str, links: dict[str, str], **more: Any) -> Agreement:
    content = region_content()[f"agreements/{ident}.yaml"]
    content["permitted_linkages"] = [{"agreement": a, "level": v} for a, v in links.items()]
    return Agreement.model_validate({**content, **more})


def pair(first: str = "record", second: str = "record") -> tuple[Agreement, Agreement]:
    one = {} if first == "none" else {TWO: first}
    two = {} if second == "none" else {ONE: second}
    return agreement(ONE, one), agreement(TWO, two)


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ("record", "record", True),
        ("record", "area", False),
        ("area", "record", False),
        ("area", "area", False),
        ("record", "none", False),
        ("none", "record", False),
        ("none", "none", False),
    ],
)
def test_records_are_linked_only_where_both_permit_it(
    first: str, second: str, allowed: bool
) -> None:
    one, two = pair(first, second)

    if allowed:
        check_linkage(one, two, TODAY)
        return
    for a, b in ((one, two), (two, one)):
        with pytest.raises(AgreementError, match="does not permit its records to be joined"):
            linkage_key(KEYS, a, b, on=TODAY)
        with pytest.raises(AgreementError, match="does not permit its records to be joined"):
            join_sql(a, "a", b, "b", "person_id", on=TODAY)


@pytest.mark.parametrize(
    ("day", "allowed"),
    [
        (dt.date(2024, 12, 31), False),
        (dt.date(2025, 1, 1), True),
        (dt.date(2026, 6, 30), True),
        (dt.date(2026, 7, 1), False),
    ],
)
def test_both_must_be_in_force_on_the_day(day: dt.date, allowed: bool) -> None:
    one = agreement(ONE, {TWO: "record"})
    two = agreement(TWO, {ONE: "record"}, expiry_date=dt.date(2026, 6, 30))

    if allowed:
        assert linkage_key(KEYS, one, two, on=day)
        return
    with pytest.raises(AgreementError, match="is not in force on"):
        linkage_key(KEYS, one, two, on=day)


@pytest.mark.parametrize("withdrawn", [ONE, TWO])
def test_a_withdrawn_agreement_is_linked_with_nothing(withdrawn: str) -> None:
    one, two = pair()

    with pytest.raises(AgreementError, match=f"{withdrawn} was withdrawn"):
        linkage_key(KEYS, one, two, on=TODAY, withdrawn={withdrawn})
    with pytest.raises(AgreementError, match=f"{withdrawn} was withdrawn"):
        join_sql(one, "a", two, "b", "person_id", on=TODAY, withdrawn={withdrawn})
    assert linkage_key(KEYS, one, two, on=TODAY, withdrawn={THREE})


def test_an_agreement_is_not_linked_with_itself() -> None:
    one, _ = pair()

    with pytest.raises(AgreementError, match="with itself"):
        linkage_key(KEYS, one, one, on=TODAY)


def test_pseudonyms_of_two_agreements_never_meet() -> None:
    person = "P0001"

    made = {pseudonym(agreement_key(KEYS, a), person) for a in (ONE, TWO, THREE)}

    assert len(made) == 3


def test_the_key_of_a_pair_is_the_same_in_either_order_and_no_other_pairs() -> None:
    one = agreement(ONE, {TWO: "record", THREE: "record"})
    two = agreement(TWO, {ONE: "record", THREE: "record"})
    three = agreement(THREE, {ONE: "record", TWO: "record"})
    keys = {
        linkage_key(KEYS, a, b, on=TODAY)
        for a, b in ((one, two), (two, one), (one, three), (two, three), (three, two))
    }
    own = {agreement_key(KEYS, a) for a in (ONE, TWO, THREE)}

    assert len(keys) == 3
    assert not keys & own


def people(con: duckdb.DuckDBPyConnection, table: str, names: list[str]) -> None:
    con.execute(f"CREATE TABLE {table}_sent (person_id VARCHAR)")
    con.executemany(f"INSERT INTO {table}_sent VALUES (?)", [(n,) for n in names])


def test_the_same_person_meets_through_the_pair_and_in_no_other_way() -> None:
    one, two = pair()
    con = duckdb.connect()
    key = linkage_key(KEYS, one, two, on=TODAY)
    for table, parties, names in (
        ("a", (one, two), ["P1", "P2", "P3"]),
        ("b", (two, one), ["P2", "P3", "P4"]),
    ):
        people(con, table, names)
        own = agreement_key(KEYS, parties[0].id)
        linked = linked_pseudonym_sql("person_id", *parties)
        con.execute(
            f"CREATE TABLE {table} AS SELECT {pseudonym_sql('person_id')} AS person_id, {linked} "
            f"FROM {table}_sent",
            [*hmac_pads(own), *hmac_pads(key)],
        )
    joined = join_sql(one, "a", two, "b", "person_id", on=TODAY)

    met = con.execute(f"SELECT count(*) {joined}").fetchall()
    by_own = con.execute("SELECT count(*) FROM a JOIN b USING (person_id)").fetchall()

    assert met == [(2,)]
    assert by_own == [(0,)]


def test_the_column_of_a_pair_is_named_after_the_pair() -> None:
    one, two = pair()
    three = agreement(THREE, {})

    assert linked_name("person_id", one, two) == linked_name("person_id", two, one)
    assert linked_name("person_id", one, two) != linked_name("person_id", one, three)
    assert re.fullmatch(r"person_id__link_[0-9a-f]{8}", linked_name("person_id", one, two))


def sql_texts(path: Path) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is str]


def test_no_other_module_joins_by_linked_pseudonyms() -> None:
    """Every join of two agreements' records asks for permission, for there is one way to it."""
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if any("__link_" in text for text in sql_texts(path))
    }

    assert found == {"governance/linkage.py"}
