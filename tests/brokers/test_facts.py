"""Tests for `brokers.simulator.facts`: dated data in, the day's answers out."""

from datetime import date

import msgspec
import pytest
from paper_market import CALL, SHARE

from aitrade.brokers.simulator.facts import Facts
from aitrade.core.errors import Refused
from aitrade.core.instruments import Kind
from aitrade.core.orders import OrderType

FACTS = Facts.load().on(date(2026, 11, 23))

PRICES = [
    # instrument, sign, reference ₹, protection ₹
    (SHARE, 1, 90.00, 91.80),  # 2 % below ₹100, as the brokers' own example has it
    (SHARE, 1, 100.00, 101.00),
    (SHARE, -1, 100.00, 99.00),
    (SHARE, 1, 1500.00, 1507.50),
    (SHARE, 1, 0.10, 0.15),  # at least one tick
    (SHARE, -1, 0.05, 0.05),  # never zero
    (CALL, 1, 9.00, 9.45),
    (CALL, 1, 99.90, 102.85),  # rounded towards the reference
    (CALL, -1, 120.00, 117.60),
    (msgspec.structs.replace(SHARE, upper=10_050), 1, 100.00, 100.50),  # inside the day's band
    (msgspec.structs.replace(SHARE, lower=9_950), -1, 100.00, 99.50),
]


@pytest.mark.parametrize(("instrument", "sign", "reference", "price"), PRICES)
def test_protection_price(instrument, sign, reference, price):
    """The slab's percentage beyond the last price, on the grid, inside the band."""
    assert FACTS.protection_price(instrument, sign, round(reference * 100)) == round(price * 100)


def test_facts_begin_on_their_date():
    """The closing auction has a band from its first day on; stops at market left options in 2021."""
    table = Facts.load()
    assert table.on(date(2026, 8, 2)).closing_band(10_000, 5) == (0, 0)
    assert table.on(date(2026, 8, 3)).closing_band(10_000, 5) == (9_700, 10_300)
    assert not table.on(date(2021, 9, 24)).refuses(OrderType.SL_M, Kind.CALL)
    assert table.on(date(2021, 9, 27)).refuses(OrderType.SL_M, Kind.CALL)
    assert not table.on(date(2021, 9, 27)).refuses(OrderType.SL_M, Kind.FUTURE)


def test_a_table_in_the_data_folder_replaces_ours(tmp_path):
    """An override is read whole, and a damaged one is refused by its name."""
    own = Facts.load(tmp_path)
    assert own.on(date(2026, 11, 23)) == FACTS
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "exchange.toml").write_text("[[protection]]\nfrom = 2026-04-01\n")
    with pytest.raises(Refused, match=r"facts/exchange\.toml does not fit"):
        Facts.load(tmp_path)
