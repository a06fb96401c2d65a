"""Tests for the scripted venue beyond the contract: what a script can make it do."""

from paper_market import SHARE, new_order
from venue_contract import START

from aitrade.brokers.scripted import ScriptedVenue, Sent, doubt, refuse, silence
from aitrade.core.orders import OrderRequest, Side, Update
from aitrade.core.quotes import Tick


def placed(answer):
    """Return a venue with one order in it, the order, and what was heard."""
    venue, heard = ScriptedVenue(answer), []
    venue.connect(heard.append)
    order = new_order(OrderRequest(instrument=SHARE.key, side=Side.BUY, quantity=10), START, 1)
    venue.place(order, SHARE)
    return venue, order, heard


def test_it_refuses_with_the_scripts_words():
    """The reason comes through as it was written."""
    _, _, heard = placed(refuse("No margin; add funds."))
    assert [(update.what, update.reason) for update in heard] == [(Update.REJECTED, "No margin; add funds.")]


def test_it_leaves_in_doubt():
    """IN_DOUBT is said, and the book still has the order."""
    venue, order, heard = placed(doubt())
    assert [update.what for update in heard] == [Update.IN_DOUBT]
    assert [row.order_id for row in venue.order_book()] == [order.id]


def test_it_can_lose_the_reply():
    """Nothing is heard; the order book has the truth, and a fill comes all the same."""
    venue, order, heard = placed(silence)
    assert heard == []
    assert [row.state for row in venue.order_book()] == ["PENDING"]
    venue.fill(order.id, 10, 10_000)
    assert [update.what for update in heard] == [Update.FILL]


def test_it_remembers_what_was_sent():
    """Every call with its terms, in sequence, at the time that it was told."""
    venue, order, heard = placed(silence)
    venue.on_tick(Tick(SHARE.key, START + 5, 10_000))
    venue.advance(START + 7)
    venue.modify(order, quantity=20, price=10_005, trigger=0)
    venue.cancel(order)
    assert venue.sent == [
        Sent("place", order.id, 10),
        Sent("modify", order.id, 20, 10_005),
        Sent("cancel", order.id),
    ]
    assert {update.ts for update in heard} == {START + 7}
    assert venue.next_due() is None
