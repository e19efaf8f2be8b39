"""The review page: it can fetch nothing, shows everything, and saves places, not text."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import io
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from document_samples import BAD, FakeRedactor, docx, planted

from governance.redaction.documents.files import open_document
from governance.redaction.documents.model import Block, Notice
from governance.redaction.documents.proposals import (
    cuts_of,
    propose,
    read_decisions,
    settled,
)
from governance.redaction.review_page import review_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")


class Texts:
    kind = "txt"
    notices = (Notice("scripts removed", 3),)

    def __init__(self, *texts: str) -> None:
        self.blocks = [Block(f"t{n}", f"paragraph {n}", text) for n, text in enumerate(texts, 1)]

    def written(self, cuts: Any) -> bytes:
        return b""


def page_of(*texts: str, name: str = "letter.txt", warnings: tuple[str, ...] = ()) -> str:
    document = Texts(*texts)
    return review_page(
        document, propose(document, FakeRedactor()), name=name, sha256="0" * 64,
        warnings=warnings,
    )  # fmt: skip


def test_the_policy_lets_the_page_run_its_own_script_and_fetch_nothing() -> None:
    page = page_of(f"Dear {planted(1)}")
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1])  # type: ignore[index]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert rules["form-action"] == rules["base-uri"] == "'none'"
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.S)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    for rule, text in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert not re.search(r"https?://|@import|url\(|src=|<link|\bfetch\(|XMLHttp|innerHTML", page)


def test_the_page_says_on_its_face_that_it_holds_the_text() -> None:
    page = page_of("text", warnings=("Names are found by rules alone",))

    assert "This page holds the whole text of the document, unredacted." in page
    assert "Names are found by rules alone" in page
    assert "Scripts removed" in page
    assert "(3)" in page


def test_a_hostile_text_stays_a_text() -> None:
    hostile = '</script><script>alert(1)</script><!-- <img src=x onerror="alert(2)"> \u2028'
    page = page_of(hostile, name="</title><script>alert(3)</script>.txt")

    assert page.count("<script") == 2
    assert "alert(3)</script>" not in page
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert json.loads(data)["blocks"][0][2] == hostile


class Browser:
    """A headless browser, driven as a person would drive it."""

    def __init__(self, folder: Path) -> None:
        from websockets.sync.client import connect

        self._folder = folder
        self._process = subprocess.Popen(
            [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--remote-debugging-port=0", "--window-size=1280,1100",
             f"--user-data-dir={folder / 'profile'}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        port = folder / "profile" / "DevToolsActivePort"
        self.wait(lambda: port.exists() and len(port.read_text().splitlines()) == 2)
        number, path = port.read_text().splitlines()
        self._open = contextlib.ExitStack()
        self._socket = self._open.enter_context(
            connect(f"ws://127.0.0.1:{number}{path}", max_size=None, proxy=None)
        )
        self._number = 0
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def close(self) -> None:
        self._open.close()
        self._process.terminate()
        self._process.wait(timeout=20)

    @staticmethod
    def wait(ready: Any) -> None:
        for _ in range(400):
            if ready():
                return
            time.sleep(0.05)
        raise TimeoutError("the browser did not answer")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(timeout=30))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def open(self, path: Path) -> None:
        self.call("Page.navigate", url=path.as_uri())
        self.wait(lambda: self.value("document.readyState === 'complete' && location.href") not in
                   (False, "about:blank"))  # fmt: skip

    def value(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def click(self, selector: str, number: int = 0) -> None:
        node = f"document.querySelectorAll({json.dumps(selector)})[{number}]"
        self.value(f"{node}.scrollIntoView({{block: 'center'}})")
        x, y = self.value(
            f"(() => {{ const b = {node}.getBoundingClientRect(); "
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, text: str = "") -> None:
        code = {"Enter": 13, "Tab": 9}.get(key, ord(key[0].upper()))
        more = {"text": text or ("\r" if key == "Enter" else "")}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                      **(more if kind == "keyDown" and more["text"] else {}))  # fmt: skip

    def save(self, folder: Path) -> bytes:
        folder.mkdir(exist_ok=True)
        self.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self.click("#save")
        self.wait(lambda: list(folder.glob("*.json")))
        (path,) = folder.glob("*.json")
        content = path.read_bytes()
        path.unlink()
        return content


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium binary on this machine")
    pytest.importorskip("websockets.sync.client", reason="no websockets to drive a browser with")
    made = Browser(tmp_path_factory.mktemp("browser"))
    with contextlib.closing(made):
        yield made


def test_reject_mark_by_hand_save_and_apply(browser: Browser, tmp_path: Path) -> None:
    content = docx()
    sha256 = hashlib.sha256(content).hexdigest()
    document = open_document(content, "letter.docx")
    proposals = propose(document, FakeRedactor())
    path = tmp_path / "letter.redaction.html"
    path.write_text(
        review_page(document, proposals, name="letter.docx", sha256=sha256),
        encoding="utf-8",
    )
    browser.open(path)
    tally = "document.getElementById('tally').textContent"
    pictures = sum(not p.redact for p in proposals)
    assert pictures == 2
    assert browser.value(tally) == (
        f"{len(proposals) - 2} to redact · 2 to keep · {len(proposals)} not looked at"
    )
    assert browser.value("document.querySelectorAll('.items li').length") == len(proposals)

    # Reject by the mouse.
    row = "[...document.querySelectorAll('.row')].find(r => r.textContent.includes('Kept: '))"
    browser.value(f"{row}.querySelector('.choice .keep').id = 'reject'")
    browser.click("#reject")
    assert "3 to keep" in browser.value(tally)
    right = f"{row}.querySelectorAll('.text')[1].textContent"
    assert browser.value(right) == "Kept: Zaphod Plant003 was rejected."

    # Reject by the keyboard, and change one's mind.
    browser.press("n", "n")
    browser.press("Tab")
    browser.press("Enter")
    assert "4 to keep" in browser.value(tally)
    browser.value("document.activeElement.previousElementSibling.focus()")
    browser.press("Enter")
    assert "3 to keep" in browser.value(tally)

    # Mark what was missed: by selecting, and by words.
    browser.value(
        "(() => { const t = [...document.querySelectorAll('.text[data-block]')]"
        ".find(t => t.textContent.startsWith('Tracked')).firstChild; "
        "getSelection().setBaseAndExtent(t, 8, t, 16); })()"
    )
    browser.wait(lambda: browser.value("document.getElementById('mark').hidden") is False)
    browser.press("r", "r")
    browser.click("#words")
    browser.call("Input.insertText", text="Good Link")
    browser.press("Enter")
    assert browser.value("document.getElementById('found').textContent") == "Marked in 1 place."

    # All of a kind, and back.
    browser.click("[data-kind='NHS_NUMBER'][data-redact='false']")
    assert "4 to keep" in browser.value(tally)
    browser.click("[data-kind='NHS_NUMBER'][data-redact='true']")
    browser.click("[data-kind='PICTURE'][data-redact='true']")

    # The page remembers, without the text.
    assert not BAD.search(browser.value("JSON.stringify(localStorage)").encode())
    browser.open(path)
    browser.wait(lambda: "1 to keep" in browser.value(tally))

    saved = browser.save(tmp_path / "downloads")
    assert not BAD.search(saved)
    assert b"inserted" not in saved
    again = open_document(content, "letter.docx")
    decided = settled(read_decisions(saved, "x"), again, proposals, sha256, "letter.docx")
    result = again.written(cuts_of(decided))
    import docx as word

    texts = [p.text for p in word.Document(io.BytesIO(result)).paragraphs]
    assert "Kept: Zaphod Plant003 was rejected." in texts
    assert "Tracked [redacted] words stay." in texts
    assert "a link that stays [redacted]" in texts
    assert "The first paragraph about [redacted] stays otherwise." in texts
    assert b"image1" not in result
    (by_hand,) = [d for d in decided if d.by_hand and d.start == 8]
    assert (by_hand.end, by_hand.looked_at) == (16, True)


def test_places_are_counted_in_characters_not_in_halves_of_them(
    browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    text = f"\U0001f3e0\U0001f3e0 {planted(1)} and \U0001f3e0 more"
    path.write_text(page_of(text), encoding="utf-8")
    browser.open(path)
    assert browser.value("document.querySelector('mark').textContent") == planted(1)
    browser.click("#words")
    browser.call("Input.insertText", text="more")
    browser.press("Enter")
    saved = json.loads(browser.save(tmp_path / "downloads"))

    found = [text[d["start"] : d["end"]] for d in saved["decisions"]]
    assert found == [planted(1), "more"]


def test_a_page_with_a_hostile_text_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    hostile = "</script><img src=x onerror='window.bad=1'><script>window.bad=1</script>"
    path.write_text(page_of(f"{hostile} {planted(1)}"), encoding="utf-8")
    browser.open(path)

    assert browser.value("window.bad === undefined") is True
    assert browser.value("document.querySelectorAll('img').length") == 0
    assert browser.value("document.querySelector('.text').textContent").startswith(hostile)
