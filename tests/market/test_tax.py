"""Tax facts: which rate holds on which day, and when a holding is long-term."""

from datetime import date

import pytest

from aitrade.core.errors import DataRefused
from aitrade.market.tax import Taxes, after_months, assumed, tax_year


@pytest.fixture(scope="module")
def taxes():
    """The package's rows."""
    return Taxes.load()


def test_rates_change_on_their_day(taxes):
    """23 July 2024 raised both rates; the Act of 2025 kept them under new sections."""
    before, after, now = date(2024, 7, 22), date(2024, 7, 23), date(2026, 11, 23)
    assert [taxes.gain(day, "short").rate for day in (before, after, now)] == [150_000, 200_000, 200_000]
    assert [taxes.gain(day, "long").rate for day in (before, after, now)] == [100_000, 125_000, 125_000]
    assert taxes.gain(after, "long").law.endswith("112A")
    assert taxes.gain(now, "long").law == "Income-tax Act 2025, section 198"


def test_the_exemption_holds_for_its_whole_tax_year(taxes):
    """Of 2024-25 it is ₹1,25,000 from the first day on, though the law is of July."""
    assert taxes.exemption(date(2024, 3, 31)).amount == 1_00_000_00
    assert taxes.exemption(date(2024, 4, 1)).amount == 1_25_000_00


def test_long_term_gains_were_exempt_before_april_2018(taxes):
    """Section 10(38) taxed none of them; short-term gains were taxed at 10 % before April 2008."""
    assert taxes.gain(date(2018, 3, 31), "long").rate == 0
    assert taxes.gain(date(2018, 4, 1), "long").rate == 100_000
    assert [taxes.gain(date(2008, 3, 31), "short").rate, taxes.gain(date(2008, 4, 1), "short").rate] == [
        100_000, 150_000,
    ]  # fmt: skip


def test_an_audit_without_cash_begins_at_ten_crore_since_2020_21(taxes):
    """The Finance Act 2021 holds from assessment year 2021-22, the tax year before it; until then ₹5 crore."""
    crore = 10_000_000
    bounds = [taxes.audit(date(year, 4, 1)).rupees_without_cash // crore for year in (2019, 2020, 2026)]
    assert bounds == [5, 10, 10]
    assert taxes.audit(date(2026, 4, 1)).law == "Income-tax Act 2025, section 63"


@pytest.mark.parametrize(
    ("of", "years", "before", "after"),
    [
        ("speculative", 4, "73", "113"),
        ("business", 8, "72", "112"),
        ("short", 8, "74", "111"),
        ("long", 8, "74", "111"),
    ],
)
def test_losses_are_carried_on_for_their_years(taxes, of, years, before, after):
    """Four for speculation, eight for the rest, under both Acts."""
    old, new = taxes.loss(date(2026, 3, 31), of), taxes.loss(date(2026, 4, 1), of)
    assert (old.years, new.years) == (years, years)
    assert old.law.endswith(before)
    assert new.law.endswith(after)


def test_only_old_shares_may_take_the_market_value_of_2018(taxes):
    """Acquired up to 31 January 2018, sold from 1 April 2018 on."""
    assert taxes.grandfathered(date(2018, 1, 31), date(2018, 4, 2))
    assert not taxes.grandfathered(date(2018, 2, 1), date(2019, 4, 1))
    assert not taxes.grandfathered(date(2017, 1, 2), date(2018, 3, 30))


def test_every_rule_has_a_source_and_holds_for_its_days(taxes):
    """None stands from memory; what is published to a day is assumed after it."""
    day = date(2025, 3, 31)
    rules = {rule.decides: rule for rule in taxes.rules(day)}
    assert all(rule.source and rule.law for rule in rules.values())
    assert not any(assumed(rule, day) for rule in rules.values())
    surcharge = rules["surcharge, which is not in this statement"]
    assert (assumed(surcharge, date(2026, 3, 31)), assumed(surcharge, date(2026, 4, 1))) == (False, True)


@pytest.mark.parametrize(
    ("bought", "sold", "long"),
    [
        ("2024-03-10", "2025-03-10", False),
        ("2024-03-10", "2025-03-11", True),
        ("2024-02-29", "2025-02-28", False),
        ("2024-02-29", "2025-03-01", True),
    ],
)
def test_more_than_twelve_months_are_long(taxes, bought, sold, long):
    """Twelve months to the day are not more than twelve months."""
    assert taxes.is_long(date.fromisoformat(bought), date.fromisoformat(sold)) is long


def test_a_tax_year_is_april_to_march():
    """31 March ends one, 1 April begins one."""
    assert tax_year(date(2026, 3, 31)) == (date(2025, 4, 1), date(2026, 3, 31))
    assert tax_year(date(2026, 4, 1)) == (date(2026, 4, 1), date(2027, 3, 31))
    assert after_months(date(2025, 12, 31), 2) == date(2026, 2, 28)


def test_a_folder_s_own_rate_holds(tmp_path):
    """A data folder's row goes over the package's; one that does not fit is refused by file."""
    (tmp_path / "facts").mkdir()
    own = tmp_path / "facts" / "tax.toml"
    row = '[[gain]]\nfrom = 2026-04-01\nclass = "short"\nrate = {}\nholding_months = 12\nlaw = "a"\n'
    own.write_text(row.format(250_000) + 'source = "a budget"\nconfidence = "B"\n')
    assert Taxes.load(tmp_path).gain(date(2026, 11, 23), "short").rate == 250_000
    own.write_text(row.format('"much"') + 'source = "a budget"\nconfidence = "B"\n')
    with pytest.raises(DataRefused, match=r"tax\.toml"):
        Taxes.load(tmp_path)
