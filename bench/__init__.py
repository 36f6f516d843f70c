"""How fast it is, as ratios to programs that everybody has: `make bench`."""
