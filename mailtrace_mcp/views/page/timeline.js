// The timeline: a bar for each hop's life in its queue, and a letter for each delivery attempt.

const BAR_ROW = 40;
const AXIS_HEAD = 34;
const MOST_BARS = 60;

/** The timeline as a figure that draws itself anew when its width changes; null without any time. */
function timelineFigure(trace) {
  const hops = inOrder(trace).filter((hop) => instant(hop.arrived) !== null || hop.attempts.length);
  const bars = hops.slice(0, MOST_BARS).map(barOf).filter((bar) => bar.start !== null);
  if (!bars.length) return null;
  refine(bars, trace);
  bars.sort((one, other) => one.start - other.start);
  const box = make("div", "timeline");
  let drawn = 0;
  new ResizeObserver(() => {
    const width = Math.floor(box.clientWidth);
    if (!width || width === drawn) return;
    drawn = width;
    box.replaceChildren(timelineShape(trace, bars, width));
  }).observe(box);
  return make("figure", "", box, make("figcaption", "legend quiet", timelineWords(hops, bars)));
}

function timelineWords(hops, bars) {
  const coarse = distinct(bars.filter((bar) => bar.coarse).map((bar) => bar.hop.host));
  const words = ["The longer a pause, the more it is shortened. Thin: in the queue; thick: connecting and sending."];
  if (coarse.length) words.push(`Logged in whole seconds, so drawn after what it follows: ${coarse.join(", ")}.`);
  if (hops.length > MOST_BARS) words.push(`And ${hops.length - MOST_BARS} more hops.`);
  return words.join(" ");
}

/** The hops, each after those that it follows. */
function inOrder(trace) {
  const graph = graphOf(trace);
  setColumns(graph);
  const steps = new Map(graph.nodes.map((node) => [node.hop, node.column]));
  return [...trace.hops].sort((one, other) => (steps.get(one) ?? 0) - (steps.get(other) ?? 0));
}

/** Where a log has whole seconds only, a moment lies somewhere in its second: not before what it follows. */
function refine(bars, trace) {
  const known = new Map(bars.map((bar) => [keyOf(bar.hop), bar]));
  for (const bar of bars) {
    if (!bar.coarse) continue;
    const here = keyOf(bar.hop);
    const before = trace.links
      .filter((link) => link.to && link.confidence !== "possible" && keyOf(link.to) === here)
      .map((link) => known.get(keyOf(link.from))?.start ?? -Infinity);
    const earliest = Math.max(-Infinity, ...before);
    const moved = (at) => Math.min(Math.max(at, earliest), at + 999);
    bar.start = moved(bar.start);
    bar.end = moved(bar.end);
    for (const one of bar.attempts) one.at = moved(one.at);
  }
}

/** When a hop had the mail, and its attempts: those at the same moment that ended the same are one. */
function barOf(hop) {
  const tries = new Map();
  for (const one of hop.attempts) {
    const at = instant(one.at);
    if (at === null) continue;
    const key = `${at} ${one.status}`;
    const known = tries.get(key) ?? { at, status: one.status, count: 0, busy: 0 };
    const busy = one.delays ? one.delays.connection_setup + one.delays.transmission : 0;
    tries.set(key, { ...known, count: known.count + 1, busy: Math.max(known.busy, busy) });
  }
  const attempts = [...tries.values()].sort((one, other) => one.at - other.at);
  const times = [instant(hop.arrived), instant(hop.removed), ...attempts.map((one) => one.at)];
  const known = times.filter((at) => at !== null);
  const start = known.length ? Math.min(...known) : null;
  const end = known.length ? Math.max(...known) : null;
  return { hop, attempts, start, end, open: !hop.removed, coarse: known.every((at) => at % 1000 === 0) };
}

function timelineShape(trace, bars, width) {
  const [left, right] = [12, width - 22];
  const moments = bars.flatMap((bar) => [bar.start, bar.end, ...bar.attempts.map((one) => one.at)]);
  const axis = timeAxis(moments, left, right);
  const height = AXIS_HEAD + bars.length * BAR_ROW;
  const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": "Timeline: when each hop had the mail" });
  drawAxis(svg, axis, trace, height);
  bars.forEach((bar, row) => drawBar(svg, bar, axis, AXIS_HEAD + row * BAR_ROW, trace));
  return svg;
}

