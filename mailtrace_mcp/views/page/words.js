"use strict";
// How values are said: outcomes with their letters, moments, durations, names. Pure.

// A letter beside every colour: nobody has to tell red from green.
const OUTCOMES = new Map([
  ["sent", ["S", "good"]],
  ["deferred", ["D", "waiting"]],
  ["queued", ["Q", "waiting"]],
  ["held", ["H", "waiting"]],
  ["bounced", ["B", "bad"]],
  ["expired", ["E", "bad"]],
  ["rejected", ["R", "bad"]],
  ["discarded", ["X", "gone"]],
  ["deleted", ["L", "gone"]],
  ["aborted", ["A", "gone"]],
  ["mixed", ["M", "open"]],
]);
// What Postfix writes after status= that is no outcome's name.
const STATUSES = new Map([["SOFTBOUNCE", "deferred"], ["force-expired", "expired"]]);

/** The letter of an outcome, and the word for its colour; `?` for unknown ones. */
function marks(outcome) {
  const [letter, colour] = OUTCOMES.get(STATUSES.get(outcome) ?? outcome) ?? ["?", "open"];
  return { letter, colour };
}

/** Milliseconds of a moment of the answer, or null. Digits behind the third are cut. */
function instant(stamp) {
  const found = stamp ? Date.parse(stamp.replace(/(\.\d{3})\d+/, "$1")) : NaN;
  return Number.isNaN(found) ? null : found;
}

/** `2026-11-21 14:59:05` as the answer has it: in its own zone, never the browser's. */
function moment(stamp) {
  return stamp ? stamp.slice(0, 19).replace("T", " ") : "";
}

/** The time of day, and the date where it is not that of `since`. */
function clock(stamp, since) {
  if (!stamp) return "";
  return since && since.slice(0, 10) === stamp.slice(0, 10) ? stamp.slice(11, 19) : moment(stamp);
}

/** A duration in seconds as people say it: `0.12 s`, `2.1 s`, `3 min 20 s`, `2 h 5 min`. */
function spent(seconds) {
  if (seconds < 0.01) return "under 0.01 s";
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  for (const [size, unit, smaller, small] of
    [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / smaller);
    return `${Math.floor(whole / size)} ${unit}` + (rest ? ` ${rest} ${small}` : "");
  }
  return `${whole} s`;
}

/** A size in bytes as people say it. */
function bytes(size) {
  if (size < 1000) return `${size} B`;
  return size < 1e6 ? `${(size / 1e3).toFixed(1)} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

/** `1 hop`, `3 hops`. */
function counted(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

/** A value, `<>` for the empty sender, or where it stands among the untrusted, or a question mark. */
function shown(value, ref) {
  if (value === "") return "<>";
  return value ?? (ref ? `(${ref})` : "?");
}

/** Who a recipient is; where no line names it, how many there are. */
function recipientName(end) {
  const count = end.count ?? 1;
  if (end.recipient !== null) {
    return end.count ? `${end.recipient} (${counted(count, "recipient")})` : end.recipient;
  }
  return end.recipient_ref ? `(${end.recipient_ref})` : `${counted(count, "recipient")} not named`;
}

/** What is different among some words, once each. */
function distinct(words) {
  return [...new Set(words.filter((word) => word !== null && word !== undefined && word !== ""))];
}
