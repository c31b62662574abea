"""GPT-2's tokenizer against tiktoken and tokenizers: the same ids for every scalar, random bytes, and texts in 25 languages."""

import functools
import json
import pathlib
import random
import sys
import unittest

from tokenizers import Regex, Tokenizer, models, pre_tokenizers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from byte_level_references import (GPT2, PATTERNS, SCALARS, SHARED, TEXTS, first_difference, make_tiktoken, ours,
                                   tricky_texts)


@unittest.skipUnless(SHARED, "needs PRETRAIN_SHARED")
class Gpt2Test(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        vocabulary = json.loads((GPT2 / "vocab.json").read_text(encoding="utf-8"))
        cls.tiktoken = make_tiktoken(vocabulary, PATTERNS["gpt2"])
        merges = [tuple(line.split(" ")) for line in (GPT2 / "merges.txt").read_text(encoding="utf-8").splitlines()
                  if not line.startswith("#version")]
        cls.tokenizers = Tokenizer(models.BPE(vocabulary, merges))
        cls.tokenizers.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)

    def compare(self, texts, with_tokenizers=True):
        found = ours(GPT2, [t.encode() for t in texts])
        self.assertIsNone(first_difference(texts, found, self.tiktoken.encode_ordinary_batch(texts, num_threads=2)))
        if with_tokenizers:
            self.assertIsNone(first_difference(texts, found, [e.ids for e in self.tokenizers.encode_batch_fast(texts)]))

    def test_each_scalar_alone_and_between_letters(self):
        self.compare(SCALARS, with_tokenizers=False)
        self.compare([f"a{c}b" for c in SCALARS], with_tokenizers=False)

    def test_each_scalar_in_lines_with_tokenizers(self):
        self.compare(["".join(f"{c}\na{c}b\n" for c in SCALARS[i:i + 500]) for i in range(0, len(SCALARS), 500)])

    def test_random_texts(self):
        self.compare(list(tricky_texts(50000, 1)))

    def test_every_file(self):
        paths = sorted(TEXTS.rglob("*.txt"))
        books = [path for path in paths if path.parent.name == "books"][3:]  # many: with the faster library alone
        self.compare([path.read_text(encoding="utf-8") for path in paths if path not in books])
        self.compare([path.read_text(encoding="utf-8") for path in books], with_tokenizers=False)

    def test_random_bytes_that_are_no_utf8(self):
        """The words of the text in which a private character stands for each bad byte, each merged by tiktoken."""
        choose = random.Random(2)
        parts = [b" ", b"the", b"'s", b"12", b"\n", "é".encode(), "中".encode(), b"\xe4", b"\xb8\xad", b"\xff", b"\xc0\x80", b"\xf0\x9f",
                 b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]
        documents = [b"".join(choose.choices(parts, k=choose.randrange(1, 15))) if i % 2 else choose.randbytes(choose.randrange(1, 40))
                     for i in range(50000)]
        found = ours(GPT2, documents)
        split = pre_tokenizers.Split(Regex(PATTERNS["gpt2"]), behavior="isolated")
        merge = functools.cache(self.tiktoken._encode_single_piece)
        expected = []
        for document in documents:
            text = document.decode("utf-8", errors="surrogateescape")
            shown = "".join(chr(ord(c) - 0xDC00 + 0xF0000) if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)
            words = [shown[begin:end] for _, (begin, end) in split.pre_tokenize_str(shown)]
            raw = [b"".join(bytes([ord(c) - 0xF0000]) if 0xF0080 <= ord(c) <= 0xF00FF else c.encode() for c in w) for w in words]
            expected.append([i for word in raw for i in merge(word)])
        self.assertIsNone(first_difference(documents, found, expected))


if __name__ == "__main__":
    unittest.main()
