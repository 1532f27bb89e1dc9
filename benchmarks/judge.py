"""Judge: the real Prometheus, given series by remote write and a rule file, and what evaluating it costs.

All samples are in its head before the rules are, also those of the minutes to come, so while the rules are evaluated
nothing else is done; what it uses without rules is taken off.
"""

import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote

import cramjam
import msgspec
import numpy as np

from deploy.ports import free_port
from deploy.prometheus.build import FOLDER, PROMETHEUS
from schemas.labels import TENANT, Labels
from schemas.samples import Float64s, Int64s

READY_SECONDS = 60.0
SERIES_PER_REQUEST = 2_000
IDLE_SECONDS = 10.0
CONFIG = "global: {{evaluation_interval: 15s}}\nrule_files: [{rules}]\n"
_SAMPLE = np.dtype([("head", "S3"), ("value", "<f8"), ("field", "u1"), ("time", "u1", 6)])


@dataclass(frozen=True)
class Cost:
    """What one evaluation of all rules took.

    Attributes:
        cpu_seconds: of the whole process, without what it uses when idle.
        evaluations: how many were measured.
        recorded: series that the rules have recorded.

    """

    cpu_seconds: float
    evaluations: int
    recorded: int


class Judge:
    """A Prometheus that runs."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]", rules: Path) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._process = process
        self._rules = rules

    def load(self, labels: Sequence[Labels], times: Int64s, values: Float64s) -> None:
        """Write series, `values` float64[series, times]."""
        for first in range(0, len(labels), SERIES_PER_REQUEST):
            part = slice(first, first + SERIES_PER_REQUEST)
            body = write_request(labels[part], times, values[part])
            request = urllib.request.Request(
                f"{self._url}/api/v1/write",
                bytes(cramjam.snappy.compress_raw(body)),
                {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"},
            )
            with urllib.request.urlopen(request) as answer:
                assert answer.status // 100 == 2, "a refused write ends with an HTTPError"

    def evaluate(self, rules: str, intervals: int, interval_seconds: float) -> Cost:
        """Let rules be evaluated so many times."""
        idle = self._used(IDLE_SECONDS)
        self._rules.write_text(rules)
        self._post("/-/reload")
        begun = self._figure("prometheus_rule_group_iterations_total")
        # the first evaluation makes new series, and is left out
        while self._figure("prometheus_rule_group_iterations_total") < begun + 2:
            time.sleep(0.2)
        before = self._figure("prometheus_rule_group_iterations_total")
        span = intervals * interval_seconds
        spent = self._used(span)
        count = int(self._figure("prometheus_rule_group_iterations_total") - before)
        found = self._query('count({__name__=~"service.+:.+"})')
        return Cost((spent - idle * span / IDLE_SECONDS) / count, count, int(float(found)))

    def _used(self, seconds: float) -> float:
        before = self._figure("process_cpu_seconds_total")
        time.sleep(seconds)
        return self._figure("process_cpu_seconds_total") - before

    def _figure(self, name: str) -> float:
        lines = self._get("/metrics").decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    def _query(self, expression: str) -> str:
        answer = msgspec.json.decode(self._get(f"/api/v1/query?query={quote(expression)}"))
        return str(answer["data"]["result"][0]["value"][1])

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self._url + path) as answer:
            body: bytes = answer.read()
        return body

    def _post(self, path: str) -> None:
        with urllib.request.urlopen(self._url + path, b""):
            pass

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            RuntimeError: it has ended, or does not answer in time.

        """
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                self._get("/-/ready")
            except URLError:
                time.sleep(0.2)
            else:
                return
        raise RuntimeError("Prometheus does not start")


@contextmanager
def running_judge(folder: Path) -> Iterator[Judge]:
    """A Prometheus with an empty store in a folder.

    Raises:
        UnavailableError: it is not built, and cannot be.

    """
    port = free_port()
    rules, config = folder / "rules.yml", folder / "prometheus.yml"
    rules.write_text("groups: []\n")
    config.write_text(CONFIG.format(rules=rules))
    command = [
        str(PROMETHEUS.ensure(FOLDER)),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--web.enable-lifecycle",
        "--log.level=error",
    ]
    with subprocess.Popen(command) as process:
        try:
            judge = Judge(port, process, rules)
            judge.wait()
            yield judge
        finally:
            process.terminate()


def write_request(labels: Sequence[Labels], times: Int64s, values: Float64s) -> bytes:
    """A body of Prometheus's remote write 1.0 (prompb.WriteRequest), before compression."""
    samples = np.zeros(values.shape, _SAMPLE)
    samples["head"] = b"\x12\x10\x09"  # field 2, 16 bytes; field 1, a double
    samples["value"] = values
    samples["field"] = 0x10
    for at in range(6):  # the times of this century have six bytes as a varint
        samples["time"][..., at] = (times >> (7 * at)) & 0x7F | (0x80 if at < 5 else 0)
    out = []
    for pairs, row in zip(labels, samples, strict=True):
        body = b"".join(_label(n, v) for n, v in pairs if n != TENANT) + row.tobytes()
        out.append(b"\x0a" + _varint(len(body)) + body)
    return b"".join(out)


def _label(name: str, value: str) -> bytes:
    pair = _text(b"\x0a", name) + _text(b"\x12", value)
    return b"\x0a" + _varint(len(pair)) + pair


def _text(field: bytes, text: str) -> bytes:
    data = text.encode()
    return field + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
