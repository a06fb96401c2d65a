"""The trading loop, the portfolio, recovery and the engine's API."""
