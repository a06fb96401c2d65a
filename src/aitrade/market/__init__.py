"""Market facts and market data: rules, calendar, charges, instruments, bars, feeds and the input store."""
