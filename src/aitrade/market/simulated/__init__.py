"""The built-in simulated session: a seeded market, calibrated to the figures of real days."""
