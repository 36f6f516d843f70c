#!/usr/bin/env python3
"""Make folders of fixtures/journeys out of a recording: journey.py RECORDING STORY…"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from recording.journeys import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
