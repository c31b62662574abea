"""Runs the program as a user does, on a small corpus, and reads what it leaves behind."""

import hashlib
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time
import unittest

import numpy
import safetensors.numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("PRETRAIN_BUILD", "build") / "pretrain"
TIMEOUT_S = 120  # of one command, on a busy machine

# One thread a rank: threads that wait for one another are slow where other work takes their cores.
CONFIG = """\
run: {threads: 1}
data:
  sequence_length: 32
  sources:
    - {path: text.h5, split: train}
model: {name: gpt2, layers: 2, hidden: 32, heads: 2}
optimizer: {name: adamw, lr: 1.0e-3}
schedule: {name: cosine, warmup: {steps: 5}}
train:
  duration: {steps: 40}
  global_batch_sequences: 12
precision: {compute: fp32}
checkpoint: {every: {steps: 5}}
eval: {every: {steps: 20}}
logging: {every: {steps: 1}, console: none, peak_flops: 1.0e+12}
"""


def environment(**more):
    """What the ranks inherit: no Slurm of the machine the tests run on, as many ranks as asked."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    kept["OMPI_MCA_rmaps_base_oversubscribe"] = "1"
    if os.geteuid() == 0:
        kept["OMPI_ALLOW_RUN_AS_ROOT"] = kept["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    return {**kept, **more}


def words_of(ranks, *words):
    """The command line that starts `ranks` ranks; a single one needs no mpirun."""
    if ranks == 1:
        return [str(PROGRAM), *map(str, words)]
    return ["mpirun", "--bind-to", "none", "-np", str(ranks), str(PROGRAM), *map(str, words)]


def make_text(seed, documents):
    """Paragraphs of words that follow one another as in a small language, so that there is
    something to learn."""
    draw = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(1, 7))) for _ in range(200)]
    return "".join(" ".join(draw.choices(words, k=draw.randint(20, 120))) + ".\n\n"
                   for _ in range(documents))


def read_lines(path):
    """The objects of a JSON-lines file. A torn last line of a run that lives is left out."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True)
            if line.endswith("\n")]


def events(run, name):
    return [event for event in read_lines(run / "events.jsonl") if event["event"] == name]


def status(run):
    return json.loads((run / "status.json").read_text())


def train_lines(run):
    """The training lines without what a clock or the attempt makes of them, in file order."""
    keys = ("step", "tokens", "samples", "targets", "epoch", "loss", "loss_max", "lr", "grad_norm",
            "param_norm", "skipped")
    return [{key: line[key] for key in keys} for line in read_lines(run / "metrics.jsonl")
            if line["phase"] == "train"]


def eval_lines(run):
    keys = ("step", "tokens", "set", "loss", "bpb", "bytes")
    return [{key: line[key] for key in keys} for line in read_lines(run / "metrics.jsonl")
            if line["phase"] == "eval"]


def samples(run):
    """What the model wrote during the run."""
    return [{key: line[key] for key in ("step", "prompt", "text")}
            for line in read_lines(run / "samples.jsonl")]


def losses(run):
    return [line["loss"] for line in train_lines(run)]


def checkpoint(run, step):
    """The folder of the newest checkpoint of `step`; later lineages end in .l1, .l2, ..."""
    return sorted((run / "checkpoints").glob(f"step-{step:08d}*"))[-1]


def tensors(folder):
    """All tensors of a checkpoint by name, put together from the pieces of its manifest."""
    manifest = json.loads((folder / "manifest.json").read_text())
    shards = {file["name"]: safetensors.numpy.load_file(folder / file["name"])
              for file in manifest["files"] if file["name"].endswith(".safetensors")}
    whole = {}
    for name, tensor in manifest["tensors"].items():
        pieces = sorted(tensor["pieces"], key=lambda piece: piece["begin"])
        flat = numpy.concatenate([shards[piece["file"]][piece["key"]].ravel() for piece in pieces])
        whole[name] = flat.reshape(tensor["shape"])
    return whole


