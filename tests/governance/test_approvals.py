"""Approvals: two different people, for exactly these bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from region_factory import region_content

from declarations.errors import ApprovalError
from declarations.region import Region
from governance.approvals import Approval, missing, record, recorded, require, standing

HASH, OTHER = "a" * 64, "b" * 64


def lacking(folder: Path, candidate: str = HASH) -> str | None:
    return missing(recorded(folder, candidate), candidate)


def test_two_people_are_enough_and_one_is_not(tmp_path: Path) -> None:
    assert lacking(tmp_path) == "a requester"
    record(tmp_path, HASH, "requester", "Ann Analyst")
    assert lacking(tmp_path) == "an approver"
    with pytest.raises(ApprovalError, match="still needs an approver"):
        require(recorded(tmp_path, HASH), HASH)

    approval = record(tmp_path, HASH, "approver", " Olu Officer ")

    assert lacking(tmp_path) is None
    require(recorded(tmp_path, HASH), HASH)
    assert approval.person == "Olu Officer"
    assert approval.account
    assert recorded(tmp_path, HASH)[1] == approval


SAME_PERSON = [
    ("Ann Analyst", "Ann Analyst"),
    ("Ann Analyst", "ANN ANALYST"),
    ("Ann Analyst", " ann  analyst "),
    ("Renée Straße", "Renee\u0301 STRASSE"),
    ("Renée", "Renee"),
    ("Ann-Marie O'Neill", "Ann Marie ONeill"),
    ("Ann", "\uff21\uff4e\uff4e"),
]


@pytest.mark.parametrize(("first", "second"), SAME_PERSON)
@pytest.mark.parametrize("roles", [("requester", "approver"), ("approver", "requester")])
def test_the_same_person_in_another_spelling_is_refused(
    tmp_path: Path, first: str, second: str, roles: tuple[str, str]
) -> None:
    record(tmp_path, HASH, roles[0], first)  # type: ignore[arg-type]

    with pytest.raises(ApprovalError, match="same person"):
        record(tmp_path, HASH, roles[1], second)  # type: ignore[arg-type]

    assert len(recorded(tmp_path, HASH)) == 1


@pytest.mark.parametrize(("first", "second"), SAME_PERSON)
def test_the_same_person_written_into_the_file_does_not_count_twice(
    first: str, second: str
) -> None:
    forged = [
        Approval(HASH, "requester", first, "account", "2026-01-01T00:00:00+00:00"),
        Approval(HASH, "approver", second, "account", "2026-01-01T00:00:00+00:00"),
    ]

    assert missing(forged, HASH) == "an approver who is not the requester"


@pytest.mark.parametrize("name", ["", "   ", "--", "\u00a0"])
def test_a_name_is_needed(tmp_path: Path, name: str) -> None:
    with pytest.raises(ApprovalError, match="name of a person"):
        record(tmp_path, HASH, "requester", name)

    forged = [Approval(HASH, role, name, "x", "t") for role in ("requester", "approver")]
    assert missing(forged, HASH) == "a requester"


def test_an_approval_of_another_hash_is_void(tmp_path: Path) -> None:
    record(tmp_path, OTHER, "requester", "Ann Analyst")
    record(tmp_path, OTHER, "approver", "Olu Officer")

    assert lacking(tmp_path) == "a requester"
    assert missing(recorded(tmp_path, OTHER), HASH) == "a requester"

    (tmp_path / f"{OTHER}.jsonl").rename(tmp_path / f"{HASH}.jsonl")
    assert recorded(tmp_path, HASH) == []


@pytest.mark.parametrize(
    "line", ["{", "[]", "null", "{}", '{"candidate_hash": "a", "extra": 1}', "", "caf\xe9"]
)
def test_a_malformed_line_is_an_error_not_an_approval(tmp_path: Path, line: str) -> None:
    record(tmp_path, HASH, "requester", "Ann Analyst")
    path = tmp_path / f"{HASH}.jsonl"
    path.write_bytes(path.read_bytes() + line.encode("latin-1") + b"\n")

    with pytest.raises(ApprovalError, match="line 2 is not an approval"):
        recorded(tmp_path, HASH)


@pytest.mark.parametrize(
    "changes",
    [{"person": None}, {"person": 7}, {"role": "owner"}, {"standing": True}, {"at": "soon"}],
)
def test_an_approval_with_a_wrong_field_is_not_taken(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    record(tmp_path, HASH, "requester", "Ann Analyst")
    path = tmp_path / f"{HASH}.jsonl"
    line = {**json.loads(path.read_text()), "role": "approver", "person": "Olu", **changes}
    path.write_text(path.read_text() + json.dumps(line) + "\n")

    with pytest.raises(ApprovalError, match="line 2 is not an approval"):
        recorded(tmp_path, HASH)


@pytest.mark.parametrize("name", ["", "abc", "A" * 64, "a" * 63, "../" + "a" * 61, "a" * 64 + "\n"])
def test_a_candidate_is_named_by_its_whole_hash(tmp_path: Path, name: str) -> None:
    with pytest.raises(ApprovalError, match="64 hexadecimal digits"):
        record(tmp_path, name, "requester", "Ann Analyst")


def region(**changes: object) -> Region:
    return Region.model_validate(region_content(**changes)["region.yaml"])


def test_a_synthetic_region_may_be_approved_in_advance() -> None:
    given = standing(region(), HASH)

    assert missing(given, HASH) is None
    assert missing(given, OTHER) == "a requester"
    assert all(a.standing for a in given)


def test_a_region_of_real_records_may_not(tmp_path: Path) -> None:
    real = region(synthetic="no", clock="system", as_of=None, standing_approval=None)
    assert standing(real, HASH) == []

    # Past the model that forbids it: the second lock holds alone.
    forced = region().model_copy(update={"synthetic": "no"})
    assert forced.standing_approval is not None
    assert standing(forced, HASH) == []
    assert standing(region(standing_approval=None), HASH) == []
