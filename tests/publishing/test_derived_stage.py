"""When the derived tables are made again: whole or not there, and never from older figures."""

from __future__ import annotations

import pytest
from region_factory import run_to_protection

from publishing.derived import DERIVED_OBSERVATIONS, DERIVED_TABLES, derive, derived_table
from publishing.protection import PROTECTED
from warehouse.workspace import Workspace

ALL = [DERIVED_OBSERVATIONS, *(derived_table(name) for name in DERIVED_TABLES)]


@pytest.fixture
def derived(mere: Workspace) -> Workspace:
    run_to_protection(mere)
    return mere


def made(workspace: Workspace) -> dict[str, tuple[bytes, int]]:
    paths = {table.name: workspace.lake.path(table) for table in ALL}
    return {n: (p.read_bytes(), p.stat().st_mtime_ns) for n, p in paths.items() if p.is_file()}


def outcome(workspace: Workspace) -> str:
    return derive(workspace)[-1].outcome


def test_nothing_new_is_no_work(derived: Workspace) -> None:
    before = made(derived)

    assert outcome(derived) == "current"
    assert made(derived) == before
    assert set(before) == {table.name for table in ALL}


@pytest.mark.parametrize("name", ["trends", "need_and_service"])
def test_a_table_that_is_gone_is_made_again(derived: Workspace, name: str) -> None:
    before = made(derived)
    derived.lake.path(derived_table(name)).unlink()

    assert outcome(derived) == "built"
    assert {n: found for n, (found, _) in made(derived).items()} == {
        n: found for n, (found, _) in before.items()
    }
    assert outcome(derived) == "current"


def test_a_table_of_another_run_is_made_again(derived: Workspace) -> None:
    right = made(derived)
    table = derived_table("trends")
    with derived.connect() as connection:
        derived.lake.write(
            connection, table, "SELECT 1 AS a", fingerprint="other", code_version="other"
        )

    assert outcome(derived) == "built"
    assert made(derived)["derived_trends"][0] == right["derived_trends"][0]


def test_without_protected_figures_nothing_that_followed_from_them_stays(
    derived: Workspace,
) -> None:
    path = derived.lake.path(PROTECTED)
    path.unlink()
    path.with_suffix(".json").unlink()

    assert outcome(derived) == "absent"
    assert made(derived) == {}
    assert outcome(derived) == "absent"
