#!/usr/bin/env python3
"""Encodes the same documents with ours and tiktoken in turn and prints MB/s and the ratio (GPT-2 vocabulary).

usage: tokenizer.py [FILE...] [--repeats 5] [--build build] [--train VOCAB]
Needs $PRETRAIN_SHARED and the target encode_documents.
Without files: the books; CJK text of udhr, repeated; Python sources. Documents of about 10 kB, cut at line ends. A figure is the
best of the repeats, from processor time (equal to wall time on an idle machine); `2 threads` is the efficiency of two threads
that encode all documents each: processor time alone / with another beside it, and, by the wall, in brackets.

--train VOCAB trains byte-level BPE instead, ours and Hugging Face's `tokenizers` in turn, one thread each, merges checked for
equality. Ours is the whole command, with start, reading of JSONL and writing; theirs has the documents in memory.
"""
import argparse
import json
import os
import pathlib
import resource
import struct
import subprocess
import sysconfig
import tempfile
import time
import zlib

import numpy as np
import tiktoken

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ["PRETRAIN_SHARED"])
GPT2 = SHARED / "data/tokenizer/gpt2"
PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""


def texts_of(files):
    if files:
        return {"files": "".join(pathlib.Path(f).read_text(encoding="utf-8") for f in files)}
    data = SHARED / "data/text"
    cjk = "".join((data / "udhr" / f).read_text(encoding="utf-8") for f in ("jpn.txt", "cmn_hans.txt", "kor.txt")
                  )
    sources = sorted(pathlib.Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return {"books": "".join(f.read_text(encoding="utf-8") for f in sorted((data / "books").glob("*.txt"))),
            "cjk": cjk * 40,
            "code": "".join(f.read_text(encoding="utf-8") for f in sources)}


def documents_of(text):
    documents, lines = [], text.splitlines(keepends=True)
    start = size = 0
    for i, line in enumerate(lines):
        size += len(line)
        if size >= 10000 or i + 1 == len(lines):
            documents.append("".join(lines[start:i + 1]))
            start, size = i + 1, 0
    return documents


def make_tiktoken():
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    byte_of = {chr(b): b for b in printable}
    byte_of |= {chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in printable)}
    vocabulary = json.loads((GPT2 / "vocab.json").read_text(encoding="utf-8"))
    ranks = {bytes(byte_of[c] for c in k): v for k, v in vocabulary.items() if k != "<|endoftext|>"}
    return tiktoken.Encoding("gpt2", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256})


def train(build, text, vocabulary, repeats):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    documents = documents_of(text)

    def theirs():
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(vocab_size=vocabulary - 1, min_frequency=2, show_progress=False,
                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
        begin = time.process_time()
        tokenizer.train_from_iterator(documents, trainer)
        return time.process_time() - begin, json.loads(tokenizer.to_str())["model"]["merges"]

    with tempfile.TemporaryDirectory() as folder:
        texts, out = pathlib.Path(folder) / "texts.jsonl", pathlib.Path(folder) / "out.json"
        texts.write_text("".join(json.dumps({"text": document}, ensure_ascii=False) + "\n" for document in documents),
                         encoding="utf-8")

        def ours():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([build + "/pretrain", "tokenizer", "train", "bpe", out, texts, "--vocab", str(vocabulary),
                            "--jobs", "1", "--force"], check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            return seconds, json.loads(out.read_text(encoding="utf-8"))["model"]["merges"]

        runs = [(ours(), theirs()) for _ in range(repeats)]
    one, peer = (min(run[side][0] for run in runs) for side in (0, 1))
    equal = all(mine[1] == other[1] for mine, other in runs)
    print(f"{vocabulary} ids of {len(text.encode()) / 1e6:.1f} MB: tokenizers {peer:.2f} s, ours {one:.2f} s, "
          f"ratio {peer / one:.1f}, merges {'equal' if equal else 'DIFFER'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--train", type=int, metavar="VOCAB")
    args = parser.parse_args()
    if args.train:
        os.environ["RAYON_NUM_THREADS"] = "1"
        train(args.build, next(iter(texts_of(args.files).values())), args.train, args.repeats)
        return
    encoding = make_tiktoken()

    def theirs(documents):
        begin = time.thread_time()
        ids = [encoding.encode_ordinary(d) for d in documents]
        seconds = time.thread_time() - begin
        return seconds, zlib.crc32(np.asarray([i for d in ids for i in d], dtype=np.uint32).tobytes())

    print("text     MB    tiktoken MB/s  ours MB/s  ratio  ids    2 threads")
    for name, text in texts_of(args.files).items():
        documents = documents_of(text)
        with tempfile.NamedTemporaryFile() as file:
            for document in documents:
                encoded = document.encode()
                file.write(struct.pack("<I", len(encoded)) + encoded)
            file.flush()

            def ours(threads):
                command = [args.build + "/tests/encode_documents", GPT2, file.name, "-", str(threads), "2"]
                lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
                return json.loads(lines[-1])

            runs = [(ours(1), theirs(documents), ours(2)) for _ in range(args.repeats)]
        one, peer, two = (min(r[0]["cpu"] for r in runs), min(r[1][0] for r in runs), min(r[2]["cpu"] for r in runs))
        wall = min(r[0]["wall"] for r in runs) / min(r[2]["wall"] for r in runs)
        equal = all(r[0]["crc32"] == r[1][1] for r in runs)
        mb = runs[0][0]["bytes"] / 1e6
        print(f"{name:6} {mb:5.1f} {mb / peer:14.1f} {mb / one:10.1f} {peer / one:6.1f}  {'equal' if equal else 'DIFFER'}"
              f"  {one / two:.2f} ({wall:.2f})")


if __name__ == "__main__":
    main()
