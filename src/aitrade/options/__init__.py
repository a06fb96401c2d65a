"""Option pricing, Greeks, implied volatility and strategy builders."""
