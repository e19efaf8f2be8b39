"""``lsoalink keys``: what each command does to keys and files, and that none ever shows a key."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from region_factory import rows_of
from typer.testing import CliRunner

from declarations.errors import StorageError
from governance.audit import AuditChain
from intake.admission import admit, admitted_table
from intake.arrival import store_of
from pipelines.commands.keys import register
from pipelines.keys import drop_earlier, report_keys, rotate_agreement, rotate_master
from warehouse.keys import fingerprint_of, open_key_ring, parse_keys
from warehouse.workspace import Workspace

PERIOD = "2026-03"
AGREEMENT = "DSA-TM-001"
NEW = base64.b64encode(b"N" * 32).decode()


@pytest.fixture(autouse=True)
def _no_key_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("LSOALINK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def mere(finished_copy: Workspace) -> Workspace:
    return finished_copy


def again(mere: Workspace) -> Workspace:
    return replace(mere, keys=open_key_ring(mere.data_dir))


def key_file(mere: Workspace) -> Path:
    return mere.data_dir / ".keys" / "master.key"


def rows(mere: Workspace) -> list[dict[str, Any]]:
    found = rows_of(mere, admitted_table(mere.declared.sources["north_cases"]), PERIOD)
    return sorted(found, key=str)


def originals_hold(mere: Workspace) -> bool:
    store = store_of(mere)
    return all(store.verify(d) for d in store.deliveries() if d.outcome == "accepted")


def test_a_rotation_encrypts_everything_again_and_changes_no_row(mere: Workspace) -> None:
    before, old = rows(mere), mere.keys.fingerprint()
    steps: list[tuple[int, int]] = []

    outcome = rotate_master(mere.data_dir, on_file=lambda *step: steps.append(step))

    report = report_keys(mere.data_dir)
    assert outcome.added
    assert outcome.fingerprint != old
    assert [(k.fingerprint, k.current) for k in report.masters] == [
        (outcome.fingerprint, True), (old, False),
    ]  # fmt: skip
    assert (report.masters[0].files, report.masters[1].files) == (outcome.files, 0)
    assert steps[-1] == (len(steps), len(steps)) == (outcome.files, outcome.files)
    assert rows(again(mere)) == before != []
    assert originals_hold(again(mere))
    (entry,) = [
        e for e in AuditChain(mere.root / "audit").entries() if e["event"] == "keys_rotated"
    ]
    assert (entry["key"], entry["earlier"]) == (outcome.fingerprint, [old])
    assert AuditChain(mere.root / "audit", again(mere).keys).verify().faults == ()
    assert admit(again(mere), mere.declared.sources["north_cases"], PERIOD).outcome == "current"


def test_old_keys_go_when_no_file_needs_them_and_pseudonyms_stay(mere: Workspace) -> None:
    pseudonyms = mere.keys.agreement_key(AGREEMENT)
    rotate_without_work(mere)
    with pytest.raises(StorageError, match="files still need"):
        drop_earlier(mere.data_dir)
    rotate_master(mere.data_dir)

    outcome = drop_earlier(mere.data_dir)

    content = parse_keys(key_file(mere).read_bytes(), "")
    assert len(content.keys) == 1
    assert fingerprint_of(content.keys[0]) == outcome.fingerprint
    later = again(mere)
    assert later.keys.agreement_key(AGREEMENT) == pseudonyms
    assert AuditChain(mere.root / "audit", later.keys).verify().faults == ()
    assert originals_hold(later)
    assert admit(later, mere.declared.sources["north_cases"], PERIOD).outcome == "current"
    assert not drop_earlier(mere.data_dir).added


def rotate_without_work(mere: Workspace) -> None:
    """Put a key in front by hand, as a person would."""
    path = key_file(mere)
    path.write_text(f"{NEW}\n{path.read_text()}")


def test_an_unfinished_rotation_is_finished_before_another_begins(mere: Workspace) -> None:
    rotate_without_work(mere)

    outcome = rotate_master(mere.data_dir)

    assert not outcome.added
    assert outcome.fingerprint == fingerprint_of(b"N" * 32)
    assert outcome.files > 0
    assert rotate_master(mere.data_dir).added


def test_another_regions_files_stay_readable_when_one_is_rotated(mere: Workspace) -> None:
    other = mere.data_dir / "othermere"
    (other / "received").mkdir(parents=True)
    old = mere.keys.fingerprint()

    outcome = rotate_master(mere.data_dir, "othermere")

    assert (outcome.added, outcome.files) == (True, 0)
    files = {k.fingerprint: k.files for k in report_keys(mere.data_dir).masters}
    assert files[old] > 0
    assert originals_hold(again(mere))
    with pytest.raises(StorageError, match="files still need"):
        drop_earlier(mere.data_dir)


KILLED = """
import sys, time
from pathlib import Path
from pipelines.keys import rotate_master

def on_file(done, total):
    if done == int(sys.argv[2]):
        print(done, flush=True)
        time.sleep(600)

