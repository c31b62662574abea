#!/usr/bin/env python3
"""Runs the tests of a build folder and Python test folders, and counts every single case.

    tests/run_tests.py BUILD [FOLDER...]

All of ctest's tests in BUILD run one after the other; of a GoogleTest binary each case counts, of
any other command the command. A binary that is run under mpirun at several world sizes counts at
each. In a FOLDER every *_test.py runs under unittest. The last line is
"N passed, N failed, N skipped"; the exit code is 0 only if something passed and nothing failed.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

TIMEOUT_S = 1800  # of one ctest test or one Python file


class Counts:
    """Numbers of test cases by outcome, and the names of those that did not pass."""

    def __init__(self, passed=0, failed=(), skipped=()):
        self.passed = passed
        self.failed = list(failed)
        self.skipped = list(skipped)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"


def read_gtest_results(path):
    """The counts of one result file of GoogleTest."""
    counts = Counts()
    for suite in json.loads(path.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            name = f"{suite['name']}.{case['name']}"
            if case.get("failures"):
                counts.failed.append(name)
            elif case["result"] == "COMPLETED":
                counts.passed += 1
            else:  # SKIPPED, or SUPPRESSED: disabled
                counts.skipped.append(name)
    return counts


def run_ctest(build, name):
    with tempfile.TemporaryDirectory() as results:
        # Tests that start `python3` get this interpreter, which has requirements.txt installed.
        path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
        environment = {**os.environ, "GTEST_OUTPUT": f"json:{results}/", "PATH": path}
        done = subprocess.run(
            ["ctest", "--test-dir", build, "-R", f"^{re.escape(name)}$", "--output-on-failure",
             "--timeout", str(TIMEOUT_S)],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        counts = Counts()
        files = sorted(pathlib.Path(results).glob("*.json"))
        for path in files:
            try:
                counts.add(read_gtest_results(path))
            except (ValueError, KeyError) as error:
                counts.failed.append(f"{name}: {path.name} is no result of one process ({error})")
    if done.returncode != 0:
        print(done.stdout)
        if not counts.failed:  # it crashed, hung or is not built, or no GoogleTest binary
            counts.failed.append(name)
    elif not files:
        counts.passed += 1
    return counts


def run_unittest(path):
    process = subprocess.Popen(
        [sys.executable, "-m", "unittest", "-v", path.stem], cwd=path.parent,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    counts = Counts()
    total = None
    for line in process.stdout:
        print(line, end="", flush=True)
        if match := re.match(r"(?:FAIL|ERROR|UNEXPECTED SUCCESS): (.*)", line):
            counts.failed.append(match[1])
        elif match := re.match(r"(.*) \.\.\. skipped ", line):
            counts.skipped.append(match[1])
        elif match := re.match(r"Ran (\d+) tests? in ", line):
            total = int(match[1])
        elif match := re.match(r"(?:OK|FAILED) \(.*skipped=(\d+)", line):
            counts.skipped += [str(path)] * (int(match[1]) - len(counts.skipped))
    if process.wait() != 0 and not counts.failed or total is None:
        counts.failed.append(str(path))
    counts.passed = max(0, (total or 0) - len(counts.failed) - len(counts.skipped))
    return counts


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    # Started in the background or under nohup, this and all its children would ignore these.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    build = sys.argv[1]
    listing = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    jobs = [(test["name"], run_ctest, (build, test["name"])) for test in json.loads(listing)["tests"]]
    for folder in map(pathlib.Path, sys.argv[2:]):
        for path in sorted(folder.glob("*_test.py")):
            jobs.append((str(path), run_unittest, (path,)))

    total = Counts()
    for number, (name, run, arguments) in enumerate(jobs, 1):
        print(f"== test {number}/{len(jobs)}: {name}", flush=True)
        start = time.monotonic()
        counts = run(*arguments)
        print(f"   {counts} in {time.monotonic() - start:.1f} s", flush=True)
        total.add(counts)
    for outcome, names in (("skipped", total.skipped), ("failed", total.failed)):
        for name in names:
            print(f"{outcome}: {name}")
    print(total)
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
