"""Tests for the commands that speak to a running engine, and for those that read its folder afterwards."""

import subprocess
import sys
import time

import msgspec
import pytest
from click.testing import CliRunner

from aitrade.cli import COMMANDS, main
from aitrade.compliance.operations import noted
from aitrade.core.money import format_rupees
from aitrade.engine.client import EngineClient
from aitrade.engine.settings import EngineSettings
from aitrade.ops.orphans import stays_open


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder with an engine on it, at half past ten of a simulated day."""
    folder = tmp_path_factory.mktemp("home")
    process = subprocess.Popen([sys.executable, "-m", "aitrade.engine.process"], stdin=subprocess.PIPE)
    process.stdin.write(msgspec.json.encode(EngineSettings(home=str(folder), start="10:30", speed=10)) + b"\n")
    process.stdin.close()
    until = time.monotonic() + 60
    while not (folder / "run" / "engine.json").exists() and time.monotonic() < until:
        time.sleep(0.05)
    yield folder
    process.terminate()
    process.wait()


def call(home, *arguments):
    """Run a command on the folder; return its exit status and all it printed."""
    result = CliRunner().invoke(main, [*arguments, "--data-folder", str(home)])
    return result.exit_code, result.output


def until(home, text, *arguments):
    """Repeat a command until it prints `text`, for a while; return what it printed last."""
    limit = time.monotonic() + 20
    while True:
        _status, output = call(home, *arguments)
        if text in output or time.monotonic() > limit:
            return output
        time.sleep(0.1)


def test_an_order_from_the_terminal_fills(home):
    """Bought, listed as filled, held, and sold again."""
    status, output = call(home, "order", "buy", "RELIANCE", "10")
    assert status == 0
    assert "PENDING" in output
    assert "10/10" in until(home, "FILLED", "order", "list")
    assert "NSE:RELIANCE" in until(home, "NSE:RELIANCE", "positions")
    assert call(home, "order", "sell", "RELIANCE", "10")[0] == 0


def test_a_limit_order_rests_and_is_cancelled(home):
    """A bid far below the market stays open until it is cancelled."""
    with EngineClient.of(home) as engine:
        last = next(row[2] for row in engine.snapshot().quotes if row[0] == "NSE:TCS")
    _status, output = call(home, "order", "buy", "TCS", "1", "--price", str(last * 97 // 10_000))
    order_id = output.split()[0]
    listed = until(home, order_id, "order", "list")
    row = next(line for line in listed.splitlines() if order_id in line)
    assert "LIMIT" in row
    assert format_rupees(last * 97 // 10_000 * 100) in row
    assert call(home, "order", "cancel", order_id)[0] == 0
    assert "CANCELLED" in until(home, "CANCELLED", "order", "list")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("order", "buy", "NOSUCH", "1"), "not in today's instrument master"),
        (("order", "cancel", "00NOSUCHORDER"), "There is no order"),
        (("order", "buy", "TCS", "1", "--price", "abc"), "write it like"),
    ],
)
def test_refusals_are_one_sentence_and_status_two(home, arguments, says):
    """What cannot be done is said, without a traceback."""
    status, output = call(home, *arguments)
    assert status == 2
    assert says in output
    assert "Traceback" not in output


def test_a_quantity_over_freeze_is_sliced_when_that_is_asked_for(home):
    """Refused as one order, with the way to send it; as slices it breaks no rule of size any more."""
    with EngineClient.of(home) as engine:
        future = next(row for row in engine.search("NIFTY") if row.kind == "FUTURE" and row.underlying == "NSE:NIFTY")
    sent = ("order", "buy", future.key, str(future.freeze // future.lot * future.lot + future.lot), "--product", "NRML")
    status, output = call(home, *sent)
    assert (status, "--slice" in output) == (2, True)
    assert "freeze" not in call(home, *sent, "--slice")[1]


def test_a_stop_shows_its_trigger(home):
    """A stop-loss order is listed with the price that wakes it."""
    with EngineClient.of(home) as engine:
        last = next(row[2] for row in engine.snapshot().quotes if row[0] == "NSE:INFY")
    trigger = last * 97 // 10_000
    order_id = call(home, "order", "sell", "INFY", "1", "--trigger", str(trigger))[1].split()[0]
    row = next(line for line in until(home, order_id, "order", "list").splitlines() if order_id in line)
    assert format_rupees(trigger * 100) in row
    assert call(home, "order", "cancel", order_id)[0] == 0


def test_halt_and_resume(home):
    """Halted, a person's new exposure is refused; resumed, it passes."""
    assert call(home, "halt")[1].strip() == "Trading is HALTED"
    status, output = call(home, "order", "buy", "TCS", "1")
    assert (status, "HALTED" in output) == (2, True)
    assert call(home, "resume")[1].strip() == "Trading is ACTIVE"
    assert call(home, "order", "buy", "TCS", "1")[0] == 0


def test_the_journal_is_proven_while_it_grows(home):
    """Verification runs beside the engine; an order's records can be read."""
    status, output = call(home, "audit", "verify")
    assert status == 0
    assert "segments verify" in output
    _status, orders = call(home, "order", "list")
    order_id = orders.splitlines()[1].split()[0]
    assert "intent" in call(home, "audit", "show", "simulated-1", "--order", order_id)[1]


def test_books_are_listed_and_a_traded_one_is_not_reset(home):
    """The running book shows its day; archiving it is refused."""
    assert "simulated-1" in call(home, "book", "list")[1]
    status, output = call(home, "book", "reset", "simulated-1")
    assert (status, "stop the engine first" in output) == (2, True)
    assert call(home, "book", "new", "mine")[0] == 0
    assert call(home, "book", "reset", "mine")[0] == 0
    (kept,) = noted(home, "book", "mine")
    assert (kept.operation.outcome, (home / kept.reason.split()[-1] / "journal").is_dir()) == ("archived", True)


def test_shares_that_are_held_are_listed_and_stay_open(home):
    """Bought for delivery and carried over night they are no position of the day, and still there."""
    assert call(home, "order", "buy", "WIPRO", "7", "--product", "CNC")[0] == 0
    assert "7" in until(home, "NSE:WIPRO", "positions")
    with EngineClient.of(home, seconds=60) as engine:
        engine.set_speed(speed=0)
        limit = time.monotonic() + 120
        while not engine.snapshot().time.done and time.monotonic() < limit:
            time.sleep(0.2)
        engine.set_speed(speed=1)
        engine.jump("next")
        assert "NSE:WIPRO: 7 shares stay held" in stays_open(engine)
    _status, output = call(home, "positions")
    held = output[output.index("held shares") :]
    assert held.splitlines()[1].split()[:3] == ["NSE:WIPRO", "7", "7"]


def test_without_an_engine_the_way_is_shown(tmp_path):
    """A folder on which nothing runs says how to start."""
    status, output = call(tmp_path, "positions")
    assert (status, "aitrade up" in output) == (2, True)
    assert call(tmp_path, "audit", "verify")[0] == 2


def test_every_command_can_be_imported():
    """The lazy table names what is there."""
    for name in COMMANDS:
        assert main.get_command(None, name) is not None, name
