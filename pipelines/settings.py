"""Settings of an installation, from the environment; the command line's options go first.

Belongs here: names and defaults of settings. Does not belong here: anything a region declares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an installation may set.

    Every field is read from the variable ``LSOALINK_<FIELD>``.
    """

    model_config = SettingsConfigDict(env_prefix="LSOALINK_", extra="ignore")

    data_dir: Path = Field(default=Path("data"), description="Where every region's data goes.")
    open_data: Path | None = Field(default=None, description="Folder of published files.")
    regions: str = Field(
        default="", description="Further region folders for Dagster, separated by colons."
    )
    executor: Literal["in_process", "multiprocess"] = Field(
        default="in_process", description="How Dagster runs the steps of a run."
    )
    max_concurrent: int = Field(default=2, ge=1, description="Steps at a time, if multiprocess.")
