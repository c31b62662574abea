"""configs/shakespeare_char.yaml reaches the validation loss that nanoGPT reports for it."""

import os
import pathlib
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import ROOT, metrics, pretrain

TEXT = "data/text/tinyshakespeare/input.txt"
TRAIN_CHARACTERS = 1_003_854  # 90 %
LOSS_BOUND = 1.88


def find_text():
    shared = os.environ.get("PRETRAIN_SHARED", ROOT.parent / "shared")
    return pathlib.Path(shared) / TEXT


class ShakespeareTest(unittest.TestCase):
    @unittest.skipUnless(find_text().exists(), f"needs {TEXT} in $PRETRAIN_SHARED or ../shared")
    def test_validation_loss(self):
        text = find_text().read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "train.txt").write_text(text[:TRAIN_CHARACTERS], encoding="utf-8")
            (folder / "valid.txt").write_text(text[TRAIN_CHARACTERS:], encoding="utf-8")
            # As the comment in the configuration says.
            pretrain("corpus", "build", folder / "corpus.h5", "--tokenizer", "char", "--no-eos",
                     "--doc-sep", "file", folder / "train.txt", "--valid", folder / "valid.txt")
            start = time.monotonic()
            pretrain(ROOT / "configs" / "shakespeare_char.yaml", f"run.dir={folder}/run",
                     f"data.sources=[{{path: {folder}/corpus.h5}}]", "eval.every={steps: 1000}",
                     ranks=2, timeout=1500)
            seconds = time.monotonic() - start
            lines = metrics(folder / "run", "eval")
        self.assertEqual(lines[-1]["step"], 2000)
        losses = ", ".join(f"{line['loss']:.4f} at step {line['step']}" for line in lines)
        print(f"\n  shakespeare_char on 2 ranks: validation loss {losses} in {seconds:.0f} s",
              flush=True)
        self.assertLessEqual(lines[-1]["loss"], LOSS_BOUND)


if __name__ == "__main__":
    unittest.main()
