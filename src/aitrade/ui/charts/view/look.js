// The page's colours, read once; studies have colours of their own that colour-blind people can tell apart.

const LINES = ["#f2c14e", "#b893f5", "#6fb7ff", "#ff9ab8", "#a5d65c", "#cfd6e0"];

export function lookOf(element) {
  const style = getComputedStyle(element);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const up = read("--up", "#2bb3c0");
  const down = read("--down", "#f08a3c");
  return {
    up, down,
    text: read("--text", "#d7dde6"), dim: read("--dim", "#7f8a99"), panel: read("--panel", "#12161d"),
    line_: read("--line", "#242b36"), accent: read("--accent", "#e8c547"), warn: read("--warn", "#f2c14e"), ink: read("--bg", "#0b0e13"),
    mono: read("--mono", "ui-monospace, monospace"),
    grid: "rgba(140, 155, 180, 0.09)", gridStrong: "rgba(140, 155, 180, 0.26)", cross: "rgba(200, 210, 225, 0.55)",
    drawing: "#8ab4ff",
    line(study, number, line) {
      if (study.name === "supertrend") return line ? down : up;
      const first = LINES[number % LINES.length];
      if (study.overlay) return line === 1 && study.lines.length === 3 ? fade(first) : first;
      return line === 0 ? first : LINES[(number + line) % LINES.length];
    },
  };
}

const fade = (colour) => `${colour}99`;
