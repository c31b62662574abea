"""The patterns of byte-level tokenizers against tiktoken and tokenizers, with vocabularies trained in the test."""

import base64
import pathlib
import sys
import tempfile
import unittest

from tokenizers import models, pre_tokenizers, trainers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from byte_level_references import (PATTERNS, SCALARS, SHARED, TEXTS, first_difference, make_tiktoken, make_tokenizers, ours,
                                   to_bytes, tricky_texts)


@unittest.skipUnless(SHARED, "needs PRETRAIN_SHARED")
class PatternsTest(unittest.TestCase):
    """Each pattern with a vocabulary that `tokenizers` trains with it, from its tokenizer.json and from a rank file."""

    def compare(self, name):
        books = [str(f) for f in sorted((TEXTS / "books").glob("*.txt"))[:2]] + [str(f) for f in (TEXTS / "udhr").glob("*.txt")]
        tokenizer = make_tokenizers(models.BPE(), PATTERNS[name])
        tokenizer.train(books, trainers.BpeTrainer(vocab_size=6000, show_progress=False, special_tokens=[],
                                                   initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        vocabulary = tokenizer.get_vocab()
        reference = make_tiktoken(vocabulary, PATTERNS[name])
        texts = list(tricky_texts(10000, 3)) + [f.read_text(encoding="utf-8") for f in sorted((TEXTS / "udhr").glob("*.txt"))]
        known = len(texts)
        texts += ["".join(f"{c}\na{c}b\n" for c in SCALARS[i:i + 500]) for i in range(0, len(SCALARS), 500)]
        expected = reference.encode_ordinary_batch(texts, num_threads=2)
        by_tokenizers = [e.ids for e in tokenizer.encode_batch_fast(texts[:known])]
        self.assertEqual(by_tokenizers, expected[:known], "the references differ")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "tokenizer.json"
            tokenizer.save(str(path))
            ranks = pathlib.Path(folder) / f"{name}.tiktoken"
            ranks.write_text("".join(f"{base64.b64encode(to_bytes(t)).decode()} {rank}\n"
                                     for t, rank in sorted(vocabulary.items(), key=lambda item: item[1])))
            documents = [t.encode() for t in texts]
            self.assertIsNone(first_difference(texts, ours(path, documents), expected))
            self.assertIsNone(first_difference(texts, ours(ranks, documents), expected), "rank file")

    def test_gpt2(self):
        self.compare("gpt2")

    def test_llama3(self):
        self.compare("llama3")

    def test_qwen2(self):
        self.compare("qwen2")

    def test_cl100k(self):
        self.compare("cl100k")

    def test_o200k(self):
        self.compare("o200k")

    def test_tekken(self):
        self.compare("tekken")


if __name__ == "__main__":
    unittest.main()
