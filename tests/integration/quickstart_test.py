"""launch/quickstart.sh trains, reaches its bound and, repeated, only shows the result again."""

import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
SCORES = re.compile(r"bits per byte on the valid split: (\S+) at the start, (\S+) at the end")


class QuickstartTest(unittest.TestCase):
    def test_reaches_its_bound_and_can_be_repeated(self):
        with tempfile.TemporaryDirectory() as folder:
            run_dir = pathlib.Path(folder) / "run"
            first = self.run_quickstart(run_dir)
            start, end = map(float, first.groups())
            self.assertLess(end, start)
            metrics = (run_dir / "metrics.jsonl").read_bytes()
            self.assertEqual(self.run_quickstart(run_dir).groups(), first.groups())
            self.assertEqual((run_dir / "metrics.jsonl").read_bytes(), metrics)

    def run_quickstart(self, run_dir):
        done = subprocess.run([ROOT / "launch" / "quickstart.sh", f"run.dir={run_dir}"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=1800)
        self.assertEqual(done.returncode, 0, done.stdout)
        scores = SCORES.search(done.stdout)
        self.assertIsNotNone(scores, done.stdout)
        return scores


if __name__ == "__main__":
    unittest.main()
