// The Charts tab's view: everything it needs comes from the chart worker when the tab is first looked at.

const VIEW = new URL("/aitrade/chart/static/view/desk.js", location.origin).href;

async function begin(el) {
  for (;;) {
    try {
      const { mount } = await import(VIEW);
      return await mount(el);
    } catch (error) {
      console.error(error);
      el.innerHTML = '<div class="chart-note">The chart worker does not answer; it is being restarted.</div>';
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
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
