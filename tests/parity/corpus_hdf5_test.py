"""A corpus read with three lines of h5py, and its layout as h5ls shows it."""

import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import pretrain

DOCUMENTS = ["first", "second \u00e9", "third", "held out", "held out too"]
TRAIN, VALID = DOCUMENTS[:3], DOCUMENTS[3:]


class CorpusHdf5Test(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def build(self, tokenizer, train=TRAIN, valid=VALID, *words):
        for name, documents in (("train", train), ("valid", valid)):
            (self.folder / f"{name}.txt").write_text("\n\n".join(documents), encoding="utf-8")
        path = self.folder / f"{tokenizer}.h5"
        pretrain("corpus", "build", path, "--tokenizer", tokenizer, self.folder / "train.txt",
                 "--valid", self.folder / "valid.txt", *words)
        return path

    def test_three_lines_read_it(self):
        path = self.build("byte")
        with h5py.File(path) as f:
            tokens, offsets = f["tokens"][:], f["doc_offsets"][:]
            splits = {name: [tuple(row) for row in f["splits"][name]] for name in f["splits"]}
        self.assertEqual(splits, {"train": [(0, 3)], "valid": [(3, 5)]})
        ends = offsets[1:] - 1  # of the text: the end token closes each document
        texts = [bytes(tokens[begin:end].astype(numpy.uint8)).decode("utf-8")
                 for begin, end in zip(offsets[:-1], ends)]
        self.assertEqual(texts, DOCUMENTS)
        self.assertEqual(set(tokens[ends]), {256})

    def test_h5ls_shows_exactly_the_layout(self):
        path = self.build("byte")
        listing = subprocess.run(["h5ls", "-r", path], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout
        tokens = sum(len(text.encode("utf-8")) + 1 for text in DOCUMENTS)
        self.assertEqual([line.split(None, 1) for line in listing.splitlines()],
                         [["/", "Group"],
                          ["/doc_bytes", "Dataset {5}"],
                          ["/doc_offsets", "Dataset {6}"],
                          ["/splits", "Group"],
                          ["/splits/train", "Dataset {1, 2}"],
                          ["/splits/valid", "Dataset {1, 2}"],
                          ["/tokens", f"Dataset {{{tokens}}}"]])

    def test_types_attributes_and_plain_storage(self):
        path = self.build("byte")
        types = {"tokens": "<u2", "doc_offsets": "<u8", "doc_bytes": "<u4", "splits/train": "<u8",
                 "splits/valid": "<u8"}
        text_bytes = [len(text.encode("utf-8")) for text in DOCUMENTS]
        numbers = {"version": 1, "vocab_size": 257, "max_id": 256, "documents": 5,
                   "tokens": sum(text_bytes) + 5, "bytes": sum(text_bytes)}
        with h5py.File(path) as f:
            for name, dtype in types.items():
                self.assertEqual(f[name].dtype.str, dtype, name)
                self.assertIsNone(f[name].chunks, name)
                self.assertIsNone(f[name].external, name)
                self.assertIsNotNone(f[name].id.get_offset(), name)  # contiguous
            self.assertEqual(f["doc_bytes"][:].tolist(), text_bytes)
            for name, value in numbers.items():
                self.assertEqual(f.attrs.get_id(name).dtype.str, "<u8", name)
                self.assertEqual(f.attrs[name], value, name)
            self.assertEqual(f.attrs.get_id("eos_id").dtype.str, "<i8")
            self.assertEqual(f.attrs["eos_id"], 256)
            for name in ("format", "dtype", "tokenizer_sha256", "created_by"):
                kind = h5py.check_string_dtype(f.attrs.get_id(name).dtype)
                self.assertEqual(kind.encoding, "utf-8", name)
                self.assertIsNotNone(kind.length, name)  # fixed
            self.assertEqual(bytes(f.attrs["format"]), b"pretrain-corpus")
            self.assertEqual(bytes(f.attrs["dtype"]), b"u16")
            self.assertEqual(set(f.attrs),
                             {*numbers, "eos_id", "format", "dtype", "tokenizer_sha256",
                              "created_by"})

    def test_more_than_65536_ids_take_u32(self):
        characters = [chr(c) for c in range(0x100, 0x30000) if not 0xD800 <= c <= 0xDFFF][:65537]
        random.Random(1).shuffle(characters)
        text = "".join(characters)
        path = self.build("char", [text], [text[:10]], "--no-eos", "--doc-sep", "file")
        with h5py.File(path) as f:
            self.assertEqual(f["tokens"].dtype.str, "<u4")
            self.assertEqual(f.attrs["eos_id"], -1)
            ids_of = {c: i for i, c in enumerate(sorted(characters))}
            self.assertEqual(f["tokens"][:].tolist(), [ids_of[c] for c in text + text[:10]])


if __name__ == "__main__":
    unittest.main()
