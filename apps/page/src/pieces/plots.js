// Small drawings on a canvas: a sparkline, a curve with axes, bars from a middle line. Points are [ns, paise].

import { node } from "./nodes.js";

const GAP = 6;

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// A canvas as large as its holder, in device pixels; returns {context, width, height} in CSS pixels, or null while hidden.
function sheet(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return null;
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

function span(points, base) {
  let low = base;
  let high = base;
  for (const [, value] of points) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const room = (high - low || 100) * 0.06;
  return [low - (low < base ? room : 0), high + (high > base ? room : 0)];
}

function trace(context, points, x, y) {
  context.beginPath();
  points.forEach(([ts, value], i) => (i ? context.lineTo(x(ts, i), y(value)) : context.moveTo(x(ts, i), y(value))));
}

function fill(context, points, x, y, base, colour) {
  trace(context, points, x, y);
  context.lineTo(x(points.at(-1)[0], points.length - 1), y(base));
  context.lineTo(x(points[0][0], 0), y(base));
  context.closePath();
  context.globalAlpha = 0.16;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 1;
}

// The colour of gains above the base and of losses below it, split where the line crosses.
function twofold(context, area, points, x, y, base) {
  for (const [name, top, bottom] of [["--up", 0, y(base)], ["--down", y(base), area.height]]) {
    context.save();
    context.beginPath();
    context.rect(0, top, area.width, bottom - top);
    context.clip();
    fill(context, points, x, y, base, ink(name));
    trace(context, points, x, y);
    context.strokeStyle = ink(name);
    context.lineWidth = 1.5;
    context.stroke();
    context.restore();
  }
}

function rule(context, y, width, left = 0) {
  context.beginPath();
  context.moveTo(left, Math.round(y) + 0.5);
  context.lineTo(width, Math.round(y) + 0.5);
  context.strokeStyle = ink("--line");
  context.lineWidth = 1;
  context.stroke();
}

// sparkline({label}) -> {element, draw(points, base)}
export function sparkline({ label = "", cls = "" } = {}) {
  const canvas = node("canvas", `sparkline ${cls}`.trim());
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const draw = (points, base = 0) => {
    const area = sheet(canvas);
    if (!area || points.length < 2) return;
    const [low, high] = span(points, base);
    const x = (_ts, i) => (i / (points.length - 1)) * area.width;
    const y = (value) => area.height - 2 - ((value - low) / (high - low || 1)) * (area.height - 4);
    rule(area.context, y(base), area.width);
    twofold(area.context, area, points, x, y, base);
  };
  return { element: canvas, draw };
}

function steps(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const marks = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) marks.push(at);
  return marks;
}

// curve({label, value, when}) -> {element, draw(points, base)}: a line over time with axes and a reading under the pointer.
export function curve({ label = "", value = String, when = String } = {}) {
  const canvas = node("canvas", "curve-canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const reading = node("span", "curve-reading");
  const holder = node("div", "curve", "", canvas, reading);
  let held = { points: [], base: 0 };
  let pointer = -1;

  function draw(points = held.points, base = held.base) {
    held = { points, base };
    const area = sheet(canvas);
    if (!area) return;
    const { context, width, height } = area;
    const inner = { width, height: height - 18 };
    const [low, high] = span(points, base);
    context.font = "11px " + (ink("--mono") || "monospace");
    const left = 4 + Math.max(...steps(low, high, 4).map((mark) => context.measureText(value(mark)).width), 0) + GAP;
    const at = (i) => left + (points.length > 1 ? i / (points.length - 1) : 0) * (width - left - 4);
    const y = (one) => inner.height - ((one - low) / (high - low || 1)) * (inner.height - 8);
    context.fillStyle = ink("--dim");
    context.textBaseline = "middle";
    for (const mark of steps(low, high, 4)) {
      rule(context, y(mark), width, left);
      context.fillText(value(mark), 2, y(mark));
    }
    if (points.length < 2) return;
    twofold(context, inner, points, (_ts, i) => at(i), y, base);
    ends(context, area, points, left);
    follow(context, inner, points, at, y, left);
  }

  function ends(context, { width, height }, points, left) {
    context.fillStyle = ink("--dim");
    context.textBaseline = "bottom";
    context.textAlign = "left";
    context.fillText(when(points[0][0]), left, height);
    context.textAlign = "right";
    context.fillText(when(points.at(-1)[0]), width - 4, height);
    context.textAlign = "left";
  }

  function follow(context, inner, points, at, y, left) {
    reading.hidden = pointer < 0;
    if (pointer < 0) return;
    const share = (pointer - left) / (inner.width - left - 4);
    const i = Math.max(0, Math.min(points.length - 1, Math.round(share * (points.length - 1))));
    context.fillStyle = ink("--text");
    context.fillRect(Math.round(at(i)), 0, 1, inner.height);
    context.beginPath();
    context.arc(at(i), y(points[i][1]), 3, 0, 7);
    context.fill();
    reading.textContent = `${when(points[i][0])}  ${value(points[i][1])}`;
  }

  canvas.addEventListener("pointermove", (event) => {
    pointer = event.offsetX;
    draw();
  });
  canvas.addEventListener("pointerleave", () => {
    pointer = -1;
    draw();
  });
  new ResizeObserver(() => draw()).observe(canvas);
  reading.hidden = true;
  return { element: holder, draw };
}

// bars({value, empty}) -> {element, show([[name, amount]])}: gains to the right of a middle line, losses to the left.
export function bars({ value = String, cls = "", plain = false, empty = "" } = {}) {
  const nothing = node("div", "bars-none", empty);
  const element = node("div", `bars ${plain ? "bars-plain" : ""} ${cls}`.trim(), "", nothing);
  const made = new Map();
  const make = (name) => {
    const ink = node("i");
    const number = node("span", "num");
    const line = node("div", "bars-row", "", node("span", "bars-name", name), node("span", "bars-track", "", ink), number);
    element.append(line);
    return { line, ink, number };
  };
  const show = (rows) => {
    const most = Math.max(1, ...rows.map(([, amount]) => Math.abs(amount)));
    const wanted = new Set(rows.map(([name]) => name));
    nothing.hidden = rows.length > 0 || !empty;
    for (const name of [...made.keys()].filter((one) => !wanted.has(one))) {
      made.get(name).line.remove();
      made.delete(name);
    }
    for (const [place, [name, amount]] of rows.entries()) {
      if (!made.has(name)) made.set(name, make(name));
      const { line, ink, number } = made.get(name);
      if (element.children[place + 1] !== line) element.insertBefore(line, element.children[place + 1] ?? null);
      const share = (Math.abs(amount) / most) * (plain ? 100 : 50);
      ink.style.cssText = `width:${share}%;left:${plain ? 0 : amount < 0 ? 50 - share : 50}%`;
      ink.className = plain ? "" : amount < 0 ? "down" : "up";
      number.textContent = value(amount);
      number.className = plain ? "num" : amount < 0 ? "num down" : "num up";
    }
  };
  return { element, show };
}
