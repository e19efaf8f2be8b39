"""The redactor: every recogniser over one text, on presidio-analyzer.

Belongs here: running the analyzer, settling overlaps, and writing the redacted text. Does not
belong here: what is recognised (`recognisers`, `names`), columns or documents.

Presidio brings recognisers of its own, of which those for other countries find licence and passport
numbers in any digits, and the one for e-mail addresses looks up a list on the network. Its registry
is filled with ours only, and its language engine is the name model (`presidio`). Presidio logs no
text unless its decision trace is on, and it is off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from governance.redaction.findings import KINDS, Finding, without_overlaps
from governance.redaction.names import NameModel, NamesUnavailableError, name_model
from governance.redaction.plain_text import PlainText, plain

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, RecognizerResult


@dataclass(frozen=True)
class Redacted:
    """A text without what identified people.

    Attributes
    ----------
    text : str
        Each finding is replaced by its kind in square brackets, such as "[NHS number]".
    counts_by_kind : mapping of str to int
        How many of each kind (a key of `KINDS`) were replaced.
    """

    text: str
    counts_by_kind: Mapping[str, int]


class Redactor:
    """Find and take out what identifies people.

    Parameters
    ----------
    names : bool
        Whether names of people are looked for: by rules and, where it is installed, by the model.

    Attributes
    ----------
    names_available : bool
        Whether the name model is there and used.
    names_note : str
        In words, why it is not; empty if it is.
    """

    def __init__(self, names: bool = True) -> None:
        self._names = names
        self._model: NameModel | None = None
        self.names_note = "" if names else "Names were not asked for"
        if names:
            try:
                self._model = name_model()
            except NamesUnavailableError as error:
                self.names_note = f"Names are found by rules alone: {error}"
        self.names_available = self._model is not None

    @cached_property
    def _analyzer(self) -> AnalyzerEngine:
        # Here and not above: it imports presidio-analyzer and spaCy, two seconds of work.
        from governance.redaction.presidio import analyzer  # noqa: PLC0415

        return analyzer(self._model, names=self._names)

    def find(self, text: str) -> list[Finding]:
        """Find what identifies people.

        Parameters
        ----------
        text : str
            Any text; the positions in the result are of this text.

        Returns
        -------
        list of Finding
            In order of place. No two overlap: the surer stands, then the longer.
        """
        return self.find_many([text])[0]

    def find_many(self, texts: Sequence[str]) -> list[list[Finding]]:
        """Find in many texts at once, which is faster for names than one by one.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        list of list of Finding
            As `find`, one list a text.
        """
        plains = [plain(text) for text in texts]
        batch = self._analyzer.nlp_engine.process_batch([each.text for each in plains], "en")
        return [
            self._settled(each, self._analyzer.analyze(each.text, "en", nlp_artifacts=artifacts))
            for each, (_, artifacts) in zip(plains, batch, strict=True)
        ]

    def redact(self, text: str) -> Redacted:
        """Take out what identifies people.

        Parameters
        ----------
        text : str

        Returns
        -------
        Redacted
        """
        return redacted(text, self.find(text))

    def redact_many(self, texts: Sequence[str]) -> list[Redacted]:
        """Take out of many texts at once what identifies people.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        list of Redacted
        """
        return [
            redacted(text, found) for text, found in zip(texts, self.find_many(texts), strict=True)
        ]

    @staticmethod
    def _settled(searched: PlainText, results: Sequence[RecognizerResult]) -> list[Finding]:
        settled = without_overlaps(
            Finding(
                result.start,
                result.end,
                result.entity_type,
                result.score,
                result.recognition_metadata["recognizer_name"],
            )
            for result in results
        )
        findings: list[Finding] = []
        for each in settled:
            # What is left beside a surer finding may be a comma or a blank, or the rest of a name.
            if not any(letter.isalnum() for letter in searched.text[each.start : each.end]):
                continue
            start, end = searched.span(each.start, each.end)
            last = findings[-1] if findings else None
            if last and last.kind == each.kind and last.end == start:
                findings[-1] = replace(last, end=end, score=max(last.score, each.score))
            else:
                findings.append(replace(each, start=start, end=end))
        return findings


def redacted(text: str, findings: Sequence[Finding]) -> Redacted:
    """Write a text with its findings replaced by their kinds.

    Parameters
    ----------
    text : str
    findings : sequence of Finding
        In order of place, none overlapping, as `Redactor.find` gives them or as a person has
        accepted them.

    Returns
    -------
    Redacted
    """
    pieces: list[str] = []
    place = 0
    for finding in findings:
        pieces += (text[place : finding.start], f"[{KINDS[finding.kind]}]")
        place = finding.end
    return Redacted("".join([*pieces, text[place:]]), Counter(each.kind for each in findings))
