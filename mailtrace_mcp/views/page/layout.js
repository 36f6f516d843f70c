// Sizes and places of everything in a graph, in pixels. Pure: texts are measured by what it is given.

const FONTS = {
  text: '11.5px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
  bold: '600 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
  mono: '600 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace',
};
const LINE = 15; // from one line of text to the next
const PAD = 9; // between a box and what stands in it
const BADGE = 20; // the letter of an outcome before its title
const WIDEST = 190; // of a line in a box
const WIDEST_LABEL = 170; // of a line at an edge
const MOST_LINES = 9; // in a box
const LANE_HEAD = 24;
const ROW_GAP = 18;
const TRACK = 9; // between two lines that run down side by side
const LABEL_ROOM = 4 * LINE + 8; // what one arriving edge needs from top to bottom

/** Set x, y, width, height of nodes and lanes, and the points and label of every edge. */
function layOut(graph, measure) {
  setColumns(graph);
  setRows(graph);
  for (const node of graph.nodes) sizeOf(node, measure);
  for (const edge of graph.edges) fitLabel(edge, measure);
  setHeights(graph);
  const gaps = setTracks(graph);
  setWidths(graph, gaps);
  for (const edge of graph.edges) route(edge, gaps);
  return graph;
}

/** The box of a node: its title and its lines, broken to what is wide enough. */
function sizeOf(node, measure) {
  const badge = node.kind === "end" ? BADGE : 0;
  const titleFont = node.kind === "end" ? FONTS.bold : FONTS.mono;
  node.shownTitle = fitted(node.title, titleFont, WIDEST - badge, measure);
  const all = node.lines.flatMap((line) => broken(line, FONTS.text, WIDEST, measure));
  node.shownLines = all.slice(0, MOST_LINES);
  if (all.length > MOST_LINES) node.shownLines[MOST_LINES - 1] = "…";
  const widths = node.shownLines.map((line) => measure(line, FONTS.text));
  const widest = Math.max(90, measure(node.shownTitle, titleFont) + badge, ...widths);
  node.width = Math.ceil(widest) + 2 * PAD;
  node.height = (node.shownLines.length + 1) * LINE + 2 * PAD - 3;
}

function fitLabel(edge, measure) {
  const fit = (lines) => lines.filter((line) => line?.text).map((line) => {
    const font = FONTS[line.font ?? "text"];
    const text = fitted(line.text, font, WIDEST_LABEL, measure);
    return { text, whole: line.text, font: line.font ?? "text", width: measure(text, font) };
  });
  edge.above = fit(edge.above);
  edge.below = fit(edge.below);
  edge.labelWidth = Math.max(0, ...[...edge.above, ...edge.below].map((line) => line.width));
}

/** The text, or as much of it as is at most `widest` wide, with an ellipsis. */
function fitted(text, font, widest, measure) {
  if (measure(text, font) <= widest) return text;
  const letters = Array.from(text);
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (measure(`${letters.slice(0, middle).join("")}…`, font) <= widest) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join("")}…`;
}

/** The text in lines of at most `widest`, broken at blanks; a longer word is cut. */
function broken(text, font, widest, measure) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && measure(longer, font) <= widest) lines[lines.length - 1] = longer;
    else lines.push(fitted(word, font, widest, measure));
  }
  return lines;
}

/** Lanes and rows from top to bottom; a row is as high as its highest box or its arriving labels. */
function setHeights(graph) {
  let y = 0;
  for (const lane of graph.lanes) {
    lane.y = y;
    y += LANE_HEAD;
    lane.rows.forEach((_, row) => {
      const nodes = graph.nodes.filter((node) => node.lane === lane.name && node.row === row);
      const height = Math.max(...nodes.map((one) => Math.max(one.height, one.in.length * LABEL_ROOM)), 0);
      for (const node of nodes) {
        node.centre = y + height / 2;
        node.y = node.centre - node.height / 2;
      }
      y += height + ROW_GAP;
    });
    lane.height = y - lane.y;
  }
  graph.height = y;
  for (const node of graph.nodes) {
    node.in.forEach((edge, place) => {
      edge.targetY = node.centre + (place - (node.in.length - 1) / 2) * LABEL_ROOM;
    });
    // Notices leave below what goes on, so that both can be seen.
    const both = new Set(node.out.map((edge) => edge.stroke === "dashed")).size > 1;
    for (const edge of node.out) edge.sourceY = node.centre + (both && edge.stroke === "dashed" ? 12 : 0);
  }
}

/** Which lines run down beside which: in each gap between columns, a track for each hop that goes on. */
function setTracks(graph) {
  const columns = Math.max(0, ...graph.nodes.map((node) => node.column)) + 1;
  const gaps = Array.from({ length: columns }, () => ({ tracks: [], label: 0 }));
  for (const node of graph.nodes) {
    for (const dashed of [false, true]) {
      const edges = node.out.filter((edge) => (edge.stroke === "dashed") === dashed);
      if (!edges.length) continue;
      const ys = edges.flatMap((edge) => [edge.sourceY, edge.targetY]);
      const span = [Math.min(...ys), Math.max(...ys)];
      const track = span[0] === span[1] ? 0 : freeTrack(gaps[node.column + 1].tracks, span);
      for (const edge of edges) edge.track = track;
    }
  }
  for (const edge of graph.edges) {
    const gap = gaps[edge.to.column];
    gap.label = Math.max(gap.label, edge.labelWidth);
  }
  return gaps;
}

function freeTrack(tracks, [top, bottom]) {
  const apart = (spans) => spans.every(([from, to]) => to + 6 < top || bottom + 6 < from);
  let track = tracks.findIndex(apart);
  if (track < 0) track = tracks.push([]) - 1;
  tracks[track].push([top, bottom]);
  return track;
}

/** Columns and gaps from left to right. */
function setWidths(graph, gaps) {
  let x = 0;
  gaps.forEach((gap, column) => {
    gap.x = x;
    gap.labelX = x + 12 + gap.tracks.length * TRACK;
    x = gap.labelX + Math.ceil(gap.label) + 12;
    const nodes = graph.nodes.filter((node) => node.column === column);
    for (const node of nodes) node.x = x;
    x += Math.max(0, ...nodes.map((node) => node.width));
    gap.end = x;
  });
  graph.width = x + 16;
}

/** The points of an edge: right to its track, down or up, and right to the node it leads to. */
function route(edge, gaps) {
  const end = [edge.to.x, edge.targetY];
  edge.labelX = gaps[edge.to.column].labelX;
  if (!edge.from) {
    edge.points = [[6, edge.targetY], end];
    return;
  }
  const start = [edge.from.x + edge.from.width, edge.sourceY];
  const bend = gaps[edge.from.column + 1].x + 10 + edge.track * TRACK;
  const bends = [[bend, edge.sourceY], [bend, edge.targetY]];
  edge.points = edge.sourceY === edge.targetY ? [start, end] : [start, ...bends, end];
}
