"""``lsoalink hold`` and ``lsoalink audit``, as an officer types them."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from stewarded import AGREEMENT, NORTH, slim_copy
from typer.testing import CliRunner

from declarations.errors import ApprovalError, ConfigurationError
from governance.audit import chain_of
from governance.lifecycle.holds import active
from pipelines.commands import audit as audit_command
from pipelines.commands import hold as hold_command
from pipelines.stewardship import purge, what_is_due, withdraw

if TYPE_CHECKING:
    from conftest import Finished

    from warehouse.workspace import Workspace

BY = ("--by", "Sam Example")


@pytest.fixture
def region(finished: Finished, tmp_path: Path) -> Workspace:
    return slim_copy(finished, tmp_path / "region")


@pytest.fixture
def command(region: Workspace, finished: Finished) -> Callable[..., Any]:
    app = typer.Typer()
    hold_command.register(app)
    audit_command.register(app)

    def invoke(group: str, name: str, *words: str) -> Any:
        folder = str(finished.folder / "region")
        return CliRunner().invoke(
            app, [group, name, folder, *words, "--data-dir", str(region.data_dir)]
        )

    return invoke


def test_a_hold_is_put_listed_and_lifted(region: Workspace, command: Callable[..., Any]) -> None:
    done = command("hold", "add", "--agreement", AGREEMENT, "--reason", "complaint 14", *BY)
    assert (done.exit_code, done.exception) == (0, None)
    (hold,) = active(region.root)
    assert (hold.agreement, hold.reason, hold.by) == (AGREEMENT, "complaint 14", "Sam Example")
    assert command("hold", "list").exit_code == 0
    done = command("hold", "lift", hold.id, "--reason", "closed", *BY)
    assert done.exit_code == 0
    assert active(region.root) == []


@pytest.mark.parametrize("words", [("--agreement", "DSA-NO-1"), ("--source", "no_source"), ()])
def test_a_hold_on_what_is_not_there_is_refused(
    region: Workspace, command: Callable[..., Any], words: tuple[str, ...]
) -> None:
    result = command("hold", "add", *words, "--reason", "complaint", *BY)

    assert isinstance(result.exception, ConfigurationError)
    assert active(region.root) == []


def test_a_hold_stops_disposal_after_a_withdrawal_too(
    region: Workspace, command: Callable[..., Any]
) -> None:
    withdraw(region, AGREEMENT, reason="asked for", by="Sam Example")
    command("hold", "add", "--source", NORTH, "--reason", "complaint", *BY)
    day = dt.date(2026, 5, 24)

    items = what_is_due(region, day)
    assert len(items) == 2
    assert all(i.hold is not None for i in items)
    assert purge(region, items, by="Ann Example", as_of=day).certificates == []
    assert list((region.root / "quarantine" / AGREEMENT).rglob("*.sealed"))


def test_the_chain_is_checked_by_the_command(
    region: Workspace, command: Callable[..., Any]
) -> None:
    assert command("audit", "verify").exit_code == 0
    path = chain_of(region).path
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))

    result = command("audit", "verify")
    assert isinstance(result.exception, ApprovalError)


def test_a_changed_certificate_is_found_by_the_command(
    region: Workspace, command: Callable[..., Any]
) -> None:
    withdraw(region, AGREEMENT, reason="asked for", by="Sam Example")
    assert command("audit", "verify").exit_code == 0
    path = region.root / "governance" / "certificates" / f"W-{AGREEMENT}.json"
    path.write_text(path.read_text().replace("asked for", "expired"))

    assert isinstance(command("audit", "verify").exception, ApprovalError)


def test_a_chain_that_is_gone_with_its_anchor_is_found(
    region: Workspace, command: Callable[..., Any]
) -> None:
    shutil.rmtree(region.root / "audit")

    assert isinstance(command("audit", "verify").exception, ApprovalError)


def test_entries_are_exported_and_the_export_is_an_entry(
    region: Workspace, command: Callable[..., Any], tmp_path: Path
) -> None:
    target = tmp_path / "audit.csv"
    done = command("audit", "export", "--csv", str(target), "--event", "gate_decision")
    assert (done.exit_code, done.exception) == (0, None)

    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert {row["event"] for row in rows} == {"gate_decision"}
    assert all(len(row["hash"]) == 64 for row in rows)
    (entry,) = chain_of(region).find(event="accessed")
    assert (entry["what"], entry["entries"]) == ("audit chain", len(rows))
    assert command("audit", "show", "--agreement", AGREEMENT).exit_code == 0
    assert command("audit", "show", "--since", "2999-01-01").exit_code == 0
