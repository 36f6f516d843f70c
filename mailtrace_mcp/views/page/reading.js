// A trace as a graph: nodes (queue files, and ends of recipients) and edges with their labels. Pure.

const OUTSIDE = "\u0000outside"; // a lane that no host's name can be
const NOTICES = ["bounce", "success-dsn", "delay-dsn", "postmaster"];
const MOST_NAMES = 4; // in one end; a list of thousands is no picture

function keyOf(place) {
  return JSON.stringify([place.host, place.queue_id]);
}

/** Seconds that an attempt and those before it took, or null: delays= add up since the arrival. */
function tookSeconds(attempt) {
  const delays = attempt?.delays;
  if (!delays) return null;
  return delays.before_qmgr + delays.in_qmgr + delays.connection_setup + delays.transmission;
}

function longest(attempts) {
  const known = attempts.map(tookSeconds).filter((seconds) => seconds !== null);
  return known.length ? Math.max(...known) : null;
}

/** `after 2.1 s`, `at once`, or nothing. */
function after(seconds) {
  if (seconds === null) return "";
  return seconds < 0.01 ? "at once" : `after ${spent(seconds)}`;
}

/** Nodes and edges of one mail. */
function graphOf(trace) {
  const graph = { nodes: [], edges: [], places: new Map() };
  for (const hop of trace.hops) addHop(graph, hop, trace);
  const back = wayBack(trace);
  for (const link of trace.links) addLink(graph, link, back, trace);
  for (const ends of groups(trace.recipients).values()) addEnds(graph, ends, trace);
  for (const notice of trace.notices) addNotice(graph, notice);
  addEntries(graph, trace);
  return graph;
}

/** The places that a notice passes: what leads on from them is drawn dashed. */
function wayBack(trace) {
  return new Set(trace.notices.flatMap((notice) => notice.path.map(keyOf)));
}

function addHop(graph, hop, trace) {
  if (graph.places.has(keyOf(hop))) return;
  const told = distinct([
    hop.size !== undefined ? bytes(hop.size) : "",
    hop.nrcpt !== undefined ? counted(hop.nrcpt, "recipient") : "",
  ]);
  const node = {
    kind: "hop",
    lane: hop.host,
    hop,
    title: hop.queue_id ?? "no queue ID",
    lines: distinct([clock(hop.arrived, trace.started), told.join(", ")]),
  };
  graph.places.set(keyOf(hop), node);
  graph.nodes.push(node);
}

/** The node of a place; one of its own where the answer tells no hop there. */
function nodeAt(graph, place, said) {
  const known = graph.places.get(keyOf(place));
  if (known) return known;
  const hop = { host: place.host, queue_id: place.queue_id, arrived: null, sender: null, attempts: [] };
  const node = { kind: "hop", lane: place.host, hop, title: place.queue_id ?? "no queue ID",
    lines: said ? [said] : [], ghost: true };
  graph.places.set(keyOf(place), node);
  graph.nodes.push(node);
  return node;
}

function addLink(graph, link, back, trace) {
  if (link.kind === "refusal") return; // no mail: the hop tells it
  const source = graph.places.get(keyOf(link.from));
  if (!source) return;
  const ahead = link.to ? [link.to] : (link.candidates ?? []);
  const targets = ahead.map((place) => graph.places.get(keyOf(place))).filter(Boolean);
  if (!ahead.length && link.named) {
    const place = { host: link.from.host, queue_id: link.named };
    targets.push(nodeAt(graph, place, "no line of it found"));
  }
  const notice = NOTICES.includes(link.kind) || back.has(keyOf(link.from));
  for (const target of targets) {
    const sure = link.to && link.confidence === "proven";
    const stroke = sure || notice ? (notice ? "dashed" : "solid") : "dotted";
    graph.edges.push({ from: source, to: target, stroke, ...linkLabel(link, source, target, trace) });
  }
}

