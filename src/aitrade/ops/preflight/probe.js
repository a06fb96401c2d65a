// What preflight measures with on the page. Times are the browser's own, in milliseconds.
window.preflight = (() => {
  let answer = null;
  let load = null;

  // Resolves when the animation frame that comes next has been worked off.
  const drawn = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(performance.now());
    port2.postMessage(0);
  }));

  // From the next input of this type by a person's device to the painted frame in which `changed()` first holds.
  function arm(type, changed) {
    answer = new Promise((done) => {
      const begin = (event) => {
        if (!event.isTrusted) return;
        removeEventListener(type, begin, true);
        const watch = new MutationObserver(async () => {
          if (!changed()) return;
          watch.disconnect();
          done((await drawn()) - event.timeStamp);
        });
        watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      };
      addEventListener(type, begin, true);
    });
  }

  // Resolves with the armed measurement; fails when nothing has changed in time.
  const took = (ms) => Promise.race([answer, new Promise((_, fail) => setTimeout(() => fail(new Error(`nothing had changed after ${ms} ms`)), ms))]);

  // Choose symbols in turn; each time until all charts of the layout have drawn it. Yields [ms, fewest bars on a chart].
  async function switches(keys, times, charts, pause) {
    const once = (key) => new Promise((done) => {
      const began = performance.now();
      const bars = new Map(); // by chart: one that draws a bar's close meanwhile counts once
      const heard = async (event) => {
        const { symbol, bars: rows, size } = event.detail;
        if (symbol !== key) return;
        bars.set(event.composedPath()[0], rows * size);
        if (bars.size < charts) return;
        removeEventListener('aitrade:drawn', heard);
        done([(await drawn()) - began, Math.min(...bars.values())]);
      };
      addEventListener('aitrade:drawn', heard);
      aitrade.select(key);
    });
    const found = [];
    for (let i = 0; i < times + keys.length; i++) {
      found.push(await once(keys[(i + 1) % keys.length]));
      await new Promise((next) => setTimeout(next, pause));
    }
    return found.slice(keys.length); // the first round brings the bars into the chart worker
  }

  // Count frames of prices and their symbols from now on; `weigh` ends it: frames a second, and symbols a frame.
  function listen() {
    load = { began: performance.now(), frames: 0, symbols: 0 };
  }
  function weigh() {
    const seconds = (performance.now() - load.began) / 1000;
    return [load.frames / seconds, load.frames ? load.symbols / load.frames : 0];
  }
  addEventListener('DOMContentLoaded', () => {
    const wait = setInterval(() => {
      if (!window.aitrade) return;
      clearInterval(wait);
      aitrade.on('ticks', (keys) => {
        if (!load) return;
        load.frames += 1;
        load.symbols += keys.length;
      });
    }, 50);
  });

  return { arm, took, switches, listen, weigh };
})();
