#!/usr/bin/env python3
"""Times `pretrain corpus build` beside `pretrain tokenizer encode` of the same documents, in turns, one job each.

usage: corpus_build.py [FILE...] [--tokenizer T] [--repeats 5] [--build build]      needs $PRETRAIN_SHARED
Without files: the books; without a tokenizer: GPT-2's. Documents of about 10 kB, cut at line ends. Encoding writes its ids to
/dev/null; a build writes the corpus, its digests and its manifest, all durable. A figure is the best of the repeats; processor
time is the user's and the system's of all threads.
"""
import argparse
import os
import pathlib
import subprocess
import tempfile
import time

from tokenizer import GPT2, ROOT, documents_of, texts_of

SEPARATOR = "\x1e"


def timed(words):
    """Seconds by the wall and of the processor."""
    begin = time.perf_counter()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begin
    if process.returncode != 0:
        raise SystemExit(f"{words[1]} {words[2]} exits {process.returncode}: {message}")
    return wall, usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--tokenizer", default=str(GPT2))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--build", default=str(ROOT / "build"))
    args = parser.parse_args()
    text = next(iter(texts_of(args.files).values())).replace(SEPARATOR, " ")
    mb = len(text.encode()) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        path, out = pathlib.Path(folder) / "text.txt", pathlib.Path(folder) / "c.h5"
        path.write_text(SEPARATOR.join(documents_of(text)), encoding="utf-8", newline="")
        program = args.build + "/pretrain"
        encode = [program, "tokenizer", "encode", args.tokenizer, path, "--doc-sep", SEPARATOR, "--format", "u32",
                  "--threads", "1"]
        build = [program, "corpus", "build", out, path, "--doc-sep", SEPARATOR, "--tokenizer", args.tokenizer,
                 "--jobs", "1", "--force"]
        runs = [(timed(encode), timed(build)) for _ in range(args.repeats)]
    print(f"{mb:.1f} MB   encode   build   ratio")
    for kind, name in enumerate(("wall s", "processor s")):
        alone, whole = (min(run[side][kind] for run in runs) for side in (0, 1))
        print(f"{name:11} {alone:6.3f} {whole:7.3f} {whole / alone:7.2f}")


if __name__ == "__main__":
    main()
