"""One experiment at 1, 2, 3 and 4 ranks: the same samples, and losses that differ by rounding only."""

import sys

import numpy
import safetensors.numpy

import runs

STEPS = 50
SEQUENCES = 12
BOUND = 1e-5  # of |loss difference|, in nats per target


class RanksTest(runs.RunTest):
    OVERRIDES = (f"schedule.total={{steps: {STEPS}}}", "eval.every={steps: 1000}")
    DUMPS = f"debug.dump_batches=[1, {STEPS}]"
    figures = []

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_of = {ranks: cls.train(cls.folder / f"ranks-{ranks}", *cls.OVERRIDES, cls.DUMPS,
                                       f"train.duration={{steps: {STEPS}}}", ranks=ranks)
                      for ranks in (1, 2, 3, 4)}

    @classmethod
    def tearDownClass(cls):
        for line in cls.figures:
            print(f"ranks_test: {line}", file=sys.stderr)
        super().tearDownClass()

    def assert_close(self, run, other, what):
        mine, theirs = numpy.array(runs.losses(run)), numpy.array(runs.losses(other))
        self.assertEqual(mine.shape, (STEPS,))
        difference = numpy.abs(mine - theirs).max()
        self.assertLessEqual(difference, BOUND, what)
        self.assertGreater(mine[0] - mine[-1], 0.1, "nothing was learned, so nothing was compared")
        self.figures.append(f"{what}: |loss difference| <= {difference:.1e} over {STEPS} steps")

    def test_samples_are_the_same_at_every_step(self):
        expected = batches(self.run_of[1], STEPS)
        for ranks in (2, 3, 4):
            self.assert_same_batches(batches(self.run_of[ranks], STEPS), expected, ranks)

    def assert_same_batches(self, found, expected, what):
        self.assertEqual(len(found), len(expected))
        for step, (mine, theirs) in enumerate(zip(found, expected), 1):
            for name in ("sample_ids", "inputs", "targets"):
                numpy.testing.assert_array_equal(mine[name], theirs[name],
                                                 f"{name} of step {step}, {what}")

    def test_each_sample_is_used_once_and_inputs_follow_the_ids(self):
        seen = batches(self.run_of[1], STEPS)
        for step, batch in enumerate(seen):
            self.assertEqual(batch["sample_ids"].tolist(),
                             list(range(step * SEQUENCES, (step + 1) * SEQUENCES)))
            numpy.testing.assert_array_equal(batch["inputs"][:, 1:], batch["targets"][:, :-1])
        rows = {row.tobytes() for batch in seen for row in batch["inputs"]}
        self.assertEqual(len(rows), STEPS * SEQUENCES)  # less than an epoch: no row comes twice

    def test_gradients_of_the_first_step_are_the_same(self):
        expected = gradients(self.run_of[1], 1)
        self.assertGreater(len(expected), 10)
        scale = max(numpy.abs(value).max() for value in expected.values())
        for ranks in (2, 3, 4):
            found = gradients(self.run_of[ranks], 1)
            self.assertEqual(sorted(found), sorted(expected))
            worst = max(numpy.abs(found[name] - expected[name]).max() for name in expected) / scale
            self.assertLess(worst, 1e-5)

    def test_losses_differ_by_rounding_only(self):
        for ranks in (2, 3, 4):
            self.assert_close(self.run_of[ranks], self.run_of[1], f"{ranks} ranks against 1")

    def test_micro_batch_and_accumulation_change_nothing(self):
        for ranks, micro_batch in ((1, 12), (1, 4), (1, 1), (2, 3)):
            run = self.train(self.folder / f"split-{ranks}-{micro_batch}", *self.OVERRIDES,
                             f"train.duration={{steps: {STEPS}}}",
                             f"train.micro_batch={micro_batch}", ranks=ranks)
            self.assert_close(run, self.run_of[1], f"{ranks} ranks, micro_batch {micro_batch}")

    def test_resume_with_other_numbers_of_ranks(self):
        run = self.folder / "elastic"
        for ranks, end in ((1, 12), (2, 24), (4, 37), (1, STEPS)):
            self.train(run, *self.OVERRIDES, self.DUMPS, f"train.duration={{steps: {end}}}",
                       ranks=ranks)
        self.assertEqual([event["step"] for event in runs.events(run, "resume")], [12, 24, 37])
        self.assertEqual([line["step"] for line in runs.train_lines(run)],
                         list(range(1, STEPS + 1)))
        self.assert_close(run, self.run_of[1], "1, 2, 4, 1 ranks against 1")

    def test_weights_are_loaded_bit_for_bit_by_any_number_of_ranks(self):
        """With a learning rate of 0 the step after a resume saves the weights that were loaded."""
        for first, second in ((1, 4), (4, 3), (3, 1)):
            run = self.folder / f"loaded-{first}-{second}"
            self.train(run, *self.OVERRIDES, "train.duration={steps: 5}", ranks=first)
            before = runs.tensors(runs.checkpoint(run, 5))
            self.train(run, *self.OVERRIDES, "train.duration={steps: 6}", "optimizer.lr=0",
                       ranks=second)
            after = runs.tensors(runs.checkpoint(run, 6))
            weights = [name for name in before if "/" not in name and before[name].ndim > 0
                       and before[name].dtype == numpy.float32]
            self.assertGreater(len(weights), 10)
            for name in weights:
                self.assertEqual(before[name].tobytes(), after[name].tobytes(),
                                 f"{name} from {first} to {second} ranks")

    def test_a_longer_duration_changes_no_earlier_sample(self):
        """Over several epochs: 3,000 tokens are about 7 steps each."""
        text = self.folder / "short.txt"
        text.write_text(self.text.read_text()[:3000])
        corpus = self.build_corpus("short.h5", text, "--tokenizer", "byte", "--valid-fraction", "0")
        sources = f"data.sources=[{{path: {corpus}}}]"
        dumps = "debug.dump_batches=[1, 20]"
        short = self.train(self.folder / "short", sources, dumps, "train.duration={steps: 20}")
        long = self.train(self.folder / "long", sources, dumps, "train.duration={epochs: 4}")
        self.assertGreater(runs.train_lines(short)[-1]["epoch"], 2)
        self.assertGreater(runs.status(long)["step"], 20)
        self.assert_same_batches(batches(long, 20), batches(short, 20), "longer duration")


def batches(run, steps):
    """Samples of each step in rank order, as the dumps tell."""
    found = []
    for step in range(1, steps + 1):
        parts = [safetensors.numpy.load_file(path)
                 for path in sorted((run / "dumps").glob(f"step-{step:08d}-rank-*.safetensors"))]
        found.append({name: numpy.concatenate([part[name] for part in parts])
                      for name in ("sample_ids", "inputs", "targets")})
    return found


def gradients(run, step):
    dump = safetensors.numpy.load_file(run / "dumps" / f"step-{step:08d}-rank-00000.safetensors")
    return {name: value for name, value in dump.items() if name.startswith("gradient/")}


if __name__ == "__main__":
    runs.unittest.main()
