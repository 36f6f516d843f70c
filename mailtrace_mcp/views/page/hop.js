// One hop, opened by a click: what is known of it, its attempts with the replies, its raw log lines.

const MOST_ATTEMPTS = 200;

/** A fold for a hop. `lines` may fetch its log lines where the answer holds none. */
function hopFold(trace, hop, fetchLines) {
  const name = `${hop.host} ${hop.queue_id ?? "(no queue ID)"}`;
  const when = clock(hop.arrived, trace.started);
  return folded([make("b", "id", name), when ? ` ${when}` : null], () => hopParts(trace, hop, fetchLines));
}

function hopParts(trace, hop, fetchLines) {
  const texts = new Map(trace.untrusted.map((entry) => [entry.ref, entry]));
  const parts = [hopFacts(trace, hop)];
  for (const attempt of hop.attempts.slice(0, MOST_ATTEMPTS)) parts.push(attemptBlock(trace, attempt, texts));
  if (hop.attempts.length > MOST_ATTEMPTS) {
    parts.push(make("p", "quiet", `And ${hop.attempts.length - MOST_ATTEMPTS} more attempts.`));
  }
  parts.push(rawLines(trace, hop, fetchLines));
  return parts;
}

function hopFacts(trace, hop) {
  return facts([
    ["arrived", moment(hop.arrived)],
    ["from", hop.client ?? hop.client_ref],
    ["logged in as", hop.login ?? hop.login_ref],
    ["sender", shown(hop.sender, hop.sender_ref)],
    ["came in by", hop.label],
    ["size", hop.size === undefined ? null : bytes(hop.size)],
    ["recipients", hop.nrcpt],
    ["left the queue", moment(hop.removed) || "not seen"],
    ...linksOf(trace, hop),
  ]);
}

/** How it hangs together with others, and how that is known. */
function linksOf(trace, hop) {
  const here = keyOf(hop);
  const sure = (link) => `${link.kind}, known by ${link.evidence}, ${link.confidence}`;
  const said = (place) => `${place.host} ${place.queue_id ?? ""}`;
  const before = trace.links.filter((link) => link.to && keyOf(link.to) === here);
  const behind = trace.links.filter((link) => keyOf(link.from) === here);
  return [
    ...before.map((link) => ["after", `${said(link.from)}: ${sure(link)}`]),
    ...behind.map((link) => ["then", `${onward(link, said)}: ${sure(link)}`]),
  ];
}

function onward(link, said) {
  if (link.to) return said(link.to);
  if (link.refused_by) return `${link.refused_by} logged the same refusal`;
  if (link.candidates) return `one of ${link.candidates.map(said).join(", ")}`;
  return link.named ? `${link.named}, of which no line was found` : "not found";
}

function attemptBlock(trace, attempt, texts) {
  const name = shown(attempt.recipient, attempt.recipient_ref);
  const original = attempt.original_recipient ?? attempt.original_recipient_ref;
  const block = make("div", "attempt");
  const words = [chip(attempt.status ?? "unknown", attempt.dsn), ` ${name}`];
  block.append(make("p", "", ...words, original ? ` (for ${original})` : null));
  const delays = attempt.delays;
  const phases = delays && [
    ["before the queue manager", delays.before_qmgr], ["in the queue", delays.in_qmgr],
    ["connecting", delays.connection_setup], ["sending", delays.transmission],
  ].filter(([, seconds]) => seconds > 0).map(([phase, seconds]) => `${phase} ${spent(seconds)}`).join(", ");
  const address = attempt.relay_address ? ` [${attempt.relay_address}]:${attempt.port ?? ""}` : "";
  block.append(facts([
    ["when", moment(attempt.at)],
    ["relay", shown(attempt.relay, attempt.relay_ref) + address],
    ["by", attempt.agent],
    ["took", phases || (delays ? "under 0.01 s" : null)],
    ["TLS", attempt.tls],
    ...(attempt.steps ?? []).map((step) => ["before that", stepWords(step, texts)]),
  ]));
  const reply = texts.get(attempt.reply_ref);
  if (reply) block.append(strangers([reply]));
  return block;
}

function stepWords(step, texts) {
  const said = texts.get(step.text_ref);
  const code = distinct([step.code, step.dsn]).join(" ");
  return distinct([step.relay, code, said && `${said.ref}: ${said.text}`]).join(", ");
}

/** The raw lines of a hop: those in the answer, else a button that asks the host of the page for them. */
function rawLines(trace, hop, fetchLines) {
  const where = `line, ${hop.host} ${hop.queue_id ?? "without a queue ID"}`;
  const held = trace.untrusted.filter((entry) => entry.where === where);
  const block = make("div", "raw", make("h4", "", "Log lines"));
  if (held.length) {
    block.append(lineList(held.map((entry) => entry.text)));
  } else if (fetchLines && hop.queue_id) {
    const button = make("button", "", "Read them");
    button.addEventListener("click", async () => {
      button.disabled = true;
      block.append(await fetchLines(hop).then(lineList, (error) => make("p", "quiet", error.message)));
      button.remove();
    });
    block.append(button);
  } else {
    block.append(make("p", "quiet", "Not in this answer: ask with detail full."));
  }
  return block;
}

function lineList(lines) {
  return make("ol", "lines", ...lines.map((line) => make("li", "", make("code", "", line))));
}
