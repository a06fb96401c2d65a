"""`aitrade bench page`: what a trader waits for, measured in a real browser on a page that trades.

Times within the page are the browser's own clock; where the engine's clock takes part it is the same machine's. A frame
counts as drawn when the animation frame that shows it has been worked off.
"""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from aitrade.bench import Figures, Say, scaled
from aitrade.bench.stream import Listener
from aitrade.core.errors import Unreachable
from aitrade.engine.client import EngineClient
from aitrade.ops.chart_days import SESSIONS, SYMBOLS, last_day, store_of_minutes
from aitrade.ops.percentiles import percentile
from aitrade.ops.rig import scratch
from aitrade.ops.visit import READY, Trading, browser, page_at, trading

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RELOADS, CLICKS, SWITCHES, TICK_SECONDS = 5, 200, 100, 60
POOL_SECONDS = 6
"""Until the next kernel waits after one was taken."""
MEGABYTE, MEBIBYTE = 1_000_000, 1 << 20
P95 = 0.95
FRAME_SHARE = 0.9
"""Of the frames and rows that the tick figure is about: below it the market was too quiet to measure."""
HERTZ, TICKING, TICK_SPEED = 20, 50, 60
_DRAWN = """
window.drawnFrame = () => new Promise((done) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => done(performance.now());
  port2.postMessage(0);
}));
"""
_SIZES = """performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""
_READY_MARK = "performance.getEntriesByName('aitrade-ready')[0].startTime"
_CLICK = """async (clicks) => {
  const figures = document.querySelector('.fno-figures');
  const once = (button) => new Promise((done) => {
    const before = figures.textContent;
    const began = performance.now();
    const watch = new MutationObserver(() => {
      if (figures.textContent === before) return;
      watch.disconnect();
      done(performance.now() - began);
    });
    watch.observe(figures, { childList: true, characterData: true, subtree: true });
    button.click();
  });
  const took = [];
  for (let i = 0; i < clicks; i++) {
    took.push(await once(document.querySelector('.fno-legs tbody button')));
    await new Promise((next) => setTimeout(next, 37));
  }
  return took;
}"""
"""Turns a leg's side in the strategy builder; what follows is worked out in the page's kernel. The market stands still
meanwhile, so that the figures change by the click and by nothing else."""
_TICKS = """() => {
  window.ticked = null;
  aitrade.on('ticks', async (keys) => {
    if (!ticked) return; // what is told at once came earlier
    const { sent } = aitrade.state;
    const at = await drawnFrame();
    ticked.push([sent, performance.timeOrigin + at - sent / 1e6, keys.length]);
  });
  ticked = [];
}"""
_LAYOUT = """async (layout) => {
  const headers = { 'X-XSRFToken': document.cookie.match(/_xsrf=([^;]*)/)[1], 'Content-Type': 'application/json' };
  const path = '/aitrade/chart/workspace/layout?name=Default';
  const answer = await fetch(path, { method: 'PUT', headers, body: JSON.stringify(layout) });
  if (!answer.ok) throw new Error(await answer.text());
}"""
_SWITCH = """async ([keys, times]) => {
  const once = (key) => new Promise((done) => {
    const began = performance.now();
    const drawn = async ({ detail }) => {
      if (detail.symbol !== key) return;
      removeEventListener('aitrade:drawn', drawn);
      done([await drawnFrame() - began, detail.bars * detail.size]);
    };
    addEventListener('aitrade:drawn', drawn);
    aitrade.select(key);
  });
  const took = [];
  for (let i = 0; i < times + keys.length; i++) {
    took.push(await once(keys[(i + 1) % keys.length]));
    await new Promise((next) => setTimeout(next, 130));
  }
  return took.slice(keys.length);
}"""
"""The first round brings each symbol's bars into the chart worker; switches are between what has been looked at."""


def page(say: Say) -> Figures:
    """Measure the page from `aitrade up` on, and its charts over 100,000 minutes of three symbols."""
    with browser() as started, scratch() as folder:
        say("aitrade up, from nothing, to a page that can be used …")
        figures = _simulated(started, folder / "simulated", say)
        say("charts over 100,000 minutes: making them …")
        figures |= _charts(started, folder / "charts", say)
    return figures


def _simulated(started: "Browser", home: Path, say: Say) -> Figures:
    began = time.perf_counter()
    with (
        trading(home, "--start", "10:30", "--strategy", "none") as running,
        page_at(started, running.link, _DRAWN) as opened,
    ):
        figures = {"ready_first_s": time.perf_counter() - began, **_weight(opened, running)}
        say("reloads …")
        figures["reload_s"] = _reload(opened)
        say("clicks through the kernel …")
        figures["click_dom_p95_ms"] = _clicks(opened, running)
        say(f"ticks, {scaled(TICK_SECONDS)} s …")
        figures |= _ticks(opened, running)
        figures["kernel_mb"] = _kernel(opened, running)
    return figures


