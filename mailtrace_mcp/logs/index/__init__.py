"""Keys → blocks, kept on disk: where in a machine's logs something may stand (SPEED.md)."""
