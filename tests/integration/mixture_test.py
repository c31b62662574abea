"""Weighted sources, phases, growing batches and packings: the same samples at any number of ranks
and threads, after any resume; the audit commands tell what was read; what cannot be is refused."""

import json
import pathlib
import re
import sys

import numpy
import safetensors.numpy

import runs

STEPS = 30
MIXTURE = """\
run: {threads: 1}
data:
  sequence_length: 32
  sources:
    - {path: books.h5, weight: 3}
    - {path: wiki, weight: 1}
    - {path: late.h5, weight: 0}
  phases:
    - {from: {steps: 10}, weights: {books: 1, wiki: 1}, sequence_length: 16}
    - {from: {steps: 20}, weights: {late: 2, books: 1}}
model: {name: gpt2, layers: 1, hidden: 16, heads: 2}
schedule: {name: constant, batch: [{from: {steps: 15}, global_batch_sequences: 24}]}
train: {duration: {steps: 30}, global_batch_sequences: 12}
precision: {compute: fp32}
checkpoint: {every: {steps: 10}, keep_last: 10}
eval: {every: {steps: 1000}, at_start: false, at_end: false}
logging: {every: {steps: 1}, console: none, peak_flops: 1.0e+12}
debug: {dump_batches: [1, 30]}
"""