def _weight(opened: "Page", running: Trading) -> Figures:
    """Return what the load took: requests (its WebSockets among them), megabytes over the wire, foreign requests."""
    origin = running.link.partition("/login")[0]
    sent = [url for url in opened.seen if not url.startswith(("blob:", "data:"))]  # type: ignore[attr-defined]
    outside = [url for url in sent if not re.sub("^ws", "http", url).startswith(origin + "/")]
    return {
        "requests": len(sent),
        "page_mb": opened.evaluate(_SIZES) / MEGABYTE,
        "outside_requests": len(outside),
    }


def _reload(opened: "Page") -> float:
    """Return the median of some reloads, from the browser's navigation to the page's own mark."""
    took = []
    for _ in range(scaled(RELOADS)):
        time.sleep(POOL_SECONDS)
        opened.reload()
        opened.wait_for_function(READY)
        took.append(opened.evaluate(_READY_MARK) / 1000)
    return percentile(took, 0.5)


def _clicks(opened: "Page", running: Trading) -> float:
    with EngineClient.of(running.home) as client:
        client.set_speed(paused=True)
        opened.evaluate("aitrade.go('fno')")
        opened.locator(".fno-chain tbody tr").first.wait_for()
        opened.locator(".fno-builder select").first.select_option(index=1)
        opened.locator(".fno-figures > *").first.wait_for()
        took = opened.evaluate(_CLICK, scaled(CLICKS))
        client.set_speed(paused=False)
    opened.evaluate("aitrade.go('dashboard')")
    return percentile(took, P95)


def _ticks(opened: "Page", running: Trading) -> Figures:
    """Return delay and loss of tick frames; a second listener, straight at the engine, tells what was sent."""
    with EngineClient.of(running.home) as client, Listener(running.home) as heard:
        client.set_speed(speed=TICK_SPEED)
        opened.evaluate(_TICKS)
        seconds = scaled(TICK_SECONDS)
        time.sleep(seconds)
        client.set_speed(speed=1)
        time.sleep(1)
        drawn = opened.evaluate("ticked")
        sent = heard.stamps
    seen = {float(stamp) for stamp, _delay, _rows in drawn}
    within = [stamp for stamp in sent if min(seen) <= stamp <= max(seen)]
    hertz, rows = len(drawn) / seconds, sum(row[2] for row in drawn) / len(drawn)
    if hertz < HERTZ * FRAME_SHARE or rows < TICKING * FRAME_SHARE:
        raise RuntimeError(f"Only {hertz:.1f} frames a second of {rows:.0f} symbols came; the figures mean nothing.")
    return {
        "tick_frame_p95_ms": percentile([row[1] for row in drawn], P95),
        "ticks_dropped": len([stamp for stamp in within if stamp not in seen]),
        "tick_frames_per_s": hertz,
        "tick_symbols": rows,
    }


def _kernel(opened: "Page", running: Trading) -> float:
    """Return the USS of the open page's kernel."""
    kernel: str = opened.evaluate("JSON.parse(document.getElementById('aitrade-boot').textContent).kernelId")
    server = msgspec.json.decode((running.home / "run" / "page.json").read_bytes())["pid"]
    for process in psutil.Process(server).children(recursive=True):
        if any(kernel in word for word in process.cmdline()):
            used: int = process.memory_full_info().uss
            return used / MEBIBYTE
    raise Unreachable("The page's kernel is not among the page server's processes.")


def _charts(started: "Browser", home: Path, say: Say) -> Figures:
    store_of_minutes(home)
    figures: Figures = {}
    with trading(home, "--session", last_day().isoformat(), "--start", "15:20", "--strategy", "none") as running:
        say(f"the page is at {running.link.partition('/login')[0]} …")
        for key, bars in (("switch_375_p95_ms", 375), ("switch_100k_p95_ms", 100_000)):
            say(f"switches between symbols with {bars:,} bars in sight …")
            with page_at(started, running.renewed_link(), _DRAWN) as opened:
                figures[key] = _switches(opened, bars)
    return figures


def _switches(opened: "Page", bars: int) -> float:
    cell = {"instrument": f"NSE:{SYMBOLS[0]}", "minutes": 1, "count": bars, "studies": ""}
    opened.evaluate(_LAYOUT, {"grid": 1, "cells": [cell]})
    opened.evaluate("aitrade.go('charts')")
    opened.locator(".chart-bokeh").first.wait_for()
    keys = [f"NSE:{symbol}" for symbol in SYMBOLS]
    took: list[Any] = opened.evaluate(_SWITCH, [keys, scaled(SWITCHES)])
    least = min(count for _ms, count in took)
    if least < bars:
        raise RuntimeError(f"Only {least:,} of {bars:,} bars were drawn; {SESSIONS} sessions are too few.")
    return percentile([ms for ms, _count in took], P95)
