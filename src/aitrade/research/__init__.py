"""Replays and vectorbt for quants."""
