"""The strategies that ship."""
