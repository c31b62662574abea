"""What the commands that show corpora and their use print, as text and as JSON."""

import json
import pathlib
import subprocess
import tempfile
import unittest

import runs

TEXT = "".join(f"Line {i} of a text.\n" + ("\n" if i % 3 == 2 else "") for i in range(200))


class DataCommandsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.text = cls.folder / "text.txt"
        cls.text.write_text(TEXT)
        cls.corpus = cls.folder / "text.h5"
        cls.succeed("corpus", "build", cls.corpus, cls.text, "--tokenizer", "byte")

    @classmethod
    def succeed(cls, *words):
        done = runs.run_program(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refuse(self, code, message, *words):
        done = runs.run_program(*words)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertIn(message, done.stderr)

    def test_info_counts_rows_of_each_packing(self):
        self.assertNotIn("packing", self.succeed("corpus", "info", self.corpus))
        words = ["corpus", "info", self.corpus, "--sequence-length", "64"]
        text = self.succeed(*words)
        lines = [line for line in text.splitlines() if line.startswith("packing")]
        self.assertEqual(len(lines), 4)
        for name, line in zip(["packed", "documents", "first_fit", "best_fit"], lines):
            self.assertRegex(line, rf"^packing     {name}: train \d+ rows of 64 positions, [\d.]+ % "
                                   r"padding; \d+ of 66 documents cut \([\d.]+ %\); \d+ tokens unused$")
        rows = json.loads(self.succeed(*words, "--json"))["rows"]
        self.assertEqual((rows["sequence_length"], rows["split"]), (64, "train"))
        for name, line in zip(["packed", "documents", "first_fit", "best_fit"], lines):
            counts = rows["packings"][name]
            self.assertIn(f" {counts['rows']} rows of 64 positions, {100 * counts['padding']:.1f} % "
                          f"padding; {counts['cut_documents']} of {counts['documents']} documents "
                          f"cut ({100 * counts['truncation']:.1f} %);", line)
        one = self.succeed(*words, "--packing", "best_fit", "--split", "valid")
        self.assertEqual([line for line in one.splitlines() if line.startswith("packing")],
                         [line for line in one.splitlines() if "best_fit: valid " in line])

    def test_info_refuses_what_it_cannot_count(self):
        words = ["corpus", "info", self.corpus]
        self.refuse(2, "--packing", *words, "--packing", "best_fit")
        self.refuse(2, "tightest", *words, "--sequence-length", "64", "--packing", "tightest")
        self.refuse(2, "--sequence-length", *words, "--sequence-length", "0")
        self.refuse(65, "text.h5", *words, "--sequence-length", "1000000")
        self.refuse(65, "has no split test", *words, "--sequence-length", "64", "--split", "test")

    def test_export_writes_text_to_the_standard_output(self):
        written = self.folder / "written.jsonl"
        self.succeed("corpus", "export", "jsonl", self.corpus, written)
        done = runs.run_program("corpus", "export", "jsonl", self.corpus, "-", cwd=self.folder)
        self.assertEqual((done.returncode, done.stdout), (0, written.read_text()))
        self.assertIn("documents, ", done.stderr)
        self.assertFalse((self.folder / "-").exists())
        for form in ("megatron", "nanogpt", "llmc"):
            self.refuse(2, "- is the standard output, which takes text or jsonl only",
                        "corpus", "export", form, self.corpus, "-")

    def test_export_ends_where_nothing_can_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run(runs.words_of(1, "corpus", "export", "text", self.corpus, "-"),
                                  env=runs.environment(), stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=runs.TIMEOUT_S)
        self.assertEqual(done.returncode, 74)
        self.assertIn("standard output: cannot write", done.stderr)


if __name__ == "__main__":
    unittest.main()
