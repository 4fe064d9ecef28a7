"use strict";
// Asks for the study's data again and again, and draws it: a row for every variant and seed, a chart for
// the training loss and one for each language's held-out text.

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 7;
const DASHES = ["", "7 4", "2 3", "9 3 2 3", "14 4"];
const MARGIN = { left: 46, right: 12, top: 10, bottom: 30 };
const hidden = new Set();
let data = null;
let seen = null;

const find = (id) => document.getElementById(id);

function html(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function svg(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// Variants keep their colours; parents come after them.
function names() {
  const order = [...data.runs.map((run) => run.variant), ...data.series.map(label)];
  return [...new Set(order)];
}

function label(series) {
  return series.seed === null ? `${series.name} (parent)` : series.name;
}

function look(name) {
  const index = names().indexOf(name);
  return { colour: `p${index % COLOURS}`, dash: DASHES[Math.floor(index / COLOURS) % DASHES.length] };
}

function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

// The largest of 1, 2 and 5 times a power of ten that gives at least so many ticks.
function ticks(from, to, count) {
  const rough = (to - from) / count;
  if (!(rough > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [5, 2, 1].map((factor) => factor * power).find((size) => size <= rough) || power;
  const found = [];
  for (let at = Math.ceil(from / step); at * step <= to + step * 1e-9; at += 1) found.push(at * step);
  return found;
}

// As many digits as the distance between ticks needs.
function words(value, ticks) {
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
  const digits = Math.min(12, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function chart(figure, lines, title) {
  const picture = figure.querySelector("svg");
  const width = picture.clientWidth || 600;
  const height = picture.clientHeight || 300;
  const shown = lines.filter((line) => !hidden.has(line.name) && line.points.length > 0);
  const all = shown.flatMap((line) => line.points);
  picture.replaceChildren();
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("role", "img");
  const last = all.reduce((most, [step]) => Math.max(most, step), 0);
  picture.setAttribute("aria-label", `${title}, ${shown.length} curves up to step ${last}`);
  picture.setAttribute("data-step", last);
  picture.setAttribute("data-points", all.length);
  if (all.length === 0) return;
  let low = Infinity;
  let high = -Infinity;
  for (const [, value] of all) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const pad = (high - low || Math.abs(high) || 1) * 0.05;
  [low, high] = [low - pad, high + pad];
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const x = (step) => MARGIN.left + (step / Math.max(last, 1)) * (right - MARGIN.left);
  const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - MARGIN.top);
  const levels = ticks(low, high, 4);
  for (const value of levels) {
    picture.append(svg("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }));
    picture.append(svg("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, words(value, levels)));
  }
  const steps = ticks(0, Math.max(last, 1), width < 420 ? 2.5 : 4).filter(Number.isInteger);
  for (const step of steps) {
    const anchor = x(step) > right - 16 ? "end" : "middle";
    picture.append(svg("text", { x: x(step), y: bottom + 17, "text-anchor": anchor }, words(step, steps)));
  }
  picture.append(svg("line", { class: "axis", x1: MARGIN.left, x2: right, y1: bottom, y2: bottom }));
  for (const line of shown) {
    const { colour, dash } = look(line.name);
    const path = line.points.map(([step, value], at) => `${at ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`);
    const attributes = { class: `curve ${colour}`, d: path.join(""), "stroke-dasharray": dash };
    picture.append(svg("path", attributes));
    if (line.points.length === 1) {
      const [step, value] = line.points[0];
      picture.append(svg("circle", { class: `dot ${colour}`, cx: x(step), cy: y(value), r: 2.5 }));
    }
  }
  const pointer = svg("g", {});
  picture.append(pointer);
  const point = () => {
    pointer.replaceChildren();
    if (!figure.pointed) return;
    const nearest = { distance: 40 };
    for (const line of shown) {
      for (const [step, value] of line.points) {
        const distance = Math.hypot(x(step) - figure.pointed.x, y(value) - figure.pointed.y);
        if (distance < nearest.distance) Object.assign(nearest, { distance, line, step, value });
      }
    }
    if (nearest.line) mark(pointer, nearest, { x: x(nearest.step), y: y(nearest.value), right });
  };
  picture.onpointermove = (event) => {
    const box = picture.getBoundingClientRect();
    figure.pointed = { x: event.clientX - box.left, y: event.clientY - box.top };
    point();
  };
  picture.onpointerleave = () => {
    figure.pointed = null;
    point();
  };
  point();
}

// What a point is, in a box beside it.
function mark(pointer, { line, step, value }, { x, y, right }) {
  const seed = line.seed === null ? "" : `, seed ${line.seed}`;
  const lines = [`${line.name}${seed}`, `step ${step}: ${value.toFixed(4)}`];
  pointer.append(svg("circle", { class: `dot ${look(line.name).colour}`, cx: x, cy: y, r: 3.5 }));
  const box = svg("rect", { class: "box", rx: 3 });
  const texts = lines.map((text) => svg("text", { class: "value" }, text));
  pointer.append(box, ...texts);
  const width = Math.max(...texts.map((text) => text.getComputedTextLength())) + 16;
  const left = x + 10 + width > right ? x - 10 - width : x + 10;
  const top = Math.max(2, y - 44);
  for (const [name, number] of Object.entries({ x: left, y: top, width, height: 40 })) box.setAttribute(name, number);
  texts.forEach((text, at) => {
    text.setAttribute("x", left + 8);
    text.setAttribute("y", top + 16 + 17 * at);
  });
}

function charts() {
  const languages = [...new Set(data.series.flatMap((series) => Object.keys(series.validation)))].sort();
  const wanted = [
    { id: "train", title: "Training loss", unit: "nats per token", points: (series) => series.train },
    ...languages.map((language) => ({
      id: `validation-${language}`,
      title: `Held-out text, ${language}`,
      unit: "bits per byte",
      points: (series) => series.validation[language] || [],
    })),
  ];
  const place = find("charts");
  for (const { id, title, unit, points } of wanted) {
    let figure = place.querySelector(`[data-chart="${CSS.escape(id)}"]`);
    if (!figure) {
      figure = html("figure", undefined, "chart");
      figure.dataset.chart = id;
      const caption = html("figcaption", `${title} `);
      caption.append(html("span", `${unit}, by step`));
      figure.append(caption, svg("svg", {}));
      place.append(figure);
    }
    const lines = data.series.map((series) => ({ name: label(series), seed: series.seed, points: points(series) }));
    chart(figure, lines, title);
  }
}

function legend() {
  const drawn = new Set(data.series.map(label));
  const wanted = names().filter((name) => drawn.has(name));
  const place = find("legend");
  const there = [...place.children].map((button) => button.textContent);
  if (wanted.join("\n") === there.join("\n")) return;
  place.replaceChildren();
  for (const name of wanted) {
    const { colour, dash } = look(name);
    const button = html("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(!hidden.has(name)));
    const swatch = svg("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" });
    swatch.append(svg("path", { class: `curve ${colour}`, d: "M0 5H26", "stroke-dasharray": dash }));
    button.append(swatch, html("span", name));
    button.onclick = () => {
      if (!hidden.delete(name)) hidden.add(name);
      button.setAttribute("aria-pressed", String(!hidden.has(name)));
      charts();
    };
    place.append(button);
  }
}

function table() {
  const rows = data.runs.map((run) => {
    const row = html("tr", undefined, run.state);
    const variant = html("th", run.variant);
    variant.scope = "row";
    const step = run.step === null ? "" : run.steps === null ? `${run.step}` : `${run.step} / ${run.steps}`;
    row.append(
      variant,
      html("td", String(run.seed), "n"),
      html("td", run.state, "state-cell"),
      html("td", run.stage, "stage"),
      html("td", step, "n"),
      html("td", run.loss === null ? "" : run.loss.toFixed(3), "n"),
      html("td", run.tokens_per_second === null ? "" : Math.round(run.tokens_per_second).toLocaleString("en"), "n"),
      html("td", run.seconds_left === null ? "" : duration(run.seconds_left), "n"),
      html("td", run.host || ""),
    );
    return row;
  });
  find("runs").replaceChildren(...rows);
  // Columns that say nothing of any row are left out.
  const heads = [...document.querySelectorAll("thead th")];
  heads.forEach((head, at) => {
    const empty = rows.every((row) => row.children[at].textContent === "");
    for (const cell of [head, ...rows.map((row) => row.children[at])]) cell.hidden = empty;
  });
  const failures = new Map();
  for (const run of data.runs.filter((run) => run.failure)) {
    const why = `${run.stage}: ${run.failure}`;
    failures.set(why, [...(failures.get(why) || []), `${run.variant} (seed ${run.seed})`]);
  }
  const notes = [...failures].map(([why, of]) => html("li", `${of.join(", ")}: ${why}`));
  if (data.slurm_error) notes.push(html("li", `What is shown is the store alone: ${data.slurm_error}`));
  find("notes").replaceChildren(...notes);
}

function head() {
  document.title = `${data.study}: ${data.done} of ${data.stages} – ablate`;
  find("study").textContent = data.study;
  const progress = find("progress");
  progress.max = data.stages;
  progress.value = data.done;
  const state = {
    running: "running",
    waiting: "nobody is at work on it",
    failed: "over, with failures",
  }[data.state];
  const place = find("state");
  place.className = "state";
  const all = data.state === "done";
  place.replaceChildren(all ? `all ${data.stages} stages done` : `${data.done} of ${data.stages} stages done, ${state}`);
  if (data.report) {
    const link = html("a", "report");
    link.href = "/report/index.html";
    place.append(" · ", link);
  }
}

function draw() {
  if (!data) return;
  head();
  legend();
  charts();
  table();
}

async function follow() {
  let pause = 3000;
  try {
    const answer = await fetch("/live.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    data = await answer.json();
    seen = new Date();
    if (data.state === "running") pause = 1000;
    draw();
  } catch (error) {
    const since = seen ? `; what is shown is of ${seen.toLocaleTimeString()}` : "";
    find("state").className = "state lost";
    find("state").textContent = `ablate serve does not answer${since}`;
  }
  setTimeout(follow, document.hidden ? 5000 : pause);
}

let resizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => data && charts());
});
follow();
