"""Bad input: each gives one clear sentence that says what to do, and loses nothing."""

import subprocess
import sys
import time
from datetime import date, datetime, timedelta

import msgspec
import pytest

from aitrade.compliance.journal import segments, verify
from aitrade.core.clock import IST, at
from aitrade.core.errors import DataRefused, OrderRefused
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.engine.process import REFUSED
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.market.importing import import_path
from aitrade.market.input_store import InputStore

TRADER = Who("tester", "trader")
DAY = "2026-11-23"
TCS = "NSE:TCS"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A book at ten past ten with prices."""
    service = Service(EngineSettings(home=str(tmp_path_factory.mktemp("book")), day=DAY, start="10:09"))
    service.step(60)
    yield service
    service.close()


def option(service):
    """The key and lot of a NIFTY option near the money."""
    spot = service.engine.quotes.last("NSE:NIFTY")
    rows = [r for r in service.engine.instruments.values() if r.is_option and r.underlying == "NSE:NIFTY"]
    return min(rows, key=lambda row: (abs(row.strike - spot), row.expiry))


BAD = {
    "an unknown symbol": ("instrument", "search", lambda s: {"instrument": "NSE:NOSUCH", "quantity": 1}),
    "an index": ("instrument", "futures", lambda s: {"instrument": "NSE:NIFTY", "quantity": 1}),
    "no quantity": ("lot", "send 1", lambda s: {"quantity": 0}),
    "a part of a lot": ("lot", "whole lots", lambda s: {"instrument": option(s).key, "quantity": 1, "product": "NRML"}),
    "a price between ticks": ("tick", "", lambda s: {"type": "LIMIT", "price": s.engine.quotes.last(TCS) + 1}),
    "a price outside the band": (
        "band", "", lambda s: {"type": "LIMIT", "price": s.engine.instruments[TCS].upper + 500},
    ),
    "a limit order without a price": ("price", "", lambda s: {"type": "LIMIT"}),
    "more than the freeze quantity": (
        "freeze", "let it be sliced",
        lambda s: {"instrument": option(s).key, "quantity": option(s).freeze + option(s).lot, "product": "NRML"},
    ),
    "no money": ("margin", "", lambda s: {"quantity": 2000, "product": "CNC"}),
    "selling what is not held": ("delivery", "", lambda s: {"side": "SELL", "product": "CNC"}),
    "a derivative's product": ("product", "CNC or MIS", lambda s: {"product": "NRML"}),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_order_is_refused_with_its_reason(service, what):
    """The rule is named, its sentence says what to do, the refusal is journaled, and no order came of it."""
    rule, says, make = BAD[what]
    fields = {"instrument": TCS, "side": "BUY", "quantity": 10, "product": "MIS", **make(service)}
    request = msgspec.convert(fields, OrderRequest)
    orders, records = len(service.engine.book.state.orders), service.engine.journal.seq
    with pytest.raises(OrderRefused) as refused:
        service.engine.place(request, TRADER)
    told = dict(refused.value.problems)
    assert says in told[rule]
    assert all(text[0].isupper() or text[0] in "'₹0123456789" for text in told.values())
    assert all(text.endswith(".") for text in told.values())
    assert (len(service.engine.book.state.orders), service.engine.journal.seq) == (orders, records + 1)


def test_slices_are_checked_as_one_order(service):
    """What is too much for the limits is refused whole: no slice of it is sent."""
    row = option(service)
    request = OrderRequest(
        instrument=row.key, side=Side.BUY, quantity=row.freeze * 3, product=Product.NRML, slice=True, reference="s"
    )
    orders = len(service.engine.book.state.orders)
    with pytest.raises(OrderRefused) as refused:
        service.engine.place(request, TRADER)
    assert "freeze" not in dict(refused.value.problems)
    assert len(service.engine.book.state.orders) == orders


@pytest.mark.parametrize(
    ("day", "time_of_day", "rule", "says"),
    [
        (DAY, "16:30", "phase", "send it on Wednesday, 25 November 2026"),
        ("2026-11-24", "11:00", "phase", "Guru Nanak Jayanti"),
        ("2027-03-01", "11:00", "date", "2026-12-31"),
    ],
)
def test_when_the_market_takes_no_order(tmp_path, day, time_of_day, rule, says):
    """After the close, on a holiday, on a date that the calendar does not know: why, and when it does."""
    service = Service(EngineSettings(home=str(tmp_path), day=DAY, start="15:00"))
    service._clock.advance(at(date.fromisoformat(day), time_of_day))
    with pytest.raises(OrderRefused) as refused:
        service.engine.place(OrderRequest(instrument=TCS, side=Side.BUY, quantity=1, product=Product.CNC), TRADER)
    assert says in dict(refused.value.problems)[rule]
    service.close()


def test_a_damaged_data_file_is_named(tmp_path):
    """A replay of a day whose stored part is damaged does not start, and says which file to import again."""
    begins = datetime(2025, 3, 28, 9, 15, tzinfo=IST)
    moments = [begins + timedelta(minutes=minute) for minute in range(375)]
    lines = ["date,time,open,high,low,close,volume,oi,exchangecode,symbolcode,expiry"]
    lines += [f"{m:%d-%m-%Y},{m:%H:%M:%S},100,101.5,99,100.4,900,0,1,99,01-01-0001 00:00:00" for m in moments]
    path = tmp_path / "RELIANCE" / "28-03-2025.csv"
    path.parent.mkdir()
    path.write_text("\n".join(lines))
    import_path(path, InputStore(tmp_path / "market"))
    (part,) = (tmp_path / "market").rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:200])
    with pytest.raises(DataRefused, match=r"parquet: the stored part is damaged .* import its file again"):
        Service(EngineSettings(home=str(tmp_path), mode="replay", book="r", day="2025-03-28"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets one process limit another's file sizes")
def test_a_disk_that_fills_up_ends_the_engine_with_a_sentence(tmp_path):
    """What was acknowledged is there after the restart, and the chain verifies."""
    import resource

    configuration = EngineSettings(home=str(tmp_path), day=DAY, start="10:00", speed=60)
    process, client = started(configuration)
    with client:
        acknowledged = {client.place(OrderRequest(instrument=TCS, side=Side.BUY, quantity=1)).id for _ in range(3)}
    folder = tmp_path / "books" / "simulated-1" / "journal"
    full = segments(folder)[-1].stat().st_size + 4096
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    assert process.wait(timeout=60) == REFUSED
    assert "free space under" in process.stderr.read().decode().strip().splitlines()[-1]
    process.stderr.close()
    assert verify(folder).torn_bytes == 0
    process, client = started(configuration)
    with client:
        assert acknowledged <= {row.id for row in client.orders()}
        client.shutdown()
    assert process.wait(timeout=60) == 0
    process.stderr.close()


def started(configuration):
    """Start an engine process; return it and a client once it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aitrade.engine.process"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdin.write(msgspec.json.encode(configuration) + b"\n")
    process.stdin.close()
    address, until = configuration.run_path / "engine.json", time.monotonic() + 60
    while not address.exists() or msgspec.json.decode(address.read_bytes())["pid"] != process.pid:
        assert process.poll() is None, "the engine did not start"
        assert time.monotonic() < until, "the engine did not start in a minute"
        time.sleep(0.02)
    return process, EngineClient.of(configuration.home_path)
