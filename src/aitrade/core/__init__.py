"""Money, instruments, orders, fills, events, clocks, strategies, configuration, errors: what every room speaks."""
