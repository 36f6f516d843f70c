// A time axis on which long pauses are short: milliseconds and days find room on one line. Pure.

const LEAST_APART = 76; // pixels between two moments that are written on the axis

/** From moments in milliseconds to places in [left, right]: each pause as wide as its logarithm. */
function timeAxis(moments, left, right) {
  const times = [...new Set(moments)].sort((one, other) => one - other);
  const wide = times.map((at, n) => (n ? Math.log10(1 + at - times[n - 1]) : 0));
  const whole = wide.reduce((sum, one) => sum + one, 0) || 1;
  let sum = 0;
  const places = new Map(times.map((at, n) => {
    sum += wide[n];
    return [at, left + (sum / whole) * (right - left)];
  }));
  return { times, places, left, right };
}

/** Where a moment is that lies on the axis or between two that do. */
function placeOf(axis, at) {
  const known = axis.places.get(at);
  if (known !== undefined) return known;
  const later = axis.times.findIndex((time) => time > at);
  if (later < 0) return axis.right;
  if (later === 0) return axis.left;
  const [from, to] = [axis.times[later - 1], axis.times[later]];
  const [start, end] = [axis.places.get(from), axis.places.get(to)];
  return start + ((at - from) / (to - from)) * (end - start);
}

/** The moments to write on the axis: the first, the last, and those between that have room. */
function written(axis) {
  const told = [];
  for (const at of axis.times) {
    const x = axis.places.get(at);
    if (!told.length || x - axis.places.get(told.at(-1)) >= LEAST_APART) told.push(at);
  }
  const last = axis.times.at(-1);
  if (told.length > 1 && told.at(-1) !== last) told.pop();
  if (told.at(-1) !== last && axis.right - axis.places.get(told.at(-1)) >= LEAST_APART) told.push(last);
  return told;
}

/** The pauses that are wide enough to say how long they are: [place of the middle, seconds]. */
function pauses(axis, least) {
  const found = [];
  axis.times.forEach((at, n) => {
    if (!n) return;
    const [start, end] = [axis.places.get(axis.times[n - 1]), axis.places.get(at)];
    const seconds = (at - axis.times[n - 1]) / 1000;
    if (end - start >= least && seconds >= 1) found.push([(start + end) / 2, seconds]);
  });
  return found;
}
