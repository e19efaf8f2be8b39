from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from intake_samples import make_source

from declarations.contracts import Source
from declarations.errors import DeliveryError, StorageError
from intake.landing import Found
from intake.originals import remove_landed
from intake.received import Delivery, ReceivedStore, days_late

CONTENT = b"postcode,month,sessions\nQA1 1AA,2026-01,3\n"
OTHER = b"postcode,month,sessions\nQA1 1AA,2026-01,4\n"


def read(store: ReceivedStore, delivery: Delivery) -> bytes:
    with store.open(delivery) as path:
        return path.read_bytes()


def files_of(store: ReceivedStore) -> list[str]:
    return sorted(
        str(p.relative_to(store.root)) for p in store.root.rglob("*") if not p.name.startswith(".")
    )


def test_an_original_is_stored_as_sent_with_its_checksum(
    store: ReceivedStore, deliver: Callable[..., Delivery], source: Source
) -> None:
    delivery = deliver(CONTENT)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert delivery == Delivery(
        source_id=source.id,
        period="2026-01",
        version=1,
        file_name="library_sessions_2026-01.csv",
        sha256=sha256,
        bytes=len(CONTENT),
        arrived_on=dt.date(2026, 2, 9),
        outcome="accepted",
        days_late=0,
    )
    path = store.stored_path(delivery)
    assert path is not None
    assert read(store, delivery) == CONTENT == path.read_bytes()
    assert path.parent == store.root / source.id / "2026-01" / f"v001-{sha256[:12]}"
    assert path.stat().st_mode & 0o777 == 0o400
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert store.deliveries() == [delivery] == store.deliveries(source)
    assert store.latest(source, "2026-01") == delivery
    assert store.latest(source, "2026-02") is None
    assert store.verify(delivery)


def test_the_same_bytes_again_are_stored_once(
    store: ReceivedStore, deliver: Callable[..., Delivery]
) -> None:
    first = deliver(CONTENT)
    before = files_of(store)
    again = deliver(CONTENT)
    assert (again.outcome, again.version) == ("duplicate", 1)
    assert files_of(store) == before
    copy = deliver(CONTENT, name="library_sessions_2026-01 (1).csv")
    assert (copy.outcome, copy.reason, copy.version) == ("duplicate", "duplicate_delivery", 1)
    assert store.stored_path(copy) == store.stored_path(first)
    assert [d.outcome for d in store.deliveries()] == ["accepted", "duplicate"]


def test_a_name_nobody_agreed_on_is_kept_without_the_people_in_it(
    store: ReceivedStore, deliver: Callable[..., Delivery]
) -> None:
    name = "cases of Zebedee Quillfeather 07700900123.csv"
    delivery = deliver(CONTENT, name=name, reason="unknown_name")

    assert delivery.reason == "unknown_name"
    assert "cases of [name]" in delivery.file_name
    everything = " ".join(f"{p} {p.read_text('latin-1')}" for p in store.root.rglob("*.json"))
    assert "Quillfeather" not in everything + (delivery.message or "")
    assert "07700900123" not in everything


def test_the_same_bytes_after_disposal_are_a_delivery_of_their_own(
    store: ReceivedStore, deliver: Callable[..., Delivery]
) -> None:
    first = deliver(CONTENT)
    path = store.stored_path(first)
    assert path is not None
    path.unlink()

    again = deliver(CONTENT)

    assert (again.outcome, again.version) == ("accepted", 2)
    assert read(store, again) == CONTENT
    assert deliver(CONTENT).outcome == "duplicate"


def test_changed_content_is_the_next_version(
    store: ReceivedStore, deliver: Callable[..., Delivery], source: Source
) -> None:
    first, second = deliver(CONTENT), deliver(OTHER)
    assert (first.version, second.version) == (1, 2)
    assert store.latest(source, "2026-01") == second
    assert read(store, first) == CONTENT
    back = deliver(CONTENT)
    assert (back.outcome, back.version) == ("duplicate", 1)
    assert "replaced" in (back.message or "")
    assert store.latest(source, "2026-01") == second


def test_versions_are_numbers_not_texts(
    store: ReceivedStore, deliver: Callable[..., Delivery], source: Source
) -> None:
    deliver(CONTENT)
    path = store.stored_path(deliver(OTHER))
    assert path is not None
    folder = path.parent
    folder.rename(folder.with_name(folder.name.replace("v002", "v1000")))
    assert deliver(OTHER + b"QA1 1AB,2026-01,5\n").version == 1001


