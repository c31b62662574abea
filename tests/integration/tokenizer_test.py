"""`pretrain tokenizer` as a user or a script calls it: frames, threads, broken input."""

import json
import pathlib
import random
import re
import struct
import subprocess
import tempfile
import unittest

import runs


def tokenizer(*words, stdin=b""):
    done = subprocess.run([runs.PROGRAM, "tokenizer", *map(str, words)], input=stdin,
                          capture_output=True, timeout=runs.TIMEOUT_S)
    done.stderr = done.stderr.decode()
    return done


def frames(texts):
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def u32_lists(data):
    """The lists that `--format u32` wrote."""
    numbers = struct.unpack(f"<{len(data) // 4}I", data)
    at = 0
    while at < len(numbers):
        yield list(numbers[at + 1 : at + 1 + numbers[at]])
        at += 1 + numbers[at]


class TokenizerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def succeed(self, *words, stdin=b""):
        done = tokenizer(*words, stdin=stdin)
        # A slow machine gets to see how far it is.
        errors = re.sub(r"(?m)^[a-z]+ [0-9.]+ [A-Za-z]+( of .*)?\n", "", done.stderr)
        self.assertEqual((done.returncode, errors), (0, ""))
        return done.stdout

    def refuse(self, code, message, *words, stdin=b""):
        done = tokenizer(*words, stdin=stdin)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(message, done.stderr)
        self.assertLessEqual(done.stderr.count("\n"), 3)

    def test_frames_carry_any_bytes(self):
        choose = random.Random(1)
        texts = [b"", b"\0", b"\n\r\n", b"\xff\xc3(", *(choose.randbytes(n) for n in range(300))]
        data = self.succeed("encode", "byte", "--doc-sep", "framed", "--format", "u32",
                            stdin=frames(texts))
        self.assertEqual(list(u32_lists(data)), [list(text) for text in texts])
        back = self.succeed("decode", "byte", "--format", "u32", "--doc-sep", "framed", stdin=data)
        self.assertEqual(back, frames(texts))

    def test_lines(self):
        stdin = b"ab\r\n\nc d\n\xff"
        self.assertEqual(self.succeed("encode", "byte", stdin=stdin), b"97 98\n\n99 32 100\n255\n")
        self.assertEqual(self.succeed("encode", "byte", "--spans", stdin=b"ab\n"),
                         b"97:0:1 98:1:2\n")
        tokens = self.succeed("encode", "byte", "--format", "tokens", stdin=b'a"\n')
        self.assertEqual(json.loads(tokens), ["a", '"'])
        spans = self.succeed("encode", "byte", "--format", "tokens", "--spans", stdin=b"ab\n")
        self.assertEqual(json.loads(spans), [["a", 0, 1], ["b", 1, 2]])
        self.assertEqual(self.succeed("decode", "byte", stdin=b"97 98\n\n99  32\t100"),
                         b"ab\n\nc d\n")
        self.assertEqual(self.succeed("encode", "byte", stdin=b""), b"")

    def test_files_and_separators(self):
        path = self.folder / "text.txt"
        path.write_bytes(b"a\nb<>c<>")
        self.assertEqual(self.succeed("encode", "byte", path, "--doc-sep", "file"),
                         b"97 10 98 60 62 99 60 62\n")
        self.assertEqual(self.succeed("encode", "byte", path, "--doc-sep", "<>"),
                         b"97 10 98\n99\n")
        self.assertEqual(self.succeed("decode", "byte", "--doc-sep", "<>", stdin=b"97 10 98\n99\n"),
                         b"a\nb<>c<>")

    def test_ids_do_not_depend_on_threads_or_batches(self):
        choose = random.Random(2)
        lines = [choose.randbytes(choose.choice((1, 50, 5000))).replace(b"\n", b"")
                 for _ in range(20000)]
        lines.append(b"x" * (20 << 20))  # longer than a batch
        path = self.folder / "long.txt"
        path.write_bytes(b"\n".join(lines))
        one, three = (self.succeed("encode", "byte", path, "--format", "u32", "--threads", n)
                      for n in (1, 3))
        self.assertEqual(one, three)
        back = self.succeed("decode", "byte", "--format", "u32", stdin=one)
        self.assertEqual(back, b"".join((line[:-1] if line.endswith(b"\r") else line) + b"\n"
                                        for line in lines))

    def test_verify(self):
        text = self.succeed("verify", "byte").decode()
        self.assertRegex(text, r"(?m)^byte: BPE, 257 ids$")
        self.assertRegex(text, r"(?m)^roles +eos 256$")
        golden = self.folder / "golden.jsonl"
        golden.write_text('{"text": "ab", "ids": [97, 98]}\n{"text": "", "ids": []}\n')
        self.assertIn("2 ids of 2 texts are equal",
                      self.succeed("verify", "byte", "--golden", golden).decode())
        golden.write_text('{"text": "ab", "ids": [97, 98]}\n{"text": "ab", "ids": [97]}\n')
        self.refuse(65, "golden.jsonl:2: id 1: expected the end, got 98", "verify", "byte",
                    "--golden", golden)
        golden.write_text('{"text": "ab"}\n')
        self.refuse(65, "golden.jsonl:1", "verify", "byte", "--golden", golden)
        golden.write_text("")
        self.refuse(65, "has no line", "verify", "byte", "--golden", golden)

    def test_what_train_writes_is_sound(self):
        text = self.folder / "text.txt"
        text.write_text(runs.make_text(seed=3, documents=60))
        for kind in ("bpe", "classic_bpe", "wordpiece", "unigram", "word", "char"):
            with self.subTest(kind):
                path = self.folder / f"{kind}.json"
                self.assertEqual(tokenizer("train", kind, path, text).returncode, 0)
                report = self.succeed("verify", path).decode()
                unknown = re.search(r"(?m)^unknown +(\d+) of their (\d+) tokens, id \d+$", report)
                self.assertEqual(unknown is None, kind in ("bpe", "char"), report)
                if unknown:
                    self.assertLess(0, int(unknown[1]))
                    self.assertLess(int(unknown[1]), int(unknown[2]))

    def test_broken_input(self):
        framed = ("encode", "byte", "--doc-sep", "framed")
        self.refuse(65, "byte 5 ends early", *framed, stdin=b"\1\0\0\0a\4\0\0\0abc")
        self.refuse(65, "byte 0 ends early", *framed, stdin=b"\xff\xff\xff\xff")
        self.refuse(65, "byte 0 ends early", *framed, stdin=b"\1")
        self.refuse(65, "line 2: x is no id", "decode", "byte", stdin=b"1\n2 x 3\n")
        self.refuse(65, "line 1: -1 is no id", "decode", "byte", stdin=b"-1\n")
        self.refuse(65, "4294967296 is no id", "decode", "byte", stdin=b"4294967296\n")
        self.refuse(65, "line 1: 1x is no id", "decode", "byte", stdin=b"1x\n")
        self.refuse(65, "id 300", "decode", "byte", stdin=b"300\n")
        self.refuse(65, "folder", "encode", "byte", self.folder)
        self.refuse(65, "missing", "encode", "byte", self.folder / "missing")
        self.refuse(65, "missing", "encode", self.folder / "missing")
        self.refuse(2, "--doc-sep is empty", "encode", "byte", "--doc-sep", "")
        self.refuse(2, "--format", "encode", "byte", "--format", "u16")

    def test_full_output(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([runs.PROGRAM, "tokenizer", "encode", "byte"], input=b"a\n",
                                  stdout=full, stderr=subprocess.PIPE, timeout=runs.TIMEOUT_S)
        self.assertEqual(done.returncode, 74, done.stderr)


if __name__ == "__main__":
    unittest.main()