rotate_master(Path(sys.argv[1]), on_file=on_file)
"""


@pytest.mark.parametrize("after", [1, 5, 14])
def test_killed_in_the_middle_it_goes_on_and_loses_nothing(mere: Workspace, after: int) -> None:
    before = rows(mere)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(mere.data_dir), str(after)], stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert int(process.stdout.readline()) == after
        os.kill(process.pid, signal.SIGKILL)
    middle = again(mere)
    assert len(middle.keys.fingerprints) == 2
    assert originals_hold(middle)
    assert rows(middle) == before

    outcome = rotate_master(mere.data_dir)

    assert not outcome.added
    assert outcome.files > 0
    assert [k.files for k in report_keys(mere.data_dir).masters][1] == 0
    assert rows(again(mere)) == before
    left = [p.name for p in mere.root.rglob(".writing-*")]
    assert left == []


def test_a_run_under_way_holds_a_rotation_back_and_no_key_is_added(mere: Workspace) -> None:
    import fcntl

    before = key_file(mere).read_bytes()
    with (mere.root / "run.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="run is working"):
            rotate_master(mere.data_dir)

    assert key_file(mere).read_bytes() == before


def test_where_keys_cannot_be_written_it_says_what_to_do_and_then_does_the_rest(
    mere: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = key_file(mere).read_text().strip()
    monkeypatch.setenv("LSOALINK_KEY", present)
    outcome = rotate_master(mere.data_dir)
    assert "variable LSOALINK_KEY" in outcome.advice
    assert present not in outcome.advice
    assert (outcome.added, outcome.files) == (False, 0)

    monkeypatch.setenv("LSOALINK_KEY", f"{NEW},{present}")
    outcome = rotate_master(mere.data_dir)
    assert outcome.advice == ""
    assert outcome.files > 0
    assert "pseudonyms:" in drop_earlier(mere.data_dir).advice

    monkeypatch.setenv("LSOALINK_KEY", f"{NEW},pseudonyms:{present}")
    later = again(mere)
    assert originals_hold(later)
    assert admit(later, mere.declared.sources["north_cases"], PERIOD).outcome == "current"


def remake(mere: Workspace) -> str:
    return admit(again(mere), mere.declared.sources["north_cases"], PERIOD).outcome


def test_a_new_key_of_pseudonyms_is_in_force_from_the_next_run(mere: Workspace) -> None:
    before = rows(mere)
    old = mere.keys.agreement_key(AGREEMENT)

    outcome = rotate_agreement(mere.data_dir, AGREEMENT)

    ring = open_key_ring(mere.data_dir)
    assert (outcome.added, outcome.kept) == (True, 0)
    assert ring.agreement_key_version(AGREEMENT) == outcome.fingerprint != fingerprint_of(old)
    assert ring.agreement_key(AGREEMENT, fingerprint_of(old)) == old
    assert ring.agreement_key("DSA-TM-002") == mere.keys.agreement_key("DSA-TM-002")
    assert remake(mere) == "built"
    people = [{r["person_id"] for r in found} for found in (before, rows(again(mere)))]
    assert people[0].isdisjoint(people[1])
    assert len(people[0]) == len(people[1])


def forget_original(mere: Workspace) -> None:
    store = store_of(mere)
    for delivery in store.deliveries("north_cases"):
        path = store.stored_path(delivery)
        assert path is not None
        path.unlink()


def test_tables_whose_originals_are_gone_keep_their_pseudonyms_only_if_asked(
    mere: Workspace,
) -> None:
    forget_original(mere)
    before, version = rows(mere), mere.keys.agreement_key_version(AGREEMENT)
    with pytest.raises(StorageError, match="1 tables of DSA-TM-001"):
        rotate_agreement(mere.data_dir, AGREEMENT)
    assert open_key_ring(mere.data_dir).agreement_key_version(AGREEMENT) == version

    outcome = rotate_agreement(mere.data_dir, AGREEMENT, keep_old=True)

    assert (outcome.added, outcome.kept) == (True, 1)
    assert remake(mere) == "current"
    assert rows(again(mere)) == before
    (shown,) = [a for a in report_keys(mere.data_dir).agreements if a.agreement_id == AGREEMENT]
    assert shown.version == outcome.fingerprint
    assert shown.kept == 2  # the admitted and the located table of the month
    # A second rotation need not ask about them again.
    assert rotate_agreement(mere.data_dir, AGREEMENT).kept == 0


def test_commands_show_fingerprints_and_never_a_key(mere: Workspace) -> None:
    app = typer.Typer()
    register(app)
    runner = CliRunner()
    said = ""
    keys = [key_file(mere).read_text()]
    for words in (
        ["show"], ["rotate"], ["show"], ["drop-old"], ["rotate", "--agreement", AGREEMENT],
        ["show", "--region", str(mere.declared.root)], ["drop-old"],
    ):  # fmt: skip
        result = runner.invoke(app, ["keys", *words, "--data-dir", str(mere.data_dir)])
        assert result.exit_code == 0, result.output
        said += result.output
        keys += [p.read_text() for p in (mere.data_dir / ".keys").rglob("*.key")]
    assert open_key_ring(mere.data_dir).fingerprint() in said
    assert "DSA-TM-002" in said
    assert "derived from the master key" in said
    for text in {line for key in keys for line in key.replace("pseudonyms:", "").split()}:
        assert text not in said
        assert base64.b64decode(text).hex() not in said


@pytest.mark.parametrize(
    "words", [["--agreement", AGREEMENT, "--region", "arden"], ["--keep-old-pseudonyms"]]
)
def test_options_that_do_not_go_together_are_refused(mere: Workspace, words: list[str]) -> None:
    app = typer.Typer()
    register(app)

    result = CliRunner().invoke(app, ["keys", "rotate", *words, "--data-dir", str(mere.data_dir)])

    assert result.exit_code != 0
    assert open_key_ring(mere.data_dir).fingerprint() == mere.keys.fingerprint()
