// The Bokeh half of a chart: closed candles, volume and studies. Everything that moves is painted above it (layers.js).

import { get, loadBokeh } from "./wire.js";

const NIGHT = 4 * 3600e9;
const documents = new Map();
const volumeRange = ({ extra_y_ranges: more }) => (more instanceof Map ? more.get("volume") : more.volume);

async function chartDocument(studies) {
  if (!documents.has(studies)) documents.set(studies, get(`document?studies=${encodeURIComponent(studies)}`));
  try {
    return structuredClone(await documents.get(studies));
  } catch (error) {
    documents.delete(studies);
    throw error;
  }
}

export class Plots {
  constructor(element, look) {
    this.element = element;
    this.look = look;
    this.items = [];
    this.studies = [];
  }

  // Build the plots of a set of studies in place of those that are there.
  async build(studies) {
    const [bokeh, made] = await Promise.all([loadBokeh(), chartDocument(studies)]);
    const items = [];
    for (const plot of made.plots) {
      const holder = document.createElement("div");
      holder.className = "chart-bokeh";
      this.element.append(holder);
      const [view] = await bokeh.embed.embed_item(plot.item, holder);
      items.push({ holder, view, plot: view.model, studies: plot.studies });
    }
    this.items.forEach((old) => this.#remove(old));
    this.items = items;
    this.studies = made.studies;
    this.#paintColours();
  }

  #remove({ holder, view }) {
    const { document: doc } = view.model;
    doc?.clear?.();
    holder.remove();
  }

  #named(name) {
    for (const { plot } of this.items) {
      const found = plot.renderers.find((one) => one.name === name);
      if (found) return found;
    }
    return undefined;
  }

  #paintColours() {
    const { look } = this;
    for (const side of ["up", "down"]) {
      const colour = look[side];
      this.#named(`${side}-wick`).glyph.setv({ line_color: colour });
      this.#named(`${side}-body`).glyph.setv({ line_color: colour, fill_color: side === "up" ? look.panel : colour });
      this.#named(`${side}-volume`).glyph.setv({ fill_color: colour });
    }
    this.studies.forEach((study, number) =>
      study.lines.forEach((_, line) => {
        const { glyph } = this.#named(`s${number}_${line}`);
        const colour = look.line(study, number, line);
        glyph.setv("fill_color" in glyph.attributes ? { fill_color: colour } : { line_color: colour });
      }),
    );
  }

  // Place plot i at a box of the chart, in CSS pixels.
  place(boxes) {
    this.items.forEach(({ holder, plot }, i) => {
      const { top, width, height } = boxes[i];
      holder.style.top = `${top}px`;
      if (plot.width !== width || plot.height !== height) plot.setv({ width, height });
    });
  }

  // Draw closed candles [0, count) of the columns, and ranges, in one paint; resolves when the pixels are there.
  async draw(columns, count, size, ranges) {
    this.items.forEach(({ view }) => view.pause());
    try {
      this.#candles(columns, count, size);
      this.studies.forEach((study, number) => this.#study(study, number, columns, count));
      this.#setRanges(ranges);
      await Promise.all(this.items.map(({ view }) => view.ready));
    } finally {
      this.items.forEach(({ view }) => view.unpause(true));
    }
    this.items.forEach(({ view }) => view.paint());
  }

  // Move the view over what is drawn; Bokeh repaints in the next frame.
  move(ranges) {
    this.#setRanges(ranges);
  }

  #setRanges(ranges) {
    this.items.forEach(({ plot }, i) => {
      const { x, y, volume } = ranges[i];
      plot.x_range.setv({ start: x[0], end: x[1] });
      plot.y_range.setv({ start: y[0], end: y[1] });
      volumeRange(plot)?.setv({ start: 0, end: volume });
    });
  }

  #candles(columns, count, size) {
    const rising = [];
    const falling = [];
    for (let i = 0; i < count; i++) (columns.close[i] >= columns.open[i] ? rising : falling).push(i);
    for (const [side, chosen] of [["up", rising], ["down", falling]]) {
      const pick = (name) => Float64Array.from(chosen, (i) => columns[name][i]);
      const names = ["x", "open", "high", "low", "close", "volume"];
      for (const part of ["body", "volume"]) {
        const { glyph } = this.#named(`${side}-${part}`);
        if (glyph.width.value !== 0.7 * size) glyph.width = { value: 0.7 * size };
      }
      this.#named(`${side}-body`).data_source.data = Object.fromEntries(names.map((name) => [name, pick(name)]));
    }
  }

  #study(study, number, columns, count) {
    const data = { x: columns.x.subarray(0, count) };
    study.lines.forEach((_, line) => {
      const values = columns[`s${number}_${line}`].subarray(0, count);
      data[`s${number}_${line}`] = study.anchored ? broken(values, columns.start) : values;
    });
    this.#named(`s${number}_0`).data_source.data = data;
  }

  dispose() {
    this.items.forEach((old) => this.#remove(old));
    this.items = [];
  }
}

// A line that begins anew each session is not drawn across the night.
function broken(values, starts) {
  const cut = values.slice();
  for (let i = 1; i < cut.length; i++) if (starts[i] - starts[i - 1] > NIGHT) cut[i] = NaN;
  return cut;
}
