"""End-of-day files of the exchange: trailing commas, blanks, padding, zero fill, contracts and units."""

import io
import zipfile
from datetime import date

from made_files import minutes, place, real, refusal, stock_csv, take

from aitrade.core.instruments import Exchange, Kind
from aitrade.market.importing import Outcome, import_path

LEGACY = (
    "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,\n"
    "ACME,EQ,59,61.75,57,57.7,58,58.3,341033,20320653.6,01-DEC-2017,2506,INE000A01001,\n"
    "ACME,N1,1000,1000,1000,1000,1000,1000,5,5000,01-DEC-2017,1,INE000A07001,\n"
)
FULL = (
    "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, CLOSE_PRICE, AVG_PRICE,"
    " TTL_TRD_QNTY, TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER\n"
    "ACME, EQ, 01-Aug-2025, 234.47, 234.41, 241.03, 233.56, 236.50, 235.65, 237.55, 205134, 487.30, 5068, 90764,"
    " 44.25\n"
    "BOND, GS, 01-Aug-2025, 108.25, 108.50, 113.00, 108.00, 113.00, 113.00, 108.55, 48895, 53.08, 15, -, -\n"
)
UDIFF_HEADER = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,OptnTp,"
    "FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,"
    "TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4\n"
)
OPTION = (
    "2025-02-28,2025-02-28,FO,NSE,IDO,1,,NIFTY,,2025-03-06,2025-03-06,22000.00,CE,NIFTY25MAR22000CE,200.00,210.00,"
    "190.00,205.00,204.95,180.00,22124.70,205.00,203550,-975,27,1000.00,25,F1,75,,,,,\n"
)
FUTURE = (
    "2025-02-28,2025-02-28,FO,NSE,IDF,2,,NIFTY,,2025-03-27,2025-03-27,,,NIFTY25MARFUT,22200.00,22300.00,"
    "22100.00,22250.00,22249.95,22300.00,22124.70,22250.00,7500,150,10,1000.00,5,F1,75,,,,,\n"
)
SHARE = (
    "2025-02-28,2025-02-28,CM,NSE,STK,3,INE000A01001,ACME,EQ,,,,,ACME LTD,100.00,101.00,"
    "99.00,100.50,100.45,100.00,,100.50,,,1234,124000.00,25,F1,1,,,,,\n"
)


