"""Random 1,024-token rows of an HDF5 file read with h5py: the peer of loader_bench.

    .venv/bin/python tests/bench/loader_h5py.py [MILLIONS OF TOKENS]
"""

import pathlib
import sys
import tempfile
import time

import h5py
import numpy

ROW = 1024
BATCH = 16


def main():
    tokens = 1_000_000 * int(sys.argv[1] if len(sys.argv) > 1 else 256)
    draw = numpy.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "bench.h5")
        with h5py.File(path, "w") as file:
            file["tokens"] = draw.integers(18, 50304, tokens, dtype=numpy.uint16)
        with h5py.File(path, "r") as file:
            dataset, rows, best = file["tokens"], tokens // ROW - 1, 0.0
            for _ in range(5):
                start = time.thread_time()
                for _ in range(100):
                    batch = numpy.empty((BATCH, ROW + 1), numpy.int64)
                    for i, row in enumerate(draw.integers(0, rows, BATCH)):
                        batch[i] = dataset[row * ROW:row * ROW + ROW + 1]
                best = max(best, 100 * BATCH * ROW / (time.thread_time() - start) / 1e6)
    print(f"h5py, random rows, u16 to int64 {best:20.0f} Mtok/s")


if __name__ == "__main__":
    main()
