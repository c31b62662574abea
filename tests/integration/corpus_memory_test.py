"""`pretrain corpus build` keeps to its bound of memory: 2 x jobs + 2 batches, or one larger record."""

import pathlib
import subprocess
import tempfile
import threading
import time
import unittest

import runs

MIB = 1 << 20
JOBS = 2
# Batches of 1 MiB with 4 bytes a token, of one byte here; what grows may hold twice of it; a document.
BATCHES = (2 * JOBS + 2) * 11 * MIB
BUFFERS = 32 * MIB


class CorpusMemoryTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pretrain-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def build(self, source, *words, feed=None):
        """The exit code, the error, and the most private memory of the process in bytes."""
        command = runs.words_of(1, "corpus", "build", self.folder / "c.h5", source, "--tokenizer",
                                "byte", "--jobs", str(JOBS), "--force", *words)
        with open(self.folder / "error.txt", "w+") as error:
            process = subprocess.Popen(command, env=runs.environment(), stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, stderr=error)
            thread = threading.Thread(target=self.write, args=(process.stdin, feed))
            thread.start()
            most = 0
            while process.poll() is None:
                most = max(most, private_bytes(process.pid))
                time.sleep(0.005)
            thread.join()
            error.seek(0)
            return process.returncode, error.read(), most

    @staticmethod
    def write(pipe, feed):
        try:
            with pipe:
                for piece in feed or ():
                    pipe.write(piece)
        except BrokenPipeError:
            pass  # the program has had enough

    def at_rest(self):
        small = self.folder / "small.txt"
        small.write_text("a b c\n\nd e f\n")
        code, error, most = self.build(small)
        self.assertEqual(code, 0, error)
        return most

    def test_does_not_grow_with_the_input(self):
        rest = self.at_rest()
        block = "".join(runs.make_text(seed=i, documents=40) for i in range(20)).encode()
        large = self.folder / "large.txt"
        size = 0
        with open(large, "wb") as file:
            while size < 200 * MIB:
                size += file.write(block)
        code, error, most = self.build(large)
        self.assertEqual(code, 0, error)
        print(f"\n  {size / MIB:.0f} MiB of input: {(most - rest) / MIB:.1f} MiB above {rest / MIB:.1f} MiB at rest",
              flush=True)
        self.assertLess(most - rest, BATCHES + BUFFERS)

    def test_a_line_of_2_gib_is_refused_within_the_limit(self):
        rest = self.at_rest()
        piece = b"a" * MIB
        for words in (["--doc-sep", "line"], ["--format", "jsonl"]):
            code, error, most = self.build("-", *words, "--max-document", "16M",
                                           feed=(piece for _ in range(2048)))
            self.assertEqual(code, 65, error)
            self.assertIn("16777216", error)
            self.assertLess(most - rest, 2 * 16 * MIB + BATCHES + BUFFERS)
            self.assertFalse((self.folder / "c.h5.build").exists())


def private_bytes(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


if __name__ == "__main__":
    unittest.main()
