"""Fixtures of this room: a contract, a source, a connection, a store and a landing folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from intake_samples import make_contract, make_source

from declarations.contracts import Contract, Source
from intake.landing import Found
from intake.received import ReceivedStore


@pytest.fixture
def contract() -> Contract:
    return make_contract()


@pytest.fixture
def source() -> Source:
    return make_source()


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


@pytest.fixture
def store(tmp_path: Path) -> ReceivedStore:
    return ReceivedStore(tmp_path / "received")


@pytest.fixture
def deliver(tmp_path: Path, store: ReceivedStore, source: Source) -> Callable[..., Any]:
    """Put a file in the landing folder and take it into the store."""
    landing = tmp_path / "landing"
    landing.mkdir()

    def put(
        content: bytes,
        name: str = "library_sessions_2026-01.csv",
        period: str | None = "2026-01",
        reason: str | None = None,
    ) -> Any:
        path = landing / name
        path.write_bytes(content)
        return store.receive(Found(path, period, reason), source, dt.date(2026, 2, 9))

    return put
