"""``lsoalink agreement withdraw``: everything stops, nothing brings it back, kill or no kill."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from kill_points import STRIDE, killed_at, steps_of
from region_factory import put, receive
from stewarded import AGREEMENT, NORTH, again, faults, slim_copy, standing
from typer.testing import CliRunner

from declarations.errors import AgreementError, ConfigurationError, StorageError
from governance.audit import chain_of
from governance.lifecycle.withdrawal import withdrawn
from indicators.counting import count_source
from indicators.tables import build_theme, themes
from intake.admission import admit
from intake.location import locate, located_table
from pipelines.commands.withdraw import register_withdraw
from pipelines.running import current_release
from pipelines.stewardship import (
    complete_begun,
    complete_withdrawals,
    no_release,
    purge,
    what_is_due,
    withdraw,
    withdrawn_words,
)
from publishing.derived import derive
from publishing.protection import protect_themes
from publishing.release import build_release
from publishing.release_tables import lineage_table
from publishing.withdrawn import Notice, leave_notice, notices, repoint_latest

if TYPE_CHECKING:
    from conftest import Finished

    from warehouse.workspace import Workspace

REASON = "the council asked for it"


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def region(finished: Finished, tmp_path: Path) -> Workspace:
    return slim_copy(finished, tmp_path / "region")


def press(workspace: Workspace) -> None:
    withdraw(workspace, AGREEMENT, reason=REASON, by="Sam Example")


def events(workspace: Workspace, event: str) -> int:
    return len(list(chain_of(workspace).find(event=event)))


def is_stopped(workspace: Workspace, release: str) -> None:
    assert withdrawn(workspace.root)[AGREEMENT].state == "done"
    assert standing(workspace, NORTH) == []
    assert (workspace.root / "quarantine").stat().st_mode & 0o777 == 0o700
    assert not (workspace.root / "published" / release).exists()
    assert notices(workspace.root)[release].reason == REASON
    assert current_release(workspace) == ("", None)
    moved = workspace.root / "quarantine" / AGREEMENT
    assert (moved / "published" / release / "manifest.json").is_file()
    assert {p.name for p in (moved / "restricted").iterdir()} == {
        f"admitted_{NORTH}", f"located_{NORTH}"
    }  # fmt: skip
    assert (moved / "landing" / NORTH / "cases_2026-03.csv").is_file()
    assert events(workspace, "agreement_withdrawn") == 1
    assert events(workspace, "release_withdrawn") == 1
    assert events(workspace, "withdrawal_completed") == 1
    assert faults(workspace) == []


def test_it_quarantines_everything_and_takes_the_release_back(
    region: Workspace, finished: Finished
) -> None:
    press(region)

    release = finished.outcome.release_id
    is_stopped(region, release)
    text = (region.root / "published" / f"{release}.withdrawn.txt").read_text()
    assert REASON in text
    assert standing(region, "south_cases") != []
    said = withdrawn_words(region)
    assert said[0] == f"{AGREEMENT} was withdrawn on 10 May 2026: {REASON}."
    assert f"The release {release} was withdrawn on 10 May 2026" in said[1]
    assert "has no release in force: The release" in str(no_release(region))
    certificate = region.root / "governance" / "certificates" / f"W-{AGREEMENT}.json"
    content = json.loads(certificate.read_text())
    assert content["releases"] == [release]
    assert {len(f["sha256"]) for f in content["files"]} == {64}
    assert not any("cases_2026-03.csv" in f["path"] for f in content["files"] if
                   f["path"].startswith("landing"))  # fmt: skip


def test_pressing_twice_is_refused_and_completing_twice_does_nothing(region: Workspace) -> None:
    press(region)
    entries = len(list(chain_of(region).entries()))

    with pytest.raises(ConfigurationError, match="takes a new agreement"):
        press(region)
    complete_begun(region)
    assert len(list(chain_of(region).entries())) == entries


def test_an_unknown_agreement_is_refused_by_name(region: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="DSA-TM-001"):
        withdraw(region, "DSA-NO-1", reason=REASON, by="Sam Example")
    assert withdrawn(region.root) == {}


def test_killed_anywhere_the_next_run_ends_it(
    region: Workspace, finished: Finished, tmp_path: Path
) -> None:
    whole = again(region, tmp_path / "whole")
    steps = range(1, steps_of(lambda: press(whole)) + 1)
    begun, untouched = 0, 0
    for number in steps[::STRIDE]:
        copy = again(region, tmp_path / "copies" / str(number))
        assert killed_at(number, lambda copy=copy: press(copy))  # type: ignore[misc]
        complete_begun(copy)
        if withdrawn(copy.root):
            is_stopped(copy, finished.outcome.release_id)
            begun += 1
        else:
            assert standing(copy, NORTH) == standing(region, NORTH)
            untouched += 1
        shutil.rmtree(tmp_path / "copies")

    assert begun > untouched > 0


def test_killed_while_completing_the_next_run_ends_it(
    region: Workspace, finished: Finished, tmp_path: Path
) -> None:
    """Killed at some steps, and the completion killed again."""
    for number in (14, 25, 36, 47, 58):
        copy = again(region, tmp_path / "copies" / str(number))
        assert killed_at(number, lambda copy=copy: press(copy))  # type: ignore[misc]
        killed_at(9, lambda copy=copy: complete_begun(copy))  # type: ignore[misc]
        complete_begun(copy)
        is_stopped(copy, finished.outcome.release_id)
        shutil.rmtree(copy.data_dir.parent)


def test_removing_the_record_and_running_again_brings_nothing_back(
    region: Workspace, finished: Finished
) -> None:
    press(region)
    (region.root / "governance" / "withdrawals" / f"{AGREEMENT}.json").unlink()

    complete_begun(region)

    assert set(withdrawn(region.root)) == {AGREEMENT}
    assert standing(region, NORTH) == []
    assert (region.root / "governance" / "withdrawals" / f"{AGREEMENT}.json").is_file()
    assert faults(region) == []


def test_what_arrives_later_goes_into_quarantine_too(region: Workspace) -> None:
    press(region)
    put(region.landing, NORTH, "cases_2026-03_v2.csv", ["nothing,of,note"])
    receive(region, NORTH)

    complete_withdrawals(region)

    assert standing(region, NORTH) == []
    assert [p.name for p in (region.root / "governance" / "certificates").glob("W-*.json")] != []
    assert events(region, "withdrawal_completed") == 2
    assert faults(region) == []


def test_files_put_back_by_hand_go_into_quarantine_again(region: Workspace) -> None:
    press(region)
    moved = region.root / "quarantine" / AGREEMENT / "restricted" / f"admitted_{NORTH}"
    target = region.root / "restricted" / f"admitted_{NORTH}"
    shutil.copytree(moved, target, dirs_exist_ok=True)

    complete_begun(region)

    assert standing(region, NORTH) == []
    assert sorted(p.name for p in moved.iterdir()) == ["2026-03.parquet", "2026-03.parquet.2"]


def test_the_next_release_is_made_without_it(finished_copy: Workspace) -> None:
    press(finished_copy)
    for name in (NORTH, "south_cases", "north_visits"):
        source = finished_copy.declared.sources[name]
        for period in finished_copy.expected_periods(source):
            admit(finished_copy, source, period)
            locate(finished_copy, source, period)
            count_source(finished_copy, source, period, located_table(source))
    for theme in themes(finished_copy):
        build_theme(finished_copy, theme)
    protect_themes(finished_copy)
    derive(finished_copy)

    outcome = build_release(finished_copy)
    complete_begun(finished_copy)

    assert outcome.outcome == "published"
    assert current_release(finished_copy)[0] == outcome.release_id
    agreements = {r["agreement_id"] for r in lineage_table(finished_copy).to_pylist()}
    assert AGREEMENT not in agreements
    assert "DSA-TM-002" in agreements
    assert faults(finished_copy) == []


def test_a_release_taken_back_is_not_published_again(finished_copy: Workspace) -> None:
    """The same figures make a release of the same name."""
    release = current_release(finished_copy)[0]
    chain = chain_of(finished_copy)
    notice = Notice(release, AGREEMENT, "2026-05-10", "retention.published_days", "retention")
    leave_notice(finished_copy.root, chain, notice)
    shutil.rmtree(finished_copy.root / "published" / release)
    repoint_latest(finished_copy.root, chain)
    (finished_copy.root / "candidates" / "state.json").unlink()

    outcome = build_release(finished_copy)

    assert (outcome.release_id, outcome.outcome) == (release, "withdrawn")
    assert not (finished_copy.root / "published" / release).exists()


def test_latest_points_to_the_newest_release_that_still_stands(region: Workspace) -> None:
    published = region.root / "published"
    (older,) = [p for p in published.iterdir() if p.is_dir() and not p.is_symlink()]
    chain = chain_of(region)
    for name in ("2026-02-aaaaaaaaaa", "2026-03-bbbbbbbbbb"):
        shutil.copytree(older, published / name)
        manifest = published / name / "manifest.json"
        manifest.chmod(stat.S_IRUSR | stat.S_IWUSR)
        content = json.loads(manifest.read_text())
        content["lineage"] = [r for r in content["lineage"] if r["agreement_id"] != AGREEMENT]
        manifest.write_text(json.dumps(content))
        chain.append("release_published", release=name)
    # Of the three only the oldest rests on the agreement; latest points to it still.
    press(region)

    assert (published / "latest").readlink() == Path("2026-03-bbbbbbbbbb")
    assert not (published / "NO-RELEASE.txt").exists()


def test_the_quarantine_is_disposed_of_on_its_day(region: Workspace, finished: Finished) -> None:
    press(region)
    day = withdrawn(region.root)[AGREEMENT].dispose_on
    assert what_is_due(region, day - dt.timedelta(days=1)) == []
    items = what_is_due(region, day)
    assert {i.clause for i in items} == {"retention.after_withdrawal_days"}

    outcome = purge(region, items, by="Ann Example", as_of=day)

    assert (len(outcome.certificates), outcome.failures) == (2, [])
    assert not list((region.root / "quarantine").iterdir())
    assert finished.outcome.release_id in notices(region.root)
    assert set(withdrawn(region.root)) == {AGREEMENT}
    assert faults(region) == []


@pytest.fixture
def command(region: Workspace, finished: Finished) -> Callable[..., object]:
    folder = region.data_dir.parent
    shutil.copytree(finished.folder / "region", folder / "declared")
    (folder / "landing").rename(folder / "declared" / "landing")
    app = typer.Typer()
    app.callback()(lambda: None)
    register_withdraw(app)

    def invoke(*words: str, answer: str = "") -> object:
        options = ["--region", str(folder / "declared"), "--data-dir", str(region.data_dir)]
        return CliRunner().invoke(app, ["withdraw", *words, *options], input=answer)

    return invoke


SAID = (AGREEMENT, "--reason", REASON, "--by", "Sam Example")


def test_a_dry_run_shows_what_depends_and_changes_nothing(
    region: Workspace, command: Callable[..., object], capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(p.as_posix() for p in region.root.rglob("*"))
    result = command(*SAID, "--dry-run")

    assert result.exit_code == 0  # type: ignore[attr-defined]
    assert sorted(p.as_posix() for p in region.root.rglob("*")) == before


def test_it_asks_first_and_no_means_no(region: Workspace, command: Callable[..., object]) -> None:
    result = command(*SAID, answer="n\n")

    assert "Withdraw DSA-TM-001 for good?" in result.output  # type: ignore[attr-defined]
    assert withdrawn(region.root) == {}
    command(*SAID, answer="y\n")
    assert set(withdrawn(region.root)) == {AGREEMENT}


def test_a_second_time_says_who_did_it(region: Workspace, command: Callable[..., object]) -> None:
    command(*SAID, "--yes")
    result = command(*SAID, "--yes")

    error = result.exception  # type: ignore[attr-defined]
    assert isinstance(error, AgreementError)
    assert "by Sam Example" in str(error)


def test_what_cannot_be_moved_is_said_and_the_gate_refuses_all_the_same(
    region: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(StorageError, match="Permission denied"):
            press(region)
    assert set(withdrawn(region.root)) == {AGREEMENT}
    complete_begun(region)
    assert standing(region, NORTH) == []


def test_a_landing_folder_on_another_file_system_is_copied_whole(
    region: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def over_there(path: Path, target: Path) -> Path:
        if path.is_relative_to(region.landing):
            raise OSError(18, "Invalid cross-device link")
        return rename(path, target)

    landed = (region.landing / NORTH / "cases_2026-03.csv").read_bytes()
    monkeypatch.setattr(Path, "rename", over_there)
    press(region)

    moved = region.root / "quarantine" / AGREEMENT / "landing" / NORTH / "cases_2026-03.csv"
    assert moved.read_bytes() == landed
    assert standing(region, NORTH) == []
