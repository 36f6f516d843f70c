// What was read and what was not seen, and what to do next.

/** What was not seen, before all else; by a click where nothing of the mails is open. Null where all
 * hosts were read over the whole window. */
function notSeen(answer) {
  const unread = answer.coverage.hosts.filter((host) => host.state !== "read");
  if (!unread.length) return null;
  const list = make("ul", "");
  for (const host of unread) {
    const why = distinct([host.code, host.reason]).join(": ");
    list.append(make("li", "", make("b", "", host.host), ` ${host.state}${why ? `: ${why}` : ""}`));
  }
  const title = `Not seen, or only in part: ${counted(unread.length, "host")}`;
  const whole = answer.traces?.length && answer.traces.every((trace) => trace.complete);
  const box = make("details", "unseen", make("summary", "", make("b", "", title)), list);
  box.open = !whole;
  return box;
}

/** The coverage of every host. */
function coveragePart(coverage) {
  const { start, end, zone } = coverage.window;
  const read = coverage.hosts.filter((host) => host.state === "read").length;
  const words = `${read} of ${counted(coverage.hosts.length, "host")} read over the whole window, `
    + `${moment(start)} to ${moment(end)} (${zone}).`;
  const list = make("div", "cards");
  for (const host of coverage.hosts) list.append(hostCard(host));
  return part("Coverage", make("p", "", words), list);
}

function hostCard(host) {
  const seen = host.state === "read";
  const state = make("span", seen ? "chip good" : "chip open", make("b", "", seen ? "✓" : "!"), ` ${host.state}`);
  return make("div", "card",
    make("p", "", state, " ", make("b", "", host.host)),
    host.code || host.reason ? make("p", "reason", distinct([host.code, host.reason]).join(": ")) : null,
    facts([
      ["lines that matched", host.lines],
      ["not understood", host.not_understood || null],
      ["read", bytes(host.bytes_read)],
      ["from", moment(host.oldest)],
      ["to", moment(host.newest)],
      ["files", host.files.join(", ")],
    ]),
  );
}

/** What to do next; null where there is nothing to say. */
function hintsPart(hints) {
  if (!hints.length) return null;
  return part("What next", make("ul", "", ...hints.map((hint) => make("li", "", hint))));
}
