"""Checks before an order, limits, margin and the trading state."""