@pytest.mark.parametrize(
    ("content", "reason", "expected"),
    [
        (b"", None, "empty_file"),
        (b"\x00\x01\x02", None, "not_utf8_or_cp1252"),
        (gzip.compress(CONTENT * 100, mtime=0)[:-20], None, "truncated"),
        (CONTENT, "future_period", "future_period"),
        (CONTENT, "out_of_calendar", "out_of_calendar"),
        (CONTENT, "unknown_name", "unknown_name"),
    ],
)
def test_a_refused_file_is_recorded_but_not_kept(
    store: ReceivedStore,
    deliver: Callable[..., Delivery],
    content: bytes,
    reason: str | None,
    expected: str,
) -> None:
    suffix = ".csv.gz" if content.startswith(b"\x1f\x8b") else ".csv"
    name = f"library_sessions_2026-01{suffix}"
    delivery = deliver(content, name=name, reason=reason)
    assert (delivery.outcome, delivery.reason, delivery.version) == ("refused", expected, 0)
    assert delivery.message is not None
    assert name in delivery.message
    assert store.deliveries() == [delivery]
    assert delivery.sha256 == hashlib.sha256(content).hexdigest()
    assert not list(store.root.rglob(name))
    with pytest.raises(StorageError, match="not in the store"):
        read(store, delivery)
    deliver(content, name=name, reason=reason)
    assert store.deliveries() == [delivery]


@pytest.mark.parametrize("failing", ["replace", "fsync"])
def test_a_crash_leaves_nothing_and_the_next_receipt_tidies_up(
    store: ReceivedStore,
    deliver: Callable[..., Delivery],
    source: Source,
    monkeypatch: pytest.MonkeyPatch,
    failing: str,
) -> None:
    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, crash)
        # A killed process runs no clean-up either.
        patch.setattr("shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            deliver(CONTENT)
    leftovers = list((store.root / source.id).glob(".incoming-*"))
    assert leftovers
    assert store.deliveries() == []
    assert store.latest(source, "2026-01") is None
    assert not store.is_known(
        here(store.root.parent / "landing" / "library_sessions_2026-01.csv"), make_source()
    )
    assert deliver(CONTENT).outcome == "accepted"
    assert not list((store.root / source.id).glob(".incoming-*"))


def test_concurrent_receivers_store_a_file_once(store: ReceivedStore, tmp_path: Path) -> None:
    source = make_source()
    path = tmp_path / "library_sessions_2026-01.csv"
    path.write_bytes(CONTENT)

    def receive(_: int) -> str:
        own = ReceivedStore(store.root)
        return own.receive(Found(path, "2026-01"), source, dt.date(2026, 2, 9)).outcome

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(receive, range(16)))
    assert sorted(outcomes) == ["accepted", *["duplicate"] * 15]
    assert len(store.deliveries()) == 1


def here(path: Path) -> Found:
    return Found(path, "2026-01")


