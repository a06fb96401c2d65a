"""Contract masters: one instrument, seven spellings, ticks in rupees or paise."""

import json

import pytest
from made_files import place, real, refusal, take

from aitrade.core.instruments import Exchange, Kind
from aitrade.market.importing import import_path

KITE = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,"
    "segment,exchange\n"
)
UPSTOX = (
    '"instrument_key","exchange_token","tradingsymbol","name","last_price","expiry","strike","tick_size","lot_size",'
    '"instrument_type","option_type","exchange"\n'
)
NOREN = "Exchange,Token,LotSize,Symbol,TradingSymbol,Expiry,Instrument,OptionType,StrikePrice,TickSize,\n"
ALICE = (
    "Exch,Exchange Segment,Symbol,Token,Instrument Type,Option Type,Strike Price,Instrument Name,Formatted Ins Name,"
    "Trading Symbol,Expiry Date,Lot Size,Tick Size\n"
)
OPTION = "NFO:NIFTY26JUN2530000CE"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (KITE + "1,7,NIFTY25JUN30000CE,NIFTY,0.0,2025-06-26,30000.0,0.05,75,CE,NFO-OPT,NFO\n", "Kite"),
        (
            UPSTOX + '"NSE_FO|7","7","NIFTY25JUN30000CE","NIFTY","1","2025-06-26","30000.0","0.05","75","OPTIDX","CE",'
            '"NSE_FO"\n',
            "Upstox CSV",
        ),
        (NOREN + "NFO,7,75,NIFTY,NIFTY26JUN25C30000,26-JUN-2025,OPTIDX,CE,30000,0.05,\n", "Noren NFO"),
        (
            ALICE + "NFO,nse_fo,NIFTY,7,OPTIDX,CE,30000,NIFTY,NIFTY JUN CE,NIFTY26JUN25C30000,2025-06-26,75,0.05\n",
            "Alice Blue NFO",
        ),
        (
            json.dumps(
                [
                    {"segment": "NSE_FO", "expiry": 1750962599000, "instrument_type": "CE", "exchange_token": "7"}
                    | {"underlying_symbol": "NIFTY", "trading_symbol": "NIFTY 30000 CE 26 JUN 25", "lot_size": 75}
                    | {"tick_size": 5.0, "strike_price": 30000.0, "freeze_quantity": 1800.0, "instrument_key": "x"}
                ]
            ),
            "Upstox JSON",
        ),
    ],
)
def test_every_master_names_the_same_contract(store, tmp_path, text, source):
    """Key, lot and tick agree, whatever the broker calls the contract; the file's name says the day."""
    take(store, place(tmp_path, "master_2025-03-28.csv", text))
    (row,) = store.listings(source)
    assert (row.key, row.kind, row.lot, row.tick, row.token) == (OPTION, Kind.CALL, 75, 5, "7")
    assert (row.underlying, row.expiry, row.strike, row.as_of) == ("NSE:NIFTY", "2025-06-26", 3000000, "2025-03-28")


def test_upstox_json_has_freeze_quantities_and_skips_what_is_not_traded_here(store, tmp_path):
    """Currency rows are passed over; an index is an index; ticks are paise."""
    rows = [
        {"segment": "NCD_FO", "instrument_key": "a"},
        {"segment": "NSE_INDEX", "instrument_type": "INDEX", "trading_symbol": "NIFTY", "instrument_key": "b"},
        {"segment": "NSE_EQ", "instrument_type": "EQ", "trading_symbol": "ACME", "instrument_key": "c"}
        | {"tick_size": 10.0, "freeze_quantity": 100000.0, "isin": "INE000A01001"},
    ]
    take(store, place(tmp_path, "complete.json", json.dumps(rows)))
    index, share = store.listings("Upstox JSON")
    assert (index.key, index.kind) == ("NSE:NIFTY", Kind.INDEX)
    assert (share.key, share.tick, share.freeze, share.isin) == ("NSE:ACME", 10, 100000, "INE000A01001")


def test_a_damaged_json_master_is_refused(store, tmp_path):
    """Cut short, or with an entry that lacks its name."""
    whole = json.dumps([{"segment": "NSE_EQ", "instrument_type": "EQ", "instrument_key": "c"}])
    assert "its entry 1 is damaged" in refusal(store, place(tmp_path, "a.json", whole))
    assert "the JSON is damaged" in refusal(store, place(tmp_path, "b.json", whole[:-2]))


