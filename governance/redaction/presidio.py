"""Our recognisers in the form presidio-analyzer takes.

Belongs here: the adapters, and an analyzer whose registry holds nothing else. Importing it imports
presidio-analyzer and spaCy, so only `engine` does, and only when a text is to be read. Does not
belong here: what is recognised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from presidio_analyzer import (
    AnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from governance.redaction.name_rules import dates_after_names, ruled_names
from governance.redaction.names import NameModel
from governance.redaction.recognisers import RECOGNISERS, Hit, Recogniser

LANGUAGE = "en"


class NameArtifacts(NlpArtifacts):
    """The names the model found in one text, in place of the artifacts of a language pipeline."""

    def __init__(self, names: Sequence[Hit]) -> None:
        super().__init__([], [], [], [], None, LANGUAGE)  # type: ignore[arg-type]
        self.names = names


class NameEngine(NlpEngine):
    """The name model as Presidio's language engine; without one it finds no names.

    Parameters
    ----------
    model : NameModel or None
    """

    def __init__(self, model: NameModel | None) -> None:
        self._model = model

    def load(self) -> None:
        """Do nothing: the model is loaded when it is made."""

    def is_loaded(self) -> bool:
        """Return True."""
        return True

    def process_text(self, text: str, language: str) -> NameArtifacts:
        """Find the names of one text."""
        return next(self.process_batch([text], language))[1]

    def process_batch(
        self,
        texts: Iterable[str],
        language: str,
        batch_size: int = 1,
        n_process: int = 1,
        **kwargs: Any,
    ) -> Iterator[tuple[str, NameArtifacts]]:
        """Find the names of many texts in one run of the model."""
        texts = list(texts)
        found = self._model.find(texts) if self._model else [[] for _ in texts]
        for text, names in zip(texts, found, strict=True):
            yield text, NameArtifacts(names)

    def is_stopword(self, word: str, language: str) -> bool:
        """Return False: no words are weighed here."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Return False: no words are weighed here."""
        return False

    def get_supported_entities(self) -> list[str]:
        """Return none: the names reach the registry through `NameRecogniser`."""
        return []

    def get_supported_languages(self) -> list[str]:
        """Return English alone."""
        return [LANGUAGE]


class FormRecogniser(EntityRecognizer):
    """One recogniser of an identifier."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._find = recogniser.find
        super().__init__([recogniser.kind], name=recogniser.find.__name__)

    def load(self) -> None:
        """Do nothing: patterns are compiled on import."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        """Return what the recogniser finds."""
        return [_result(self.supported_entities[0], hit) for hit in self._find(text)]


class NameRecogniser(EntityRecognizer):
    """Names by the model and by rules, and dates that follow a name."""

    def __init__(self) -> None:
        super().__init__(["NAME", "DATE_OF_BIRTH"], name="names")

    def load(self) -> None:
        """Do nothing: the model belongs to the engine."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        """Return the model's names, the rules' names and the dates that follow either."""
        modelled = nlp_artifacts.names if isinstance(nlp_artifacts, NameArtifacts) else []
        names = [*modelled, *ruled_names(text)]
        births = dates_after_names(text, names)
        return [_result("NAME", hit) for hit in names] + [
            _result("DATE_OF_BIRTH", hit) for hit in births
        ]


class _NoContext(ContextAwareEnhancer):
    """Leaves every score as it is: our recognisers read the words around a number themselves."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """Return the results unchanged."""
        return raw_results


def analyzer(model: NameModel | None, *, names: bool) -> AnalyzerEngine:
    """Return an analyzer that knows our recognisers and no others.

    Parameters
    ----------
    model : NameModel or None
    names : bool
        Whether names are looked for at all.

    Returns
    -------
    presidio_analyzer.AnalyzerEngine
    """
    recognisers: list[EntityRecognizer] = [FormRecogniser(each) for each in RECOGNISERS]
    if names:
        recognisers.append(NameRecogniser())
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=recognisers, supported_languages=[LANGUAGE]),
        nlp_engine=NameEngine(model),
        supported_languages=[LANGUAGE],
        context_aware_enhancer=_NoContext(),
    )


def _result(kind: str, hit: Hit) -> RecognizerResult:
    return RecognizerResult(kind, hit.start, hit.end, hit.score)
