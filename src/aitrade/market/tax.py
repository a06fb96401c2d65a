"""How gains on listed equity are taxed, as dated rows with sources in `facts/tax.toml`.

Rates are for a resident individual, before surcharge and cess. What business income is taxed at depends on the person's
other income and is not here. A date outside what a row is published for uses the nearest row and is ASSUMED, as is a
row from memory; whoever shows a figure asks `assumed` and says so.
"""

from calendar import monthrange
from datetime import date
from pathlib import Path

import msgspec

from aitrade.core.money import PAISE
from aitrade.market.dated import Row, Through, by, facts

_MONTHS_A_YEAR = 12
_APRIL = 4


class GainRate(Row, frozen=True, kw_only=True, rename={"held": "class", "start": "from"}):
    """What a gain of one class ("short" or "long") is taxed at, parts per million."""

    held: str
    rate: int
    holding_months: int
    """Held for more than this is long-term."""
    law: str


class Exemption(Row, frozen=True, kw_only=True):
    """Long-term gains of a tax year that are not taxed, for one person over all accounts."""

    rupees: int

    @property
    def amount(self) -> int:
        """The exemption, paise."""
        return self.rupees * PAISE


class Grandfathered(Row, frozen=True, kw_only=True):
    """Shares acquired up to a day, whose market value of that day may be their cost."""

    acquired: date
    law: str


class Audit(Row, frozen=True, kw_only=True):
    """Turnover of a business from which its accounts are to be audited, with and (nearly) without cash dealings."""

    rupees: int
    rupees_without_cash: int
    law: str


class Loss(Row, frozen=True, kw_only=True, rename={"of": "class", "start": "from"}):
    """What a loss of one class (speculative, business, short, long) may be set against, and for how many tax years."""

    of: str
    years: int
    against: str
    law: str


class Rule(Row, frozen=True, kw_only=True):
    """What a statement takes for given, in words, by what it decides."""

    decides: str
    words: str
    law: str


class _Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    gain: list[GainRate]
    exemption: list[Exemption]
    grandfathered: list[Grandfathered]
    audit: list[Audit]
    loss: list[Loss]
    rule: list[Rule]


class Taxes:
    """The dated rows; ask by the day of the sale."""

    def __init__(self, facts_: _Facts) -> None:
        self._gains = by(facts_.gain, "held")
        self._exemptions = Through(facts_.exemption)
        self._grandfathered = Through(facts_.grandfathered)
        self._audits = Through(facts_.audit)
        self._losses = by(facts_.loss, "of")
        self._rules = by(facts_.rule, "decides")

    @classmethod
    def load(cls, folder: Path | None = None) -> "Taxes":
        """Return the rows of the package, with the facts of `folder` over them; raise DataRefused when damaged."""
        return cls(facts("tax.toml", folder, _Facts))

    def gain(self, sold: date, held: str) -> GainRate:
        """Return the rate of a gain of class `held` ("short" or "long") on a sale of that day."""
        return self._gains[held].at(sold)

    def exemption(self, day: date) -> Exemption:
        """Return the exemption of the tax year that `day` lies in."""
        return self._exemptions.at(tax_year(day)[1])

    def grandfathered(self, bought: date, sold: date) -> bool:
        """Return whether shares may take an earlier market value as their cost."""
        row = self._grandfathered.at(sold)
        return bought <= row.acquired and sold >= row.start

    def audit(self, day: date) -> Audit:
        """Return from which turnover on accounts are audited."""
        return self._audits.at(day)

    def loss(self, day: date, of: str) -> Loss:
        """Return how a loss of class `of` ("speculative", "business", "short", "long") is carried on."""
        return self._losses[of].at(day)

    def rules(self, day: date) -> list[Rule]:
        """Return what holds on a day beside the numbers, in the order of the file."""
        return [rows.at(day) for rows in self._rules.values()]

    def is_long(self, bought: date, sold: date) -> bool:
        """Return whether shares were held for more than the months that make a gain long-term.

        Shares bought on 10 March are long-term from 11 March of the next year on.
        """
        return sold > after_months(bought, self.gain(sold, "long").holding_months)


def assumed(row: Row, day: date) -> bool:
    """Return whether a row is used for a day that it is not published for, or stands from memory."""
    return Through([row]).assumed(day)


def after_months(day: date, months: int) -> date:
    """Return the same day so many calendar months later, the month's last where it has no such day."""
    years, month = divmod(day.month - 1 + months, _MONTHS_A_YEAR)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def tax_year(day: date) -> tuple[date, date]:
    """Return the first and last day of the tax year of `day`: 1 April to 31 March."""
    begins = day.year - (day.month < _APRIL)
    return date(begins, _APRIL, 1), date(begins + 1, _APRIL - 1, 31)
