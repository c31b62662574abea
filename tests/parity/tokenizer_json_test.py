"""The tokenizer.json files of `corpus build` in Hugging Face's `tokenizers`: same ids, same texts."""

import json
import pathlib
import random
import sys
import tempfile
import unittest

import h5py
from tokenizers import Tokenizer

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import pretrain

END_OF_TEXT = "<|endoftext|>"
SPECIALS = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "<pad>", "</s>",
            *(f"<extra_id_{i}>" for i in range(100)),
            "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<s>", "[é]"]
PLANE = 0x10000
SCALARS = [chr(c) for c in range(17 * PLANE) if not 0xD800 <= c <= 0xDFFF]


def random_documents():
    """Texts of one plane, of all planes mixed, of ASCII, and some that are easily mistaken."""
    choose = random.Random(1)
    alphabets = [SCALARS, SCALARS[:128]]
    alphabets += [[c for c in SCALARS if ord(c) // PLANE == plane] for plane in range(17)]
    documents = ["".join(choose.choices(alphabet, k=choose.randrange(1, 300)))
                 for alphabet in alphabets for _ in range(20)]
    return documents + [f"a {END_OF_TEXT} b", END_OF_TEXT, "[MASK]<extra_id_7>é[é]<pad>", " ", "\n", "\r\n\t", "\0", "\ufeff",
                        "e\u0301 \u00e9", "'s 't  ll", "\U0001f469\u200d\U0001f4bb"]


def load_tokenizer(path):
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True  # <|endoftext|> written in a text is ordinary text
    return tokenizer


class TokenizerJsonTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.documents = random_documents()
        lines = [json.dumps({"text": text}, ensure_ascii=i % 2 == 0)  # with \u escapes, without
                 for i, text in enumerate(self.documents)]
        (self.folder / "text.jsonl").write_text("\n".join(lines), encoding="utf-8", newline="\n")

    def build(self, name, *words):
        """The library's tokenizer and the ids of each document, its end token cut off."""
        path = self.folder / f"{name}.h5"
        pretrain("corpus", "build", path, "--tokenizer", name, self.folder / "text.jsonl", *words)
        tokenizer = load_tokenizer(path.with_suffix(".tokenizer.json"))
        with h5py.File(path) as corpus:
            tokens, offsets = corpus["tokens"][:].tolist(), corpus["doc_offsets"][:].tolist()
            eos, vocab_size = int(corpus.attrs["eos_id"]), int(corpus.attrs["vocab_size"])
        documents = [tokens[begin:end] for begin, end in zip(offsets[:-1], offsets[1:])]
        self.assertEqual({ids.pop() for ids in documents}, {eos})
        self.assertEqual(tokenizer.token_to_id(END_OF_TEXT), eos)
        self.assertEqual(tokenizer.get_vocab_size(), vocab_size)
        self.assertEqual(len(documents), len(self.documents))
        return tokenizer, documents

    def compare(self, name, tokenizer, documents):
        for text, ids in zip(self.documents, documents):
            self.assertEqual(tokenizer.encode(text, add_special_tokens=False).ids, ids, repr(text))
            self.assertEqual(tokenizer.decode(ids), text)
        print(f"\n  {name}: {sum(map(len, documents))} ids of {len(documents)} documents equal "
              "those of tokenizers", flush=True)

    def test_byte(self):
        tokenizer, documents = self.build("byte")
        self.compare("byte", tokenizer, documents)
        for text, ids in zip(self.documents, documents):
            self.assertEqual(ids, list(text.encode("utf-8")))
        for begin in range(0, len(SCALARS), 1000):  # every Unicode scalar value once
            text = "".join(SCALARS[begin : begin + 1000])
            self.assertEqual(tokenizer.encode(text, add_special_tokens=False).ids,
                             list(text.encode("utf-8")))

    def test_char(self):
        tokenizer, documents = self.build("char")
        self.compare("char", tokenizer, documents)
        ids_of = {c: i for i, c in enumerate(sorted(set("".join(self.documents))))}
        for text, ids in zip(self.documents, documents):
            self.assertEqual(ids, [ids_of[c] for c in text])

    def check_specials(self, tokenizer, documents):
        """They have the ids behind the end token and are special to the library as well."""
        first = tokenizer.token_to_id(END_OF_TEXT)
        ids_of = {text: first + i for i, text in enumerate([END_OF_TEXT, *SPECIALS])}
        added = tokenizer.get_added_tokens_decoder()
        self.assertEqual({token.content: id for id, token in added.items()}, ids_of)
        self.assertTrue(all(token.special for token in added.values()))
        self.assertEqual(tokenizer.get_vocab_size(), first + len(ids_of))
        ids = [id for special in ids_of.values() for id in (documents[0][0], special)]
        self.assertEqual(tokenizer.decode(ids), tokenizer.decode(documents[0][:1]) * len(ids_of))
        self.assertLess(max(map(max, documents)), first)  # none stands in a document
        tokenizer.encode_special_tokens = False
        for text, id in ids_of.items():
            self.assertEqual(tokenizer.encode(text, add_special_tokens=False).ids, [id])
        tokenizer.encode_special_tokens = True

    def test_specials(self):
        for name in ("byte", "char"):
            with self.subTest(name):
                tokenizer, documents = self.build(name, "--special", "bert,t5,fim,<s>,[é]")
                self.compare(f"{name} with {len(SPECIALS)} specials", tokenizer, documents)
                self.check_specials(tokenizer, documents)


if __name__ == "__main__":
    unittest.main()
