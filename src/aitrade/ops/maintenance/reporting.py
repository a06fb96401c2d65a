"""Reports as tasks: the day's, the week's analysis, the month's pack; all are notebooks that papermill runs."""

from contextlib import suppress
from datetime import date

from aitrade.core.errors import AitradeError, UnknownDate
from aitrade.market.calendar import Calendar, Segment
from aitrade.ops.maintenance.task import Done, Ground

DAYS_BACK = 3
"""Market days, traded and over, that the daily task looks at again: changed ones are made anew, missed ones made."""


def make(ground: Ground, name: str, day: str) -> Done:
    """Make one report of a market day."""
    from aitrade.ops.reports import produce

    with ground.step(f"make {name} of {day}"):
        made = produce(ground.home, name, day)
    return Done(f"{name} of {day} is {made.html}.", {f"{name}_version": made.version, f"{name}_sha256": made.file_hash})


def month_before(ground: Ground) -> str:
    """Return the last trading day of the month before this one, ISO."""
    return trading_day_before(ground, ground.today.replace(day=1)).isoformat()


def trading_day_before(ground: Ground, day: date) -> date:
    """Return the last trading day before `day`."""
    return Calendar.load(ground.home).previous_trading_day(day, Segment.CASH_FNO)


class DailyReports:
    """Makes the daily reports of the newest market days: today's, and those that the books traded lately."""

    name = "produce_daily_reports"

    def plan(self, ground: Ground) -> list[str]:
        """Name the days and the reports."""
        names = ", ".join(_names("daily"))
        return [f"Make {names} of {', '.join(days_to_report(ground)) or 'no day yet'}."]

    def run(self, ground: Ground) -> Done:
        """Make them, oldest day first; a day that is as its reports have it is left, one that fails stops no other."""
        from aitrade.ops.reports import settled

        days = days_to_report(ground)
        changed = [day for day in days if not settled(ground.home, day)]
        if days and not changed:
            return Done(f"The reports of {', '.join(days)} are there, and nothing has changed since.", {"reports": 0})
        return _made(ground, "daily", changed)


class WeeklyAnalysis:
    """The performance of the week, by the weekly notebooks."""

    name = "analyze_performance"

    def plan(self, ground: Ground) -> list[str]:
        """Name the day and the reports."""
        return [f"Make {', '.join(_names('weekly'))} of {self._day(ground)}."]

    def run(self, ground: Ground) -> Done:
        """Make them for the last trading day of the week that ended last."""
        return _made(ground, "weekly", [self._day(ground)])

    def _day(self, ground: Ground) -> str:
        from aitrade.ops.reports import Cadence
        from aitrade.ops.reports.schedule import is_due

        calendar, day = Calendar.load(ground.home), trading_day_before(ground, ground.today)
        while not is_due(calendar, Cadence.WEEKLY, day):
            day = calendar.previous_trading_day(day, Segment.CASH_FNO)
        return day.isoformat()


class ComplianceReport:
    """The month's compliance pack and the other monthly reports but the audit, which has a task of its own."""

    name = "produce_compliance_report"

    def plan(self, ground: Ground) -> list[str]:
        """Name the month and the reports."""
        return [f"Make {', '.join(_names('monthly'))} of the month that ended on {month_before(ground)}."]

    def run(self, ground: Ground) -> Done:
        """Make them for the last trading day of the month before."""
        return _made(ground, "monthly", [month_before(ground)])


def days_to_report(ground: Ground) -> list[str]:
    """Return the newest market days up to today that a book traded, and those that are over, traded or not.

    What was not made because the machine was off is made with the next ones: a day without trades has its reports too.
    """
    from aitrade.ops import ledger

    today, home = ground.today.isoformat(), ground.home
    books = ledger.books(home)
    traded = {day for book in books for day in ledger.days(home, book) if day <= today}
    first = min(traded, default="")
    over = {day for day in _over(ground) if day >= first} if books else set()
    return sorted({*sorted(traded)[-DAYS_BACK:], *over})


def _over(ground: Ground) -> list[str]:
    """Return the last trading days whose sessions have ended, ISO, newest first; none beyond the calendar."""
    calendar, day = Calendar.load(ground.home), ground.today
    days: list[str] = []
    with suppress(UnknownDate):
        if calendar.is_trading_day(day, Segment.CASH_FNO):
            ends = max(phase.end for phase in calendar.session(day, Segment.CASH_FNO).phases)
            days += [day.isoformat()] if ends <= ground.now else []
        while len(days) < DAYS_BACK:
            day = trading_day_before(ground, day)
            days.append(day.isoformat())
    return days


def _names(cadence: str) -> list[str]:
    from aitrade.ops.reports import due

    return [one.name for one in due(cadence)]


def _made(ground: Ground, cadence: str, days: list[str]) -> Done:
    from aitrade.ops import ledger
    from aitrade.ops.reports import press, run

    if not ledger.books(ground.home):
        return Done("No book has traded yet: there is nothing to report on.", {"reports": 0})
    made, failed = 0, []
    with press.kept(ground.home):
        for day in days:
            with ground.step(f"make the {cadence} reports of {day}"):
                try:
                    made += len(run(ground.home, cadence, day))
                except AitradeError as error:
                    failed.append(f"{day}: {error}")
    if failed:
        ground.at_step = f"make the {cadence} reports of {failed[0].partition(':')[0]}"
        raise AitradeError(" ".join(failed))
    if not made:
        raise AitradeError(f"No report was made: the catalogue has no {cadence} report.")
    return Done(f"{made} reports of {', '.join(days)} are made.", {"reports": made, "days": len(days)})