def _zip(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.csv", text)
    return buffer.getvalue()


def test_the_legacy_file_ends_its_lines_with_a_comma(store, tmp_path):
    """The share keeps its symbol's key; another paper of the same name stands beside it."""
    take(store, place(tmp_path, "cm01DEC2017bhav.csv", LEGACY))
    share, note = store.end_of_day(Exchange.NSE, date(2017, 12, 1))
    assert (share.key, share.isin, share.close, share.previous_close) == ("NSE:ACME", "INE000A01001", 5770, 5830)
    assert (share.volume, share.value, share.trades) == (341033, 2032065360, 2506)
    assert note.key == "NSE:ACME-N1"


def test_the_full_file_pads_and_may_lack_delivery(store, tmp_path):
    """Blanks after commas are no part of a value; "-" says that nothing is known of delivery."""
    take(store, place(tmp_path, "sec.csv", FULL))
    share, bond = store.end_of_day(Exchange.NSE, date(2025, 8, 1))
    assert (share.key, share.series, share.delivered, share.value) == ("NSE:ACME", "EQ", 90764, 4873000000)
    assert (bond.key, bond.delivered) == ("NSE:BOND-GS", -1)


def test_udiff_zipped_or_not_gives_the_same(store, tmp_path):
    """A zip is looked into; derivative volume is made units, open interest is units already."""
    take(store, place(tmp_path, "BhavCopy.csv.zip", _zip(BhavCopy=UDIFF_HEADER + OPTION + FUTURE)))
    zipped = store.end_of_day(Exchange.NFO, date(2025, 2, 28))
    take(store, place(tmp_path, "plain.csv", UDIFF_HEADER + OPTION + FUTURE))
    assert store.end_of_day(Exchange.NFO, date(2025, 2, 28)) == zipped
    option, future = zipped
    assert (option.key, option.kind, option.strike) == ("NFO:NIFTY06MAR2522000CE", Kind.CALL, 2200000)
    assert (option.volume, option.oi, option.oi_change, option.lot) == (27 * 75, 203550, -975, 75)
    assert (option.underlying_price, option.settlement) == (2212470, 20500)
    assert (future.key, future.kind, future.strike) == ("NFO:NIFTY27MAR25FUT", Kind.FUTURE, 0)


def test_the_chain_of_a_day_is_the_underlyings_options(store, tmp_path):
    """Futures and other underlyings are not in it."""
    other = OPTION.replace("NIFTY", "BANKNIFTY")
    take(store, place(tmp_path, "fo.csv", UDIFF_HEADER + OPTION + FUTURE + other))
    assert [row.key for row in store.chain("NSE:NIFTY", date(2025, 2, 28))] == ["NFO:NIFTY06MAR2522000CE"]


def test_udiff_cash_rows_share_the_header(store, tmp_path):
    """Cash volume is in shares; the official close becomes the next day's previous close."""
    take(store, place(tmp_path, "cm.csv", UDIFF_HEADER + SHARE))
    (row,) = store.end_of_day(Exchange.NSE, date(2025, 2, 28))
    assert (row.key, row.volume, row.lot, row.close) == ("NSE:ACME", 1234, 1, 10050)
    take(store, place(tmp_path, "ACME/1.csv", stock_csv(minutes(date(2025, 2, 28), "09:15", 1), price="100.00")))
    assert store.previous_close("NSE:ACME", date(2025, 3, 3)) == 10050, "not the last bar's close"
    assert store.previous_close("NSE:ACME", date(2025, 2, 28)) == 10000, "as the day's own file states it"


def test_udiff_of_a_segment_that_is_not_traded_here_is_refused(store, tmp_path):
    """A currency row names its line."""
    text = refusal(store, place(tmp_path, "cd.csv", UDIFF_HEADER + OPTION.replace(",FO,", ",CD,")))
    assert text == "cd.csv, line 2: segment 'CD' of 'NSE' is none that is traded here."


FO = (
    "INSTRUMENT,SYMBOL    ,EXP_DATE  ,OPEN_PRICE ,HI_PRICE   ,LO_PRICE   ,CLOSE_PRICE,OPEN_INT*      ,"
    "TRD_VAL           ,TRD_QTY          ,NO_OF_CONT       ,NO_OF_TRADE      \n"
    "FUTIDX    ,BANKNIFTY ,25/11/2025,00058384.00,00058690.00,00058300.20,00058644.40,000000001713110,"
    "    55421082206.00,           946715,            27049,            18524\n"
    "* - OPEN_INT as available in the trading system at the end of trading hours.      \n"
)
OP = (
    "INSTRUMENT,SYMBOL    ,EXP_DATE  ,STR_PRICE  ,OPT_TYPE,OPEN_PRICE ,HI_PRICE   ,LO_PRICE   ,CLOSE_PRICE,"
    "OPEN_INT*      ,TRD_QTY          ,NO_OF_CONT       ,NO_OF_TRADE      ,NOTION_VAL        ,PR_VAL            \n"
    "OPTIDX    ,BANKNIFTY ,25/11/2025,00046500.00,PE      ,00000003.95,00000005.20,00000003.30,00000003.50,"
    "000000000074795,            13965,              399,              135,      649427357.25,          54857.25\n"
)
TOTALS = "Index Futures                \nSymbol    ,No of Contracts Traded   \nBANKNIFTY ,            29594\n"


def test_the_padded_daily_report(store, tmp_path):
    """Padding and zero fill are taken off, the closing note is no row, totals are passed over saying so."""
    name, members = "fo14112025.zip", {"fo14112025": FO, "op14112025": OP, "futidx14112025": TOTALS}
    result = take(store, place(tmp_path, name, _zip(**members)))
    assert result.rows == 2
    assert "totals of the contracts" in result.notes[0]
    future, option = sorted(store.end_of_day(Exchange.NFO, date(2025, 11, 14)), key=lambda row: row.kind != Kind.FUTURE)
    assert (future.key, future.close, future.oi) == ("NFO:BANKNIFTY25NOV25FUT", 5864440, 1713110)
    assert (future.volume, future.lot) == (946715, 35)
    assert (option.key, option.close, option.oi) == ("NFO:BANKNIFTY25NOV2546500PE", 350, 74795)


def test_an_archive_with_one_damaged_member_is_refused_whole(store, tmp_path):
    """Nothing of its good members stays."""
    bad = OP.replace("00046500.00,PE      ", "00046500.00,XX      ")
    path = place(tmp_path, "fo14112025.zip", _zip(fo14112025=FO, op14112025=bad))
    assert refusal(store, path).startswith("fo14112025.zip/op14112025.csv, line 2: ")
    assert store.sets() == []


def test_real_bhavcopies(store, real_data):
    """Rows of every file as counted when they were found."""
    for name in ("bhav-cm-legacy", "bhav-cm-sec-full", "bhav-fo-udiff", "bhav-fo-udiff-bysymbol", "nse-fo-daily-zip"):
        report = import_path(real(real_data, name), store)
        assert {one.outcome for one in report.files} == {Outcome.IMPORTED, Outcome.SKIPPED}
    assert len(store.end_of_day(Exchange.NFO, date(2025, 2, 27))) == 41097
    assert len(store.end_of_day(Exchange.NFO, date(2025, 2, 28))) == 34977
    march = store.end_of_day(Exchange.NFO, date(2026, 3, 23))
    assert {row.underlying_price for row in march if row.symbol == "NIFTY"} == {2251265}
    assert {row.lot for row in march if row.symbol == "NIFTY"} == {65}
    chain = store.chain("NSE:NIFTY", date(2026, 3, 24))
    assert {"2026-03-30", "2026-04-13"} <= {row.expiry for row in chain}, "expiries that a holiday moved"
    assert len(store.end_of_day(Exchange.NFO, date(2025, 11, 14))) == 632 + 15130
    assert store.end_of_day(Exchange.NSE, date(2026, 8, 20))
