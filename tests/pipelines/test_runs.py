"""Runs side by side, approvals by two people, and proofs that notice a change."""

from __future__ import annotations

import json
import time

import dagster as dg
import geopandas
import pytest
import shapely

from declarations.errors import (
    ConfigurationError,
    DeliveryError,
    GeographyError,
    LsoalinkError,
    StorageError,
)
from geography.boundaries import read_boundaries
from intake.errors import UnsafeFileError
from pipelines.running import _failure, _selected

PERSONAL = ("clock:", "as_of:", "generator:", "synthetic:")
FIRST, SECOND = ("--as", "requester", "--by", "Ash One"), ("--as", "approver", "--by", "Bo Two")


def make_real(site):
    """Turn the starter region into one of real records, as its README says."""
    head = site.folder / "region.yaml"
    lines, skipping = [], False
    for line in head.read_text().splitlines():
        skipping = (skipping and line.startswith(" ")) or line.startswith("standing_approval:")
        if not skipping and not line.startswith(PERSONAL):
            lines.append(line)
    head.write_text("\n".join([*lines, 'synthetic: "no"']) + "\n")
    for folder in ("sources", "agreements"):
        for path in (site.folder / folder).glob("*.yaml"):
            kept = [r for r in path.read_text().splitlines() if r.strip() != "synthetic: true"]
            path.write_text("\n".join(kept) + "\n")


def published(site):
    return sorted(p.name for p in (site.root / "published").glob("*"))


def test_a_release_of_real_records_waits_for_two_people(starter):
    make_real(starter)
    said = starter.run()
    assert said.code == 0, said.err
    assert "A candidate waits for" in said.out
    assert published(starter) == []
    assert starter.sql("FROM areas").code == 10

    assert "waits for" in starter.command("status").out
    one = starter.command("approve", *FIRST)
    assert one.code == 0
    assert "still needs" in one.out
    assert published(starter) == []

    for spelling in ("Ash One", "ASH  one", "Àsh One"):
        same = starter.command("approve", "--as", "approver", "--by", spelling)
        assert same.code == 9
        assert "same person" in same.err
    assert starter.command("approve", "--as", "approver", "--by", " ").code == 9
    assert published(starter) == []

    two = starter.command("approve", *SECOND)
    assert two.code == 0
    assert "Published" in two.out
    assert len(published(starter)) == 2  # the release, and the link to it
    manifest = json.loads((starter.latest / "manifest.json").read_text())
    assert {a["person"] for a in manifest["approvals"]} == {"Ash One", "Bo Two"}
    assert starter.command("verify").code == 0
    assert starter.command("audit verify").code == 0
    assert starter.command("approve", *SECOND).code == 9


def test_a_changed_candidate_voids_its_approvals(starter):
    make_real(starter)
    starter.run()
    starter.command("approve", *FIRST)
    (candidate,) = [p for p in (starter.root / "candidates").iterdir() if p.is_dir()]
    with (candidate / "csv" / "observations.csv").open("a") as file:
        file.write("\n")
    said = starter.command("approve", *SECOND)
    # Either it is refused, or the candidate is made anew and has no approval yet.
    assert said.code == 9 or "still needs" in said.out
    assert published(starter) == []


def test_the_audit_chain_shows_an_edit(starter):
    assert starter.run().code == 0
    said = starter.command("audit verify")
    assert said.code == 0
    assert "all links hold" in said.out
    path = starter.root / "audit" / "audit.jsonl"
    whole = path.read_text()
    edits = {
        "was changed": whole.replace('"decision": "admitted"', '"decision": "trimmed"', 1),
        "missing or moved": "".join(whole.splitlines(keepends=True)[1:]),
        "the end was cut off": "".join(whole.splitlines(keepends=True)[:3]),
    }
    for words, text in edits.items():
        path.write_text(text)
        said = starter.command("audit verify")
        assert said.code == 9
        assert words in said.out
    path.write_text(whole)
    assert starter.command("audit verify").code == 0


def test_two_runs_at_once_do_not_work_on_one_region(starter):
    first = starter.start()
    lock = starter.root / "run.lock"
    while not lock.exists():
        time.sleep(0.02)
    second = starter.run()
    assert first.wait().code == 0
    assert second.code == 10
    assert "Another run is working" in second.err


