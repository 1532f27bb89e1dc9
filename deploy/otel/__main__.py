"""Builds the Collector of the tests, in some three minutes: `python3 -m deploy.otel`.

Needs Go and nothing but Python's standard library. Prints its path; exit codes: 0 done, 1 failed.
"""

import sys

from deploy.go import main
from deploy.otel.build import COLLECTOR, FOLDER

if __name__ == "__main__":
    sys.exit(main("otel", __doc__, [COLLECTOR], FOLDER))
