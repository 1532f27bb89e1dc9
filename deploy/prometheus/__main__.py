"""Builds the judges of the differential tests: `python3 -m deploy.prometheus [promtool|prometheus ...]`.

Needs Go and nothing but Python's standard library. Prints the path of each; exit codes: 0 done, 1 failed.
"""

import sys

from deploy.go import main
from deploy.prometheus.build import FOLDER, PROMETHEUS, PROMTOOL

if __name__ == "__main__":
    sys.exit(main("prometheus", __doc__, [PROMTOOL, PROMETHEUS], FOLDER))
