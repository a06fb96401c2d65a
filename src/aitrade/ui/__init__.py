"""The six-tab page: server, theme, charts and tabs."""
