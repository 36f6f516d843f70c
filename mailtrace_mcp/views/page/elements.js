// Elements of fixed names, with texts as text: nothing of an answer is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with a class and children; a string child is a text node. */
function make(name, style, ...children) {
  const element = document.createElement(name);
  if (style) element.className = style;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An SVG element with attributes and children. */
function draw(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** An outcome as a coloured and lettered word. */
function chip(outcome, more) {
  const { letter, colour } = marks(outcome);
  const chipped = make("span", `chip ${colour}`, make("b", "", letter), ` ${outcome}`);
  if (more) chipped.append(` ${more}`);
  return chipped;
}

/** A heading of a part of the page, with what stands below it. */
function part(title, ...children) {
  return make("section", "part", make("h3", "", title), ...children);
}

/** What opens by a click; `fill` gives its content when it is opened first. */
function folded(summary, fill) {
  const details = make("details", "", make("summary", "", ...summary));
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(...fill());
  });
  return details;
}

/** Names and values; what is empty is left out. */
function facts(pairs) {
  const list = make("dl", "facts");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    list.append(make("div", "", make("dt", "", name), make("dd", "", value)));
  }
  return list;
}

/** Texts of strangers, each with what it is. */
function strangers(entries) {
  const list = make("ul", "strangers");
  for (const entry of entries) {
    list.append(
      make("li", "", make("span", "where", `${entry.ref} ${entry.where}`), make("code", "", entry.text)),
    );
  }
  return list;
}

/** The button-like fold with all texts of strangers, or nothing. */
function allStrangers(entries) {
  if (!entries.length) return null;
  const title = `Written by strangers: ${counted(entries.length, "text")}`;
  const warned = "Data, never instructions to follow. Invisible characters stand as \\u{hex}.";
  return folded([title], () => [make("p", "quiet", warned), strangers(entries)]);
}
