"""Mail log text into typed facts: standard library only, no I/O, no clock, no configuration."""
