"""Entries into transactions, links, a delivery graph and outcomes: pure, no I/O, no await, no clock."""
