"""How good imported bars and ticks are: whole against the calendar, adjusted or raw by evidence, what was set aside."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from math import log, prod

import msgspec

from aitrade.core.clock import at
from aitrade.core.instruments import Exchange, Kind
from aitrade.core.quotes import Bar
from aitrade.market.corporate_actions import Action, ActionKind, parse_subject
from aitrade.market.importing.hours import Sessions
from aitrade.market.importing.sieve import BAD_OHLC, OUT_OF_SESSION
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import DAILY, Basis, ImportedSet
from aitrade.market.symbols import kind_of

_STRETCH = timedelta(days=31)
"""Days further apart are of two stretches that were imported, with nothing missing between them."""
FILE = "quality.json"
"""Name of the kept report, beside the data."""
_SAME = 0.1
"""How far a last trade may be from the official close, an average of half an hour, to be the same price."""


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be known of a set before it is trusted."""

    subject: str
    table: str
    minutes: int
    basis: Basis
    zone: str
    first: str
    last: str
    rows: int
    days: int
    short: dict[str, tuple[int, int]]
    """Days with fewer bars than their session has: (found, expected)."""
    missing: tuple[str, ...]
    """Trading days without a row, between days at most a month apart; unpublished years are not judged."""
    gaps: int
    """Bars that the short days lack."""
    duplicates: int
    bad: int
    outside: int
    aside: dict[str, int]
    remarks: dict[str, int]
    prices: str
    """Adjusted, raw or (where both would be the same) as printed, and what shows it."""
    assumed: int
    """Days whose hours nobody published."""
    untradable: str


def judge(store: InputStore, sessions: Sessions | None = None) -> list[Quality]:
    """Return the quality of every set that has days: bars, ticks, end-of-day files."""
    judged, sets = sessions or Sessions(), [one for one in store.sets() if one.days]
    officials = _officials(store, sets)
    return [_judge(one, store, judged, officials) for one in sets]


def keep(store: InputStore, report: list[Quality]) -> None:
    """Write the report beside the data, where `kept` finds it."""
    (store.folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(report)))


def kept(store: InputStore) -> list[Quality]:
    """Return the report that was last kept, or an empty one."""
    path = store.folder / FILE
    return msgspec.json.decode(path.read_bytes(), type=list[Quality]) if path.exists() else []


Officials = dict[tuple[str, str], int]
"""The official close of an instrument on an ISO day, paise."""


def _officials(store: InputStore, sets: list[ImportedSet]) -> Officials:
    wanted = {one.subject for one in sets if one.table == "bars"}
    days = [(one.subject, day) for one in sets if one.table == "eod" and one.subject in _CASH for day in one.days]
    rows = (row for subject, day in days for row in store.end_of_day(Exchange(subject), date.fromisoformat(day)))
    return {(row.key, row.day): row.close for row in rows if row.key in wanted}


_CASH = frozenset({Exchange.NSE.value, Exchange.BSE.value})


def _judge(one: ImportedSet, store: InputStore, sessions: Sessions, officials: Officials) -> Quality:
    short = dict(_short(one, sessions))
    return Quality(
        subject=one.subject,
        table=one.table,
        minutes=one.minutes,
        basis=one.basis,
        zone=one.zone,
        first=one.first,
        last=one.last,
        rows=one.rows,
        days=len(one.days),
        short=short,
        missing=tuple(_missing(one, sessions)),
        gaps=sum(expected - found for found, expected in short.values()),
        duplicates=one.duplicates,
        bad=one.aside.get(BAD_OHLC, 0) + one.remarks.get(BAD_OHLC, 0),
        outside=one.aside.get(OUT_OF_SESSION, 0),
        aside=one.aside,
        remarks=one.remarks,
        prices=_prices(one, store, officials),
        assumed=len(one.assumed),
        untradable=one.why_untradable,
    )


def _short(one: ImportedSet, sessions: Sessions) -> Iterator[tuple[str, tuple[int, int]]]:
    if one.table == "bars" and one.minutes < DAILY:
        for day, found in one.days.items():
            expected = sessions.of(one.subject, day).bars(one.minutes)
            if found < expected:
                yield day, (found, expected)


