// The Charts tab's view: everything it needs comes from the chart worker when the tab is first looked at.

const WORKER = new URL("/aitrade/chart/", location.origin).href;
const RETRY_MS = 1500;

// A module that failed to load once is never asked for again by the browser: wait until the worker answers.
async function answered(el) {
  for (;;) {
    const answer = await fetch(`${WORKER}catalogue`).catch(() => ({ ok: false }));
    if (answer.ok) return;
    el.innerHTML = '<div class="chart-note">The chart worker does not answer; it is being restarted.</div>';
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function begin(el) {
  await answered(el);
  const { mount } = await import(`${WORKER}static/view/desk.js`);
  return mount(el);
}

// Nothing is loaded before the tab has a size, that is, before somebody looks at it.
function render({ el }) {
  let done = null;
  const watcher = new ResizeObserver(() => {
    if (!el.clientWidth || done) return;
    watcher.disconnect();
    done = begin(el);
  });
  watcher.observe(el);
  return () => {
    watcher.disconnect();
    done?.then((dispose) => dispose?.());
  };
}

export default { render };
