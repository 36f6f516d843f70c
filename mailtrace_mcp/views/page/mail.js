// One mail of a trace: its heading, graph, timeline, recipients, notices, hops.

const MOST_RECIPIENTS = 200;

/** The article of one mail; `number` sets it apart from the others of the page. */
function mailArticle(trace, number, fetchLines) {
  const folds = new Map();
  const hops = make("section", "part", make("h3", "", "Hops and their log lines"));
  for (const hop of trace.hops) {
    const fold = hopFold(trace, hop, fetchLines);
    if (!folds.has(keyOf(hop))) folds.set(keyOf(hop), fold);
    hops.append(fold);
  }
  const open = (hop) => openFold(folds.get(keyOf(hop)));
  const article = make("article", "mail", mailHeading(trace));
  if (trace.hops.length) article.append(graphFigure(trace, number, open));
  const timeline = timelineFigure(trace);
  if (timeline) article.append(part("Timeline", timeline));
  article.append(recipientsPart(trace));
  if (trace.notices.length) article.append(noticesPart(trace));
  if (trace.hops.length) article.append(hops);
  article.append(allStrangers(trace.untrusted) ?? "");
  return article;
}

function openFold(fold) {
  if (!fold) return;
  fold.open = true;
  const summary = fold.querySelector("summary");
  summary.focus({ preventScroll: true });
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  fold.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
}

function mailHeading(trace) {
  const name = trace.message_id ?? (trace.message_id_ref ? `(message-id: ${trace.message_id_ref})` : null);
  const sender = shown(trace.sender, trace.sender_ref);
  const heading = make("h2", "", name ? (trace.message_id ? `<${name}>` : name) : "Mail without a known message-id");
  const line = make("p", "", "from ", make("b", "", sender), " ", chip(trace.outcome));
  if (!trace.complete) line.append(" ", make("span", "chip open", make("b", "", "!"), " not complete"));
  return make("header", "", heading, line, make("p", "quiet", timeWords(trace).join(" · ")));
}

function timeWords(trace) {
  const { total_seconds: total, slowest, skew } = trace.latency;
  const words = trace.started ? [`came in ${moment(trace.started)}`] : [];
  if (total !== null) words.push(`${spent(total)} ${trace.ended ? "in all" : "to the last end so far"}`);
  if (slowest && slowest.seconds > 0) {
    words.push(`slowest: ${slowest.phase.replaceAll("_", " ")} at ${slowest.host}, ${spent(slowest.seconds)}`);
  }
  for (const one of skew) {
    words.push(`clock of ${one.to} is ${one.seconds.join(" to ")} s against ${one.from}`);
  }
  return words;
}

function recipientsPart(trace) {
  const cards = make("div", "cards");
  for (const end of trace.recipients.slice(0, MOST_RECIPIENTS)) cards.append(recipientCard(trace, end));
  const more = trace.recipients.length - MOST_RECIPIENTS;
  return part("Recipients", cards, more > 0 ? make("p", "quiet", `And ${more} more.`) : null);
}

function recipientCard(trace, end) {
  const original = end.original_recipient ?? end.original_recipient_ref;
  const name = original && original !== end.recipient ? `${original} → ${recipientName(end)}` : recipientName(end);
  const landed = { none: null, outside: `${shown(end.relay, end.relay_ref)}, not one of ours` };
  const reply = trace.untrusted.find((entry) => entry.ref === end.reply_ref);
  return make("div", "card",
    make("p", "", chip(end.outcome, end.dsn), " ", make("b", "id", name)),
    end.reason ? make("p", "reason", end.reason) : null,
    facts([
      ["to", end.end in landed ? landed[end.end] : end.end],
      ["at", distinct([end.host, end.queue_id]).join(" ")],
      ["when", moment(end.at)],
      ["attempts", end.attempts > 1 ? end.attempts : null],
      ["next try about", moment(end.next_retry)],
      ["added by", end.added_by],
      ["way", end.path.map((place) => place.host).join(" → ")],
    ]),
    reply ? folded(["Reply"], () => [strangers([reply])]) : null,
  );
}

function noticesPart(trace) {
  const cards = make("div", "cards");
  for (const one of trace.notices) {
    const way = one.path.map((place) => `${place.host} ${place.queue_id ?? ""}`).join(" → ");
    cards.append(make("div", "card notice",
      make("p", "", chip(one.outcome), ` ${one.kind} to `, make("b", "id", shown(one.to, one.to_ref))),
      one.reason ? make("p", "reason", one.reason) : null,
      facts([["way", way || "no line of it found"]]),
    ));
  }
  return part("Notices, on their way back", cards);
}
