"""launch/pretrain-run: arguments, codes, signals and standard input between caller and ranks."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

SCRIPT = pathlib.Path(__file__).parents[2] / "launch" / "pretrain-run"

# Stands in for the program: tells its rank and arguments, then does what the first word asks.
PROGRAM = """#!/bin/sh
rank=$OMPI_COMM_WORLD_RANK
echo "rank $rank of $OMPI_COMM_WORLD_SIZE: $*"
case $1 in
  exit=*) exit "${1#exit=}" ;;
  read) [ "$rank" = 0 ] && cat ; exit 0 ;;
  until-usr1)
    trap 'sleep 2; exit 75' USR1
    touch "$2/ready-$rank"
    while :; do sleep 0.1; done ;;
  deaf)
    trap '' USR1
    touch "$2/ready-$rank"
    while :; do sleep 0.1; done ;;
esac
"""


class PretrainRunTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        program = self.folder / "program"
        program.write_text(PROGRAM)
        program.chmod(0o755)
        self.environment = {**os.environ, "PRETRAIN": str(program)}

    def run_script(self, *words, **options):
        return subprocess.run([SCRIPT, *words], env=self.environment, capture_output=True,
                              text=True, timeout=60, **options)

    def start_script(self, *words):
        """Starts two ranks and returns when both are ready for signals."""
        process = subprocess.Popen([SCRIPT, "2", *words, str(self.folder)], env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 30
        while not all((self.folder / f"ready-{rank}").exists() for rank in (0, 1)):
            self.assertLess(time.monotonic(), deadline, "the ranks did not start")
            time.sleep(0.05)
        return process

    def test_starts_the_ranks_with_the_words_as_given(self):
        done = self.run_script("2", "a b.yaml", "train.micro_batch=1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(done.stdout.splitlines()),
                         ["rank 0 of 2: a b.yaml train.micro_batch=1",
                          "rank 1 of 2: a b.yaml train.micro_batch=1"])

    def test_returns_the_code_of_the_ranks(self):
        for code in (0, 2, 65, 75, 78):
            self.assertEqual(self.run_script("2", f"exit={code}").returncode, code)

    def test_passes_standard_input_on(self):
        done = self.run_script("1", "read", input="some text\n")
        self.assertIn("some text\n", done.stdout)

    def test_first_signal_lets_the_ranks_save(self):
        for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal=number.name):
                process = self.start_script("until-usr1")
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=30), 75)
                for rank in (0, 1):
                    (self.folder / f"ready-{rank}").unlink()

    def test_second_signal_ends_the_job(self):
        process = self.start_script("deaf")
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGUSR1)
        self.assertNotIn(process.wait(timeout=30), (0, 75))

    def test_wrong_use_exits_2_with_the_usage(self):
        for words in ([], ["two", "a.yaml"], ["2"], ["-h"]):
            done = self.run_script(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("usage: pretrain-run N FILE", done.stderr)

    def test_missing_mpirun_exits_69_and_is_named(self):
        self.environment["PATH"] = str(self.folder)
        (self.folder / "dirname").symlink_to("/usr/bin/dirname")
        done = self.run_script("1", "exit=0")
        self.assertEqual(done.returncode, 69)
        self.assertIn("no mpirun", done.stderr)


if __name__ == "__main__":
    unittest.main()
