"""Corpora and token files that somebody made to do harm, or by mistake: `pretrain corpus` ends with
65 and one message word for word, and nothing is left at the output."""

import os
import pathlib
import struct
import tempfile
import unittest

import h5py
import numpy

import runs

LAYOUT = ". Write the file again, see the layout in core/data/README.md"


class ForeignCorpusTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def assert_refused(self, code, message, *words, env=None):
        before = sorted(os.listdir(self.folder))
        done = runs.run_program(*words, env=env)
        self.assertEqual(done.stderr.strip(), f"pretrain: error {code}: {message}")
        self.assertEqual((done.returncode, done.stdout), (code, ""))
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    # HDF5 files whose /tokens is not what it should be.

    def hostile(self, make_tokens):
        path = self.folder / "h.h5"
        with h5py.File(path, "w") as f:
            f.attrs.update(format="pretrain-corpus", version=1, vocab_size=300, eos_id=-1)
            f["doc_offsets"] = numpy.array([0, 10], "<u8")
            f["splits/train"] = numpy.array([[0, 1]], "<u8")
            make_tokens(f)
        return path

    def assert_hostile(self, message, make_tokens):
        path = self.hostile(make_tokens)
        for words in (["info"], ["verify", "--write-manifest"]):
            self.assert_refused(65, f"{path}: {message}{LAYOUT}", "corpus", *words, path)

    def test_a_good_one_is_read(self):
        path = self.hostile(lambda f: f.create_dataset("tokens", data=numpy.arange(10, dtype="<u2")))
        self.assertEqual(runs.run_program("corpus", "info", path).returncode, 0)

    def test_links_that_leave_the_file(self):
        link = "tokens in / is a soft or external link, expected the data itself"
        secret = self.folder / "secret.h5"
        with h5py.File(secret, "w") as f:
            f["tokens"] = numpy.arange(10, dtype="<u2")

        def external(f):
            f["tokens"] = h5py.ExternalLink(str(secret), "/tokens")

        def soft(f):
            f["tokens"] = h5py.SoftLink("/doc_offsets")

        def circle(f):
            f["tokens"] = h5py.SoftLink("/tokens")

        for make in (external, soft, circle):
            self.assert_hostile(link, make)

    def test_data_of_other_files(self):
        def virtual(f):
            layout = h5py.VirtualLayout((10,), "<u2")
            layout[:] = h5py.VirtualSource("/etc/passwd", "tokens", (10,))
            f.create_virtual_dataset("tokens", layout)

        def external(f):
            f.create_dataset("tokens", (10,), "<u2", external=[("/etc/passwd", 0, 20)])

        self.assert_hostile("/tokens is chunked, compact or virtual, expected contiguous", virtual)
        self.assert_hostile("/tokens keeps its data in other files", external)

    def test_filters(self):
        chunked = "/tokens is chunked, compact or virtual, expected contiguous"
        self.assert_hostile(chunked, lambda f: f.create_dataset(
            "tokens", data=numpy.arange(10, dtype="<u2"), compression="gzip"))

        def plug_in(f):  # a filter that only a shared library on some path could undo
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_chunk((10,))
            creation.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
            h5py.h5d.create(f.id, b"tokens", h5py.h5t.STD_U16LE, h5py.h5s.create_simple((10,)),
                            creation)

        self.assert_hostile(chunked, plug_in)

    def test_shapes_and_types(self):
        def huge(f):  # 2^50 elements, of which none is stored
            f.create_dataset("tokens", (2**50,), "<u2")

        self.assert_hostile("/tokens has 1125899906842624 elements but no data for them", huge)
        self.assert_hostile("/tokens has another shape, expected [n]", lambda f: f.create_dataset(
            "tokens", data=numpy.zeros((5, 2), "<u2")))
        for dtype in (">u2", "<i2", "<f4", "u1", "S4"):
            self.assert_hostile(
                "/tokens has another type than u16, u32 or u64 little-endian",
                lambda f: f.create_dataset("tokens", data=numpy.zeros(10).astype(dtype)))
        self.assert_hostile("dataset /tokens is missing or damaged",
                            lambda f: f.create_group("tokens"))

    # Token files.

    def megatron(self, **wrong):
        parts = {"magic": b"MMIDIDX\0\0", "version": 1, "type": 8, "lengths": [2, 1],
                 "pointers": [0, 4], "documents": [0, 1, 2], **wrong}
        (self.folder / "m.bin").write_bytes(struct.pack("<3H", 1, 2, 3))
        (self.folder / "m.idx").write_bytes(
            parts["magic"] + struct.pack("<QBQQ", parts["version"], parts["type"],
                                         len(parts["lengths"]), len(parts["documents"])) +
            b"".join(numpy.array(parts[name], dtype).tobytes() for name, dtype in
                     (("lengths", "<i4"), ("pointers", "<i8"), ("documents", "<i8"))))
        return ["corpus", "import", "megatron", self.folder / "m", self.folder / "c.h5",
                "--vocab-size", 300]

    def test_megatron_fields(self):
        idx, bin = self.folder / "m.idx", self.folder / "m.bin"
        again = ". Copy or write the file again"
        for wrong, message in (
                ({"magic": b"MMIDIDX\0\1"},
                 f"{idx}: byte 0: is no Megatron-LM index, expected MMIDIDX and two zeros{again}"),
                ({"version": 2}, f"{idx}: byte 9: version 2, expected 1{again}"),
                ({"type": 7}, f"{idx}: byte 17: token type 7, expected 8 (u16), 4 (i32), 5 (i64) or "
                              f"3 (i16){again}"),
                ({"lengths": [2, -1]}, f"{idx}: byte 38: sequence 1 has the length -1{again}"),
                ({"pointers": [4, 0]}, f"{idx}: byte 42: the pointer of sequence 0 is 4, expected "
                                       f"0, where the one before ends{again}"),
                ({"lengths": [2, 2]}, f"{idx}: byte 38: sequence 1 of 2 tokens ends at byte 8 of "
                                      f"{bin}, which has 6 bytes{again}"),
                ({"documents": [0, 3, 2]}, f"{idx}: byte 66: entry 1 of the document index is 3, "
                                           f"expected 0 to 2{again}")):
            self.assert_refused(65, message, *self.megatron(**wrong))
        words = self.megatron()
        self.assert_refused(65, f"{bin}: byte 4: token id 3, expected 0 to 2. Check u16 and the "
                                "vocabulary's size", *words[:-1], 3)
        self.assertEqual(runs.run_program(*words).returncode, 0)

    def test_llmc_and_nanogpt_fields(self):
        path = self.folder / "a.bin"

        def words(format, *fields, data=b"\1\0\2\0"):
            header = numpy.zeros(256, "<i4")
            header[:len(fields)] = fields
            path.write_bytes((header.tobytes() if fields else b"") + data)
            return ["corpus", "import", format, path, self.folder / "c.h5", "--vocab-size", 300]

        self.assert_refused(
            65, f"{path}: byte 0: magic number 1, expected 20240520 or 20240801. This is no llm.c "
                "data file; see: pretrain corpus import --help", *words("llmc", 1, 1, 2))
        self.assert_refused(
            65, f"{path}: byte 4: version 7, expected 1 with magic number 20240520. Write the file "
                "again", *words("llmc", 20240520, 7, 2))
        self.assert_refused(
            65, f"{path}: byte 8: 3 tokens of 2 bytes, but 4 bytes follow the header. Copy the file "
                "again", *words("llmc", 20240520, 1, 3))
        self.assert_refused(
            65, f"{path}: has 3 bytes, expected a multiple of 2 (u16) above 0. Copy it again, or "
                "give the --dtype it has", *words("nanogpt", data=b"abc"))
        self.assert_refused(
            2, "corpus import: expected one of --tokenizer T, which also counts bytes, and "
               "--vocab-size N", *words("nanogpt")[:-2])

    def test_what_exists_stays(self):
        words = self.megatron()
        self.assertEqual(runs.run_program(*words).returncode, 0)
        corpus = self.folder / "c.h5"
        exists = "exists already. Choose another name or give --force"
        self.assert_refused(73, f"{corpus}: {exists}", *words)
        self.assert_refused(73, f"{self.folder}/m.bin: {exists}", "corpus", "export", "megatron",
                            corpus, self.folder / "m")
        self.assert_refused(73, f"{corpus}: {exists}", "corpus", "split", corpus, corpus,
                            "--valid-fraction", 0.5)


if __name__ == "__main__":
    unittest.main()