def progress(folder):
    """state.json without what differs between attempts."""
    state = json.loads((folder / "state.json").read_text())
    for name in ("hours", "attempt", "lineage"):
        del state[name]
    return state


def digests(folder):
    """SHA-256 of every file below the folder by its path."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def run_program(*words, ranks=1, input=None, env=None, cwd=None):
    return subprocess.run(words_of(ranks, *words), env=env or environment(), cwd=cwd, input=input,
                          stdin=subprocess.DEVNULL if input is None else None, timeout=TIMEOUT_S,
                          capture_output=True, text=True, errors="replace")


class Job:
    """A command that was started and goes on, with the processes below it."""

    def __init__(self, words, env=None):
        self.words = list(map(str, words))
        self.process = subprocess.Popen(self.words, env=env or environment(),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, errors="replace",
                                        start_new_session=True)
        self.pid = self.process.pid
        self.known = set()

    def ranks(self):
        """Process ids of the ranks; of a lone rank its own."""
        if self.words[0] != "mpirun":
            return [self.pid]
        found = []
        for tasks in pathlib.Path(f"/proc/{self.pid}/task").glob("*/children"):
            try:
                found += map(int, tasks.read_text().split())
            except OSError:
                pass  # the thread has just ended
        self.known.update(found)
        return sorted(found)

    def lives(self):
        return self.process.poll() is None

    def wait(self):
        """Exit code and standard error, once no rank is left either."""
        self.ranks()
        _, text = self.process.communicate(timeout=TIMEOUT_S)
        deadline = time.monotonic() + 30
        while any(is_alive(pid) for pid in self.known) and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.process.returncode, text

    def end(self):
        if self.lives():
            for pid in [*self.ranks(), self.pid]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if not self.process.stderr.closed:
            self.process.communicate()


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class RunTest(unittest.TestCase):
    """A folder with text.txt, text.h5 and tiny.yaml for all tests of a class, and a fresh run
    directory for each."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="pretrain-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.config = cls.folder / "tiny.yaml"
        cls.config.write_text(CONFIG)
        cls.text = cls.folder / "text.txt"
        cls.text.write_text(make_text(seed=1, documents=120))
        cls.corpus = cls.build_corpus("text.h5", cls.text, "--tokenizer", "byte",
                                      "--valid-fraction", "0.05")

    @classmethod
    def build_corpus(cls, name, *words):
        done = run_program("corpus", "build", cls.folder / name, *words)
        if done.returncode != 0:
            raise AssertionError(f"no corpus: {done.stderr}")
        return cls.folder / name

    @classmethod
    def train(cls, run, *overrides, ranks=1, config=None):
        """Trains to the end in the folder `run`; returns it."""
        done = run_program(config or cls.config, f"run.dir={run}", *overrides, ranks=ranks)
        if done.returncode != 0:
            raise AssertionError(f"exit code {done.returncode}: {done.stderr}")
        return run

    def start(self, run, *overrides, ranks=1, env=None):
        job = Job(words_of(ranks, self.config, f"run.dir={run}", *overrides), env)
        self.addCleanup(job.end)
        return job

    def wait_until(self, job, condition, what):
        """Polls until `condition()` is true or the job ends; returns whether it became true."""
        deadline = time.monotonic() + TIMEOUT_S
        while job.lives():
            if condition():
                return True
            self.assertLess(time.monotonic(), deadline, f"waited in vain for {what}")
            time.sleep(0.0005)
        return False

    def assert_same_tensors(self, folder, other, prefix=""):
        mine, theirs = tensors(folder), tensors(other)
        self.assertEqual(sorted(mine), sorted(theirs))
        self.assertGreater(len(mine), 10)
        for name, value in mine.items():
            self.assertTrue(value.dtype == theirs[name].dtype and value.shape == theirs[name].shape
                            and value.tobytes() == theirs[name].tobytes(), f"{prefix}{name} differs")
