"""Every family of models with its objective, as the tiny configs ship it: it learns, resumes bit for
bit, and neither samples nor losses depend on the number of ranks; pairs that do not fit are refused."""

import os
import signal
import sys

import numpy
import safetensors.numpy

import runs

STEPS = 40
COMPARED = 20  # steps whose losses and batches are compared
VARIANT = 10
BOUND = 1e-5  # of |loss difference|, in nats per target

# The shipped config, what shrinks its model, the special tokens of its corpus.
SMALL = ("model.hidden=32", "model.heads=2")
FAMILIES = {
    "gpt1_tiny": (SMALL, "plain"),
    "gpt2_tiny": (SMALL, "plain"),
    "llama_tiny": ((*SMALL, "model.kv_heads=1"), "plain"),
    "prefix_lm_tiny": (SMALL, "plain"),
    "fill_in_middle_tiny": (SMALL, "fim"),
    "mixture_tiny": (SMALL, "fim"),
    "bert_tiny": (SMALL, "bert"),
    "roberta_tiny": (SMALL, "bert"),
    "electra_tiny": ((*SMALL, "model.embedding_size=16", "model.generator.size=0.5"), "bert"),
    "t5_tiny": (SMALL, "t5"),
}
OVERRIDES = ("run.threads=1", "data.sequence_length=32", "train.global_batch_sequences=8",
             "train.micro_batch=auto", f"schedule.total={{steps: {STEPS}}}",
             "schedule.warmup={steps: 2}", "optimizer.lr=3e-3", "eval.at_start=false",
             "eval.at_end=false", "eval.every={steps: 1000}", "eval.samples=null",
             "logging.every={steps: 1}", "logging.console=none", "logging.tensorboard=false")
WHOLE_ROWS = ("bert_tiny",)  # a pair of texts makes up a row, so data.document_mask is refused


