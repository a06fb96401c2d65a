"""Which trading segment an instrument belongs to: what the calendar's sessions are listed by."""

from aitrade.core.instruments import Exchange, Instrument


def segment_of(instrument: Instrument) -> str:
    """Return CASH, CASH_FNO, DERIVATIVES or COMMODITY."""
    if instrument.exchange is Exchange.MCX:
        return "COMMODITY"
    if instrument.is_derivative:
        return "DERIVATIVES"
    return "CASH_FNO" if instrument.has_derivatives else "CASH"