def test_the_lock_of_a_killed_run_does_not_stay(starter):
    run = starter.start()
    lock = starter.root / "run.lock"
    while not lock.exists():
        time.sleep(0.02)
    run.kill()
    assert run.wait().code == -9
    assert starter.run().code == 0


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_key_that_others_may_read_is_refused(starter, mode):
    key = starter.data / ".keys" / "master.key"
    key.parent.mkdir(parents=True)
    key.write_text("c" * 43 + "=\n")
    key.chmod(mode)
    said = starter.run()
    assert said.code == 10
    assert "may be read by others" in said.err


def test_one_month_alone_can_be_run(starter):
    assert starter.run("--period", "2026-07").code == 0
    made = (starter.root / "linked" / "counts_northwood_library_sessions").glob("*.parquet")
    assert [p.stem for p in made] == ["2026-07"]


def test_one_stage_alone_can_be_run(starter):
    assert starter.run("--select", 'key:"*/received_*"').code == 0
    assert (starter.root / "received" / "census_residents").is_dir()
    assert not (starter.root / "restricted" / "admitted_census_residents").exists()


@dg.asset
def upstream() -> None:
    """One asset."""


@dg.asset(deps=[upstream])
def downstream() -> None:
    """And one made from it."""


@pytest.mark.parametrize(
    "select",
    ["", " ", "key:", 'key:"', "((", "upstream and", "not upstream", "+", "sinks(upstream)",
     "nothing_of_the_name", "1+", "\x00", "group:", "status:healthy", "column:x", "table_name:x",
     "code_location:x", "changed_in_branch:new", "(" * 200],
)  # fmt: skip
def test_a_selection_that_is_none_is_refused_in_one_sentence(select):
    definitions = dg.Definitions(assets=[upstream, downstream])
    with pytest.raises(ConfigurationError, match="--select cannot be understood"):
        _selected(definitions, select)


def test_a_selection_chooses_assets():
    definitions = dg.Definitions(assets=[upstream, downstream])
    assert _selected(definitions, None) is None
    assert _selected(definitions, 'key:"down*"') == [downstream.key]
    assert _selected(definitions, '+key:"down*"') == [downstream.key, upstream.key]
    with pytest.raises(ConfigurationError, match="chooses no asset"):
        _selected(definitions, 'key:"*nothing*"')


def failed(work):
    """The failure of the only step of a run."""

    @dg.asset
    def step() -> None:
        work()

    job = dg.Definitions(assets=[step]).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(raise_on_error=False)
    (event,) = [e for e in result.all_events if e.is_step_failure]
    return event


PLANTED = "planted-value"


def chain(*errors):
    """Raise the first error, caused by the second, and so on."""

    def work():
        for error, cause in zip(errors, [*errors[1:], None], strict=True):
            error.__cause__ = cause
        raise errors[0]

    return work


@pytest.mark.parametrize(
    ("errors", "kind", "words"),
    [
        ([GeographyError("A. b", "Mend it")], GeographyError, "A. b. Mend it."),
        ([GeographyError("A", "Mend it"), ValueError(PLANTED)], GeographyError, "A. Mend it."),
        (
            [StorageError("Outer"), GeographyError("Inner"), KeyError(PLANTED)],
            StorageError, "Outer.",
        ),
        ([RuntimeError(PLANTED), GeographyError("Inner")], GeographyError, "Inner."),
        ([UnsafeFileError("zip_bomb", "A", "Mend it")], DeliveryError, "A. Mend it."),
        (
            [RuntimeError(PLANTED), ValueError(PLANTED)], StorageError,
            "The step step failed unexpectedly (ValueError)",
        ),
    ],
)  # fmt: skip
def test_of_a_chain_of_errors_ours_is_told(errors, kind, words):
    told = _failure(failed(chain(*errors)))
    assert type(told) is kind
    assert isinstance(told, LsoalinkError)
    assert str(told).startswith(words)
    assert PLANTED not in str(told)


def test_the_history_of_a_run_has_no_words_of_a_library_about_a_file(tmp_path):
    import pyarrow.parquet as pq

    path = tmp_path / "areas.parquet"
    frame = geopandas.GeoDataFrame({"c": ["a"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=27700)
    frame.to_parquet(path)
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    geo["columns"]["geometry"]["crs"] = PLANTED
    pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), path)

    event = failed(lambda: read_boundaries(path, {"lsoa21cd": "c"}))

    assert PLANTED not in str(event.step_failure_data)
    assert "cannot be read as geometry" in str(_failure(event))
