"""Tax facts: which rate holds on which day, and when a holding is long-term."""

from datetime import date

import pytest

from aitrade.core.errors import DataRefused
from aitrade.market.tax import Taxes, after_months, tax_year


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