def test_a_known_file_is_recognised_without_being_read(
    store: ReceivedStore,
    deliver: Callable[..., Delivery],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "landing" / "library_sessions_2026-01.csv"
    assert not store.is_known(here(path), make_source())
    deliver(CONTENT)
    fresh = ReceivedStore(store.root)
    with monkeypatch.context() as patch:
        patch.setattr("intake.received._sha256", None)
        patch.setattr("intake.received.copied_in", None)
        assert store.is_known(here(path), make_source())
        assert fresh.is_known(here(path), make_source())
    os.utime(path, (1, 1))
    assert not store.is_known(here(path), make_source())
    assert deliver(CONTENT).outcome == "duplicate"
    # Another source, or another word of the calendar about the same file, is another matter.
    assert not store.is_known(here(path), make_source(id="another_source"))
    assert not store.is_known(Found(path, "2026-01", "future_period"), make_source())


def test_a_refused_file_is_known_too(
    store: ReceivedStore, deliver: Callable[..., Delivery], tmp_path: Path
) -> None:
    deliver(b"")
    assert store.is_known(
        here(tmp_path / "landing" / "library_sessions_2026-01.csv"), make_source()
    )


def test_a_file_that_still_grows_is_left_for_the_next_look(
    store: ReceivedStore,
    deliver: Callable[..., Delivery],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "landing" / "library_sessions_2026-01.csv"

    def growing(stream: Any) -> Any:
        yield stream.read()
        with path.open("ab") as sink:
            sink.write(b"QA1 1AB,2026-01,5\n")

    with monkeypatch.context() as patch:
        patch.setattr("intake.originals.chunks_of", growing)
        with pytest.raises(DeliveryError, match="still being written"):
            deliver(CONTENT)
    assert store.deliveries() == []
    assert not store.is_known(here(path), make_source())


def test_an_original_that_changed_is_not_handed_out(
    store: ReceivedStore, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver(CONTENT)
    path = store.stored_path(delivery)
    assert path is not None
    path.chmod(0o600)
    path.write_bytes(CONTENT.replace(b"3", b"9"))
    assert not store.verify(delivery)
    path.write_bytes(CONTENT + b"x")
    with pytest.raises(StorageError, match="has changed"):
        read(store, delivery)
    path.unlink()
    with pytest.raises(StorageError, match="not in the store"):
        read(store, delivery)
    assert store.deliveries() == [delivery]


def test_a_record_has_the_columns_of_the_deliveries_table(
    store: ReceivedStore, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver(CONTENT)
    (path,) = store.root.glob("*/2026-01/*/delivery.json")
    record = json.loads(path.read_text())
    columns = [
        "source_id", "period", "version", "file_name", "sha256", "bytes", "arrived_on",
        "outcome", "reason", "message", "days_late",
    ]  # fmt: skip
    assert list(record) == columns == list(delivery.as_row())
    assert Delivery.from_json(json.dumps(record)) == delivery


@pytest.mark.parametrize(
    ("arrived", "late"),
    [(dt.date(2026, 2, 28), 0), (dt.date(2026, 3, 1), 0), (dt.date(2026, 3, 2), 1)],
)
def test_days_late_are_counted_after_the_due_day(arrived: dt.date, late: int) -> None:
    # January ends on the 31st; 29 days later is 1 March.
    assert days_late(make_source(due_days=29), "2026-01", arrived) == late
    assert days_late(make_source(), None, arrived) is None
    # Nobody owes a published file on a day.
    assert days_late(make_source(due_days=29, open_data="nhs"), "2026-01", arrived) is None


def test_a_source_delivered_once_lies_under_once(store: ReceivedStore, tmp_path: Path) -> None:
    source = make_source(cadence="once", files="TS001.csv", period="2021-03")
    path = tmp_path / "TS001.csv"
    path.write_bytes(CONTENT)
    delivery = store.receive(Found(path, None), source, dt.date(2024, 11, 1))
    assert (delivery.period, delivery.days_late) == ("", None)
    assert store.latest(source.id, None) == delivery
    path = store.stored_path(delivery)
    assert path is not None
    assert path.parent.parent.name == "once"


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path, source: Source) -> None:
    (tmp_path / "received").write_text("a file stands where the store should be")
    path = tmp_path / "library_sessions_2026-01.csv"
    path.write_bytes(CONTENT)
    with pytest.raises(StorageError, match="cannot be written"):
        ReceivedStore(tmp_path / "received").receive(
            Found(path, "2026-01"), source, dt.date(2026, 2, 9)
        )


@pytest.mark.parametrize(("content", "gone"), [(CONTENT, True), (b"", False)])
def test_a_file_that_is_safe_leaves_the_landing_folder_and_a_refused_one_stays(
    store: ReceivedStore, tmp_path: Path, source: Source, content: bytes, gone: bool
) -> None:
    path = tmp_path / "library_sessions_2026-01.csv"
    path.write_bytes(content)
    delivery = store.receive(here(path), source, dt.date(2026, 2, 9), remove_landed=True)
    assert path.exists() is not gone
    assert (store.stored_path(delivery) is not None) is gone
    assert store.is_known(here(path), source) is not gone
    assert store.stays(here(path), source) is not gone


def test_a_duplicate_leaves_the_landing_folder_each_time_it_is_sent(
    store: ReceivedStore, tmp_path: Path, source: Source
) -> None:
    path = tmp_path / "library_sessions_2026-01.csv"
    outcomes = []
    for _ in range(3):
        path.write_bytes(CONTENT)
        os.utime(path, (1, 1))
        delivery = store.receive(here(path), source, dt.date(2026, 2, 9), remove_landed=True)
        outcomes.append((delivery.outcome, path.exists()))
    assert outcomes == [("accepted", False), ("duplicate", False), ("duplicate", False)]


def test_nothing_is_removed_unless_it_was_asked_for(
    store: ReceivedStore, deliver: Callable[..., Delivery], tmp_path: Path
) -> None:
    deliver(CONTENT)
    assert (tmp_path / "landing" / "library_sessions_2026-01.csv").exists()


def test_published_files_are_never_removed(store: ReceivedStore, tmp_path: Path) -> None:
    path = tmp_path / "library_sessions_2026-01.csv"
    path.write_bytes(CONTENT)
    source = make_source(open_data="libraries")
    delivery = store.receive(here(path), source, dt.date(2026, 2, 9), remove_landed=True)
    assert delivery.outcome == "accepted"
    assert path.exists()


def test_nothing_leaves_the_landing_folder_before_its_original_is_on_the_disk(
    store: ReceivedStore, tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "library_sessions_2026-01.csv"
    path.write_bytes(CONTENT)

    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("intake.received.sync_folder", crash)
        with pytest.raises(KeyboardInterrupt):
            store.receive(here(path), source, dt.date(2026, 2, 9), remove_landed=True)
    assert path.read_bytes() == CONTENT


def test_a_link_and_a_file_written_anew_are_not_removed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_bytes(CONTENT)
    link.symlink_to(real)
    facts = real.stat()
    assert not remove_landed(link, facts)
    assert link.is_symlink()
    real.write_bytes(OTHER + OTHER)
    assert not remove_landed(real, facts)
    assert real.exists()
    assert remove_landed(real, real.stat())
    assert not real.exists()
    assert not remove_landed(real, facts)
