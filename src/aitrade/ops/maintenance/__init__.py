"""Upkeep of a data folder: daily, weekly and monthly tasks, emergencies, and the scheduler that runs them."""
