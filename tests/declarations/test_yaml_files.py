"""What may be wrong with one YAML file, and what its author is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from declarations.base import Declaration, Identifier
from declarations.declared import digest
from declarations.errors import ConfigurationError
from declarations.loader import read_declaration
from declarations.region import District, Region


class Sum(Declaration):
    """A model with what a YAML file may get wrong."""

    measures: list[Identifier]
    categories: list[str] | None = None


GOOD = "measures: [cases]\n"

FAULTS: dict[str, tuple[str, list[str]]] = {
    "malformed": ("measures: [cases]\ncategories: [a\n", ["not valid YAML", "line 3"]),
    "tab": ("measures:\n\t- cases\n", ["not valid YAML", "line 2"]),
    "duplicate key": (
        "measures: [a_case]\nmeasures: [b_case]\n", ["'measures' stands twice", "line 2"]
    ),
    "key that is a list": ("? [a, b]\n: c\n", ["not valid YAML", "line 1"]),
    "python object": ("measures: !!python/object/apply:os.getcwd []\n", ["not valid YAML"]),
    "unknown key": ("measures: [cases]\nmesures: [x]\n", ["mesures", "not a key"]),
    "wrong type": ("measures: cases\n", ["measures", "list"]),
    "wrong type inside": ("measures: [cases, 7]\n", ["measures.1", "string"]),
    "missing key": ("categories: [a]\n", ["measures", "is missing"]),
    "empty": ("", ["empty or not a mapping"]),
    "a list": ("- measures\n", ["empty or not a mapping"]),
    "bad identifier": ("measures: [Some Cases]\n", ["measures.0", "pattern"]),
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "term.yaml"


def test_a_good_file_is_read(file: Path) -> None:
    file.write_text(GOOD)

    assert read_declaration(file, Sum) == Sum(measures=["cases"])


def test_a_byte_order_mark_is_no_fault(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8-sig")

    assert read_declaration(file, Sum) == Sum(measures=["cases"])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_names_the_file_and_the_place(file: Path, fault: str) -> None:
    text, said = FAULTS[fault]
    file.write_text(text)

    with pytest.raises(ConfigurationError) as raised:
        read_declaration(file, Sum)

    message = str(raised.value)
    assert str(file) in message
    assert [words for words in said if words not in message] == []
    assert "\n" not in message


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"term\.yaml does not exist"):
        read_declaration(file, Sum)


def test_a_file_that_is_not_utf8_is_refused(file: Path) -> None:
    file.write_bytes("measures: [café]\n".encode("latin-1"))

    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_declaration(file, Sum)


def test_only_the_first_few_of_many_faults_are_listed(file: Path) -> None:
    file.write_text(GOOD + "".join(f"extra_{n}: 1\n" for n in range(9)))

    with pytest.raises(ConfigurationError, match=r"and 5 more"):
        read_declaration(file, Sum)


def test_an_error_has_one_sentence_for_the_problem_and_one_for_the_fix() -> None:
    assert str(ConfigurationError("It is wrong.", "Mend it")) == "It is wrong. Mend it."
    assert str(ConfigurationError("It is wrong")) == "It is wrong."


def test_a_digest_follows_what_is_said_not_how_it_is_laid_out(tmp_path: Path) -> None:
    layouts = [
        "lad24cd: E08990001\nname: A\n",
        "{name: A, lad24cd: E08990001}\n",
        "lad24cd: E08990001\nname: B\n",
    ]
    digests = []
    for number, text in enumerate(layouts):
        (tmp_path / f"{number}.yaml").write_text(text)
        digests.append(digest(read_declaration(tmp_path / f"{number}.yaml", District)))

    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_a_declaration_cannot_be_changed_after_it_was_read() -> None:
    term = Sum(measures=["cases"])

    with pytest.raises(ValueError, match="frozen"):
        term.categories = ["a"]
    assert Region.model_config["extra"] == "forbid"
