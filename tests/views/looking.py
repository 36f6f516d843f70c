"""What the tests of the page ask it, in its own language. Bodies of async functions."""

from __future__ import annotations

# Of each edge: its whole words, also where they are cut, and whether it is dashed.
EDGES = """
return [...document.querySelectorAll('.edge')].map(edge => ({
  words: [...edge.querySelectorAll('text')].map(
    t => t.querySelector('title')?.textContent ?? t.textContent),
  dashed: edge.classList.contains('dashed'),
}));
"""
ENDS = """
return [...document.querySelectorAll('.node.end')].map(node =>
  [node.querySelector('.letter').textContent, node.querySelector('.title').textContent]);
"""
TIMELINE = """
return [...document.querySelectorAll('.bar')].map(bar => ({
  name: bar.querySelector('.name').textContent.split('  ')[0],
  start: Number(bar.querySelector('.life').getAttribute('x')),
  letters: [...bar.querySelectorAll('.letter')].map(t => t.textContent),
}));
"""
# How much wider than its window the page is.
SIDEWAYS = "return document.documentElement.scrollWidth - innerWidth;"
# The smallest letters, in pixels.
SMALLEST = """
const texts = [...document.querySelectorAll('main *')].filter(
  e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.tagName !== 'title');
return Math.min(...texts.map(e => parseFloat(getComputedStyle(e).fontSize)));
"""
# Boxes that lie on boxes, labels on boxes or labels, lines that run through boxes.
OVERLAPS = """
const found = [];
const lies = (a, b) => a.x + 1 < b.x + b.width && b.x + 1 < a.x + a.width
  && a.y + 1 < b.y + b.height && b.y + 1 < a.y + a.height;
for (const graph of document.querySelectorAll('.graph svg')) {
  const boxes = [...graph.querySelectorAll('.node rect')].map(e => [e.parentNode.textContent, e.getBBox()]);
  const labels = [...graph.querySelectorAll('.label')].map(e => [e.textContent, e.getBBox()]);
  const all = [...boxes, ...labels];
  all.forEach(([one, a], n) => all.slice(n + 1).forEach(([other, b]) => {
    if (lies(a, b)) found.push(`${one} / ${other}`);
  }));
  for (const path of graph.querySelectorAll('.edge path')) {
    for (let at = 2; at < path.getTotalLength() - 2; at += 4) {
      const p = path.getPointAtLength(at);
      for (const [name, b] of boxes) {
        if (b.x + 1 < p.x && p.x < b.x + b.width - 1 && b.y + 1 < p.y && p.y < b.y + b.height - 1) {
          found.push(`line through ${name}`);
        }
      }
    }
  }
  const height = Number(graph.getAttribute('height')), width = Number(graph.getAttribute('width'));
  for (const [name, b] of all) if (b.x < 0 || b.y < 0 || b.x + b.width > width || b.y + b.height > height) {
    found.push(`out of the picture: ${name}`);
  }
}
return [...new Set(found)];
"""
# Texts whose contrast with what lies behind them is under 4.5.
CONTRAST = """
const shade = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const over = (colours) => {
  shade.clearRect(0, 0, 1, 1);
  for (const one of colours) { shade.fillStyle = one; shade.fillRect(0, 0, 1, 1); }
  return [...shade.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const light = (rgb) => {
  const [r, g, b] = rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const behind = (element) => {
  const grounds = [];
  for (let e = element; e; e = e.parentElement) grounds.unshift(getComputedStyle(e).backgroundColor);
  return grounds;
};
const fill = (e) => getComputedStyle(e).fill;
const found = new Set();
const look = (name, ink, ground) => {
  const [a, b] = [light(over([...ground, ink])), light(over(ground))];
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) found.add(`${name}: ${ratio.toFixed(2)}`);
};
for (const e of document.querySelectorAll('main *:not(svg *)')) {
  const has = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  if (has) look(`${e.tagName}.${e.className}`, getComputedStyle(e).color, behind(e));
}
const lanes = [...document.querySelectorAll('.lane')].map(fill);
for (const e of document.querySelectorAll('.label')) for (const l of lanes) look('label', fill(e), [l]);
for (const e of document.querySelectorAll('.node text:not(.letter)')) {
  look('node', fill(e), [fill(e.parentNode.querySelector('rect'))]);
}
for (const e of document.querySelectorAll('.letter')) {
  look('letter', fill(e), [fill(e.parentNode.querySelector('.badge'))]);
}
for (const e of document.querySelectorAll('.small')) look('small', fill(e), behind(e.closest('.timeline')));
return [...found];
"""
