"""A changed, missing or added file is found."""

import json

import pyarrow as pa
import pytest

from declarations.errors import StorageError
from publishing.manifest import MANIFEST_NAME, hash_file, verify_bundle, write_manifest


@pytest.fixture
def bundle(tmp_path, release):
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "notes.csv").write_text("a\n")
    (tmp_path / "map.html").write_text("<p>")
    lineage = pa.table({"indicator_id": ["H01"], "sha256": ["0" * 64]})
    write_manifest(tmp_path, release, lineage, "Synthetic data.")
    return tmp_path


def test_a_whole_bundle_has_no_differences(bundle):
    assert verify_bundle(bundle) == []


def test_the_manifest_quotes_the_release(bundle):
    content = json.loads((bundle / MANIFEST_NAME).read_text())
    assert content["release"]["release_id"] == "2026-11-r1"
    assert content["release"]["candidate_hash"] == "c" * 64
    assert [a["role"] for a in content["approvals"]] == ["Data lead", "Governance officer"]
    assert content["inputs"][0]["sha256"] == "a" * 64
    assert content["lineage"][0]["indicator_id"] == "H01"
    assert content["attribution"]
    assert content["synthetic"] == "Synthetic data."
    assert content["files"]["map.html"] == {"bytes": 3, "sha256": hash_file(bundle / "map.html")}


def test_a_changed_byte_is_found(bundle):
    (bundle / "map.html").write_text("<q>")
    assert verify_bundle(bundle) == ["map.html has changed since it was published."]


def test_a_missing_and_an_added_file_are_found(bundle):
    (bundle / "csv" / "notes.csv").rename(bundle / "csv" / "other.csv")
    assert verify_bundle(bundle) == [
        "csv/notes.csv is in the manifest but not in the bundle.",
        "csv/other.csv is in the bundle but not in the manifest.",
    ]


def test_a_link_to_the_same_bytes_is_found(bundle):
    target = bundle / "map.html"
    outside = bundle.parent / f"{bundle.name}-elsewhere.html"
    target.rename(outside)
    target.symlink_to(outside)
    assert verify_bundle(bundle) == ["map.html has changed since it was published."]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": 3}', "{"])
def test_a_damaged_manifest_is_an_error(bundle, content):
    (bundle / MANIFEST_NAME).write_text(content)
    with pytest.raises(StorageError, match="cannot be read"):
        verify_bundle(bundle)


def test_no_manifest_is_an_error(bundle):
    (bundle / MANIFEST_NAME).unlink()
    with pytest.raises(StorageError, match="has no"):
        verify_bundle(bundle)
