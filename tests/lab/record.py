#!/usr/bin/env python3
"""Record fixtures/cluster: bring up the lab, play the stories, keep logs and oracle."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from recording.session import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
