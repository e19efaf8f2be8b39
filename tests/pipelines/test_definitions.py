"""What Dagster loads: quickly, without data or network, and as its own tools accept it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from command_line import REPOSITORY, run_script

from declarations.errors import ConfigurationError
from pipelines.build import build_definitions, executor
from pipelines.regions import bundled, open_region
from pipelines.settings import Settings

BIN = Path(sys.executable).parent

GUARDED = """
import builtins, io, json, os, pathlib, socket, sys
opened = []
def watch(event, args):
    if event == 'open' and isinstance(args[0], (str, bytes)):
        opened.append(os.fsdecode(args[0]))
    if event in ('socket.connect', 'socket.getaddrinfo'):
        opened.append('network')
sys.addaudithook(watch)
from pipelines.definitions import defs
defs.resolve_asset_graph()
print(json.dumps({'modules': sorted(sys.modules), 'opened': opened}))
"""


@pytest.fixture(scope="module")
def loading(tmp_path_factory):
    """Load the definitions in a process that notes every file it opens."""
    data = tmp_path_factory.mktemp("data")
    said = run_script([sys.executable, "-c", GUARDED], LSOALINK_DATA_DIR=str(data))
    assert said.returncode == 0, said.stderr
    return data, json.loads(said.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["great_expectations", "geopandas", "duckdb", "pandas", "scipy"])
def test_loading_does_not_import(loading, name):
    assert name not in loading[1]["modules"]


def test_loading_opens_declarations_and_no_data(loading):
    data, found = loading
    opened = found["opened"]
    assert any(o.endswith("region.yaml") for o in opened)
    assert [o for o in opened if str(data) in o or "/landing/" in o or o == "network"] == []
    assert list(data.iterdir()) == []


def test_loading_opens_no_network(loading):
    assert "network" not in loading[1]["opened"]


def test_every_bundled_region_has_a_job_a_schedule_and_a_sensor():
    definitions = build_definitions(settings=Settings())
    repository = definitions.get_repository_def()
    for name in bundled():
        stem = name.replace("-", "_")
        assert repository.has_job(f"{stem}_all")
        assert repository.has_schedule_def(f"{stem}_monthly")
        assert repository.has_sensor_def(f"{stem}_landing")


def test_further_regions_are_named_in_a_setting(starter_folder):
    settings = Settings(regions=str(starter_folder))
    repository = build_definitions(settings=settings).get_repository_def()
    assert repository.has_job("starter_all")
    assert repository.has_job("arden_all")


def test_two_regions_of_one_name_are_refused():
    arden = open_region("arden")
    with pytest.raises(ConfigurationError, match="Two regions are called arden"):
        build_definitions(regions=[arden, arden])


@pytest.mark.parametrize("name", ["in_process", "multiprocess"])
def test_the_executor_is_a_setting(name):
    assert executor(Settings(executor=name)).name == name


@pytest.mark.end_to_end
def test_dagsters_layout_check_accepts_the_project():
    said = run_script([BIN / "dg", "check", "defs"], VIRTUAL_ENV=str(BIN.parent))
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.end_to_end
def test_dagster_validates_the_workspace_file():
    said = run_script([BIN / "dagster", "definitions", "validate", "-w", "workspace.yaml"])
    assert said.returncode == 0, said.stdout + said.stderr
    assert (REPOSITORY / "workspace.yaml").is_file()
