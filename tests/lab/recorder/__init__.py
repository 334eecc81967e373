"""Turns what the running shop wrote down into an incident bundle."""