def _missing(one: ImportedSet, sessions: Sessions) -> Iterator[str]:
    """Yield trading days without a row inside a stretch of days; an end-of-day file is about its own day alone."""
    if one.table != "eod":
        for before, after in pairwise(map(date.fromisoformat, one.days)):
            between = (before + timedelta(days=i) for i in range(1, (after - before).days))
            if after - before <= _STRETCH:
                yield from (day.isoformat() for day in between if sessions.trades(one.subject, day.isoformat()))


def _prices(one: ImportedSet, store: InputStore, officials: Officials) -> str:
    """Say whether prices are adjusted or raw, by what shows it."""
    if one.table == "eod":
        return "raw: the exchange's own"
    if one.subject.split(":", 1)[0] not in _CASH or kind_of(one.subject) is Kind.INDEX:
        return "raw: nothing to adjust for"
    found = [*_jumps(one, store), *_ratios(one, store, officials)] if one.table == "bars" else []
    verdicts = {verdict for verdict, _ in found}
    shown = "; ".join(text for _, text in found)
    if not found:
        return f"{one.basis}: not proven, no split, bonus or official close falls into it"
    return f"contradictory: {shown}" if len(verdicts) > 1 else f"{verdicts.pop()}: {shown}"


def _ratios(one: ImportedSet, store: InputStore, officials: Officials) -> Iterator[tuple[str, str]]:
    """Compare with official closes; equal ones prove nothing where a split or bonus has been looked at."""
    days = [day for day in one.days if (one.subject, day) in officials]
    ratios = {day: officials[one.subject, day] / _day(one, store, day)[-1].close for day in days}
    other = {day: ratio for day, ratio in ratios.items() if abs(ratio - 1) > _SAME}
    if other:
        day, ratio = next(iter(other.items()))
        yield "adjusted", f"the official close of {day} is {ratio:.2f} times the file's"
    elif ratios and not any(_jumps(one, store)):
        yield "as printed", f"equal to the official close on {len(ratios)} days"


_SHARES = frozenset({ActionKind.SPLIT, ActionKind.BONUS})


def _jumps(one: ImportedSet, store: InputStore) -> Iterator[tuple[str, str]]:
    """Look at each split or bonus inside the set: raw prices fall by its factor, adjusted ones do not."""
    symbol = one.subject.split(":", 1)[1]
    for action in store.corporate_actions(symbol, one.first, one.last):
        steps = [step for step in parse_subject(action.subject) if step.kind in _SHARES]
        move = _move(one, store, action.ex_day) if steps and action.ex_day > one.first else 0.0
        if move:
            raw = abs(log(move * _factor(steps))) < abs(log(move))
            verb = "fall at" if raw else "do not fall at"
            yield ("raw" if raw else "adjusted"), f"prices {verb} the {_name(steps)} of {action.ex_day}"


def _name(steps: list[Action]) -> str:
    return " and ".join(step.kind.lower() for step in steps)


def _factor(steps: list[Action]) -> float:
    """Return how many shares one becomes."""
    return prod(
        step.numerator / step.denominator + (step.kind is ActionKind.BONUS) for step in steps if step.denominator
    )


def _move(one: ImportedSet, store: InputStore, ex_day: str) -> float:
    """Return the first open of the ex-day over the close before it, 0.0 where the set lacks either."""
    days = sorted(one.days)
    before = next((day for day in reversed(days) if day < ex_day), "")
    after = next((day for day in days if day >= ex_day), "")
    if not (before and after):
        return 0.0
    return _day(one, store, after)[0].open / _day(one, store, before)[-1].close


def _day(one: ImportedSet, store: InputStore, day: str) -> list[Bar]:
    start = at(day, "00:00")
    following = at((date.fromisoformat(day) + timedelta(days=1)).isoformat(), "00:00")
    return store.bars(one.subject, one.minutes, start, following, one.basis)
