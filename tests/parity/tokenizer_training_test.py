"""`pretrain tokenizer train`: the merges of Hugging Face's trainer, vocabularies as good as its own, files that it loads."""

import json
import pathlib
import random
import sys
import tempfile
import unittest

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from byte_level_references import SHARED, TEXTS, first_difference, ours, tricky_texts
from program import pretrain

KINDS = ["bpe", "classic_bpe", "wordpiece", "unigram", "word", "char"]


def paragraphs(paths):
    return [text for path in paths for text in path.read_text(encoding="utf-8").split("\n\n")]


def made_up_documents(seed, count):
    """Sentences of words that share beginnings and ends, with rare words, accents, digits and marks among them."""
    choose = random.Random(seed)
    parts = ["ba", "ran", "st", "ing", "\u00e9t", "\u00fc", "un", "e", "o", "tion", "\u4e2d", "\u0436\u0430", "n't", "x1"]
    words = ["".join(choose.choices(parts, k=choose.randrange(1, 5))) for _ in range(600)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    marks = [" ", " ", " ", ", ", ". ", "! ", "  ", "\n", "-", " 1984 "]
    return ["".join(word + choose.choice(marks) for word in choose.choices(words, weights, k=choose.randrange(3, 60)))
            for _ in range(count)]


def merges_of(text):
    return [tuple(merge) for merge in json.loads(text)["model"]["merges"]]


def reference_merges(documents, ids, min_count, use_regex=True):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)
    trainer = trainers.BpeTrainer(vocab_size=ids, min_frequency=min_count, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(documents, trainer)
    return merges_of(tokenizer.to_str())


class TokenizerTrainingTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, documents):
        path = self.folder / "text.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in documents), encoding="utf-8")
        return path

    def train(self, kind, text, *words):
        path = self.folder / f"{kind}.json"
        pretrain("tokenizer", "train", kind, path, text, "--force", *words)
        return path

    @unittest.skipUnless(SHARED, "needs PRETRAIN_SHARED")
    def test_merges_of_books(self):
        documents = paragraphs(sorted((TEXTS / "books").glob("*.txt")))
        text = self.write(documents)
        # A merge depends on those before it alone: fewer ids are the beginning of more.
        reference = reference_merges(documents, 31999, min_count=2)  # <|endoftext|> is one more
        self.assertEqual(len(reference), 31999 - 256)
        for ids in (1000, 8000, 32000):
            merges = merges_of(self.train("bpe", text, "--vocab", ids).read_text(encoding="utf-8"))
            self.assertEqual(len(merges), ids - 257)
            self.assertEqual(merges, reference[:len(merges)])
            print(f"\n  bpe of {ids} ids: {len(merges)} merges equal", flush=True)

    def test_merges_of_random_texts(self):
        """Few characters make many ties and runs that overlap."""
        total = 0
        for seed in range(24):
            choose = random.Random(seed)
            alphabet = ("ab", "abc", "a.", "a b")[seed % 4]
            documents = ["".join(choose.choices(alphabet, k=choose.randrange(1, 40))) for _ in range(choose.randrange(1, 60))]
            ids, min_count, split = 257 + choose.randrange(5, 400), choose.randrange(1, 4), ("none", "gpt2")[seed % 8 > 3]
            path = self.train("bpe", self.write(documents), "--vocab", ids, "--min-count", min_count, "--split", split)
            found = merges_of(path.read_text(encoding="utf-8"))
            self.assertEqual(found, reference_merges(documents, ids - 1, min_count, split == "gpt2"), f"seed {seed}")
            total += len(found)
        self.assertGreater(total, 1000)
        print(f"\n  24 random texts: {total} merges equal", flush=True)

    def test_every_kind_loads_with_equal_ids(self):
        documents = made_up_documents(seed=1, count=400)
        text = self.write(documents)
        others = made_up_documents(seed=2, count=200) + list(tricky_texts(2000, seed=3))
        for kind in KINDS:
            for words in ((), *((("--lowercase",),) if kind != "char" else ()),
                          *((("--byte-fallback",),) if kind == "unigram" else ())):
                with self.subTest(kind, words=words):
                    vocab = () if kind in ("word", "char") else ("--vocab", 700)
                    path = self.train(kind, text, *words, *vocab)
                    tokenizer = Tokenizer.from_file(str(path))
                    tokenizer.encode_special_tokens = True
                    known = set("".join(documents))
                    texts = documents + [t for t in others if kind != "char" or set(t) <= known]
                    ids = [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
                    found = ours(path, [t.encode() for t in texts])
                    self.assertIsNone(first_difference(texts, found, ids))
                    self.assertLess(max(map(max, filter(None, ids))), tokenizer.get_vocab_size())
                    if kind in ("bpe", "char") and not words:
                        self.assertEqual([tokenizer.decode(i, skip_special_tokens=False) for i in ids], texts)
                    print(f"\n  {kind} {' '.join(words)}: {sum(map(len, ids))} ids equal", flush=True)

    def test_threads_change_nothing(self):
        text = self.write(made_up_documents(seed=4, count=1500))
        for kind in KINDS:
            with self.subTest(kind):
                one, three = (self.train(kind, text, "--jobs", jobs).read_bytes() for jobs in (1, 3))
                self.assertEqual(one, three)

    @unittest.skipUnless(SHARED, "needs PRETRAIN_SHARED")
    def test_tokens_a_text(self):
        """On the text of training and on a book that was not in it, against the library's trainer in the same frame."""
        books = sorted((TEXTS / "books").glob("*.txt"))
        documents = paragraphs(books[1:2])
        text = self.write(documents)
        for kind, ids, trainer in (
                ("unigram", 4000, trainers.UnigramTrainer(vocab_size=4000, special_tokens=["<pad>", "</s>", "<unk>"],
                                                          unk_token="<unk>", show_progress=False)),
                ("wordpiece", 4000, trainers.WordPieceTrainer(
                    vocab_size=4000, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], min_frequency=2,
                    show_progress=False))):
            tokenizer = Tokenizer.from_file(str(self.train(kind, text, "--vocab", ids)))
            reference = Tokenizer.from_str(tokenizer.to_str())
            reference.model = {"unigram": models.Unigram, "wordpiece": lambda: models.WordPiece(unk_token="[UNK]")}[kind]()
            reference.train_from_iterator(documents, trainer)
            self.assertEqual(tokenizer.get_vocab_size(), reference.get_vocab_size())
            for what, texts in (("trained on", documents), ("new", paragraphs(books[:1]))):
                mine, theirs = (sum(len(e.ids) for e in t.encode_batch(texts, add_special_tokens=False))
                                for t in (tokenizer, reference))
                print(f"\n  {kind}, {what}: {mine} tokens, the library's {theirs}, ratio {mine / theirs:.4f}", flush=True)
                self.assertLessEqual(mine, 1.01 * theirs)


if __name__ == "__main__":
    unittest.main()
