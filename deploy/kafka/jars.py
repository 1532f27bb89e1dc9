"""The Java and the jars that a real Kafka needs.

Invariant: a `libs` folder either holds every jar that pom.xml names, and its stamp says so, or is fetched anew; it is
put in place whole, so that nobody ever starts from half of it.
Refuses to install Java or Maven: they are used where they are found.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
LEAST_JAVA = 17  # the broker of Kafka 4 is compiled for it
FETCH_SECONDS = 600.0
STAMP = "pom.sha256"


class UnavailableError(Exception):
    """This machine cannot run a real Kafka; the message says what is missing."""


def find_java() -> str:
    """Path of a Java that Kafka accepts: that of `JAVA_HOME`, else the one on `PATH`."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if java is None:
        raise UnavailableError(f"no Java found (Kafka needs Java {LEAST_JAVA} or newer)")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version.group(1)) < LEAST_JAVA:
        first = told.partition("\n")[0] or "no version told"
        raise UnavailableError(f"Kafka needs Java {LEAST_JAVA} or newer, {java} says: {first}")
    return java


def ensure_jars(libs: Path) -> None:
    """Fetch Kafka's jars into `libs` unless they are there; only the fetch needs Maven and a network."""
    wanted = hashlib.sha256(POM.read_bytes()).hexdigest()
    if _stamp(libs) == wanted:
        return
    libs.parent.mkdir(parents=True, exist_ok=True)
    with libs.with_name(f"{libs.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _stamp(libs) == wanted:  # somebody else fetched them while we waited
            return
        fresh = libs.with_name(f"{libs.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        _fetch(fresh)
        (fresh / STAMP).write_text(wanted)
        shutil.rmtree(libs, ignore_errors=True)
        fresh.rename(libs)


def _stamp(libs: Path) -> str:
    stamp = libs / STAMP
    return stamp.read_text() if stamp.is_file() else ""


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise UnavailableError("no Maven found (`mvn` fetches Kafka's jars, once)")
    goal = "dependency:copy-dependencies"
    command = [maven, "-q", "-B", "-f", str(POM), goal, f"-DoutputDirectory={folder.resolve()}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"Maven fetched no jars within {FETCH_SECONDS:.0f} s") from error
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise UnavailableError(f"Maven could not fetch Kafka's jars:\n{last}")