function drawAxis(svg, axis, trace, height) {
  const told = written(axis);
  told.forEach((at, n) => {
    const x = axis.places.get(at);
    const anchor = x > axis.right - 50 ? "end" : x < axis.left + 50 ? "start" : "middle";
    svg.append(
      draw("line", { x1: x, x2: x, y1: 18, y2: height, class: "tick" }),
      small(axisWords(trace, at, told[n - 1]), x, 12, anchor),
    );
  });
  const marked = told.map((at) => axis.places.get(at));
  for (const [x, seconds] of pauses(axis, 64)) {
    if (marked.every((one) => Math.abs(one - x) > 20)) svg.append(small(spent(seconds), x, 28, "middle"));
  }
}

/** A moment on the axis; within the second of the one before it, how much later it is. */
function axisWords(trace, at, before) {
  const words = stampOf(trace, at);
  return before !== undefined && words === stampOf(trace, before) ? `+${at - before} ms` : words;
}

function small(text, x, y, anchor) {
  const shape = draw("text", { x, y, class: "small", "text-anchor": anchor }, text);
  shape.style.font = FONTS.text;
  return shape;
}

/** A moment in the words of the answer's own zone: the clock of the stamp that it comes from. */
function stampOf(trace, at) {
  const base = trace.started ?? trace.hops.find((hop) => hop.arrived)?.arrived;
  const zone = /(?:Z|[+-]\d\d:\d\d)$/.exec(base ?? "")?.[0] ?? "Z";
  const sign = zone.startsWith("-") ? -1 : 1;
  const minutes = zone === "Z" ? 0 : sign * (60 * Number(zone.slice(1, 3)) + Number(zone.slice(4, 6)));
  const local = new Date(at + minutes * 60000).toISOString();
  return base && local.slice(0, 10) !== base.slice(0, 10)
    ? `${local.slice(5, 10)} ${local.slice(11, 16)}`
    : local.slice(11, 19);
}

function drawBar(svg, bar, axis, y, trace) {
  const name = `${bar.hop.host} ${bar.hop.queue_id ?? "(no queue ID)"}`;
  const [start, end] = [placeOf(axis, bar.start), placeOf(axis, bar.end)];
  const last = start > axis.right / 2;
  const label = draw("text", { x: last ? end + 8 : start, y: y + 13, class: "small name",
    "text-anchor": last ? "end" : "start" });
  const words = `${name}  ${spent((bar.end - bar.start) / 1000)}`;
  label.append(fitted(words, FONTS.text, axis.right - axis.left, measured()));
  label.style.font = FONTS.text;
  const middle = y + 26;
  const group = draw("g", { class: "bar" }, label);
  const life = { x: start, y: middle - 2, width: Math.max(3, end - start), height: 4, rx: 2 };
  group.append(draw("rect", { ...life, class: bar.open ? "life open" : "life" }));
  for (const one of bar.attempts) {
    const from = Math.max(bar.start, one.at - one.busy * 1000);
    const [x, to] = [placeOf(axis, from), placeOf(axis, one.at)];
    const { colour } = marks(one.status);
    const busy = { x, y: middle - 4, width: Math.max(2, to - x), height: 8, rx: 2 };
    group.append(draw("rect", { ...busy, class: `busy ${colour}` }));
  }
  drawLetters(group, bar, axis, middle, trace);
  svg.append(group);
}

/** A letter at each attempt; of those that would lie on one another the later moves aside. */
function drawLetters(group, bar, axis, middle, trace) {
  let free = -Infinity;
  for (const one of bar.attempts) {
    const x = Math.max(placeOf(axis, one.at), free);
    if (x > axis.right + 12) continue; // no room: the hop's list has it
    free = x + 17;
    const { letter, colour } = marks(one.status);
    const sign = draw("g", { class: `mark ${colour}` });
    const times = one.count > 1 ? ` × ${one.count}` : "";
    sign.append(draw("title", {}, `${one.status}${times} at ${stampOf(trace, one.at)}`));
    sign.append(draw("circle", { cx: x, cy: middle, r: 8, class: "badge" }));
    const text = draw("text", { x, y: middle + 4.5, class: "letter", "text-anchor": "middle" }, letter);
    text.style.font = FONTS.bold;
    sign.append(text);
    group.append(sign);
  }
}
