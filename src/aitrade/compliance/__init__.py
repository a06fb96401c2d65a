"""The journal and the rules an auditor asks about."""