def test_dhan_ticks_are_paise(store, tmp_path):
    """SEM_TICK_SIZE 10 is ten paise, while the other masters write 0.1."""
    header = (
        "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,SEM_TRADING_SYMBOL,"
        "SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,SEM_OPTION_TYPE,SEM_TICK_SIZE,"
        "SEM_EXPIRY_FLAG,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,SM_SYMBOL_NAME\n"
    )
    take(store, place(tmp_path, "dhan.csv", header + "NSE,E,7,EQUITY,0,ACME,1,Acme,,,,10,NA,ES,EQ,ACME LTD\n"))
    (row,) = store.listings("Dhan")
    assert (row.key, row.tick, row.exchange) == ("NSE:ACME", 10, Exchange.NSE)


def test_noren_ends_its_lines_with_a_comma_and_bse_hides_its_underlyings(store, tmp_path):
    """BSXOPT is SENSEX by its trading symbol; a share and an index come in another file."""
    weekly = NOREN + "BFO,7,20,BSXOPT,SENSEX25N0687900CE,06-NOV-2025,OPTIDX,CE,87900,0.05,\n"
    take(store, place(tmp_path, "BFO.txt", weekly))
    assert store.listings("Noren BFO")[0].key == "BFO:SENSEX06NOV2587900CE"
    cash = (
        "Exchange,Token,LotSize,Symbol,TradingSymbol,Instrument,TickSize,\n"
        "NSE,26000,1,Nifty 50,NIFTY INDEX,INDEX,0,\nNSE,9,1,ACME,ACME-EQ,EQ,0.1,\n"
    )
    take(store, place(tmp_path, "NSE.txt", cash))
    index, share = store.listings("Noren NSE")
    assert (index.key, index.kind, share.key, share.tick) == ("NSE:NIFTY", Kind.INDEX, "NSE:ACME", 10)


def test_market_lots_are_padded_and_have_a_second_heading(store, tmp_path):
    """A month without a lot has no contract."""
    text = (
        "UNDERLYING                          ,SYMBOL    ,AUG-26     ,DEC-30     \n"
        "NIFTY 50                            ,NIFTY     ,65         ,65         \n"
        "Derivatives on Individual Securities,Symbol    ,AUG-26     ,           \n"
        "ACME LTD                            ,ACME      ,675        ,           \n"
    )
    take(store, place(tmp_path, "fo_mktlots.csv", text))
    assert [(row.symbol, row.month, row.lot) for row in store.lots()] == [
        ("NIFTY", "2026-08", 65),
        ("NIFTY", "2030-12", 65),
        ("ACME", "2026-08", 675),
    ]


def test_a_contract_whose_symbol_does_not_fit_its_expiry_is_refused(store, tmp_path):
    """The underlying cannot be told from it."""
    row = '"NSE_FO|7","7","NIFTY","NIFTY","1","2025-06-26","30000.0","0.05","75","OPTIDX","CE","NSE_FO"\n'
    text = refusal(store, place(tmp_path, "u.csv", UPSTOX + row))
    assert text == "u.csv, line 2: 'NIFTY' does not name the contract that expires on 2025-06-26."


def test_real_masters(store, real_data):
    """All ten are understood; lots and ticks of the day are those that were cross-checked."""
    report = import_path(real(real_data, "instruments"), store)
    assert not report.refused
    kite = store.listings("Kite")
    assert len(kite) == 39941
    lots = {row.symbol: row.lot for row in kite if row.kind is Kind.FUTURE}
    wanted = {"NIFTY": 65, "BANKNIFTY": 30, "FINNIFTY": 60, "MIDCPNIFTY": 120, "SENSEX": 20, "BANKEX": 30}
    assert {symbol: lots[symbol] for symbol in wanted} == wanted
    ticks = {row.symbol: row.tick for row in kite if row.kind is Kind.FUTURE}
    assert (ticks["NIFTY"], ticks["BANKNIFTY"], ticks["MIDCPNIFTY"], ticks["RELIANCE"]) == (10, 20, 5, 10)
    assert {row.lot for row in store.lots() if row.symbol == "NIFTY"} == {65}
    assert len(store.listings("Upstox JSON")) == 70114
