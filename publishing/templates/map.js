(() => {
  const D = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const SHADES = [[], [2], [1, 3], [0, 2, 4], [0, 1, 3, 4], [0, 1, 2, 3, 4]];
  const MARKS = { c: "c", x: "x", z: "z", u: "u" };
  const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const MAX_ZOOM = 24;
  if (!D.indicators.length) { $("controls").hidden = true; return; }

  const A = aboutAreas(D);
  const facts = new Map(D.indicators.map((f) => [f.id, f]));
  const state = { id: D.indicators[0].id, level: "", index: 0, area: null, current: null, clusters: false };
  const box = { x: 0, y: 0, w: D.view[0], h: D.view[1] };
  const shown = { classes: [], classOf: [], unsure: [], rings: [] };
  let shapes = [];
  let centres = [];
  let sort = { column: 0, down: false };

  function make(tag, text, attributes) {
    const element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    for (const [k, v] of Object.entries(attributes || {})) element.setAttribute(k, v);
    return element;
  }
  function draw(tag, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const [k, v] of Object.entries(attributes)) element.setAttribute(k, v);
    return element;
  }

  const level = () => D.levels[state.level];
  const series = () => D.series[state.id][state.level][state.index];
  const fact = () => facts.get(state.id);

  function coded(text, list, i) {
    const c = text ? text[i] : ".";
    return c === "." ? "" : list[ALPHABET.indexOf(c)];
  }
  const statusOf = (s, i) => coded(s.s, D.statuses, i);
  const noteOf = (s, i) => coded(s.n, D.notes, i);
  const markersOf = (status) => [...status.matchAll(/\[([a-z]+)\]/g)].map((m) => m[1]);
  const inWords = (status) => markersOf(status).map((m) => D.words[m] || `marked [${m}]`).join("; ");
  const sentence = A.sentence;

  function number(value, decimals) {
    return value.toLocaleString("en-GB", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  }
  function figure(value, f) {
    const text = number(value, f.decimals);
    if (f.unit === "%" || /^per ?cent/i.test(f.unit)) return `${text}%`;
    return /^per /i.test(f.unit) ? `${text} ${f.unit}` : `${text} (${f.unit})`;
  }
  function valueText(s, i, f) {
    return s.v[i] === null ? "No figure shown" : figure(s.v[i], f);
  }
  function intervalText(s, i, f) {
    if (!s.l || s.l[i] === null || !s.u || s.u[i] === null) return "";
    return `95%${f.kind === "composite" ? "" : " confidence"} interval ${number(s.l[i], f.decimals)} to ${number(s.u[i], f.decimals)}`;
  }
  const districtOf = (l, i) => D.levels.lad24.names[l.districts[i]];

  /* Fifths of the areas shown: breaks are values, so that equal values share a shade. */
  function classify(s) {
    const values = s.v.filter((v) => v !== null).sort((a, b) => a - b);
    const breaks = [];
    for (let k = 1; k < 5 && values.length; k += 1) {
      const cut = values[Math.ceil(values.length * k / 5) - 1];
      if (cut < values[values.length - 1] && !breaks.includes(cut)) breaks.push(cut);
    }
    const shades = values.length ? SHADES[breaks.length + 1] : [];
    const place = (v) => breaks.filter((b) => b < v).length;
    shown.classes = shades.map((shade) => ({ shade, low: Infinity, high: -Infinity, count: 0 }));
    const marked = new Map();
    shown.classOf = s.v.map((v, i) => {
      if (v === null) {
        const mark = markersOf(statusOf(s, i)).find((m) => m in MARKS) || "x";
        marked.set(mark, (marked.get(mark) || 0) + 1);
        return `k${mark}`;
      }
      const c = shown.classes[place(v)];
      c.low = Math.min(c.low, v); c.high = Math.max(c.high, v); c.count += 1;
      return `k${c.shade}`;
    });
    shown.marked = marked;
    shown.values = values;
  }

  function buildLevel() {
    const l = level();
    const group = $("areas");
    group.replaceChildren();
    group.classList.toggle("dense", l.codes.length > 600);
    shapes = l.paths.map((d, i) => {
      const path = draw("path", { d });
      path.dataset.i = i;
      group.append(path);
      return path;
    });
    centres = shapes.map((p) => { const b = p.getBBox(); return [b.x + b.width / 2, b.y + b.height / 2]; });
    state.current = null;
    $("current").removeAttribute("d");
  }

  function buildOutlines() {
    const lad = D.levels.lad24;
    for (const d of lad.paths) $("outlines").append(draw("path", { d }));
    lad.names.forEach((name, i) => {
      const text = draw("text", { x: D.labels[i][0], y: D.labels[i][1] });
      text.textContent = name;
      $("labels").append(text);
    });
  }

  function place() {
    const map = $("map");
    map.setAttribute("viewBox", `${box.x} ${box.y} ${box.w} ${box.h}`);
    const size = map.getBoundingClientRect();
    const perPixel = Math.max(box.w / Math.max(size.width, 1), box.h / Math.max(size.height, 1));
    const font = size.width < 500 ? 11 : 13;
    $("labels").setAttribute("font-size", font * perPixel);
    for (const text of $("labels").children) text.setAttribute("stroke-width", 3 * perPixel);
    for (const name of ["hatch", "dots", "lines", "unsure-hatch"]) {
      $(name).setAttribute("patternTransform", `scale(${perPixel})`);
    }
    $("stage").classList.toggle("zoomed", box.w < D.view[0] * 0.99);
  }
  function clamp() {
    box.w = Math.min(D.view[0], Math.max(D.view[0] / MAX_ZOOM, box.w));
    box.h = box.w * D.view[1] / D.view[0];
    box.x = Math.min(D.view[0] - box.w, Math.max(0, box.x));
    box.y = Math.min(D.view[1] - box.h, Math.max(0, box.y));
    place();
  }
  function zoom(factor, x, y) {
    const cx = x === undefined ? box.x + box.w / 2 : x;
    const cy = y === undefined ? box.y + box.h / 2 : y;
    const w = Math.min(D.view[0], Math.max(D.view[0] / MAX_ZOOM, box.w / factor));
    const ratio = w / box.w;
    box.x = cx - (cx - box.x) * ratio;
    box.y = cy - (cy - box.y) * ratio;
    box.w = w;
    clamp();
  }
  function move(dx, dy) { box.x += dx * box.w; box.y += dy * box.h; clamp(); }
  function bring(i) {
    const [x, y] = centres[i];
    const inside = x > box.x + box.w * 0.08 && x < box.x + box.w * 0.92
      && y > box.y + box.h * 0.08 && y < box.y + box.h * 0.92;
    if (!inside) { box.x = x - box.w / 2; box.y = y - box.h / 2; clamp(); }
  }

  function paint() {
    const s = series(), f = fact(), l = level();
    classify(s);
    shapes.forEach((p, i) => p.setAttribute("class", shown.classOf[i]));
    paintMarks(s, l);
    $("map-title").textContent = f.title;
    $("map-subtitle").textContent = `${s.p} · ${f.unit} · ${l.long}`;
    $("map-source").textContent = `Source: ${f.sources || "see the table lineage of the release"}. `
      + "Counts protected before publication; shades hold about a fifth of the areas shown.";
    $("map").setAttribute("aria-label", altText(s, f, l));
    paintLegend(f);
    paintAbout(f);
    mark("selected", state.area);
    if ($("table-details").open) paintTable();
    paintProfile();
    const parts = { i: state.id, g: state.level, p: s.z };
    if (state.area !== null) parts.a = l.codes[state.area];
    if (state.clusters) parts.c = "1";
    history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
  }

  /* What lies over the shades: a hatch where a place is unsure, an outline round areas of a class. */
  function paintMarks(s, l) {
    const id = state.id, name = state.level;
    const where = (test) => l.codes.map((_, i) => i).filter(test);
    shown.unsure = A.isIndex(id, name, s) ? where((i) => (A.place(id, name, s, i) || {}).unsure) : [];
    shown.rings = [];
    const offered = A.hasClusters(id, name, s);
    $("clusters-field").hidden = !offered;
    if (offered && state.clusters) {
      for (const kind of A.CLUSTERS) {
        shown.rings.push({ kind, text: sentence(kind), areas: where((i) => A.cluster(id, name, s, i) === kind) });
      }
    }
    if (A.hasNeed(id, name, s)) {
      const candidates = where((i) => (A.need(id, name, s, i) || {}).candidate);
      shown.rings.push({ kind: A.UNMET, text: "Unmet need candidate: need clearly high, use clearly low", areas: candidates });
    }
    const joined = (areas) => areas.map((i) => l.paths[i]).join("");
    const parts = [];
    for (const ring of shown.rings.filter((r) => r.areas.length)) {
      const d = joined(ring.areas);
      for (const layer of ["edge", ringClass(ring.kind), "gap"]) parts.push(draw("path", { d, class: `ring ${layer}` }));
      /* The areas again, so that the line runs round the group and not through it. */
      for (const i of ring.areas) parts.push(draw("path", { d: l.paths[i], class: shown.classOf[i] }));
    }
    $("rings").replaceChildren(...parts);
    $("unsure").setAttribute("d", joined(shown.unsure));
  }
  const ringClass = (kind) => `r-${kind.replaceAll(" ", "-")}`;
  const manyAreas = (n) => `${n.toLocaleString("en-GB")} ${n === 1 ? "area" : "areas"}`;

  function altText(s, f, l) {
    const parts = [`Map of ${f.title}, ${s.p}, for ${l.codes.length} areas: ${l.long}.`];
    if (shown.values.length) {
      const low = shown.values[0], high = shown.values[shown.values.length - 1];
      parts.push(`Figures run from ${figure(low, f)} (${l.names[s.v.indexOf(low)]}) `
        + `to ${figure(high, f)} (${l.names[s.v.indexOf(high)]}).`);
    } else parts.push("No area has a figure.");
    for (const [m, n] of shown.marked) parts.push(`${n} ${n === 1 ? "area" : "areas"}: ${D.words[m]}.`);
    if (shown.unsure.length) parts.push(`The place of ${manyAreas(shown.unsure.length)} is unsure.`);
    for (const r of shown.rings) parts.push(`${r.text}: ${manyAreas(r.areas.length)}.`);
    parts.push("The same figures are in the table below.");
    return parts.join(" ");
  }

  function legendItem(kind, text, count, word) {
    const item = make("li", null, word ? { class: "word" } : {});
    const swatch = draw("svg", { viewBox: "0 0 32 20", "aria-hidden": "true" });
    swatch.append(draw("rect", { width: 32, height: 20, class: kind }));
    item.append(swatch, make("span", text), make("span", manyAreas(count), { class: "count" }));
    return item;
  }
  function markItem(swatch, text, count) {
    const item = make("li", null, { class: "word" });
    item.append(swatch, make("span", text), make("span", count === null ? "" : manyAreas(count), { class: "count" }));
    return item;
  }
  function swatchOf(...parts) {
    const picture = draw("svg", { viewBox: "0 0 32 20", "aria-hidden": "true" });
    picture.append(...parts);
    return picture;
  }
  function paintLegend(f) {
    $("legend-note").textContent = `${f.unit}. Darker is higher. ${f.polarity}`;
    const items = shown.classes.map((c) => legendItem(
      `k${c.shade}`,
      c.low === c.high ? number(c.low, f.decimals) : `${number(c.low, f.decimals)} to ${number(c.high, f.decimals)}`,
      c.count));
    for (const m of ["c", "x", "z", "u"]) {
      const count = shown.marked.get(m);
      if (count) items.push(legendItem(`k${m}`, `[${m}] ${D.words[m]}`, count, true));
    }
    if (shown.unsure.length) {
      const block = { width: 32, height: 20 };
      items.push(markItem(
        swatchOf(draw("rect", { ...block, class: "k2" }), draw("rect", { ...block, class: "ku-place" })),
        "Place unsure: it may or may not be in the worst fifth, or its rank may lie anywhere in more than two fifths of all ranks",
        shown.unsure.length));
    }
    for (const r of shown.rings) {
      const box = "M7 5H25V15H7Z";
      items.push(markItem(
        swatchOf(draw("path", { d: box, class: `ring ${ringClass(r.kind)}` }), draw("path", { d: box, fill: "#fff" })),
        r.text, r.areas.length));
    }
    if (A.CLUSTERS.includes((shown.rings[0] || {}).kind)) {
      items.push(markItem(make("span"), "Without an outline: not significant, or no figure. Outlines are of what is beyond chance (false discovery rate 5%)", null));
    }
    for (const text of A.breaks(state.id, series())) items.push(markItem(make("span", "[b]"), `Break in series: ${text}`, null));
    $("legend").replaceChildren(...items);
    $("legend-areas").hidden = !shown.unsure.length && !shown.rings.length;
  }
  function paintAbout(f) {
    const parts = [make("p", f.description)];
    const add = (title, text) => { if (text) parts.push(make("h4", title), make("p", text)); };
    add("Why it matters", f.rationale);
    if (f.numerator && f.denominator && f.kind !== "composite") add("How it is computed", `${f.numerator}, divided by: ${f.denominator}.`);
    add("Beware", f.caveats);
    $("about-text").replaceChildren(...parts);
  }

  function describe(i) {
    const s = series(), f = fact(), l = level();
    const lines = [];
    if (state.level !== "lad24") lines.push(districtOf(l, i));
    const words = sentence(inWords(statusOf(s, i)));
    const place = A.place(f.id, state.level, s, i), need = A.need(f.id, state.level, s, i);
    const told = [
      place ? `${sentence(place.text)} (90% interval)` : "", place ? sentence(place.named) : "",
      state.clusters ? A.clusterText(f.id, state.level, s, i) : "", need ? need.text : "",
    ];
    return {
      name: l.names[i], lines, value: valueText(s, i, f),
      rest: [intervalText(s, i, f), ...told, words, noteOf(s, i)].filter(Boolean),
    };
  }
  function mark(id, i) {
    if (i === null || i === undefined) $(id).removeAttribute("d");
    else $(id).setAttribute("d", level().paths[i]);
  }
  function point(i, at, speak) {
    state.current = i;
    mark("current", i);
    const tip = $("tip");
    if (i === null) { tip.hidden = true; return; }
    const d = describe(i);
    tip.replaceChildren(make("strong", d.name), ...d.lines.map((t) => make("span", t)),
      make("span", d.value, { class: "big" }), ...d.rest.map((t) => make("span", t)));
    tip.hidden = false;
    const frame = tip.parentElement.getBoundingClientRect();
    const x = at[0] - frame.left, y = at[1] - frame.top;
    const left = x + 16 + tip.offsetWidth > frame.width ? x - tip.offsetWidth - 16 : x + 16;
    const top = y + 16 + tip.offsetHeight > frame.height ? y - tip.offsetHeight - 12 : y + 16;
    tip.style.left = `${Math.max(4, Math.min(left, frame.width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.max(4, top)}px`;
    if (speak) $("spoken").textContent = [d.name, ...d.lines, d.value, ...d.rest].join(". ");
  }
  function pointByKey(i) {
    bring(i);
    const r = shapes[i].getBoundingClientRect();
    point(i, [r.left + r.width / 2, r.top + r.height / 2], true);
  }
  function zoomByKey(factor) {
    if (state.current === null) { zoom(factor); return; }
    zoom(factor, ...centres[state.current]);
    pointByKey(state.current);
  }
  function neighbour(dx, dy) {
    const from = state.current ?? state.area;
    if (from === null) {
      const c = [box.x + box.w / 2, box.y + box.h / 2];
      return nearest(c, () => true);
    }
    const [x, y] = centres[from];
    const found = nearest([x, y], (i) => {
      const ex = centres[i][0] - x, ey = centres[i][1] - y;
      const along = ex * dx + ey * dy;
      return i !== from && along > 0 && along >= Math.abs(ex * dy) + Math.abs(ey * dx);
    });
    return found === null ? from : found;
  }
  function nearest([x, y], allowed) {
    let best = null, least = Infinity;
    centres.forEach((c, i) => {
      const d = (c[0] - x) ** 2 + (c[1] - y) ** 2;
      if (d < least && allowed(i)) { least = d; best = i; }
    });
    return best;
  }

  function median(values) {
    const v = values.filter((n) => n !== null).sort((a, b) => a - b);
    if (!v.length) return null;
    const m = v.length >> 1;
    return v.length % 2 ? v[m] : (v[m - 1] + v[m]) / 2;
  }
  /* As the release compares it; else with the district's own figure if it is published for the same
     period, or with the middle of its areas. */
  function comparison(f, s, i) {
    const id = f.id, l = level();
    const held = A.against(id, state.level, s, i);
    if (held) {
      const { side, text } = A.verdict(f, held, s.v[i]);
      return { value: held.value, side, words: sentence(text) };
    }
    const found = unofficial(id, s, i, l);
    if (!found) return null;
    const side = verdict(s, i, found);
    const lead = side ? `${sentence(side)} than `.replace("Similar than", "Similar to") : "";
    return { value: found.value, side, words: `${lead}${number(found.value, f.decimals)}: ${found.words}` };
  }
  function unofficial(id, s, i, l) {
    if (state.level !== "lad24") {
      const own = (D.series[id].lad24 || []).find((t) => t.a === s.a && t.z === s.z);
      const value = own ? own.v[l.districts[i]] : null;
      if (value !== null && value !== undefined) return { value, words: districtOf(l, i) };
    }
    const whole = state.level === "lad24";
    const peers = s.v.filter((_, j) => whole || l.districts[j] === l.districts[i]);
    const some = peers.filter((v) => v !== null).length;
    if (some < 3) return null;
    const hidden = peers.length - some;
    const where = whole ? "the region" : districtOf(l, i);
    return { value: median(peers), words: `middle of the ${some} areas shown in ${where}${hidden ? ` (${hidden} not shown)` : ""}` };
  }
  function bar(s, i, against) {
    const all = s.v.filter((v) => v !== null).concat(s.u ? [s.u[i]].filter((v) => v !== null) : [], s.l ? [s.l[i]].filter((v) => v !== null) : []);
    const low = Math.min(...all), high = Math.max(...all);
    const x = (v) => 6 + 148 * (high > low ? (v - low) / (high - low) : 0.5);
    const picture = draw("svg", { viewBox: "0 0 160 28", "aria-hidden": "true" });
    picture.append(draw("path", { d: "M6 14H154", stroke: "#bfbfbf", "stroke-width": 2 }));
    if (against) picture.append(draw("path", { d: `M${x(against.value)} 3V25`, stroke: "#f46a25", "stroke-width": 3 }));
    if (s.l && s.l[i] !== null) picture.append(draw("path", { d: `M${x(s.l[i])} 14H${x(s.u[i])}`, stroke: "#12436d", "stroke-width": 6, opacity: .45 }));
    picture.append(draw("circle", { cx: x(s.v[i]), cy: 14, r: 5, fill: "#12436d", stroke: "#fff", "stroke-width": 1 }));
    return picture;
  }
  function verdict(s, i, against) {
    if (!s.l || s.l[i] === null) return "";
    if (s.l[i] > against.value) return "higher";
    if (s.u[i] < against.value) return "lower";
    return "similar";
  }
  const small = (text) => [make("br"), make("span", text, { class: "muted small" })];
  function profileRow(f, s, i, trends) {
    const row = make("tr");
    const head = make("th", f.title, { scope: "row" });
    head.append(make("br"), make("span", s.p, { class: "muted small" }));
    const cells = [head];
    const cell = (label, content, cls) => {
      const td = make("td", null, { "data-label": label });
      if (cls) td.className = cls;
      td.append(...content);
      cells.push(td);
    };
    const status = inWords(statusOf(s, i));
    const place = A.place(f.id, state.level, s, i), need = A.need(f.id, state.level, s, i);
    const trend = A.trend(f.id, state.level, s, i);
    const trendCell = () => { if (trends) cell("Trend", [trend && trend.told ? trend.text : "–"]); };
    if (s.v[i] === null) {
      cell("Figure", [make("span", sentence(status) || "No figure shown")]);
      cell("95% interval", ["–"]); cell("Compared with", ["–"]); trendCell(); cells.push(make("td"));
    } else {
      cell("Figure", [make("strong", figure(s.v[i], f)), ...(status ? small(sentence(status)) : []),
        ...(place ? [...small(sentence(place.text)), ...small(sentence(place.named))] : []), ...(need ? small(need.text) : [])]);
      const interval = s.l && s.l[i] !== null ? `${number(s.l[i], f.decimals)} to ${number(s.u[i], f.decimals)}` : "no interval";
      cell("95% interval", [interval]);
      const against = comparison(f, s, i);
      cell("Compared with", [against ? make("span", against.words, { class: `v-${against.side || "none"}` }) : "–"]);
      trendCell();
      const picture = make("td");
      picture.append(bar(s, i, against));
      cells.push(picture);
    }
    row.append(...cells);
    return row;
  }
  /* The indicator on the map, for the selected area: everything the release says of it. */
  function paintHere() {
    const f = fact(), s = series(), i = state.area;
    const list = make("dl", null, { class: "facts" });
    const add = (title, ...lines) => {
      const told = lines.filter(Boolean);
      if (told.length) list.append(make("dt", title), ...told.map((t) => make("dd", t)));
    };
    const place = A.place(f.id, state.level, s, i), need = A.need(f.id, state.level, s, i);
    const against = s.v[i] === null || place ? null : comparison(f, s, i);
    const trend = state.index === 0 ? A.trend(f.id, state.level, s, i) : null;
    add(place ? "Score" : "Figure", valueText(s, i, f), intervalText(s, i, f), sentence(inWords(statusOf(s, i))), noteOf(s, i));
    if (place) {
      add("Rank", `${sentence(place.text)} (90% interval). 1 is the worst.`);
      add("What can be said", `${sentence(place.named)}${place.chance ? ` (probability that it is in the worst fifth: ${place.chance})` : ""}`);
    }
    if (against) add("Compared", against.words);
    if (trend) add("Trend", trend.text);
    add("Cluster (local Moran)", A.clusterText(f.id, state.level, s, i));
    if (need) add("Need and service", need.text, ...need.lines);
    const parts = [make("h3", `${f.title}, ${s.p}`, { id: "here-title" }), list];
    const components = A.parts(f.id, state.level, s, i);
    if (components.length) parts.push(componentTable(components, f));
    if (place || need) {
      parts.push(make("p", "This describes an area, never a person: it says where to look, not who lives there or why.", { class: "small" }));
    }
    $("here").replaceChildren(...parts);
  }
  function componentTable(components, f) {
    const table = make("table", null, { class: "stack components" });
    const head = make("thead"), titles = make("tr"), body = make("tbody");
    for (const t of ["Component", "Score: higher is worse", "Weight", "Picture"]) titles.append(make("th", t, { scope: "col" }));
    head.append(titles);
    for (const c of components) {
      const row = make("tr"), picture = make("td");
      const given = c.score !== null;
      if (given) {
        const bars = draw("svg", { viewBox: "0 0 160 16", "aria-hidden": "true" });
        bars.append(draw("rect", { x: 1, y: 2, width: 158, height: 12, class: "track" }),
          draw("rect", { x: 1, y: 2, width: c.most > 0 ? 158 * c.score / c.most : 0, height: 12, class: "bar" }));
        picture.append(bars);
      }
      row.append(make("th", c.title, { scope: "row" }),
        make("td", given ? number(c.score, f.decimals) : "not known", { "data-label": "Score" }),
        make("td", c.weight === null ? "–" : `${number(100 * c.weight, 0)}%`, { "data-label": "Weight" }), picture);
      body.append(row);
    }
    table.append(make("caption", "What the score is made of"), head, body);
    return table;
  }
  function paintProfile() {
    const panel = $("profile");
    panel.hidden = state.area === null;
    if (panel.hidden) return;
    const l = level(), i = state.area;
    $("profile-title").textContent = `Profile: ${l.names[i]}`;
    $("profile-note").textContent = `${l.codes[i]}${state.level === "lad24" ? "" : ` · ${districtOf(l, i)}`}. `
      + "Each indicator at its latest period. Dot: this area; band: 95% confidence interval; orange line: what it is compared with; grey line: lowest to highest area shown. "
      + "“Higher” and “lower” are said only where the whole interval lies on one side.";
    paintHere();
    const told = D.indicators.map((f) => [f, (D.series[f.id][state.level] || [])[0]]).filter(([, s]) => s);
    const trends = told.some(([f, s]) => (A.trend(f.id, state.level, s, i) || {}).told);
    const heads = ["Indicator", "Figure", "95% interval", "Compared with", ...(trends ? ["Trend"] : []), "Picture"];
    const table = make("table", null, { class: "stack" });
    const head = make("thead"), titles = make("tr");
    for (const t of heads) titles.append(make("th", t, { scope: "col" }));
    head.append(titles);
    table.append(make("caption", `All indicators of ${l.names[i]}`, { class: "hidden-text" }), head);
    let theme = null, body = null;
    for (const [f, s] of told) {
      if (f.theme !== theme) {
        theme = f.theme;
        body = make("tbody", null, { class: "theme" });
        const row = make("tr");
        row.append(make("th", theme, { scope: "rowgroup", colspan: heads.length }));
        body.append(row);
        table.append(body);
      }
      body.append(profileRow(f, s, i, trends));
    }
    $("profile-body").replaceChildren(table);
  }
  function choose(i, focus) {
    state.area = i;
    mark("selected", i);
    paint();
    if (i !== null && focus) {
      $("profile-title").focus({ preventScroll: true });
      $("profile").scrollIntoView({ block: "start" });
    }
    if (i !== null) $("spoken").textContent = `Profile of ${level().names[i]} opened below the map`;
  }

  /* What is drawn over the shades or told in the profile stands in the table too. */
  function moreColumns(s, f) {
    const id = f.id, name = state.level, more = [];
    const some = (test) => level().codes.some((_, i) => test(i));
    if (A.isIndex(id, name, s)) {
      const of = (key) => (i) => (A.place(id, name, s, i) || { [key]: null })[key];
      for (const [title, key] of [["Rank, 1 is the worst", "rank"], ["Rank: lower 90% limit", "low"], ["Rank: upper 90% limit", "high"]]) {
        more.push({ title, number: true, decimals: 1, raw: of(key) });
      }
      more.push({ title: "What can be said", text: (i) => of("named")(i) || "" });
      more.push({ title: "Place unsure", text: (i) => (of("unsure")(i) ? "yes" : "") });
      A.parts(id, name, s, 0).forEach((c, k) => {
        more.push({ title: `Component: ${c.title}`, number: true, raw: (i) => A.parts(id, name, s, i)[k].score });
      });
    }
    if (A.hasClusters(id, name, s)) more.push({ title: "Cluster (local Moran)", text: (i) => A.clusterText(id, name, s, i) });
    if (A.hasNeed(id, name, s)) more.push({ title: "Need and service", text: (i) => (A.need(id, name, s, i) || { named: "" }).named });
    if (some((i) => A.against(id, name, s, i))) {
      const text = (i) => { const held = s.v[i] === null ? null : A.against(id, name, s, i); return held ? A.verdict(f, held, s.v[i]).text : ""; };
      more.push({ title: "Compared", text });
    }
    const trend = (i) => A.trend(id, name, s, i) || { told: false, text: "" };
    if (state.index === 0 && some((i) => trend(i).told)) more.push({ title: "Trend", text: (i) => trend(i).text });
    return more;
  }
  function columns() {
    const s = series(), f = fact(), l = level();
    const all = [
      { title: "Area", text: (i) => l.names[i], key: (i) => l.names[i] },
      { title: "Code", text: (i) => l.codes[i], key: (i) => l.codes[i] },
      { title: "District", text: (i) => districtOf(l, i), key: (i) => districtOf(l, i) },
      { title: `Value, ${f.unit}`, number: true, raw: (i) => s.v[i] },
      { title: "Lower 95% limit", number: true, raw: (i) => (s.l ? s.l[i] : null) },
      { title: "Upper 95% limit", number: true, raw: (i) => (s.u ? s.u[i] : null) },
      { title: "Status", text: (i) => { const t = statusOf(s, i); return t ? `${t} ${inWords(t)}` : ""; }, key: (i) => statusOf(s, i) },
    ];
    all.push(...moreColumns(s, f));
    for (const c of all) {
      if (!c.number) { c.key ??= c.text; continue; }
      c.text = (i) => (c.raw(i) === null ? "" : number(c.raw(i), c.decimals ?? f.decimals));
      c.key = c.raw;
    }
    return all.filter((c) => !(c.title === "District" && state.level === "lad24")
      && !(c.number && c.title.includes("limit") && !s.l));
  }
  /* Areas without a figure come last whichever way the column is sorted. */
  function sortedAreas(list) {
    const column = list[Math.min(sort.column, list.length - 1)];
    const sign = sort.down ? -1 : 1;
    return level().codes.map((_, i) => i).sort((a, b) => {
      const x = column.key(a), y = column.key(b);
      if (x === y) return a - b;
      if (x === null || x === "") return 1;
      if (y === null || y === "") return -1;
      return sign * (typeof x === "number" ? x - y : x.localeCompare(y, "en-GB"));
    });
  }
  function paintTable() {
    const list = columns(), f = fact(), s = series();
    $("table-caption").textContent = `${f.title}, ${s.p}, ${f.unit}, ${level().long}`;
    const head = list.map((c, n) => {
      const th = make("th", null, { scope: "col", ...(c.number ? { class: "number" } : {}) });
      const button = make("button", c.title, { type: "button" });
      button.addEventListener("click", () => {
        sort = { column: n, down: sort.column === n ? !sort.down : Boolean(c.number) };
        paintTable();
        $("table").querySelectorAll("thead button")[n].focus();
      });
      th.append(button);
      if (sort.column === n) th.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      return th;
    });
    $("table").querySelector("thead tr").replaceChildren(...head);
    const rows = sortedAreas(list).map((i) => {
      const row = make("tr");
      const name = make("th", null, { scope: "row" });
      const button = make("button", list[0].text(i), { type: "button" });
      button.addEventListener("click", () => choose(i, true));
      name.append(button);
      row.append(name, ...list.slice(1).map((c) => make("td", c.text(i), c.number ? { class: "number" } : {})));
      return row;
    });
    $("table").querySelector("tbody").replaceChildren(...rows);
  }
  function csvCell(text) {
    const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }
  function download() {
    const list = columns(), f = fact(), s = series();
    const line = (i) => list.map((c) => csvCell(c.number ? (c.raw(i) === null ? "" : String(c.raw(i))) : c.text(i))).join(",");
    const lines = [list.map((c) => csvCell(c.title)).join(","), ...sortedAreas(list).map(line)];
    const url = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/csv;charset=utf-8" }));
    const link = make("a", null, { href: url, download: `${f.id}_${state.level}_${s.z}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  function options(select, items, value) {
    select.replaceChildren(...items.map(([v, text]) => {
      const o = make("option", text, { value: v });
      o.selected = v === value;
      return o;
    }));
    select.disabled = items.length < 2;
  }
  function setLevel(name) {
    const area = state.area === null ? null : level().codes[state.area];
    const changed = name !== state.level;
    state.level = name;
    if (changed) {
      buildLevel();
      const kept = area === null ? -1 : level().codes.indexOf(area);
      state.area = kept < 0 ? null : kept;
    }
    state.index = Math.min(state.index, D.series[state.id][name].length - 1);
    options($("period"), D.series[state.id][name].map((s, k) => [String(k), s.p]), String(state.index));
    point(null);
    paint();
  }
  function setIndicator(id, wanted) {
    state.id = id;
    const available = Object.keys(D.levels).filter((n) => D.series[id][n]);
    const name = available.includes(wanted) ? wanted : available[0];
    options($("level"), available.map((n) => [n, D.levels[n].label]), name);
    state.index = 0;
    setLevel(name);
  }
  function search() {
    const words = $("search").value.toLocaleLowerCase("en-GB").split(/\s+/).filter(Boolean);
    const list = $("matches");
    list.hidden = words.join("").length < 2;
    if (list.hidden) return;
    const l = level(), found = [];
    for (let i = 0; i < l.codes.length && found.length < 8; i += 1) {
      const text = `${l.names[i]} ${l.codes[i]}`.toLocaleLowerCase("en-GB");
      if (words.every((w) => text.includes(w))) found.push(i);
    }
    list.replaceChildren(...found.map((i) => {
      const item = make("li"), button = make("button", `${l.names[i]} (${l.codes[i]})`, { type: "button" });
      button.addEventListener("click", () => take(i));
      item.append(button);
      return item;
    }));
    if (!found.length) list.append(make("li", "No area has this name or code.", { class: "none" }));
    $("spoken").textContent = found.length ? `${found.length} matching areas` : "No matching area";
  }
  function take(i) {
    $("matches").hidden = true;
    $("search").value = level().names[i];
    if (box.w > D.view[0] / 4 && level().codes.length > 300) { box.w = D.view[0] / 5; clamp(); }
    box.x = centres[i][0] - box.w / 2; box.y = centres[i][1] - box.h / 2;
    clamp();
    choose(i, false);
    pointByKey(i);
    $("stage").focus({ preventScroll: true });
  }

  function toMap(event) {
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform($("map").getScreenCTM().inverse());
    return [p.x, p.y];
  }
  const areaAt = (event) => (event.target.dataset && event.target.dataset.i !== undefined && event.target.parentNode === $("areas")
    ? Number(event.target.dataset.i) : null);

  function listen() {
    const stage = $("stage"), map = $("map");
    $("controls").addEventListener("submit", (e) => {
      e.preventDefault();
      const first = $("matches").querySelector("button");
      if (first && !$("matches").hidden) first.click();
    });
    $("indicator").addEventListener("change", (e) => setIndicator(e.target.value, state.level));
    $("level").addEventListener("change", (e) => setLevel(e.target.value));
    $("period").addEventListener("change", (e) => { state.index = Number(e.target.value); point(null); paint(); });
    $("search").addEventListener("input", search);
    $("clusters").addEventListener("change", (e) => {
      state.clusters = e.target.checked;
      paint();
      $("spoken").textContent = state.clusters
        ? shown.rings.map((r) => `${r.text}: ${manyAreas(r.areas.length)}`).join(". ") : "Clusters are no longer outlined";
    });
    document.addEventListener("keydown", (e) => {
      if (e.key === "Escape") { point(null); $("matches").hidden = true; }
    });
    document.addEventListener("click", (e) => { if (!e.target.closest(".search")) $("matches").hidden = true; });
    $("table-details").addEventListener("toggle", (e) => { if (e.target.open) paintTable(); });
    $("download").addEventListener("click", download);
    $("profile-close").addEventListener("click", () => { choose(null); stage.focus(); });
    const moves = {
      in: () => zoom(1.6), out: () => zoom(1 / 1.6), up: () => move(0, -.25), down: () => move(0, .25),
      left: () => move(-.25, 0), right: () => move(.25, 0), all: () => { box.w = D.view[0]; clamp(); },
    };
    for (const button of document.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => { point(null); moves[button.dataset.move](); });
    }
    stage.addEventListener("keydown", (e) => {
      const arrows = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
      if (arrows[e.key]) pointByKey(neighbour(...arrows[e.key]));
      else if (e.key === "+" || e.key === "=") zoomByKey(1.6);
      else if (e.key === "-") zoomByKey(1 / 1.6);
      else if ((e.key === "Enter" || e.key === " ") && state.current !== null) choose(state.current, true);
      else return;
      e.preventDefault();
    });
    stage.addEventListener("blur", () => point(null));
    /* A page that scrolls must not be caught by the map: the wheel zooms only a map in use. */
    stage.addEventListener("wheel", (e) => {
      if (document.activeElement !== stage && !e.ctrlKey) return;
      e.preventDefault();
      zoom(e.deltaY < 0 ? 1.25 : 0.8, ...toMap(e));
    }, { passive: false });
    let drag = null;
    map.addEventListener("pointerdown", (e) => { drag = { at: [e.clientX, e.clientY], x: box.x, y: box.y, id: e.pointerId, moved: false }; });
    map.addEventListener("pointermove", (e) => {
      if (drag) {
        const dx = e.clientX - drag.at[0], dy = e.clientY - drag.at[1];
        if (!drag.moved && Math.hypot(dx, dy) < 5) return;
        if (!drag.moved) { drag.moved = true; map.setPointerCapture(drag.id); stage.classList.add("dragging"); point(null); }
        const unit = 1 / map.getScreenCTM().a;
        box.x = drag.x - dx * unit; box.y = drag.y - dy * unit;
        clamp();
        return;
      }
      const i = areaAt(e);
      point(i, [e.clientX, e.clientY]);
    });
    const stop = () => { drag = null; stage.classList.remove("dragging"); };
    map.addEventListener("pointerup", (e) => {
      const moved = drag && drag.moved;
      stop();
      const i = areaAt(e);
      if (!moved && i !== null) { choose(i, false); point(i, [e.clientX, e.clientY]); }
    });
    map.addEventListener("pointercancel", stop);
    map.addEventListener("pointerleave", () => { if (!drag) point(null); });
    new ResizeObserver(place).observe(map);
  }

  function start() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    if (facts.has(wanted.get("i"))) state.id = wanted.get("i");
    $("indicator").value = state.id;
    $("map").style.aspectRatio = `${D.view[0]} / ${D.view[1]}`;
    buildOutlines();
    listen();
    setIndicator(state.id, wanted.get("g") || "lsoa21");
    const k = D.series[state.id][state.level].findIndex((s) => s.z === wanted.get("p"));
    if (k > 0) { state.index = k; $("period").value = String(k); }
    state.clusters = wanted.get("c") === "1";
    $("clusters").checked = state.clusters;
    const a = level().codes.indexOf(wanted.get("a"));
    if (a >= 0) state.area = a;
    place();
    paint();
  }
  start();
})();