function linkLabel(link, source, target, trace) {
  const attempts = (link.attempts ?? []).map((n) => source.hop.attempts[n]).filter(Boolean);
  const told = trace.notices.filter((one) => one.kind === link.kind && keyOf(one) === keyOf(target.hop));
  const names = distinct([
    ...attempts.map((one) => shown(one.recipient, one.recipient_ref)),
    ...told.map((one) => shown(one.to, one.to_ref)),
  ]);
  const nrcpt = target.hop.nrcpt;
  const many = names.length || !nrcpt ? counted(names.length, "recipient") : counted(nrcpt, "recipient");
  const who = names.length === 1 ? names[0] : many;
  const sure = link.candidates ? "one of several that fit" : link.confidence;
  return {
    above: [{ text: target.title, font: "mono" }, names.length || nrcpt ? { text: who } : null],
    below: [
      { text: distinct([link.kind, after(longest(attempts))]).join(" ") },
      { text: `${link.evidence}, ${sure}` },
    ],
  };
}

/** Recipients that ended the same way at the same place. */
function groups(recipients) {
  const found = new Map();
  for (const end of recipients) {
    const key = JSON.stringify([end.host, end.queue_id, end.outcome, end.end, end.relay ?? null,
      end.relay_ref ?? null, end.dsn ?? null, end.reason ?? null, end.added_by ?? null]);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(end);
  }
  return found;
}

function addEnds(graph, ends, trace) {
  const [first] = ends;
  const source = nodeAt(graph, first);
  const outside = first.end === "outside";
  const node = {
    kind: "end",
    lane: outside ? OUTSIDE : first.host,
    hop: source.hop,
    outcome: first.outcome,
    title: distinct([first.outcome, first.dsn]).join(" "),
    lines: [...someNames(ends), ...endLines(first, trace)],
  };
  graph.nodes.push(node);
  const took = longest(ends.map((end) => decidedBy(source.hop, end)));
  const tries = Math.max(...ends.map((end) => end.attempts));
  graph.edges.push({
    from: source,
    to: node,
    stroke: "solid",
    above: [{ text: clock(first.at, trace.started) }],
    below: [{ text: after(took) }, tries > 1 ? { text: counted(tries, "attempt") } : null],
  });
}

/** The attempt that decided how it ended for a recipient. */
function decidedBy(hop, end) {
  return hop.attempts.find(
    (one) => one.at === end.at && one.recipient === end.recipient && one.recipient_ref === end.recipient_ref,
  );
}

function someNames(ends) {
  const names = ends.slice(0, MOST_NAMES).map(recipientName);
  if (ends.length > MOST_NAMES) names.push(`and ${ends.length - MOST_NAMES} more`);
  const before = distinct(ends.map((end) =>
    end.original_recipient !== end.recipient ? end.original_recipient : null));
  return [...names, ...before.slice(0, 2).map((name) => `for ${name}`)];
}

function endLines(end, trace) {
  const to = { outside: shown(end.relay, end.relay_ref), none: null }[end.end];
  return distinct([
    to === undefined ? `to ${end.end}` : to && `to ${to}`,
    end.added_by && `added by ${end.added_by}`,
    end.reason,
    end.next_retry && `next try about ${clock(end.next_retry, trace.started)}`,
  ]);
}

function addNotice(graph, notice) {
  if (!notice.path.length) return; // named only: its link has a node of its own
  const source = nodeAt(graph, notice.path.at(-1));
  const node = {
    kind: "end",
    lane: source.lane,
    hop: source.hop,
    outcome: notice.outcome,
    title: notice.outcome,
    lines: distinct([`${notice.kind} to`, shown(notice.to, notice.to_ref), notice.reason]),
  };
  graph.nodes.push(node);
  graph.edges.push({ from: source, to: node, stroke: "dashed", above: [], below: [] });
}

/** Where the mail came in: an edge from nowhere to every hop that surely follows nothing. */
function addEntries(graph, trace) {
  const sure = graph.edges.filter((edge) => edge.stroke !== "dotted");
  const reached = new Set(sure.map((edge) => edge.to));
  for (const node of graph.nodes) {
    if (reached.has(node) || node.kind !== "hop") continue;
    const client = shown(node.hop.client, node.hop.client_ref);
    const [name, address] = client === "?" ? ["", ""] : client.split(/(?=\[)/);
    const sender = shown(node.hop.sender ?? trace.sender, node.hop.sender_ref ?? trace.sender_ref);
    graph.edges.push({
      from: null,
      to: node,
      stroke: "solid",
      above: [{ text: "from" }, { text: sender }],
      below: [{ text: name }, { text: address ?? "" }],
    });
  }
}