class FamiliesTest(runs.RunTest):
    figures = []

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.corpora = {"plain": cls.corpus}
        for name in ("bert", "t5", "fim"):
            cls.corpora[name] = cls.build_corpus(f"{name}.h5", cls.text, "--tokenizer", "byte",
                                                 "--special", name, "--valid-fraction", "0.05")

    @classmethod
    def tearDownClass(cls):
        for line in cls.figures:
            print(f"families_test: {line}", file=sys.stderr)
        super().tearDownClass()

    def words_of(self, family, name):
        small, special = FAMILIES[family]
        return (runs.ROOT / "configs" / f"{family}.yaml", f"run.dir={self.folder / family / name}",
                f"data.sources=[{{path: {self.corpora[special]}}}]", *OVERRIDES, *small)

    def run_family(self, family, name, ranks, steps, *overrides):
        done = runs.run_program(*self.words_of(family, name), f"train.duration={{steps: {steps}}}",
                                *overrides, ranks=ranks)
        self.assertEqual(done.returncode, 0, f"{family}, {name}: {done.stderr}")
        return self.folder / family / name

    def check_family(self, family):
        dumps = f"debug.dump_batches=[1, {COMPARED}]"
        unbroken = self.run_family(family, "2-ranks", 2, STEPS, dumps)
        self.check_learns(unbroken)
        self.check_resumes(family, unbroken)
        others = [self.run_family(family, f"{ranks}-ranks", ranks, COMPARED, dumps)
                  for ranks in (1, 4)]
        expected = batches(unbroken)
        worst = 0.0
        for run in others:
            self.check_batches(batches(run), expected, f"{family}, {run.name}")
            worst = max(worst, self.check_losses(run, unbroken, COMPARED))
        worst_variant = self.check_variants(family, unbroken)
        self.figures.append(f"{family}: |loss difference| <= {worst:.1e}; with dropout, document "
                            f"mask and recomputation <= {worst_variant:.1e}")

    def check_learns(self, run):
        """The first term of the loss is the mean of few targets: five steps at each end."""
        parts = [next(iter(line.get("parts", {"": line["loss"]}).values()))
                 for line in runs.read_lines(run / "metrics.jsonl") if line["phase"] == "train"]
        self.assertEqual(len(parts), STEPS)
        self.assertLess(numpy.mean(parts[-5:]), numpy.mean(parts[:5]) - 0.1)

    def check_falls(self, run, term):
        parts = [line["parts"][term] for line in runs.read_lines(run / "metrics.jsonl")
                 if line["phase"] == "train"]
        self.assertLess(numpy.mean(parts[-5:]), numpy.mean(parts[:5]) - 0.02)

    def check_resumes(self, family, unbroken):
        run = self.folder / family / "stopped"
        words = (*self.words_of(family, "stopped"), f"train.duration={{steps: {STEPS}}}")
        job = runs.Job(runs.words_of(2, *words))
        self.addCleanup(job.end)
        self.wait_until(job, (run / "run.lock").exists, "the lock")  # before it can end by itself
        os.kill(job.pid, signal.SIGUSR1)
        code, error = job.wait()
        self.assertEqual(code, 75, f"{family}: {error}")
        stopped = runs.status(run)["step"]
        self.run_family(family, "stopped", 2, STEPS)
        self.assertEqual([event["step"] for event in runs.events(run, "resume")], [stopped])
        self.assertEqual(runs.train_lines(run), runs.train_lines(unbroken))
        mine, theirs = runs.checkpoint(run, STEPS), runs.checkpoint(unbroken, STEPS)
        self.assert_same_tensors(mine, theirs, f"{family}: ")
        self.assertEqual(runs.progress(mine), runs.progress(theirs))

    def check_variants(self, family, unbroken):
        """Dropout and documents apart; recomputation changes the memory alone."""
        words = ["model.dropout=0.1", "model.attention_dropout=0.1"]
        if family not in WHOLE_ROWS:
            words.append("data.document_mask=true")
        plain = self.run_family(family, "dropout-2", 2, VARIANT, *words)
        self.assertNotEqual(runs.losses(plain)[0], runs.losses(unbroken)[0])
        saving = self.run_family(family, "recompute-1", 1, VARIANT, *words, "train.recompute=full")
        return self.check_losses(saving, plain, VARIANT)

    def check_losses(self, run, other, steps):
        mine, theirs = numpy.array(runs.losses(run)), numpy.array(runs.losses(other)[:steps])
        self.assertEqual(mine.shape, (steps,), run)
        # A term's loss is its mean; ELECTRA's sum weighs one of them by 50.
        scale = 50 if run.parent.name == "electra_tiny" else 1
        difference = numpy.abs(mine - theirs).max() / scale
        self.assertLessEqual(difference, BOUND, run)
        return difference

    def check_batches(self, found, expected, what, samples=8):
        self.assertEqual(len(found), len(expected))
        for step, (mine, theirs) in enumerate(zip(found, expected), 1):
            self.assertEqual(sorted(mine), sorted(theirs), what)
            self.assertEqual(len(mine), samples, what)
            for sample, parts in theirs.items():
                self.assertEqual(sorted(mine[sample]), sorted(parts), what)
                for name, value in parts.items():
                    numpy.testing.assert_array_equal(
                        mine[sample][name], value, f"{name} of sample {sample}, step {step}, {what}")

    def refuse(self, *overrides, corpus="plain", says=()):
        words = (self.config, f"run.dir={self.folder / 'refused'}",
                 f"data.sources=[{{path: {self.corpora[corpus]}}}]", *overrides)
        for command in ((), ("check",)):
            done = runs.run_program(*command, *words)
            self.assertEqual(done.returncode, 78, f"{command} {overrides}: {done.stderr}")
            for text in says:
                self.assertIn(text, done.stderr)
            self.assertFalse((self.folder / "refused" / "checkpoints").exists())

    def test_objectives_refuse_models_that_do_not_fit(self):
        for model, objective, corpus, says in (
                ("bert", "span_corruption", "t5", ("bert", "t5")),
                ("gpt2", "masked_lm", "bert", ("gpt2", "bert")),
                ("bert", "replaced_token_detection", "bert", ("bert", "electra")),
                ("t5", "causal_lm", "t5", ("t5", "gpt2")),
                ("electra", "causal_lm", "bert", ("electra", "gpt2"))):
            with self.subTest(f"{objective} with {model}"):
                self.refuse(f"model.name={model}", f"objective.name={objective}", corpus=corpus,
                            says=(objective, *says))

    def test_replaced_token_detection_needs_a_generator(self):
        self.refuse("model.name=electra", "model.generator.size=0",
                    "objective.name=replaced_token_detection", corpus="bert",
                    says=("replaced_token_detection", "generator.size"))

    def test_objectives_refuse_tokenizers_without_their_tokens(self):
        for model, objective, says in (
                ("bert", "masked_lm", ("mask token", "--special bert")),
                ("electra", "replaced_token_detection", ("mask token", "--special bert")),
                ("t5", "span_corruption", ("padding token", "--special t5")),
                ("gpt2", "span_corruption", ("sentinels", "--special t5")),
                ("t5", "prefix_lm", ("padding token", "--special t5")),
                ("gpt2", "fill_in_middle", ("fim_prefix", "--special fim"))):
            with self.subTest(f"{objective} with {model}"):
                self.refuse(f"model.name={model}", f"objective.name={objective}", says=says)

    def test_encoders_write_no_samples(self):
        for model, objective in (("bert", "masked_lm"), ("electra", "replaced_token_detection")):
            self.refuse(f"model.name={model}", f"objective.name={objective}",
                        "eval.samples={every: {steps: 1}, prompts: [a]}", corpus="bert",
                        says=("eval.samples", model, "writes no text"))

    def test_masks_are_those_of_the_sample(self):
        """At 1 to 4 ranks, and after a stop in the middle of an epoch."""
        for family in ("bert_tiny", "electra_tiny", "t5_tiny"):
            words = ("train.global_batch_sequences=12", "debug.dump_batches=[1, 6]")
            whole = batches(self.run_family(family, "masks-1", 1, 6, *words), 6)
            for ranks in (2, 3, 4):
                run = self.run_family(family, f"masks-{ranks}", ranks, 6, *words)
                self.check_batches(batches(run, 6), whole, f"{family}, {ranks} ranks", samples=12)
            for steps, ranks in ((4, 3), (6, 2)):
                run = self.run_family(family, "masks-stopped", ranks, steps, *words)
            self.check_batches(batches(run, 6), whole, f"{family}, resumed", samples=12)

    def test_two_stages_of_electra(self):
        """The second stage starts from the first one's generator and leaves it as it is."""
        own = ("model.share_embeddings=false", "model.generator.size=1")
        second = (*own, "objective.stage=discriminator")
        self.refuse("model.name=electra", "objective.name=replaced_token_detection", *second,
                    corpus="bert", says=("objective.stage discriminator", "Set run.init"))
        first = self.run_family("electra_tiny", "stage-1", 2, STEPS, *own, "objective.stage=generator")
        self.check_falls(first, "generator")
        run = self.run_family("electra_tiny", "stage-2", 2, STEPS, *second, f"run.init={first}")
        before, after = ({name: value for name, value in runs.tensors(runs.checkpoint(of, STEPS)).items()
                          if name.startswith("model.")} for of in (first, run))
        changed = [name for name in after if not numpy.array_equal(before[name], after[name])]
        self.assertEqual(sorted(changed), sorted(n for n in after if "generator" not in n))
        self.check_falls(run, "discriminator")

    def test_pairs_of_sentences_are_no_documents(self):
        self.refuse("model={name: bert, pooler: true}", "data.document_mask=true",
                    "objective={name: masked_lm, next_sentence: true}", corpus="bert",
                    says=("data.document_mask", "next_sentence"))

    def test_evaluation_reports_every_term(self):
        run = self.run_family("electra_tiny", "evaluated", 2, 2, "eval.at_end=true")
        line = runs.read_lines(run / "metrics.jsonl")[-1]
        self.assertEqual(line["phase"], "eval")
        self.assertEqual(sorted(line["parts"]), ["discriminator", "generator"])
        self.assertAlmostEqual(
            line["loss"], line["parts"]["generator"] + 50 * line["parts"]["discriminator"], places=6)

    def test_pairs_of_sentences_need_a_head_and_their_tokens(self):
        words = ("model.name=bert", "objective.name=masked_lm", "objective.next_sentence=true")
        self.refuse(*words, corpus="bert", says=("next_sentence", "model.pooler=true"))
        self.refuse(*words, "model.pooler=true", "objective.mask_share=0",
                    says=("[CLS]", "--special bert"))

    def test_next_sentence_needs_two_rows(self):
        text = self.folder / "one_row.txt"
        text.write_text("A text that fills a row of 32 tokens and no second one.\n")
        self.corpora["one_row"] = self.build_corpus("one_row.h5", text, "--tokenizer", "byte",
                                                    "--special", "bert")
        self.refuse("model={name: bert, pooler: true}", "data.sequence_length=32",
                    "objective={name: masked_lm, next_sentence: true}", corpus="one_row",
                    says=("data.sequence_length: 32 cuts one_row into 1 row", "at least 2"))


