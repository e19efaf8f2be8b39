"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const rows = document.getElementById("rows");
  const chars = new Map(data.blocks.map((b) => [b[0], Array.from(b[2])]));
  const items = data.proposals.map((p) => ({
    block: p[0], start: p[1], end: p[2], kind: p[3], score: p[4], why: p[5], redact: p[6] === 1, looked: false, hand: false,
  }));
  const proposed = items.length;
  const ofBlock = new Map();
  const place = (item) => {
    if (!ofBlock.has(item.block)) ofBlock.set(item.block, []);
    ofBlock.get(item.block).push(item);
    ofBlock.get(item.block).sort((a, b) => a.start - b.start || a.end - b.end);
  };
  items.forEach(place);

  // Memory: places and choices only, never a text; a browser that forbids it just forgets.
  const key = "lsoalink-redaction-" + data.file_sha256.slice(0, 24) + data.blocks_sha256.slice(0, 24);
  function remember() {
    try {
      localStorage.setItem(key, JSON.stringify({
        n: proposed,
        old: items.slice(0, proposed).map((i) => (i.redact ? 1 : 0) + (i.looked ? 2 : 0)),
        hand: items.slice(proposed).map((i) => [i.block, i.start, i.end, i.redact ? 1 : 0]),
      }));
    } catch (_) { /* forgets */ }
  }
  function recall() {
    try {
      const held = JSON.parse(localStorage.getItem(key) || "null");
      if (!held || held.n !== proposed) return;
      held.old.forEach((v, n) => { items[n].redact = (v & 1) === 1; items[n].looked = (v & 2) === 2; });
      held.hand.forEach(([block, start, end, redact]) => { if (chars.has(block)) byHand(block, start, end, redact === 1); });
    } catch (_) { /* starts anew */ }
  }
  function byHand(block, start, end, redact) {
    const same = (ofBlock.get(block) || []).find((i) => i.start === start && i.end === end);
    if (same) { same.redact = redact; same.looked = true; return; }
    const item = { block, start, end, kind: "BY_HAND", score: 1, why: "", redact, looked: true, hand: true };
    items.push(item);
    place(item);
  }

  function make(tag, cls, text) {
    const node = document.createElement(tag);
    if (cls) node.className = cls;
    if (text !== undefined) node.textContent = text;
    return node;
  }
  const piece = (block, start, end) => chars.get(block).slice(start, end).join("");

  // What a character's state is: redact wins over keep, as when the decisions are applied.
  function stretches(id) {
    const list = ofBlock.get(id) || [];
    const edges = new Set([0, chars.get(id).length]);
    list.forEach((i) => { edges.add(i.start); edges.add(i.end); });
    const at = [...edges].sort((a, b) => a - b);
    const out = [];
    for (let n = 0; n + 1 < at.length; n += 1) {
      const over = list.filter((i) => i.start <= at[n] && i.end >= at[n + 1]);
      const item = over.find((i) => i.redact) || over[0];
      out.push({ start: at[n], end: at[n + 1], item });
    }
    return out;
  }
  function picture(block) {
    const image = make("img");
    image.src = "data:image/png;base64," + block[4];
    image.alt = block[1];
    return image;
  }
  function fill(block, left, right) {
    left.textContent = "";
    right.textContent = "";
    let black = false;
    for (const s of stretches(block[0])) {
      const text = piece(block[0], s.start, s.end);
      const gone = Boolean(s.item && s.item.redact);
      if (s.item) {
        const mark = make("mark", gone ? "redact" : "keep", block[4] ? "" : text);
        if (block[4]) mark.append(picture(block));
        mark.title = data.kinds[s.item.kind] + (gone ? ": will be redacted" : ": will be kept") + ". Click to change.";
        mark.addEventListener("click", () => { if (String(getSelection()) === "") decide(s.item, !s.item.redact); });
        left.append(mark);
      } else left.append(text);
      if (gone && !black) right.append(make("span", "black", data.redacted));
      if (!gone) { if (block[4]) right.append(picture(block)); else right.append(text); }
      black = gone;
    }
  }

  const views = new Map();
  function itemView(item) {
    const li = make("li");
    li.append(make("span", "kind", data.kinds[item.kind]));
    li.append(make("span", "sure", item.hand ? "" : item.kind === "PICTURE" ? "look at it" : Math.round(item.score * 100) + " % sure"));
    const context = make("span", "context");
    const all = chars.get(item.block).length;
    const whole = item.end - item.start > 120;
    const from = Math.max(0, item.start - 28), to = Math.min(all, item.end + 28);
    context.append((from > 0 ? "…" : "") + piece(item.block, from, item.start));
    context.append(make("b", "", whole ? piece(item.block, item.start, item.start + 110) + "…" : piece(item.block, item.start, item.end)));
    context.append(piece(item.block, item.end, to) + (to < all ? "…" : ""));
    li.append(context);
    const fresh = make("span", "new");
    li.append(fresh);
    const choice = make("span", "choice");
    choice.setAttribute("role", "group");
    choice.setAttribute("aria-label", data.kinds[item.kind] + " in " + whereOf.get(item.block));
    const yes = make("button", "redact", "Redact"), no = make("button", "keep", "Keep");
    yes.type = no.type = "button";
    yes.addEventListener("click", () => decide(item, true));
    no.addEventListener("click", () => decide(item, false));
    choice.append(yes, no);
    li.append(choice);
    item.show = () => {
      yes.setAttribute("aria-pressed", String(item.redact));
      no.setAttribute("aria-pressed", String(!item.redact));
      fresh.textContent = item.looked ? "" : "not looked at";
    };
    item.node = li;
    item.first = yes;
    return li;
  }
  const whereOf = new Map(data.blocks.map((b) => [b[0], b[1]]));

  function build() {
    const groups = [];
    for (const block of data.blocks) {
      const last = groups[groups.length - 1];
      if (block[3] && last && last.row === block[3]) last.blocks.push(block);
      else groups.push({ row: block[3], blocks: [block] });
    }
    const bulk = document.createDocumentFragment();
    for (const group of groups) {
      const row = make("div", "row");
      row.append(make("p", "where", group.row || group.blocks[0][1]));
      const pair = make("div", "pair");
      const left = make("div", group.row ? "cells" : ""), right = make("div", group.row ? "cells" : "");
      for (const block of group.blocks) {
        const one = make("div", "text"), two = make("div", "text");
        one.dataset.block = block[0];
        if (group.row) one.title = block[1];
        left.append(one);
        right.append(two);
        views.set(block[0], { block, row, one, two, group });
      }
      pair.append(left, right);
      const list = make("ul", "items");
      group.list = list;
      row.append(pair, list);
      bulk.append(row);
      group.blocks.forEach((b) => draw(b[0]));
    }
    rows.append(bulk);
  }
  function draw(id) {
    const view = views.get(id);
    fill(view.block, view.one, view.two);
    const list = view.group.blocks.flatMap((b) => ofBlock.get(b[0]) || []);
    list.forEach((i) => { if (!i.node) itemView(i); i.show(); });
    if (list.length !== view.group.list.children.length) view.group.list.replaceChildren(...list.map((i) => i.node));
    view.row.classList.toggle("has", list.length > 0);
    view.row.classList.toggle("done", list.every((i) => i.looked));
  }
  function decide(item, redact) {
    item.redact = redact;
    item.looked = true;
    draw(item.block);
    tally();
    remember();
  }

  const body = document.querySelector("#kinds tbody");
  function tally() {
    const left = items.filter((i) => !i.looked).length;
    const gone = items.filter((i) => i.redact).length;
    document.getElementById("tally").textContent =
      gone + " to redact · " + (items.length - gone) + " to keep · " + (left ? left + " not looked at" : "all looked at");
    body.textContent = "";
    for (const kind of Object.keys(data.kinds)) {
      const of = items.filter((i) => i.kind === kind);
      if (!of.length) continue;
      const tr = make("tr");
      const name = make("th", "", data.kinds[kind]);
      name.scope = "row";
      tr.append(name, make("td", "number", String(of.filter((i) => i.redact).length)), make("td", "number", String(of.filter((i) => !i.redact).length)));
      const cell = make("td", "all");
      for (const [words, redact] of [["Redact all", true], ["Keep all", false]]) {
        const button = make("button", "", words);
        button.type = "button";
        button.setAttribute("aria-label", words + ": " + data.kinds[kind]);
        button.dataset.kind = kind;
        button.dataset.redact = String(redact);
        button.addEventListener("click", () => {
          of.forEach((i) => { i.redact = redact; i.looked = true; });
          new Set(of.map((i) => i.block)).forEach(draw);
          tally();
          remember();
          const again = body.querySelector(`[data-kind="${kind}"][data-redact="${redact}"]`);
          if (again) again.focus();
        });
        cell.append(button);
      }
      tr.append(cell);
      body.append(tr);
    }
  }

  // A selection may run over several blocks; each keeps its own part.
  function selected() {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return [];
    const range = selection.getRangeAt(0), out = [];
    for (const node of rows.querySelectorAll(".text[data-block]")) {
      if (!range.intersectsNode(node) || views.get(node.dataset.block).block[4]) continue;
      const whole = document.createRange();
      whole.selectNodeContents(node);
      const before = document.createRange();
      before.setStart(node, 0);
      if (range.compareBoundaryPoints(Range.START_TO_START, whole) > 0) before.setEnd(range.startContainer, range.startOffset);
      const upTo = document.createRange();
      upTo.setStart(node, 0);
      if (range.compareBoundaryPoints(Range.END_TO_END, whole) < 0) upTo.setEnd(range.endContainer, range.endOffset);
      else upTo.setEnd(whole.endContainer, whole.endOffset);
      let start = Array.from(before.toString()).length, end = Array.from(upTo.toString()).length;
      const all = chars.get(node.dataset.block);
      while (start < end && all[start].trim() === "") start += 1;
      while (end > start && all[end - 1].trim() === "") end -= 1;
      if (end > start) out.push([node.dataset.block, start, end]);
    }
    return out;
  }
  const markButton = document.getElementById("mark");
  function markSelected() {
    const parts = selected();
    if (!parts.length) return;
    parts.forEach(([block, start, end]) => byHand(block, start, end, true));
    getSelection().removeAllRanges();
    markButton.hidden = true;
    parts.forEach(([block]) => draw(block));
    tally();
    remember();
  }
  document.addEventListener("selectionchange", () => {
    const parts = selected();
    markButton.hidden = parts.length === 0;
    if (!parts.length) return;
    const box = getSelection().getRangeAt(0).getBoundingClientRect();
    markButton.style.left = Math.max(8, Math.min(box.left + scrollX, innerWidth - 200)) + "px";
    markButton.style.top = box.bottom + scrollY + 6 + "px";
  });
  markButton.addEventListener("mousedown", (event) => event.preventDefault());
  markButton.addEventListener("click", markSelected);

  document.getElementById("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = document.getElementById("words"), wanted = Array.from(field.value.trim().toLowerCase());
    let count = 0;
    if (wanted.length) {
      for (const block of data.blocks) {
        if (block[4]) continue;
        const all = chars.get(block[0]).map((c) => c.toLowerCase());
        let hit = false;
        for (let at = 0; at + wanted.length <= all.length; at += 1) {
          if (wanted.every((c, n) => c === all[at + n])) { byHand(block[0], at, at + wanted.length, true); count += 1; hit = true; at += wanted.length - 1; }
        }
        if (hit) draw(block[0]);
      }
    }
    document.getElementById("found").textContent = count ? "Marked in " + count + (count === 1 ? " place." : " places.") : "Not found.";
    tally();
    remember();
  });

  function next() {
    const ordered = data.blocks.flatMap((b) => ofBlock.get(b[0]) || []);
    const from = ordered.findIndex((i) => i.node.contains(document.activeElement));
    const item = ordered.slice(from + 1).find((i) => !i.looked) || ordered.find((i) => !i.looked);
    if (!item) return;
    item.node.scrollIntoView({ block: "center" });
    item.first.focus();
  }
  document.getElementById("next").addEventListener("click", next);
  document.getElementById("only").addEventListener("change", (event) => rows.classList.toggle("only", event.target.checked));
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input[type=text]") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n") { event.preventDefault(); next(); }
    if (event.key === "r") markSelected();
  });

  document.getElementById("save").addEventListener("click", () => {
    const decisions = items.map((i) => ({
      block: i.block, start: i.start, end: i.end, kind: i.kind, decision: i.redact ? "redact" : "keep",
      by_hand: i.hand, looked_at: i.looked, score: i.score,
    }));
    const text = JSON.stringify({ format: data.format, file_sha256: data.file_sha256, blocks_sha256: data.blocks_sha256, decisions }, null, 1);
    const link = make("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = data.saveAs;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });

  recall();
  build();
  tally();
})();
