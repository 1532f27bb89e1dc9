"""Builds the Telegraf of the tests, in two to five minutes: `python3 -m deploy.telegraf`.

Needs Go and nothing but Python's standard library. Prints its path; exit codes: 0 done, 1 failed.
"""

import sys

from deploy.go import main
from deploy.telegraf.build import FOLDER, TELEGRAF

if __name__ == "__main__":
    sys.exit(main("telegraf", __doc__, [TELEGRAF], FOLDER))
