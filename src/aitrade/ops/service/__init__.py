"""The service AITradingEngine: rendered as steps to review, applied only when asked, by systemd or by Windows."""

NAME = "AITradingEngine"
