"""What the documentation says is there: pages made from code, commands, links, queries, tests."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import typer.main

from declarations.errors import LsoalinkError
from pipelines.cli import app
from pipelines.scaffold import write_schemas
from pipelines.settings import Settings
from publishing.dictionary import RELEASE_TABLES
from publishing.dictionary_derived import DERIVED
from publishing.duckdb_file import write_duckdb

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
COMMAND_LINE = re.compile(r"^ {4}(lsoalink .+)$")
INLINE_COMMAND = re.compile(r"`(lsoalink [^`]+)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")
ANCHOR = re.compile(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def documented_commands() -> Iterator[tuple[str, str, bool]]:
    """Yield page, command, and whether it stands alone; one in a sentence may be cut short."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        name = str(page.relative_to(ROOT))
        for line in text.splitlines():
            found = COMMAND_LINE.match(line)
            if found:
                yield name, found[1].split(" || ")[0], True
        for found in INLINE_COMMAND.finditer(text):
            yield name, found[1], False


def problem_of(command: str) -> str | None:
    """Return why the command line would not take a command, None if it would."""
    words = shlex.split(command)[1:]
    parser: Any = typer.main.get_command(app)
    while hasattr(parser, "commands"):
        if not words or words[0] not in parser.commands:
            return f"there is no command {' '.join(words[:1])}"
        parser = parser.commands[words.pop(0)]
    try:
        parser.make_context("lsoalink", words)
    except Exception as error:
        # typer brings its own copy of click, whose errors are no classes of click's.
        if not hasattr(error, "format_message"):
            raise
        return str(error.format_message())
    return None


@pytest.mark.parametrize(("page", "command", "alone"), sorted(set(documented_commands())))
def test_documented_commands_exist(page: str, command: str, alone: bool) -> None:
    problem = problem_of(command)
    if not alone and problem and problem.startswith("Missing"):
        return
    assert problem is None, f"{page}: {command}: {problem}"


@pytest.mark.parametrize(
    "command",
    ["lsoalink publish arden", "lsoalink run arden --fast", "lsoalink sql --format xml x"],
)
def test_a_command_that_does_not_exist_is_found(command: str) -> None:
    assert problem_of(command) is not None


def test_the_data_dictionary_is_current() -> None:
    page = (DOCS / "data-dictionary.md").read_text(encoding="utf-8")
    assert page == generator().dictionary_page(), "Run .venv/bin/python docs/generate.py"


def test_the_catalogue_page_is_current() -> None:
    page = (DOCS / "methodology" / "indicators.md").read_text(encoding="utf-8")
    assert page == generator().catalogue_page(), "Run .venv/bin/python docs/generate.py"


def test_the_json_schemas_are_current(tmp_path: Path) -> None:
    names = write_schemas(tmp_path)
    assert sorted(names) == sorted(p.name for p in (DOCS / "schemas").iterdir())
    for name in names:
        committed = (DOCS / "schemas" / name).read_text(encoding="utf-8")
        assert committed == (tmp_path / name).read_text(encoding="utf-8"), (
            f"{name} is out of date: run .venv/bin/python docs/generate.py"
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and most Markdown tools make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()).strip() for heading in headings)
    return {words.replace(" ", "-") for words in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_anchors_are_headings(page: Path) -> None:
    found = ANCHOR.findall(page.read_text(encoding="utf-8"))
    pages = [(page.parent / target if target else page, anchor) for target, anchor in found]
    lost = [a for p, a in pages if p.suffix == ".md" and a not in anchors_of(p)]
    assert lost == []


@pytest.fixture(scope="module")
def empty_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release file with every table and view, and no row."""
    kinds = {
        "VARCHAR": pa.string(), "BIGINT": pa.int64(), "INTEGER": pa.int32(),
        "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(), "DATE": pa.date32(),
    }  # fmt: skip
    tables = {
        name: pa.schema([(c.name, kinds[c.type]) for c in table.columns]).empty_table()
        for name, table in RELEASE_TABLES.items()
    }
    path = tmp_path_factory.mktemp("release") / "lsoalink.duckdb"
    write_duckdb(path, tables, {"release_id": "none"}, "")
    return path


def queries_for_analysts() -> list[str]:
    text = (DOCS / "analysts.md").read_text(encoding="utf-8")
    fenced = [body for language, body in FENCE.findall(text) if language == "sql"]
    typed = [
        shlex.split(command)[2]
        for page, command, alone in documented_commands()
        if alone and command.startswith('lsoalink sql "') and not page.endswith("figures.md")
    ]
    return [*fenced, *typed]


def test_there_are_queries_for_analysts() -> None:
    assert len(queries_for_analysts()) >= 10


@pytest.mark.parametrize("table", [table.name for table in DERIVED])
def test_each_derived_table_has_a_question_and_how_not_to_read_it(table: str) -> None:
    text = (DOCS / "analysts.md").read_text(encoding="utf-8")
    section = text[text.index("## Questions of a commissioner") :]
    section = section[: section.index("\n## ", 3)]
    answered = re.findall(r"^```sql\n(.*?)^```\n\n(.*?)\n", section, re.M | re.S)
    mine = [after for query, after in answered if re.search(rf"FROM {table}\b", query)]
    assert len(mine) == 1
    assert mine[0].startswith("How not to read it: ")


def test_every_page_is_named_where_documentation_begins() -> None:
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = {
        str(p.relative_to(DOCS))
        for p in DOCS.rglob("*.md")
        if p.parent.name != "decisions" and p != DOCS / "README.md"
    }
    assert pages - set(LINK.findall(text)) == set()


def test_every_decision_is_listed() -> None:
    folder = DOCS / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {p.name for p in folder.glob("0*.md")}


@pytest.mark.parametrize("query", queries_for_analysts())
def test_queries_for_analysts_run_on_a_release(empty_release: Path, query: str) -> None:
    with duckdb.connect(str(empty_release), read_only=True) as con:
        con.execute(query).fetchall()


def test_a_query_of_a_column_that_does_not_exist_is_found(empty_release: Path) -> None:
    with (
        duckdb.connect(str(empty_release), read_only=True) as con,
        pytest.raises(duckdb.BinderException),
    ):
        con.execute("SELECT lsoa11cd FROM areas")


def named_tests() -> list[tuple[str, str]]:
    return NAMED_TEST.findall((DOCS / "security.md").read_text(encoding="utf-8"))


def test_every_test_named_in_security_exists() -> None:
    missing = [
        f"{file}::{name}"
        for file, name in named_tests()
        if not (ROOT / file).is_file()
        or f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert len(named_tests()) >= 15
    assert missing == []


def test_exit_codes_are_those_of_the_errors() -> None:
    text = (DOCS / "running.md").read_text(encoding="utf-8")
    section = text[text.index("## Exit codes") :]
    listed = {int(n) for n in re.findall(r"^\| (\d+) \|", section, re.M)}
    raised = {kind.exit_code for kind in LsoalinkError.__subclasses__()}
    # Beside the errors: done, unexpected, wrong command (typer), interrupted.
    assert listed == raised | {0, 1, 2, 130}


def test_every_setting_is_documented() -> None:
    text = (DOCS / "running.md").read_text(encoding="utf-8")
    wanted = {f"LSOALINK_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in wanted if f"`{name}`" not in text} == set()
