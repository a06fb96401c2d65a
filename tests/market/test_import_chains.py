"""Option-chain snapshots: nested JSON, two header rows, quoted thousands, contracts and units."""

import gzip
import json

from made_files import place, real, refusal, take

from aitrade.core.clock import at
from aitrade.core.instruments import Kind
from aitrade.market.importing import import_path


def _upstox(**market):
    side = {
        "market_data": {"ltp": 8.55, "volume": 1300, "oi": 650.0, "bid_price": 8.5, "bid_qty": 65, "ask_price": 8.6}
        | {"ask_qty": 130, "prev_oi": 975.0}
        | market,
        "option_greeks": {"vega": 1.3, "theta": -5.3, "gamma": 0.0003, "delta": 0.1, "iv": 25.0},
    }
    row = {"expiry": "2026-04-07", "strike_price": 20200.0, "underlying_key": "NSE_INDEX|Nifty 50"}
    row |= {"underlying_spot_price": 22266.25, "call_options": side, "put_options": side}
    return {"recorded_at": "2026-04-02T06:34:54.528189+00:00", "response": {"status": "success", "data": [row]}}


def test_upstox_chain(store, tmp_path):
    """Both sides of a strike, with the moment, the greeks, IV as a fraction and the change of open interest."""
    take(store, place(tmp_path, "chain.json", json.dumps(_upstox())))
    call, put = store.snapshots("NSE:NIFTY")
    assert (call.key, put.kind) == ("NFO:NIFTY07APR2620200CE", Kind.PUT)
    assert (call.spot, call.price, call.bid, call.ask) == (2226625, 855, 850, 860)
    assert (call.oi, call.oi_change, call.iv, call.theta) == (650, -325, 0.25, -5.3)
    assert call.ts == at("2026-04-02", "12:04:54") + 528_189_000


def test_a_chain_row_without_a_field_is_refused(store, tmp_path):
    """The refusal says how far the file could be read."""
    broken = _upstox()
    del broken["response"]["data"][0]["put_options"]["market_data"]["oi"]
    assert "after 0 quotes one is damaged (KeyError('oi'))" in refusal(
        store, place(tmp_path, "c.json", json.dumps(broken))
    )


def _nse(**leg):
    call = {"strikePrice": 43000, "expiryDate": "04-May-2023", "underlying": "BANKNIFTY", "openInterest": 10}
    call |= {"changeinOpenInterest": -2, "totalTradedVolume": 4, "impliedVolatility": 20.0, "lastPrice": 300.5}
    call |= {"bidQty": 50, "bidprice": 300.0, "askQty": 75, "askPrice": 301.0, "underlyingValue": 43312.7} | leg
    row = {"strikePrice": 43000, "expiryDate": "04-May-2023", "CE": call}
    return {"records": {"timestamp": "03-May-2023 15:30:00", "data": [row]}}


def test_nse_counts_contracts_and_we_count_units(store, tmp_path):
    """The lot is what all order quantities are multiples of: 25 here; a side may be missing; the file is gzipped."""
    take(store, place(tmp_path, "api.json.gz", gzip.compress(json.dumps(_nse()).encode())))
    (call,) = store.snapshots("NSE:BANKNIFTY")
    assert (call.oi, call.oi_change, call.volume) == (250, -50, 100)
    assert (call.ts, call.spot, call.iv) == (at("2023-05-03", "15:30"), 4331270, 0.2)


def test_nse_without_a_moment_is_refused(store, tmp_path):
    """A chain of unknown age is worth nothing."""
    chain = _nse()
    chain["records"]["timestamp"] = ""
    assert "timestamp '' is not like" in refusal(store, place(tmp_path, "api.json", json.dumps(chain)))


WEB = (
    "CALLS,,PUTS\n"
    ",OI,CHNG IN OI,VOLUME,IV,LTP,CHNG,BID QTY,BID,ASK,ASK QTY,STRIKE,BID QTY,BID,ASK,ASK QTY,CHNG,LTP,IV,VOLUME,"
    "CHNG IN OI,OI,\n"
    ',1,-,-,-,-,-,65,"11,143.70","12,364.25",130,"12,000.00","18,395",0.15,0.30,"6,760",-0.05,0.30,383.77,"1,872",'
    '-65,"1,196",\n'
)


def test_the_sites_download(store, tmp_path):
    """Two header rows, thousands in quotes, "-" for nothing; underlying and expiry stand in the name alone."""
    result = take(store, place(tmp_path, "option-chain-ED-NIFTY-30-Jun-2026.csv", WEB))
    call, put = store.snapshots("NSE:NIFTY")
    assert (call.key, call.strike, call.bid, call.ask) == ("NFO:NIFTY30JUN2612000CE", 1200000, 1114370, 1236425)
    assert (call.oi, call.price, call.ts) == (65, 0, 0)
    assert (put.price, put.bid_quantity, put.oi, put.oi_change) == (30, 18395, 1196 * 65, -65 * 65)
    assert "does not say the moment" in result.notes[0]


def test_the_sites_download_under_another_name_is_refused(store, tmp_path):
    """Neither underlying nor expiry is guessed."""
    assert "must end in SYMBOL-DD-MMM-YYYY" in refusal(store, place(tmp_path, "chain.csv", WEB))


def test_real_chains(store, real_data):
    """129 strikes of Upstox, both sides; all three files are understood."""
    report = import_path(real(real_data, "option-chain-snapshots"), store)
    assert not report.refused
    nifty = store.snapshots("NSE:NIFTY")
    taken = [quote for quote in nifty if quote.ts]
    assert len(taken) == 2 * 129
    assert all(quote.oi % 65 == 0 for quote in taken)
    banknifty = store.snapshots("NSE:BANKNIFTY")
    assert {quote.spot for quote in banknifty} == {4331270}
    odd = {quote.expiry for quote in banknifty if quote.bid_quantity % 25 or quote.ask_quantity % 25}
    assert odd == {"2023-07-27"}, "the first expiry with a lot of 15"
    assert all(quote.oi % (15 if quote.expiry in odd else 25) == 0 for quote in banknifty)
