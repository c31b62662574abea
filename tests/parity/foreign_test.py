"""Token files of other programs: written here as those programs lay them out, imported, exported and
read back with numpy as they read them."""

import json
import pathlib
import struct
import sys
import tempfile
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import pretrain

EOT = 50256
MEGATRON_TYPES = {8: numpy.uint16, 4: numpy.int32, 5: numpy.int64, 3: numpy.int16}


def write_megatron(prefix, sequences, documents, code, modes=None):
    """PREFIX.bin and PREFIX.idx as Megatron-LM's IndexedDatasetBuilder leaves them."""
    dtype = numpy.dtype(MEGATRON_TYPES[code])
    lengths = numpy.array([len(s) for s in sequences], numpy.int32)
    ends = numpy.cumsum(lengths.astype(numpy.int64) * dtype.itemsize)
    with open(f"{prefix}.bin", "wb") as f:
        for sequence in sequences:
            f.write(numpy.array(sequence, dtype).tobytes())
    with open(f"{prefix}.idx", "wb") as f:
        f.write(b"MMIDIDX\x00\x00" + struct.pack("<Q", 1) + struct.pack("<B", code))
        f.write(struct.pack("<Q", len(sequences)) + struct.pack("<Q", len(documents)))
        f.write(lengths.tobytes())
        f.write(numpy.concatenate([[0], ends[:-1]]).astype(numpy.int64).tobytes())
        f.write(numpy.array(documents, numpy.int64).tobytes())
        if modes is not None:
            f.write(numpy.array(modes, numpy.int8).tobytes())


def read_megatron(prefix):
    """(type code, sequences, document index), by the offsets that Megatron-LM's reader uses."""
    raw = pathlib.Path(f"{prefix}.idx").read_bytes()
    assert raw[:9] == b"MMIDIDX\x00\x00" and struct.unpack("<Q", raw[9:17]) == (1,)
    (code,) = struct.unpack("<B", raw[17:18])
    count, entries = struct.unpack("<QQ", raw[18:34])
    lengths = numpy.frombuffer(raw, numpy.int32, count, 34)
    pointers = numpy.frombuffer(raw, numpy.int64, count, 34 + lengths.nbytes)
    documents = numpy.frombuffer(raw, numpy.int64, entries, 34 + lengths.nbytes + pointers.nbytes)
    data = numpy.memmap(f"{prefix}.bin", numpy.uint8, "r")
    sequences = [numpy.frombuffer(data, MEGATRON_TYPES[code], length, pointer).tolist()
                 for length, pointer in zip(lengths, pointers)]
    return code, sequences, documents.tolist()


def write_llmc(path, ids, dtype=numpy.uint16):
    header = numpy.zeros(256, numpy.int32)
    header[:3] = (20240520, 1, len(ids)) if dtype == numpy.uint16 else (20240801, 7, len(ids))
    path.write_bytes(header.tobytes() + numpy.array(ids, dtype).tobytes())


def read_llmc(path):
    raw = path.read_bytes()
    header = numpy.frombuffer(raw, numpy.int32, 256)
    dtype = {(20240520, 1): numpy.uint16, (20240801, 7): numpy.uint32}[tuple(header[:2])]
    ids = numpy.frombuffer(raw, dtype, offset=1024)
    assert len(ids) == header[2]
    return ids.tolist()


class ForeignTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.random = numpy.random.default_rng(7)

    def documents(self, count=200, closed=True, vocabulary=EOT):
        lengths = self.random.integers(1, 80, count)
        ending = [EOT] if closed else []
        return [self.random.integers(0, vocabulary, n).tolist() + ending for n in lengths]

    def corpus(self, name="c.h5"):
        """Documents by split, with h5py."""
        with h5py.File(self.folder / name) as f:
            tokens, offsets = f["tokens"][:], f["doc_offsets"][:]
            pretrain("corpus", "verify", self.folder / name, "--deep")
            return {split: [tokens[offsets[d]:offsets[d + 1]].tolist()
                            for begin, end in f["splits"][split] for d in range(begin, end)]
                    for split in f["splits"]}

    def do_import(self, format, *words):
        return pretrain("corpus", "import", format, *words[:-1], self.folder / "c.h5",
                        *words[-1], "--force")

    def test_megatron_there_and_back(self):
        for code, name in ((8, "u16"), (4, "i32"), (5, "i64"), (3, "i16")):
            documents = self.documents(closed=code != 3, vocabulary=32767 if code == 3 else EOT)
            prefix = self.folder / "m"
            write_megatron(prefix, documents, range(len(documents) + 1), code)
            self.do_import("megatron", prefix, ["--vocab-size", 50257, "--eos-id", EOT])
            self.assertEqual(self.corpus(), {"train": documents})
            with h5py.File(self.folder / "c.h5") as f:
                self.assertEqual(f.attrs["eos_id"], -1 if code == 3 else EOT)
            pretrain("corpus", "export", "megatron", self.folder / "c.h5", self.folder / "n",
                     "--dtype", name, "--force")
            for ending in ("bin", "idx"):
                self.assertEqual((self.folder / f"n.{ending}").read_bytes(),
                                 (self.folder / f"m.{ending}").read_bytes(), (name, ending))
            self.assertEqual(read_megatron(self.folder / "n"),
                             (code, documents, list(range(len(documents) + 1))))

    def test_megatron_sequences_and_modes(self):
        sequences = self.documents(9, closed=False)
        write_megatron(self.folder / "m", sequences, [0, 2, 2, 7, 9], 8,
                       modes=[0, 1, 0, 0, 0, 0, 0, 0, 1])
        told = self.do_import("megatron", self.folder / "m.idx", ["--vocab-size", 50257])
        self.assertIn("1 empty documents dropped", told)
        self.assertIn("the modes of 2 sequences are not kept", told)
        joined = [sum(sequences[a:b], []) for a, b in ((0, 2), (2, 7), (7, 9))]
        self.assertEqual(self.corpus(), {"train": joined})
        pretrain("corpus", "export", "megatron", self.folder / "c.h5", self.folder / "n")
        self.assertEqual(read_megatron(self.folder / "n"), (8, joined, [0, 1, 2, 3]))

    def test_nanogpt_there_and_back(self):
        splits = {"train": self.documents(), "val": self.documents(20)}
        source = self.folder / "nano"
        source.mkdir()
        for name, documents in splits.items():
            numpy.array(sum(documents, []), numpy.uint16).tofile(source / f"{name}.bin")
        self.do_import("nanogpt", source, ["--vocab-size", 50257, "--eos-id", EOT])
        self.assertEqual(self.corpus(), {"train": splits["train"], "valid": splits["val"]})
        pretrain("corpus", "export", "nanogpt", self.folder / "c.h5", self.folder / "back")
        for name, documents in splits.items():
            data = numpy.memmap(self.folder / "back" / f"{name}.bin", numpy.uint16, "r")
            self.assertEqual(data.tolist(), sum(documents, []))
        self.assertEqual(sorted(p.name for p in (self.folder / "back").iterdir()),
                         ["train.bin", "val.bin"])

    def test_nanogpt_of_a_large_vocabulary(self):
        ids = self.random.integers(0, 200000, 5000)
        ids.astype(numpy.uint32).tofile(self.folder / "n.bin")
        self.do_import("nanogpt", self.folder / "n.bin",
                       ["--vocab-size", 200000, "--dtype", "u32", "--split", "valid"])
        self.assertEqual(self.corpus(), {"valid": [ids.tolist()]})
        pretrain("corpus", "export", "nanogpt", self.folder / "c.h5", self.folder / "back")
        data = numpy.memmap(self.folder / "back" / "val.bin", numpy.uint32, "r")
        self.assertEqual(data.tolist(), ids.tolist())

    def test_llmc_shards_there_and_back(self):
        for dtype, vocabulary in ((numpy.uint16, 50257), (numpy.uint32, 128256)):
            documents = [[EOT] + d for d in self.documents(closed=False)]
            ids = sum(documents, [])
            shards = [ids[i:i + 1000] for i in range(0, len(ids), 1000)]
            for i, shard in enumerate(shards, 1):
                write_llmc(self.folder / f"train_{i:06}.bin", shard, dtype)
            self.do_import("llmc", self.folder / "train_*.bin",
                           ["--vocab-size", vocabulary, "--eos-id", EOT])
            self.assertEqual(self.corpus(), {"train": documents})  # across the shards' ends
            back = self.folder / numpy.dtype(dtype).name
            pretrain("corpus", "export", "llmc", self.folder / "c.h5", back, "--shard-tokens", 1000)
            for i, shard in enumerate(shards, 1):
                name = f"train_{i:06}.bin"
                self.assertEqual((back / name).read_bytes(), (self.folder / name).read_bytes())
                self.assertEqual(read_llmc(back / name), shard)
            for path in self.folder.glob("train_*.bin"):
                path.unlink()

    def test_bytes_are_counted_and_text_comes_out(self):
        texts = ["first", "second \u00e9\n\nwith a gap", "third"]
        ids = sum((list(t.encode()) + [256] for t in texts), [])
        numpy.array(ids, numpy.uint16).tofile(self.folder / "b.bin")
        self.do_import("nanogpt", self.folder / "b.bin", ["--tokenizer", "byte"])
        with h5py.File(self.folder / "c.h5") as f:
            self.assertEqual(f["doc_bytes"][:].tolist(), [len(t.encode()) for t in texts])
        pretrain("corpus", "export", "jsonl", self.folder / "c.h5", self.folder / "t.jsonl")
        lines = (self.folder / "t.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line)["text"] for line in lines], texts)
        self.do_import("jsonl", self.folder / "t.jsonl", ["--tokenizer", "byte"])
        self.assertEqual(sorted(sum(self.corpus().values(), [])),
                         sorted(list(t.encode()) + [256] for t in texts))

    def test_merge_split_and_info(self):
        parts = []
        for i in range(2):
            documents = self.documents(300)
            parts.append(documents)
            numpy.array(sum(documents, []), numpy.uint16).tofile(self.folder / "n.bin")
            self.do_import("nanogpt", self.folder / "n.bin",
                           ["--vocab-size", 50257, "--eos-id", EOT])
            for ending in ("h5", "manifest.json"):
                (self.folder / f"c.{ending}").rename(self.folder / f"part{i}.{ending}")
        merged = self.folder / "c.h5"
        pretrain("corpus", "merge", merged, self.folder / "part0.h5", self.folder / "part1.h5")
        self.assertEqual(self.corpus(), {"train": parts[0] + parts[1]})
        with h5py.File(merged) as f:
            self.assertEqual(json.loads(f.attrs["sources"]), ["part0", "part1"])
            self.assertEqual(f["doc_source"][:].tolist(), [0] * 300 + [1] * 300)
        shares = "train=0.8,valid=0.1,test=0.1"
        pretrain("corpus", "split", merged, self.folder / "s.h5", "--splits", shares)
        split = self.corpus("s.h5")
        self.assertEqual(sorted(sum(split.values(), [])), sorted(parts[0] + parts[1]))
        pretrain("corpus", "split", self.folder / "part0.h5", self.folder / "p.h5", "--splits",
                 shares)
        for name, documents in self.corpus("p.h5").items():
            for document in documents:
                self.assertIn(document, split[name])
        info = json.loads(pretrain("corpus", "info", merged, "--json"))
        lengths = sorted(len(d) for d in parts[0] + parts[1])
        self.assertEqual(info["documents"]["longest"], lengths[-1])
        self.assertEqual(info["documents"]["percentiles"]["50"], lengths[299])
        self.assertEqual(info["sources"], {"part0": 300, "part1": 300})


if __name__ == "__main__":
    unittest.main()
