"use strict";
/* What the tables made from published figures say of an area, read and put into words.
   Belongs here: no element of the page is touched. Drawing and behaviour are in map.js. */
const aboutAreas = (D) => {
  const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const MAY_BE = "may be in the worst fifth";
  const UNMET = "unmet need candidate";
  const TOO_FEW = "too few points";
  const UNSURE_SPAN = 2 / 5;
  const CLUSTERS = ["high among high", "low among low", "high among low", "low among high"];
  const RESULTS = { better: "better", worse: "worse" };
  const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December"];

  const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");
  const month = (day) => `${MONTHS[Number(day.slice(5, 7)) - 1]} ${day.slice(0, 4)}`;
  function number(value, least, most) {
    return value.toLocaleString("en-GB", { minimumFractionDigits: least, maximumFractionDigits: most ?? least });
  }
  function percent(part) {
    if (part > 0.99) return "over 99%";
    return part < 0.01 ? "under 1%" : `${number(100 * part, 0)}%`;
  }
  const plain = (value) => number(value, 0, 1);

  const blocks = (table, id, level) => ((D.derived[table] || {})[id] || {})[level] || [];
  const ofPeriod = (table, id, level, s) => blocks(table, id, level).filter((b) => b.a === s.a && b.z === s.z);
  function num(block, column, i) {
    const held = (block.n || {})[column];
    const value = Array.isArray(held) ? held[i] : held;
    return value === undefined ? null : value;
  }
  function word(table, block, column, i) {
    const held = (block.t || {})[column];
    const c = held ? held[held.length === 1 ? 0 : i] : ".";
    return c === "." ? "" : D.coded[table][column][ALPHABET.indexOf(c)];
  }

  /* Composite indices. 1 is the worst rank. */
  const isIndex = (id, level, s) => ofPeriod("index_ranks", id, level, s).length > 0;
  function place(id, level, s, i) {
    const block = ofPeriod("index_ranks", id, level, s)[0];
    if (!block || num(block, "rank", i) === null) return null;
    const low = num(block, "rank_low", i), high = num(block, "rank_high", i);
    const areas = num(block, "areas", i), rank = num(block, "rank", i);
    const spread = low !== null && high !== null;
    const named = word("index_ranks", block, "class", i);
    const chance = num(block, "p_worst_fifth", i);
    return {
      rank, low, high, named,
      unsure: named === MAY_BE || (spread && high - low > UNSURE_SPAN * areas),
      text: `rank ${plain(rank)} of ${plain(areas)}${spread ? `, between ${plain(low)} and ${plain(high)}` : ""}`,
      chance: chance === null ? "" : percent(chance),
    };
  }
  function parts(id, level, s, i) {
    const all = ofPeriod("index_components", id, level, s);
    const most = Math.max(0, ...all.flatMap((b) => (b.n || {}).score ?? []).filter((v) => v !== null));
    return all.map((b) => ({ title: b.title, score: num(b, "score", i), weight: num(b, "weight", i), most }));
  }

  /* Clusters: only what is beyond chance is named. */
  const hasClusters = (id, level, s) => ofPeriod("hotspots", id, level, s).length > 0;
  function cluster(id, level, s, i) {
    const block = ofPeriod("hotspots", id, level, s)[0];
    return block ? word("hotspots", block, "class", i) : "";
  }
  function clusterText(id, level, s, i) {
    const named = cluster(id, level, s, i);
    if (!named) return "";
    const outside = num(ofPeriod("hotspots", id, level, s)[0], "neighbours_outside", i);
    return `${sentence(named)}${outside ? `; ${outside} of its neighbours lie beyond the region, so read this with care` : ""}`;
  }

  /* Trends have periods of their own: those of one length, from the last break in series on. */
  function trendOf(id, level, s, i) {
    const days = (from, to) => (Date.parse(to) - Date.parse(from)) / 864e5 + 1;
    const length = Math.round(days(s.a, s.z) / 30.44);
    const all = blocks("trends", id, level);
    const told = all.filter((b) => ![TOO_FEW, ""].includes(word("trends", b, "direction", i)));
    const choice = told.length ? told : all;
    return choice.find((b) => b.months === length) || choice[choice.length - 1] || null;
  }
  function trend(id, level, s, i) {
    const block = trendOf(id, level, s, i);
    const direction = block ? word("trends", block, "direction", i) : "";
    const change = block ? num(block, "change_per_year", i) : null;
    if (!direction) return null;
    if (direction === TOO_FEW || change === null) return { told: false, text: "Too few periods with a figure to tell a trend" };
    const points = word("trends", block, "change_unit", i).startsWith("percentage");
    const amount = (v) => `${v > 0 ? "+" : ""}${number(v, 1)}`;
    const broken = word("trends", block, "value_status", i).includes("[b]");
    return {
      told: true,
      text: `${sentence(direction)}: ${amount(change)}${points ? " percentage points" : "%"} a year `
        + `(95% interval ${amount(num(block, "lower_ci", i))} to ${amount(num(block, "upper_ci", i))}), `
        + `${month(block.a)} to ${month(block.z)}${broken ? ", counted from the last break in series" : ""}`,
    };
  }

  /* Against the district's figure; a district against the region's. */
  function against(id, level, s, i) {
    const block = ofPeriod("comparisons", id, level, s)[0];
    const value = block ? ((block.d || {}).benchmark_value || [])[D.levels[level].districts[i]] : null;
    if (value === null || value === undefined) return null;
    return {
      value, result: word("comparisons", block, "result", i),
      name: block.benchmark === "region" ? "the region" : D.levels.lad24.names[D.levels[level].districts[i]],
    };
  }
  function verdict(f, held, value) {
    const shown = number(held.value, f.decimals);
    if (!held.result) return { side: "", text: `${shown}: ${held.name}` };
    if (held.result === "similar") return { side: "similar", text: `similar to ${held.name}'s ${shown}: the difference may be chance` };
    let side = held.result;
    if (side in RESULTS) {
      const other = f.better === "lower" ? "higher" : "lower";
      side = side === "better" ? f.better : other;
    }
    const judged = held.result in RESULTS ? ` (${RESULTS[held.result]})` : "";
    return { side, text: `${side} than ${held.name}'s ${shown}, beyond chance${judged}` };
  }

  /* Need and service: areas, never people. */
  const hasNeed = (id, level, s) => ofPeriod("need_and_service", id, level, s).length > 0;
  function need(id, level, s, i) {
    const block = ofPeriod("need_and_service", id, level, s)[0];
    const named = block ? word("need_and_service", block, "class", i) : "";
    if (!named) return null;
    const lines = [];
    const get = (column) => num(block, column, i);
    const likely = get("expected_need") ?? get("expected_age");
    if (get("observed") !== null && likely !== null) lines.push(`${plain(get("observed"))} counted where about ${plain(likely)} would be expected`);
    const times = (v, low, high, what) => {
      if (get(v) !== null && get(low) !== null) lines.push(`${what} ${number(get(v), 2)} (95% interval ${number(get(low), 2)} to ${number(get(high), 2)})`);
    };
    times("ratio", "lower", "upper", "Counted over expected:");
    times("need_score", "need_lower", "need_upper", "Need over the region's:");
    if (get("coverage") !== null) lines.push(`Reach of the service: ${plain(get("coverage"))} ${word("need_and_service", block, "coverage_unit", i)}`);
    const plainly = word("need_and_service", block, "not_adjusted", i);
    if (plainly) lines.push(plainly);
    const meaning = named === UNMET ? ": need is clearly high and use clearly low, both beyond chance" : "";
    return { named, candidate: named === UNMET, text: `${sentence(named)}${meaning}`, lines };
  }

  const breaks = (id, s) => (D.breaks[id] || []).filter(([from]) => `${from}-01` <= s.z)
    .map(([from, reason]) => `figures from ${month(from)} on cannot be compared with earlier ones (${reason})`);

  return {
    CLUSTERS, UNMET, MAY_BE, isIndex, place, parts, hasClusters, cluster, clusterText, trend, against,
    verdict, hasNeed, need, breaks, sentence,
  };
};
