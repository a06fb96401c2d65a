"""The deployment checklist, executed: every item does the thing, measures it and gives a verdict."""
