"""Writes samples-1.bin and samples-2.bin, once: later code must read them, and write the same.

`python -m tests.schemas.golden.write`
"""

from pathlib import Path

from schemas.samples import encode_batch
from tests.schemas.test_samples import PLAIN, WITH_HISTOGRAMS

if __name__ == "__main__":
    for name, batch in (("samples-1.bin", PLAIN), ("samples-2.bin", WITH_HISTOGRAMS)):
        (Path(__file__).parent / name).write_bytes(encode_batch(batch))
