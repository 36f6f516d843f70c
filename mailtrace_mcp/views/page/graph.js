// The delivery graph as SVG: hosts as lanes, hops as boxes, ends as lettered boxes, edges with labels.

const CORNER = 6;

/** The graph in a box of its own that scrolls; `onChosen(hop)` is told of a click or Enter on a node. */
function graphFigure(trace, number, onChosen) {
  const graph = layOut(graphOf(trace), measured());
  const svg = draw("svg", {
    width: graph.width, height: graph.height, role: "group", "aria-label": "Delivery graph",
  });
  svg.append(arrowheads(number));
  graph.lanes.forEach((lane, place) => {
    const band = { x: 0, y: lane.y, width: "100%", height: lane.height };
    svg.append(draw("rect", { ...band, class: `lane ${place % 2 ? "odd" : "even"}` }));
  });
  for (const edge of graph.edges) svg.append(edgeShape(edge, number));
  for (const node of graph.nodes) svg.append(nodeShape(node, onChosen));
  const box = make("div", "graph", laneNames(graph.lanes), svg);
  box.tabIndex = 0; // so that it can be scrolled with the keys
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Delivery graph, hosts as lanes, left to right");
  const caption = legend(graph);
  new ResizeObserver(() => {
    caption.classList.toggle("wide", box.scrollWidth > box.clientWidth);
  }).observe(box);
  return make("figure", "", box, caption);
}

/** The names of the lanes stay where they are while the graph scrolls below them. */
function laneNames(lanes) {
  const names = make("div", "lane-names");
  for (const lane of lanes) {
    const outside = lane.name === OUTSIDE;
    const name = make("span", outside ? "outside" : "", outside ? "outside, not ours" : lane.name);
    name.style.top = `${lane.y}px`;
    names.append(name);
  }
  return names;
}

/** Widths of texts by the browser's own measure. */
function measured() {
  const context = document.createElement("canvas").getContext("2d");
  return (text, font) => {
    context.font = font;
    return context.measureText(text).width;
  };
}

function arrowheads(number) {
  const defs = draw("defs", {});
  for (const stroke of ["solid", "dashed", "dotted"]) {
    const head = { id: `head-${number}-${stroke}`, viewBox: "0 0 8 8", refX: 7.5, refY: 4,
      markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" };
    defs.append(draw("marker", head, draw("path", { d: "M0 .5 8 4 0 7.5z", class: `head ${stroke}` })));
  }
  return defs;
}

function edgeShape(edge, number) {
  const shape = draw("g", { class: `edge ${edge.stroke}` });
  shape.append(draw("path", { d: pathOf(edge.points), "marker-end": `url(#head-${number}-${edge.stroke})` }));
  if (!edge.from) {
    const [x, y] = edge.points[0];
    shape.append(draw("circle", { cx: x, cy: y, r: 3.5 }));
  }
  const top = edge.targetY - 6 - (edge.above.length - 1) * LINE;
  edge.above.forEach((line, n) => shape.append(label(line, edge.labelX, top + n * LINE)));
  edge.below.forEach((line, n) => shape.append(label(line, edge.labelX, edge.targetY + 14 + n * LINE)));
  return shape;
}

function label(line, x, y) {
  const text = draw("text", { x, y, class: `label ${line.font}` }, line.text);
  text.style.font = FONTS[line.font];
  if (line.text !== line.whole) text.append(draw("title", {}, line.whole));
  return text;
}

/** A path through points, with round corners. */
function pathOf(points) {
  const [[x, y], ...rest] = points;
  let path = `M${x} ${y}`;
  rest.forEach(([px, py], n) => {
    const next = rest[n + 1];
    if (!next) {
      path += `L${px} ${py}`;
      return;
    }
    const [bx, by] = n ? rest[n - 1] : [x, y];
    const room = Math.min(CORNER, Math.hypot(px - bx, py - by) / 2, Math.hypot(next[0] - px, next[1] - py) / 2);
    const before = [px - Math.sign(px - bx) * room, py - Math.sign(py - by) * room];
    const behind = [px + Math.sign(next[0] - px) * room, py + Math.sign(next[1] - py) * room];
    path += `L${before[0]} ${before[1]}Q${px} ${py} ${behind[0]} ${behind[1]}`;
  });
  return path;
}

function nodeShape(node, onChosen) {
  const { letter, colour } = node.kind === "end" ? marks(node.outcome) : { colour: "hop" };
  const ghost = node.ghost ? " ghost" : "";
  const shape = draw("g", { class: `node ${node.kind} ${colour}${ghost}`, tabindex: 0, role: "button" });
  const whole = [node.lane === OUTSIDE ? "outside" : node.lane, node.title, ...node.lines].join("\n");
  const box = { x: node.x, y: node.y, width: node.width, height: node.height, rx: node.kind === "end" ? 12 : 4 };
  shape.append(draw("title", {}, whole), draw("rect", box));
  const titleY = node.y + PAD + 11;
  if (letter) {
    const middle = { cx: node.x + PAD + 7, cy: titleY - 4.5 };
    shape.append(draw("circle", { ...middle, r: 8, class: "badge" }));
    const sign = draw("text", { x: middle.cx, y: titleY, class: "letter", "text-anchor": "middle" }, letter);
    sign.style.font = FONTS.bold;
    shape.append(sign);
  }
  const titleX = node.x + PAD + (letter ? BADGE : 0);
  const title = draw("text", { x: titleX, y: titleY, class: "title" }, node.shownTitle);
  title.style.font = letter ? FONTS.bold : FONTS.mono;
  shape.append(title);
  node.shownLines.forEach((line, n) => {
    const text = draw("text", { x: node.x + PAD, y: titleY + (n + 1) * LINE, class: "line" }, line);
    text.style.font = FONTS.text;
    shape.append(text);
  });
  shape.addEventListener("click", () => onChosen(node.hop));
  shape.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    onChosen(node.hop);
  });
  return shape;
}

/** What the signs mean; only those that are there. */
function legend(graph) {
  const caption = make("figcaption", "legend");
  for (const outcome of distinct(graph.nodes.map((node) => node.outcome))) caption.append(chip(outcome));
  const strokes = new Set(graph.edges.map((edge) => edge.stroke));
  if (strokes.has("dashed")) caption.append(make("span", "", "- - - a notice, on its way back"));
  if (strokes.has("dotted")) caption.append(make("span", "", "· · · not proven"));
  caption.append(make("span", "quiet", "Click a box for its log lines."));
  caption.append(make("span", "quiet more", "Scroll sideways for the rest."));
  return caption;
}
