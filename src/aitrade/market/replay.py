"""A real day from the input store as a feed: stored ticks as they are, bars as seeded paths marked MODELLED."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

import msgspec
import numpy as np

from aitrade.core.clock import DAY, MINUTE, at, ist_date
from aitrade.core.errors import DataRefused, Refused
from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.money import half_up
from aitrade.core.quotes import Bar, Depth, Level, Tick
from aitrade.market.bars import DAY_MINUTES, BarBuilder, resample
from aitrade.market.batches import Batch, batch
from aitrade.market.calendar import Calendar, PhaseName, Session, segment_of
from aitrade.market.corporate_actions import apply, parse_subject
from aitrade.market.depth import best
from aitrade.market.draws import Ints
from aitrade.market.grid import band, rounded_bar, rounded_tick
from aitrade.market.input_rows import CorporateAction, DepthTick
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import ImportedSet
from aitrade.market.rules import Rules
from aitrade.market.simulated.modelled_chain import ModelledChain, with_chains
from aitrade.market.simulated.universe import VIX
from aitrade.market.symbols import kind_of
from aitrade.market.tick_path import Bars, Path, columns, join, running, walk

_COUNT = 20
"""Ticks that a minute bar becomes."""
_SEED = 0
"""A real day has one path, whoever replays it."""
_LENGTHS = (1, 5)
"""Bars that are played where an instrument has no ticks, the finest first."""
_CHUNK = 15 * MINUTE
"""How much of the day is walked at once; holds whole bars of every length above."""
_BAND, _FIXED_BAND = 10, 20
"""Percent of the dynamic band's first step, for stocks with derivatives and for futures; and the widest of the fixed
bands (2, 5, 10, 20) for others, whose own are in no imported set."""
_EVENINGS = 21
"""Earlier closes around which a modelled chain lists its strikes."""
_WHOLE = 1_000_000
"""Shares that a corporate action is tried on: enough that no fraction is lost."""
_WEEKS = 40 * DAY
_YEAR = 400 * DAY


class ReplayFeed:
    """One imported day; see `Feed` for what its members promise.

    Raises DataRefused where nothing is imported for `day`, and Refused on a holiday.
    """

    silence = 7.0  # of one instrument's `_COUNT` ticks a minute, two may be more than six seconds apart

    def __init__(self, store: InputStore, day: date, calendar: Calendar, rules: Rules) -> None:
        self._store, self.day, self._calendar, self._rules = store, day, calendar, rules
        self._walked = lru_cache(maxsize=4)(self._walk)
        self._books = lru_cache(maxsize=32)(self._stored_books)
        self._past = lru_cache(maxsize=512)(self._stored_past)
        self._days = lru_cache(maxsize=512)(self._past_days)
        self._made_bars = lru_cache(maxsize=512)(self._make_bars)
        self._with_lots = {one.symbol for one in store.lots()}
        listed = [self._complete(one) for one in self._listed()]
        self._instruments = {one.key: one for one in listed}
        self._segments = {segment_of(one) for one in listed}
        sessions = {one.key: calendar.session(day, segment_of(one)) for one in listed}
        self._spans = {key: _continuous(session) for key, session in sessions.items()}
        self.start = min(session.open for session in sessions.values())
        self.end = max(session.close for session in sessions.values())
        self._ticks = {key: ticks for key in self._instruments if (ticks := self._stored_ticks(key))}
        self._bars = {key: self._stored_bars(key) for key in self._instruments if key not in self._ticks}
        self.corporate_actions = self._actions()
        self._restated = [self._restate(action) for action in self.corporate_actions]
        self._instruments = {key: self._on_grid(one) for key, one in self._instruments.items()}
        self._rounded = [key for key, one in self._instruments.items() if one.tradable and self._round(key, one.tick)]
        self.indices = [one.key for one in listed if one.kind is Kind.INDEX]
        self.watchlist = [one.key for one in listed if one.tradable]
        self._chain = self._modelled()
        self.source = ", ".join(self._sets())
        self.assumed = self._assumptions(sessions.values())

    def instruments(self) -> list[Instrument]:
        """Return what is imported for the day, with the rules' ticks and lots."""
        modelled = self._chain.instruments() if self._chain else []
        return list(self._instruments.values()) + modelled

    def opening(self) -> None:
        """Imported data have no print of the pre-open auction: the first of the session stands for it."""

    def batches(self, after: int = 0) -> Iterator[Batch]:
        """Yield the day's minutes, from the one that contains `after` on."""
        first = max((after - self.start) // MINUTE, 0)
        for start in range(self.start + first * MINUTE, self.end, MINUTE):
            ticks = self._walked((start - self.start) // _CHUNK)
            yield batch(start, start + MINUTE, ticks.get(start, []))

    def history(self, instrument: str, minutes: int, count: int, before: int) -> list[Bar]:
        """Return up to `count` closed bars of the imported past and of this day; a day closes with its session."""
        if minutes >= DAY_MINUTES:
            closed = self._days(instrument) + resample(self._today(instrument, before), DAY_MINUTES) * (
                before >= self.end
            )
        else:
            reach = min(_WEEKS, max(count * minutes * MINUTE * 6, 7 * DAY))
            since = min(before, self.start) - reach
            bars = [*self._past(instrument, since), *self._today(instrument, before)]
            made = bars if minutes == 1 else resample(bars, minutes)  # nothing is finer than what is stored
            closed = made[: bisect_right(made, before, key=attrgetter("end"))]
        return closed[-count:] if count else []

    def actions_since(self, instrument: str, first: date) -> list[CorporateAction]:
        """Return what a share went ex on from `first` to this day, by ex-day."""
        symbol = instrument.partition(":")[2]
        return self._store.corporate_actions(symbol=symbol, start=first.isoformat(), end=self.day.isoformat())

    def depth(self, tick: Tick, instrument: Instrument) -> Depth:  # noqa: ARG002 - what is stored needs no rules
        """Return the stored levels at a print; where none were recorded, the best of each side as played."""
        books = self._books(tick.instrument)
        place = bisect_right(books, tick.ts, key=attrgetter("ts"))
        found = _levels(books[place - 1]) if place else None
        return found or best(tick)

    def next_day(self) -> "ReplayFeed":
        """Return the feed of the next market day by the calendar, with what was imported meanwhile.

        Raises Refused where nothing of it is imported that goes on with this day: bars of the same length, or ticks.
        """
        day = min(self._calendar.next_trading_day(self.day, segment) for segment in self._segments)
        self._store.refresh()
        found, played = (_lengths(self._store, one, shares=bool(self.watchlist)) for one in (day, self.day))
        if not found & played:
            what = f"no {_in_words(played)} of it are" if found else "nothing of it is"
            raise Refused(f"The next market day is {day}, and {what} imported: import it, or end here.")
        return ReplayFeed(self._store, day, self._calendar, self._rules)

    def _stored_books(self, key: str) -> list[DepthTick]:
        return self._store.depth_ticks(key, self.day) if key in self._ticks else []

    def _listed(self) -> list[Instrument]:
        """Return what the store has for the day; 5-minute bars count where there is nothing finer."""
        refuse_without(self._store, self.day)
        listed = {one.key: one for one in self._store.instruments(self.day)}
        for key in self._store.days(_LENGTHS[-1]).get(self.day, []):
            if key not in listed:
                listed[key] = self._bare(key)
        return [listed[key] for key in sorted(listed)]

    def _bare(self, key: str) -> Instrument:
        exchange, symbol = key.split(":")
        close = self._store.previous_close(key, self.day)
        return Instrument(key=key, exchange=Exchange(exchange), symbol=symbol, kind=kind_of(key), previous_close=close)

    def _complete(self, bare: Instrument) -> Instrument:
        """Return the instrument with what the rules know of it, but for its grid."""
        base, rules, day = bare.symbol, self._rules, self.day
        return msgspec.structs.replace(
            bare,
            lot=(rules.lot(day, base) or 1) if bare.is_derivative else 1,
            freeze=rules.freeze(day, base) or 0 if bare.is_derivative else 0,
            has_derivatives=bare.kind is Kind.EQUITY and (rules.lot(day, base) is not None or base in self._with_lots),
        )

    def _on_grid(self, one: Instrument) -> Instrument:
        """Return the instrument with its tick and band: of its previous close, or else of the day's first price."""
        close = one.previous_close or self._first_price(one.key)
        if not (one.tradable and close):
            return one
        tick = self._rules.tick(self.day, one.kind, one.exchange, close, one.symbol)
        lower, upper = band(close, _BAND if one.has_derivatives or one.is_derivative else _FIXED_BAND, tick)
        return msgspec.structs.replace(one, tick=tick, lower=lower, upper=upper)

    def _round(self, key: str, tick: int) -> bool:
        """Round prices that lie off the tick, so that nothing fills there; return whether there were any."""
        bars, ticks = self._bars.get(key, []), self._ticks.get(key, [])
        if key in self._bars:
            self._bars[key] = [rounded_bar(bar, tick) for bar in bars]
        else:
            self._ticks[key] = [rounded_tick(one, tick) for one in ticks]
        return bars != self._bars.get(key, []) or ticks != self._ticks.get(key, [])

    def _stored_ticks(self, key: str) -> list[Tick]:
        return [tick for tick in self._store.ticks(key, self.day) if self._trading(key, tick.ts)]

    def _stored_bars(self, key: str) -> list[Bar]:
        for minutes in _LENGTHS:
            bars = self._store.bars(key, minutes, self.start, self.end)
            if found := [bar for bar in bars if self._trading(key, bar.start)]:
                return found
        return []

    def _trading(self, key: str, ts: int) -> bool:
        return any(start <= ts < end for start, end in self._spans[key])

    def _walk(self, chunk: int) -> dict[int, list[Tick]]:
        """Return the ticks of a stretch of the day by minute start."""
        begin = self.start + chunk * _CHUNK
        within = {key: [bar for bar in bars if begin <= bar.start < begin + _CHUNK] for key, bars in self._bars.items()}
        modelled = self._modelled_ticks({key: bars for key, bars in within.items() if bars}, begin)
        real = [tick for ticks in self._ticks.values() for tick in ticks if begin <= tick.ts < begin + _CHUNK]
        both = sorted(real + modelled, key=lambda tick: tick.ts) if real else modelled
        return {start: list(ticks) for start, ticks in groupby(both, key=lambda tick: self._minute(tick.ts))}

    def _modelled_ticks(self, within: dict[str, list[Bar]], begin: int) -> list[Tick]:
        names, parts = self._paths(within) if within else ([], None)
        found = [parts] if parts else []
        if self._chain and (chain := self._chain.part(begin, begin + _CHUNK)):
            path, volume, oi = chain
            found.append((path.moved(len(names)), volume, oi))
            names = names + [one.key for one in self._chain.contracts.instruments]
        return join(names, found) if found else []

    def _minute(self, ts: int) -> int:
        return ts - (ts - self.start) % MINUTE

    def _paths(self, within: dict[str, list[Bar]]) -> tuple[list[str], tuple[Path, Ints, Ints]]:
        """Return the bars' names and seeded paths, with volume since the day began and the bars' open interest."""
        bars = [bar for held in within.values() for bar in held]
        walked = walk(self._columns(within), _SEED)
        earlier = np.array([before for key, held in within.items() for before in self._volumes(key, held)], np.int64)
        volume = earlier[walked.row] + running(walked.quantity, walked.row)
        oi = np.array([bar.oi for bar in bars], np.int64)[walked.row]
        return [bar.instrument for bar in bars], (walked, volume, oi)

    def _volumes(self, key: str, held: list[Bar]) -> Iterator[int]:
        """Yield the day's volume before each of the bars `held`."""
        total = sum(bar.volume for bar in self._bars[key] if bar.start < held[0].start)
        for bar in held:
            yield total
            total += bar.volume

    def _columns(self, within: dict[str, list[Bar]]) -> Bars:
        parts = []
        for key, held in within.items():
            one = self._instruments[key]
            count = _COUNT * (held[0].end - held[0].start) // MINUTE
            parts.append(columns(held, count, one.tick, one.lot, spread=0 if one.kind is Kind.INDEX else 1))
        fields = zip(*(msgspec.structs.astuple(part) for part in parts), strict=True)
        return Bars(*(np.concatenate(column) for column in fields))

    def _today(self, instrument: str, before: int) -> list[Bar]:
        bars = self._bars.get(instrument) or self._made_bars(instrument)
        return [bar for bar in bars if bar.end <= before]

    def _make_bars(self, instrument: str) -> list[Bar]:
        """Return the minute bars that the day's real ticks, or a modelled contract's, make."""
        if self._chain and instrument in self._chain:
            return self._chain.bars(instrument)
        builder = BarBuilder(1, self.start)
        bars = [done for tick in self._ticks.get(instrument, []) if (done := builder.on_tick(tick))]
        return bars + builder.close(self.end)

    def _stored_past(self, instrument: str, start: int) -> list[Bar]:
        """Return the finest stored bars of earlier days."""
        for minutes in _LENGTHS:
            if bars := self._store.bars(instrument, minutes, start, at(self.day, "00:00")):
                return bars
        return []

    def _modelled(self) -> ModelledChain | None:
        """Return a chain on the day's indices, where none was imported and the indices have a past."""
        wanted = [key for key in with_chains() if key in self._instruments and self._instruments[key].previous_close]
        if not wanted or any(one.is_derivative for one in self._instruments.values()):
            return None
        closes = {
            key: [bar.close for bar in self._days(key)[-_EVENINGS:]] or [self._instruments[key].previous_close]
            for key in wanted
        }
        vix = self._store.previous_close(VIX, self.day) / 100
        chain = ModelledChain(self.day, closes, vix, self._calendar, self._rules)
        chain.follow({key: self._whole_path(key) for key in wanted})
        self.end = max(self.end, chain.end)
        return chain

    def _whole_path(self, key: str) -> Path:
        """Return the day's ticks of one instrument as columns."""
        if key in self._bars:
            return self._paths({key: self._bars[key]})[1][0]
        table = np.array([(tick.ts, tick.price) for tick in self._ticks[key]], np.int64)
        none = np.zeros(len(table), np.int64)
        return Path(none, table[:, 0], table[:, 1], none, none, none, none, none)

    def _past_days(self, instrument: str) -> list[Bar]:
        """Return day bars of earlier days: made of the stored minutes, and stored ones before those."""
        made = resample(self._past(instrument, self.start - _YEAR), DAY_MINUTES)
        first = ist_date(made[0].start) if made else self.day
        stored = self._store.bars(instrument, DAY_MINUTES, self.start - _YEAR, self.start)
        return [bar for bar in stored if ist_date(bar.start) < first] + made

    def _sets(self) -> list[str]:
        iso = self.day.isoformat()
        held = [one for one in self._store.sets() if one.subject in self._instruments and iso in one.days]
        return sorted({name for one in held for name in one.format.split(", ")})

    def _actions(self) -> list[CorporateAction]:
        found = self._store.corporate_actions(start=self.day.isoformat(), end=self.day.isoformat())
        return [action for action in found if f"NSE:{action.symbol}" in self._instruments]

    def _restate(self, action: CorporateAction) -> str:
        """Restate a previous close for a split or bonus, where the day's first price says that it is due; say so."""
        one = self._instruments[f"NSE:{action.symbol}"]
        shares = _WHOLE
        for each in parse_subject(action.subject):
            shares = apply(each, shares, 0).quantity
        restated, first = half_up(one.previous_close * _WHOLE, shares), self._first_price(one.key)
        if abs(first - restated) >= abs(first - one.previous_close):
            return ""
        self._instruments[one.key] = msgspec.structs.replace(one, previous_close=restated)
        return f"The previous close of {one.key} is restated for {action.subject}."

    def _first_price(self, key: str) -> int:
        """Return the day's first price, 0 where it has none in its session."""
        if key in self._ticks:
            return self._ticks[key][0].price
        return self._bars[key][0].open if self._bars[key] else 0

    def _assumptions(self, sessions: Sequence[Session]) -> list[str]:
        said = []
        if self._bars:
            said.append(f"Ticks of {len(self._bars)} instruments are MODELLED: seeded paths inside their real bars.")
        if self._chain:
            said.append(
                "No option prices were imported for this day: futures and option chains are MODELLED off the index."
            )
        elif not any(one.is_option for one in self._instruments.values()):
            said.append("No option prices were imported for this day, so there is no option chain.")
        if self._rounded:
            said.append(f"Prices of {', '.join(self._rounded)} lie off the tick: they are rounded to it, and MODELLED.")
        shares = [one for one in self._instruments.values() if one.tradable]
        if unpriced := [one.key for one in shares if not one.previous_close]:
            said.append(
                f"No previous close is known of {', '.join(unpriced)}: tick and band are ASSUMED from the day's first "
                "price, and changes on the day are not told."
            )
        if fixed := [one.key for one in shares if not (one.has_derivatives or one.is_derivative)]:
            said.append(f"The band of {', '.join(fixed)} is ASSUMED to be {_FIXED_BAND} %: no imported set has it.")
        said += filter(None, self._restated)
        return said + sorted({session.note for session in sessions if session.assumed and session.note})


def imported_days(store: InputStore) -> list[date]:
    """Return the days that can be replayed, oldest first."""
    return sorted({date.fromisoformat(day) for one in store.sets() if _plays(one) for day in one.days})


def refuse_without(store: InputStore, day: date) -> None:
    """Raise DataRefused, saying which days there are, where nothing is imported for `day`."""
    if not store.instruments(day) and day not in store.days(_LENGTHS[-1]):
        raise DataRefused(_nothing(day, imported_days(store)))


def _plays(one: ImportedSet) -> bool:
    return one.tradable and (one.table == "ticks" or (one.table == "bars" and one.minutes in _LENGTHS))


def _lengths(store: InputStore, day: date, *, shares: bool) -> set[int]:
    """Return the lengths in minutes of the bars that play on `day`, 0 for ticks; indices' only without `shares`."""
    playing = [one for one in store.sets() if _plays(one) and day.isoformat() in one.days]
    return {one.minutes for one in playing if not shares or kind_of(one.subject) is not Kind.INDEX}


def _in_words(lengths: set[int]) -> str:
    return " or ".join(f"{minutes}-minute bars" if minutes else "ticks" for minutes in sorted(lengths))


def _nothing(day: date, days: Sequence[date]) -> str:
    if not days:
        return f"Nothing is imported for {day}; import data with `aitrade data import PATH` first."
    are = f"{len(days)} days from {days[0]} to {days[-1]} are" if len(days) > 1 else f"only {days[0]} is"
    return f"Nothing is imported for {day}; {are}: see `aitrade data list`."


def _continuous(session: Session) -> list[tuple[int, int]]:
    return [(phase.start, phase.end) for phase in session.phases if phase.name is PhaseName.CONTINUOUS]


def _levels(tick: DepthTick) -> Depth | None:
    """Return a stored tick's levels; those that the recording left at zero are not there."""
    bids, asks = (
        [Level(price, quantity) for price, quantity in zip(prices, quantities, strict=True) if price]
        for prices, quantities in ((tick.bid_prices, tick.bid_quantities), (tick.ask_prices, tick.ask_quantities))
    )
    return Depth(tick.instrument, tick.ts, bids, asks, modelled=False) if bids or asks else None