class MixtureTest(runs.RunTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "wiki").mkdir()
        for number, name in enumerate(("books.h5", "late.h5", "wiki/a.h5", "wiki/b.h5")):
            text = cls.folder / f"{number}.txt"
            text.write_text(runs.make_text(seed=10 + number, documents=30))
            cls.build_corpus(name, text, "--tokenizer", "byte", "--valid-fraction", "0.05")
        cls.mixture = cls.folder / "mixture.yaml"
        cls.mixture.write_text(MIXTURE)
        cls.whole = cls.mix("whole")
        cls.samples = batches(cls.whole, STEPS)

    @classmethod
    def mix(cls, name, *overrides, ranks=1):
        return cls.train(cls.folder / name, *overrides, ranks=ranks, config=cls.mixture)

    def assert_same(self, run, steps=STEPS):
        for step, (mine, theirs) in enumerate(zip(batches(run, steps), self.samples), 1):
            for name in ("sample_ids", "inputs", "targets"):
                numpy.testing.assert_array_equal(mine[name], theirs[name], f"{name} of step {step}")

    def refused(self, code, parts, run, *overrides):
        done = runs.run_program(self.mixture, f"run.dir={run}", *overrides)
        self.assertEqual(done.returncode, code, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        print(f"mixture_test: {done.stderr.strip().replace(str(self.folder), 'DIR')}",
              file=sys.stderr)

    def test_samples_are_the_same_at_any_number_of_ranks_and_threads(self):
        ids = numpy.concatenate([step["sample_ids"] for step in self.samples])
        self.assertEqual(ids.tolist(), list(range(15 * 12 + 15 * 24)))
        for ranks, words in ((2, ()), (3, ("data.io_threads=3",)),
                             (4, ("train.micro_batch=1", "data.io_threads=2"))):
            with self.subTest(ranks=ranks):
                self.assert_same(self.mix(f"ranks-{ranks}", *words, ranks=ranks))

    def test_a_longer_run_and_resumes_draw_the_same_samples(self):
        run = self.folder / "resumed"
        for end, ranks in ((7, 1), (18, 2), (STEPS, 1)):
            self.mix("resumed", f"train.duration={{steps: {end}}}", ranks=ranks)
        self.assert_same(run)
        steps = [event["step"] for event in runs.events(run, "data_phase")]
        self.assertEqual(steps, [10, 20])
        changes = runs.events(run, "config_change")
        self.assertEqual({event["reason"] for event in changes},
                         {"train.duration.steps", "train.micro_batch"})

    def test_a_source_and_a_phase_appended_in_mid_run(self):
        """As if they had been there from the start."""
        first = ("data.sources=[{path: %s/books.h5, weight: 3}, {path: %s/wiki, weight: 1}]"
                 % (self.folder, self.folder),
                 "data.phases=[{from: {steps: 10}, weights: {books: 1, wiki: 1}, "
                 "sequence_length: 16}]")
        run = self.mix("appended", *first, "train.duration={steps: 20}")
        self.mix("appended")
        self.assert_same(run)
        state = json.loads((runs.checkpoint(run, STEPS) / "state.json").read_text())["data"]
        self.assertEqual(state["phase"], 2)
        self.assertEqual(state["samples"], 540)
        self.assertEqual(sum(source["samples"] for source in state["sources"]), 540)
        self.assertEqual(state["sources"][2]["samples"], 160)

    def test_changes_that_would_draw_other_samples_are_refused(self):
        run = self.folder / "changed"
        self.mix("changed", "train.duration={steps: 20}")
        sources = ("data.sources=[{path: %s/books.h5, weight: 3}, {path: %s/wiki, weight: %s}]")
        here = self.folder
        kept = self.folder / "kept.h5"
        phases = "data.phases=[{from: {steps: 10}, weights: {books: 1, wiki: 1}, " \
                 "sequence_length: 16}%s]"
        self.refused(78, ["data.sources was", "run.allow_change"], run, sources % (here, here, 1),
                     phases % "")  # one removed
        self.refused(78, ["data.phases was"], run, "data.phases=[{from: {steps: 10}, "
                     "weights: {books: 1, late: 1}, sequence_length: 16}, {from: {steps: 20}, "
                     "weights: {late: 2, books: 1}}]")
        self.refused(78, ["schedule.batch was"], run,
                     "schedule.batch=[{from: {steps: 15}, global_batch_sequences: 36}]")
        self.refused(78, ["data.packing was packed", "is best_fit"], run, "data.packing=best_fit")
        run = self.folder / "early"
        self.mix("early", "~data.phases", sources % (here, here, 1), "train.duration={steps: 12}")
        self.refused(78, ["of the first 144 samples (12 steps", "from step 12 on"], run,
                     sources % (here, here, 1),
                     "data.phases=[{from: {steps: 8}, weights: {books: 1}}]")
        for part in ("h5", "manifest.json", "tokenizer.json"):
            (here / f"books.{part}").rename(here / f"kept.{part}")
        try:
            self.build_corpus("books.h5", self.folder / "1.txt", "--tokenizer", "byte",
                              "--valid-fraction", "0.05")
            self.refused(65, ["their fingerprints differ"], self.folder / "changed")
        finally:
            for part in ("h5", "manifest.json", "tokenizer.json"):
                (here / f"kept.{part}").rename(here / f"books.{part}")
        self.assertFalse(kept.exists())

    def test_check_says_the_mixture_in_words(self):
        done = runs.run_program("check", self.mixture, f"run.dir={self.folder / 'none'}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"mixture     books 75\.0 % of the tokens \(weight 3 of 4\), "
                                      r"[0-9.]+ epochs of it in this run")
        self.assertIn("mixture     from step 10: books 50.0 %, wiki 50.0 %; rows cut into "
                      "sequences of 16", done.stdout)
        self.assertRegex(done.stdout, r"packing     packed: wiki [0-9,]+ rows of 32 positions, "
                                      r"0\.0 % padding; [0-9]+ of [0-9]+ documents cut")
        self.assertIn("batch       from step 15: 24 sequences", done.stdout)

    def test_sample_at_names_what_was_read(self):
        """The texts it prints are the inputs that were dumped."""
        for step in (1, 12, 25):
            done = runs.run_program("data", "sample-at", self.whole, "--step", step, "--text")
            self.assertEqual(done.returncode, 0, done.stderr)
            dump = self.samples[step - 1]
            found = [b"".join(json.loads(line).encode() for line in part.splitlines()
                              if line.strip().startswith('"'))
                     for part in done.stdout.split("  sample ")[1:]]
            expected = dump["inputs"]
            if step == 12:  # sequences of 16: two a row
                expected = expected.reshape(-1, 32)
            self.assertEqual(len(found), len(expected))
            for text, row in zip(found, expected):
                ids = bytes(row[row < 256].astype(numpy.uint8).tolist())
                self.assertTrue(text.startswith(ids[:30]), (text, ids))
            phase = {1: 0, 12: 1, 25: 2}[step]
            self.assertEqual(set(re.findall(r"phase (\d)", done.stdout)), {str(phase)})
            given = runs.run_program("data", "sample-at", self.whole, "--step", step, "--text",
                                     "--json")
            self.assertEqual(given.returncode, 0, given.stderr)
            self.assert_same_step(json.loads(given.stdout), done.stdout)
        from_file = runs.run_program("data", "sample-at", self.mixture, "--step", 25, "--text")
        self.assertEqual(from_file.stdout, done.stdout)

    def assert_same_step(self, given, text):
        lines = [f"step {given['step']}: samples {given['samples'][0]['sample']} to "
                 f"{given['samples'][-1]['sample']}"]
        for sample in given["samples"]:
            parts = f", in {sample['sequences']} sequences" if sample["sequences"] > 1 else ""
            lines.append("  sample {sample}: {source} row {row} of {rows}, epoch {epoch}, "
                         "phase {phase}".format(**sample) + parts)
            for document in sample["documents"]:
                lines.append("    {path} document {document}, tokens {first_token} to {end_token} "
                             "of {tokens}, bytes {first_byte} to {end_byte} of {bytes}".format(
                                 **document))
                lines.append("      " + json.dumps(document["text"], ensure_ascii=False))
        self.assertEqual("\n".join(lines) + "\n", text)

    def test_seen_counts_what_a_checkpoint_has_read(self):
        done = runs.run_program("data", "seen", "--checkpoint", f"{self.whole}:{STEPS}",
                                "--documents")
        self.assertEqual(done.returncode, 0, done.stderr)
        counts = dict(re.findall(r"(?m)^(\w+): (\d+) samples of", done.stdout))
        state = json.loads((runs.checkpoint(self.whole, STEPS) / "state.json").read_text())
        self.assertEqual({source["name"]: source["samples"] for source in state["data"]["sources"]},
                         {name: int(count) for name, count in counts.items()})
        for name, rows in re.findall(r"(\w+): .*, then (\d+) rows", done.stdout):
            part = re.search(rf"(?ms)^{name}: .*?(?=^\w|\Z)", done.stdout).group()
            tokens = sum(map(int, re.findall(r"then (\d+) of", part)))
            self.assertEqual(tokens, int(rows) * 32, name)
        given = runs.run_program("data", "seen", "--checkpoint", f"{self.whole}:{STEPS}",
                                 "--documents", "--json")
        self.assertEqual(given.returncode, 0, given.stderr)
        seen = json.loads(given.stdout)
        lines = [f"{seen['checkpoint']}: step {seen['step']}, {seen['samples']} samples"]
        for source in seen["sources"]:
            rest = source["rows_of_next_epoch"]
            lines.append("{source}: {samples} samples of {rows} rows = {epochs:.4f} epochs: every "
                         "document {passes} times".format(**source) +
                         (f", then {rest} rows of the next epoch" if rest else ""))
            lines += ["  {path} document {document}: {passes} times, then {tokens_of_next_epoch} "
                      "of {tokens} tokens".format(**document) for document in source["documents"]]
        self.assertEqual("\n".join(lines) + "\n", done.stdout)
        one = runs.run_program("data", "seen", "--checkpoint", self.whole, "--source", "wiki",
                               "--json")
        (source,) = json.loads(one.stdout)["sources"]
        self.assertEqual(source["source"], "wiki")
        self.assertNotIn("documents", source)

    def test_packings_of_whole_documents_train(self):
        for packing in ("documents", "first_fit", "best_fit"):
            run = self.mix(packing, f"data.packing={packing}", "train.duration={steps: 4}",
                           "~data.phases", "data.sources=[{path: %s/books.h5}]" % self.folder,
                           ranks=2)
            for line in runs.train_lines(run):
                self.assertLessEqual(line["targets"], line["samples"] * 32)
                self.assertGreater(line["targets"], 0)
        # A mixture takes them as its parts do alone, at any number of ranks.
        one_part = self.mix("one_part", "data.packing=best_fit", "train.duration={steps: 4}",
                            "objective={name: mixture, parts: [{name: causal_lm}]}", "~data.phases",
                            "data.sources=[{path: %s/books.h5}]" % self.folder)
        numpy.testing.assert_allclose(runs.losses(one_part), runs.losses(run), rtol=1e-4)
        pairs = self.build_corpus("pairs.h5", self.folder / "0.txt", "--tokenizer", "byte",
                                  "--special", "bert")
        done = runs.run_program("check", self.mixture, "data.packing=best_fit", "~data.phases",
                                "model.name=bert", "model.pooler=true",
                                "objective={name: mixture, parts: [{name: masked_lm, "
                                "next_sentence: true}]}", "data.sources=[{path: %s}]" % pairs)
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("data.packing best_fit: objective.name mixture takes whole rows only",
                      done.stderr)


def batches(run, steps):
    """Samples of each step in rank order, as the dumps tell."""
    found = []
    for step in range(1, steps + 1):
        parts = [safetensors.numpy.load_file(path)
                 for path in sorted(pathlib.Path(run, "dumps").glob(
                     f"step-{step:08d}-rank-*.safetensors"))]
        found.append({name: numpy.concatenate([part[name] for part in parts])
                      for name in ("sample_ids", "inputs", "targets")})
    return found


if __name__ == "__main__":
    runs.unittest.main()
