"""The database: a projection of the journal, with its migrations."""
