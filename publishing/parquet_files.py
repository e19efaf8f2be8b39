"""The Parquet files of a release, with the dictionary and the synthetic mark in their metadata.

Belongs here: how a conformed table becomes Parquet. Does not belong here: the lake's own Parquet
files (``warehouse/``), which carry other metadata and may be encrypted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from publishing.dictionary import RELEASE_TABLES

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP_ROWS = 131_072
"""Fixed, so that equal tables give equal files on any machine."""

METADATA_KEY = b"lsoalink"


def write_parquet_files(
    folder: Path, tables: Mapping[str, pa.Table], about: Mapping[str, str]
) -> None:
    """Write ``<table>.parquet`` for every conformed table into an existing folder.

    Parameters
    ----------
    folder : Path
        Must exist.
    tables : mapping of str to pyarrow.Table
        Conformed tables by name.
    about : mapping of str to str
        Facts of the release; stored as JSON under the metadata key ``lsoalink`` together with the
        table's description, and the key ``synthetic``.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    for name, data in tables.items():
        table = RELEASE_TABLES[name]
        fields = [
            field.with_metadata({"description": column.description, "unit": column.unit})
            for field, column in zip(data.schema, table.columns, strict=True)
        ]
        text = json.dumps(
            {"table": name, "description": table.description, **about}, sort_keys=True
        )
        schema = pa.schema(fields, metadata={METADATA_KEY: text.encode()})
        pq.write_table(
            data.cast(schema),
            folder / f"{name}.parquet",
            compression="zstd",
            row_group_size=ROW_GROUP_ROWS,
        )
