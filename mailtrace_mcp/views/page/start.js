// The page begins: with the answer that it holds, or by asking its host for one.

/** Draw an answer of trace_mail or query_logs. */
function showAnswer(answer, fetchLines) {
  document.title = answer.summary;
  const parts = [make("h1", "", answer.summary), notSeen(answer)];
  if (answer.traces) {
    answer.traces.forEach((trace, number) => parts.push(mailArticle(trace, number, fetchLines)));
  } else {
    parts.push(...listingParts(answer));
  }
  parts.push(hintsPart(answer.hints), coveragePart(answer.coverage));
  page().replaceChildren(...parts.filter((one) => one !== null));
}

function page() {
  return document.getElementById("page");
}

function showWords(words) {
  page().replaceChildren(...words.map((one) => make("p", "words", one)));
}

/** What a tool gave: its structured content, else its words (an error, or a host that drops the rest). */
function showResult(result, host) {
  const answer = result.structuredContent;
  if (answer?.summary && answer.coverage) {
    showAnswer(answer, host.readsResources ? (hop) => host.lines(hop) : null);
    return;
  }
  const words = (result.content ?? []).filter((one) => one.type === "text").map((one) => one.text);
  showWords(words.length ? words : ["The answer holds nothing that can be drawn."]);
}

const held = document.getElementById("answer").textContent;
if (held) {
  showAnswer(JSON.parse(held), null);
} else if (parent === window) {
  showWords(["This page shows an answer, and holds none: open it by an MCP client, or write one with --html."]);
} else {
  showWords(["Waiting for an answer …"]);
  const host = new Host((result) => showResult(result, host), (words) => showWords([words]));
  host.begin().catch((error) => showWords([error.message]));
}
