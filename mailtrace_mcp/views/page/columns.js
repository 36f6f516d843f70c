// Where the nodes of a graph go: a column by the steps that lead there, a row in the lane of a host. Pure.

/** Give every node its column: one more than the furthest of those it follows. */
function setColumns(graph) {
  for (const node of graph.nodes) {
    node.column = 0;
    node.out = [];
    node.in = [];
  }
  graph.edges = withoutLoops(graph.edges);
  for (const node of graph.nodes) node.out.sort((one, other) => rank(one) - rank(other));
  for (let moved = true; moved; ) {
    moved = false;
    for (const { from, to } of graph.edges) {
      if (!from || to.column > from.column) continue;
      to.column = from.column + 1;
      moved = true;
    }
  }
}

/** How near to its hop an edge is drawn: ends beside it, then what goes on, then notices. */
function rank(edge) {
  if (edge.stroke === "dashed") return 2;
  return edge.to.kind === "end" ? 0 : 1;
}

/** Hang the edges on their nodes, the surest first. One that would lead back to where it comes from is
 * left out (its hop tells it): a mere possibility may, where clocks differ or stamps are whole seconds. */
function withoutLoops(edges) {
  const surest = [...edges].sort((one, other) =>
    Number(one.stroke === "dotted") - Number(other.stroke === "dotted"));
  return surest.filter((edge) => {
    if (edge.from && reaches(edge.to, edge.from)) return false;
    edge.from?.out.push(edge);
    edge.to.in.push(edge);
    return true;
  });
}

function reaches(start, end) {
  const seen = new Set([start]);
  for (const node of seen) {
    if (node === end) return true;
    for (const edge of node.out) seen.add(edge.to);
  }
  return false;
}

/** Give every node its row in its lane, and list the lanes: hosts as the mail reaches them, outside last. */
function setRows(graph) {
  const lanes = new Map(); // name → rows, each the spans of columns that are taken
  const inOrder = [...graph.nodes].sort((one, other) => one.column - other.column);
  for (const node of inOrder) if (node.lane !== OUTSIDE) lanes.set(node.lane, []);
  lanes.set(OUTSIDE, []);
  const waiting = graph.nodes.filter((node) => !node.in.some((edge) => edge.from)).reverse();
  while (waiting.length) {
    const node = waiting.pop();
    if (node.row !== undefined) continue;
    const parent = node.in.find((edge) => edge.from)?.from;
    const rows = lanes.get(node.lane);
    const first = parent ? parent.column + 1 : node.column;
    node.row = freeRow(rows, parent?.lane === node.lane ? parent.row : 0, first, node.column);
    rows[node.row].push([first, node.column]);
    const next = node.out.map((edge) => edge.to);
    waiting.push(...next.filter((one) => one.row === undefined).reverse());
  }
  graph.lanes = [...lanes].filter(([, rows]) => rows.length).map(([name, rows]) => ({ name, rows }));
}

/** The first row from `wanted` on where no span reaches into these columns; a new one if there is none. */
function freeRow(rows, wanted, first, last) {
  while (rows.length < wanted) rows.push([]);
  let row = wanted;
  while (row < rows.length && rows[row].some(([from, to]) => from <= last && first <= to)) row += 1;
  if (row === rows.length) rows.push([]);
  return row;
}