def family_test(family):
    return lambda self: self.check_family(family)


for _family in FAMILIES:
    setattr(FamiliesTest, f"test_{_family}", family_test(_family))


def batches(run, steps=COMPARED):
    """By step and sample id what the network got: rows of tokens, targets, and what goes with them."""
    found = []
    for step in range(1, steps + 1):
        samples = {}
        for path in sorted((run / "dumps").glob(f"step-{step:08d}-rank-*.safetensors")):
            samples.update(samples_of(safetensors.numpy.load_file(path)))
        found.append(samples)
    return found


def samples_of(dump):
    """Cuts a rank's dump into its samples, each of which is one sequence here. Objectives of a
    mixture come one after another; those that predict every position list no target rows."""
    ids = dump["sample_ids"].tolist()
    bounds = numpy.concatenate([[0], numpy.cumsum(dump["lengths"])])
    decoder = numpy.concatenate([[0], numpy.cumsum(dump.get("decoder_lengths", []))]).astype(int)
    rows = dump.get("target_rows", numpy.empty(0, int))
    samples, at, prefix = {}, 0, 0
    for i, (begin, end) in enumerate(zip(bounds, bounds[1:])):
        own = rows[(rows >= begin) & (rows < end)] - begin
        parts = {"input": dump["inputs"].ravel()[begin:end], "target_rows": own}
        count = len(own) or end - begin
        if "decoder" in dump:
            parts["decoder"] = dump["decoder"][decoder[i]:decoder[i + 1]]
            count = len(parts["decoder"])
        for name in ("targets", "noise"):
            if name in dump:
                parts[name] = dump[name].ravel()[at:at + count]
        at += count
        if "segments" in dump:
            parts["segments"] = dump["segments"][begin:end]
        if "labels" in dump:
            parts["label"] = dump["labels"][i]
        if "prefixes" in dump and len(own) > 0:
            parts["prefix"] = dump["prefixes"][prefix]
            prefix += 1
        samples[ids[i]] = parts
    assert len(samples) == len(ids) == len(dump["lengths"]) and at == dump["targets"].size
    return samples


if __name__ == "__main__":
    runs.unittest.main()
