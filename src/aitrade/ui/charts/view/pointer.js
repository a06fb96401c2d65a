// The pointer on a chart: pan by drag, zoom by wheel, scale the price on its axis, draw, drag orders.

import { SHAPES } from "./drawings.js";

const DRAG_PIXELS = 6;

export function attachPointer(chart) {
  const { canvas } = chart.front;
  let press = null;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const overAxis = (x) => x > chart.plotWidth;

  const begin = (event, x, y) => {
    const tool = chart.hooks.tool?.();
    if (overAxis(x)) return { kind: "scale", y, range: [...chart.panes[0].y] };
    if (SHAPES[tool] && y < chart.panes[0].height) {
      if (chart.drawings.place(chart, tool, x, y)) chart.hooks.drawn?.();
      return { kind: "draw", tool, x, y };
    }
    if (chart.orders.grab(chart, x, y)) return { kind: "order" };
    if (chart.drawings.grab(chart, x, y)) return { kind: "drawing" };
    return { kind: "pan", x, y, x0: chart.x0, x1: chart.x1, range: chart.manual && [...chart.manual] };
  };

  const scale = (y) => {
    const [low, high] = press.range;
    const factor = Math.exp((y - press.y) / 180);
    const middle = (low + high) / 2;
    chart.setManual([middle - ((high - low) / 2) * factor, middle + ((high - low) / 2) * factor]);
  };

  const pan = (x, y) => {
    const bars = (press.x - x) / chart.pixelsPerBar;
    if (press.range) {
      const rise = ((y - press.y) / chart.panes[0].height) * (press.range[1] - press.range[0]);
      chart.manual = press.range.map((value) => value + rise);
    }
    chart.lookAt(press.x0 + bars, press.x1 + bars);
  };

  const cursor = (x, y) => {
    if (overAxis(x)) return "ns-resize";
    if (SHAPES[chart.hooks.tool?.()]) return "crosshair";
    const hit = chart.orders.hit(chart, x, y);
    if (hit) return hit.cancel ? "pointer" : "ns-resize";
    return press?.kind === "pan" ? "grabbing" : "crosshair";
  };

  const move = (event) => {
    if (!chart.columns) return;
    const [x, y] = place(event);
    if (press?.kind === "scale") scale(y);
    else if (press?.kind === "pan") pan(x, y);
    else chart.orders.follow(chart, y) || chart.drawings.follow(chart, x, y);
    canvas.style.cursor = cursor(x, y);
    const ts = overAxis(x) ? null : chart.timeAt(Math.round(chart.xAt(x)));
    chart.setCross(ts, y);
    chart.hooks.crossed?.(chart, ts, chart.paneAt(y) ? null : chart.valueAt(y));
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || !chart.columns) return;
    chart.hooks.focused?.(chart);
    canvas.setPointerCapture(event.pointerId);
    press = begin(event, ...place(event));
    chart.paintFront();
  });
  canvas.addEventListener("pointermove", move);
  // A shape of two points takes a press at each, or a drag from one to the other.
  const dragged = (event) => {
    const [x, y] = place(event);
    const far = Math.hypot(x - press.x, y - press.y) > DRAG_PIXELS;
    if (chart.drawings.draft && far && chart.drawings.place(chart, press.tool, x, y)) chart.hooks.drawn?.();
  };

  canvas.addEventListener("pointerup", (event) => {
    if (press?.kind === "draw") dragged(event);
    if (press?.kind === "order") chart.orders.drop();
    if (press?.kind === "drawing") chart.drawings.drop(chart);
    press = null;
    chart.paintFront();
  });
  canvas.addEventListener("pointerleave", () => {
    chart.setCross(null, null);
    chart.hooks.crossed?.(chart, null, null);
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (!chart.header) return;
    const [x] = place(event);
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      const bars = (sideways / 600) * chart.count;
      return chart.lookAt(chart.x0 + bars, chart.x1 + bars);
    }
    zoom(chart, Math.exp(event.deltaY / 500), chart.xAt(Math.min(x, chart.plotWidth)));
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => {
    chart.manual = null;
    if (!overAxis(place(event)[0])) chart.stuck = true;
    chart.refresh();
  });
  canvas.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    if (chart.columns) chart.hooks.menu?.(chart, event, chart.valueAt(place(event)[1]));
  });
}

// Widen or narrow the view about a bar; a view at the end keeps its end.
export function zoom(chart, factor, about) {
  const anchor = chart.stuck ? chart.x1 : about;
  chart.lookAt(anchor - (anchor - chart.x0) * factor, anchor + (chart.x1 - anchor) * factor);
}
