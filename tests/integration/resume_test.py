"""A run that is killed or stopped, and started again with the same command, ends bit for bit like
one that was never broken; no start loads a torn checkpoint."""

import os
import random
import signal
import sys
import time
import unittest

import runs

SEED = 20261123
STEPS = 200
LATEST = STEPS * 8 // 10  # no kill is aimed at a later step: the run must not end first


class ResumeTest(runs.RunTest):
    OVERRIDES = (f"train.duration={{steps: {STEPS}}}", "train.global_batch_sequences=96",
                 "eval.samples={every: {steps: 10}, prompts: [a, the], tokens: 4}")
    figures = []

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unbroken = {ranks: cls.train(cls.folder / f"unbroken-{ranks}", *cls.OVERRIDES,
                                         ranks=ranks) for ranks in (1, 2)}

    @classmethod
    def tearDownClass(cls):
        for line in cls.figures:
            print(line, file=sys.stderr)
        super().tearDownClass()

    def test_kills_of_two_ranks_leave_no_trace(self):
        self.survive_kills(ranks=2, kills=20, seed=SEED)

    def test_kills_of_one_rank_leave_no_trace(self):
        self.survive_kills(ranks=1, kills=6, seed=SEED + 1)

    def test_kill_before_the_first_checkpoint_leaves_no_trace(self):
        run = self.folder / "killed-early"
        job = self.start(run, *self.OVERRIDES, "checkpoint.every={steps: 100}")
        self.wait_until(job, lambda: last_step(run / "metrics.jsonl") >= 13, "step 13")
        os.kill(job.pid, signal.SIGKILL)
        self.assertEqual(job.wait()[0], -9)
        self.assertEqual(runs.events(run, "ckpt_commit"), [])
        self.train(run, *self.OVERRIDES)
        self.check_equal(run, 1)

    def survive_kills(self, ranks, kills, seed):
        """Kills as many starts as asked, each at a moment of its own, then lets one finish."""
        draw = random.Random(seed)
        run = self.folder / f"killed-{ranks}"
        moments = sorted(draw.sample(range(1, STEPS * 6 // 10), kills))
        in_save, lingered, committed = 0, 0.0, -1
        for number, step in enumerate(moments):
            kind = draw.choice(("step", "step", "save", "start"))
            label = f"seed {seed}, kill {number} ({kind}, after step {step})"
            with self.subTest(label):
                old = unfinished_saves(run)
                job = self.start(run, *self.OVERRIDES, ranks=ranks)
                self.aim(job, run, kind, step, draw, old)
                self.assertTrue(job.lives(), f"{label}: ended by itself")
                victim = draw.choice([*job.ranks(), *([job.pid] if ranks > 1 else [])])
                in_save += bool(unfinished_saves(run) - old)
                os.kill(victim, signal.SIGKILL)
                start = time.monotonic()
                code, error = job.wait()
                lingered = max(lingered, time.monotonic() - start)
                alone = ranks == 1 or victim == job.pid
                self.assertEqual(code, -9 if alone else 137, f"{label}: {error}")
                self.assertFalse([pid for pid in job.known if runs.is_alive(pid)], label)
                committed = self.check_after_kill(run, committed, label)
        job = self.start(run, *self.OVERRIDES, ranks=ranks)
        code, error = job.wait()
        self.assertEqual(code, 0, f"seed {seed}: {error}")
        self.check_equal(run, ranks, f"seed {seed}: ")
        if kills >= 20:
            self.assertGreater(in_save, 0, f"seed {seed}: no kill met a save")
        self.figures.append(
            f"resume_test: {ranks} ranks: {kills} kills survived ({in_save} inside a save), "
            f"{len(runs.events(run, 'resume'))} resumes, 0 torn checkpoints loaded, {STEPS} losses "
            f"and all tensors bit-identical; all ranks gone at most {lingered:.1f} s after a kill")

    def aim(self, job, run, kind, step, draw, old):
        """Returns at the moment to kill: some time after the start, after `step`, or in the first
        save after it."""
        metrics = run / "metrics.jsonl"
        if kind == "start":
            moment = time.monotonic() + draw.uniform(0.05, 2.5)
            return self.wait_until(
                job, lambda: time.monotonic() > moment or last_step(metrics) >= LATEST, "the kill")
        before = starts(run)
        self.wait_until(job, lambda: starts(run) > before, "the start")
        self.wait_until(job, lambda: last_step(metrics) >= step, f"step {step}")
        if kind == "save":
            self.wait_until(
                job, lambda: unfinished_saves(run) - old or last_step(metrics) >= LATEST, "a save")
        time.sleep(draw.uniform(0, 0.005))

    def check_after_kill(self, run, committed, label):
        """Nothing that was committed is gone or damaged. Returns the newest committed step."""
        self.assertEqual(runs.events(run, "fallback"), [], label)
        for resume in runs.events(run, "resume"):
            at = next(i for i, event in enumerate(runs.read_lines(run / "events.jsonl"))
                      if event == resume)
            earlier = [event["step"] for event in runs.read_lines(run / "events.jsonl")[:at]
                       if event["event"] == "ckpt_commit"]
            self.assertGreaterEqual(resume["step"], max(earlier, default=0), label)
        commits = [event["step"] for event in runs.events(run, "ckpt_commit")]
        newest = max(commits, default=-1)
        self.assertGreaterEqual(newest, committed, label)
        if (run / "checkpoints").exists():
            verify = runs.run_program("checkpoint", "verify", run)
            self.assertEqual(verify.returncode, 0, f"{label}: {verify.stderr}")
            if newest >= 0:
                self.assertIn("ok", verify.stdout, label)
        return newest

    def check_equal(self, run, ranks, prefix=""):
        unbroken = self.unbroken[ranks]
        self.assertEqual(runs.train_lines(run), runs.train_lines(unbroken), prefix)
        self.assertEqual(runs.eval_lines(run), runs.eval_lines(unbroken), prefix)
        self.assertEqual(runs.samples(run), runs.samples(unbroken), prefix)
        self.assertEqual(len(runs.samples(run)), STEPS // 10 * 2)
        self.assertEqual([line["step"] for line in runs.train_lines(run)],
                         list(range(1, STEPS + 1)), prefix)
        mine, theirs = runs.checkpoint(run, STEPS), runs.checkpoint(unbroken, STEPS)
        self.assert_same_tensors(mine, theirs, prefix)
        self.assertEqual(runs.progress(mine), runs.progress(theirs), prefix)
        leftovers = [path.name for path in [*run.iterdir(), *(run / "checkpoints").iterdir()]
                     if path.name.startswith(("tmp-", ".", "trash")) or path.name == "run.lock"]
        self.assertEqual(leftovers, [], prefix)

    def test_sigusr1_to_mpirun_saves_and_the_next_start_goes_on(self):
        draw = random.Random(SEED + 2)
        run = self.folder / "stopped-2"
        for step in sorted(draw.sample(range(1, STEPS - 10), 6)):
            self.stop(run, 2, step, lambda job: job.pid, signal.SIGUSR1)
        self.finish(run, 2, 6)

    def test_signals_to_one_rank_save_and_the_next_start_goes_on(self):
        run = self.folder / "stopped-one-of-2"
        for step, number in ((40, signal.SIGUSR1), (90, signal.SIGINT), (150, signal.SIGUSR1)):
            self.stop(run, 2, step, lambda job: job.ranks()[-1], number)
        self.finish(run, 2, 3)

    def test_signals_to_a_lone_rank_save_and_the_next_start_goes_on(self):
        run = self.folder / "stopped-1"
        for step, number in ((30, signal.SIGINT), (80, signal.SIGUSR1), (130, signal.SIGTERM)):
            self.stop(run, 1, step, lambda job: job.pid, number)
        self.finish(run, 1, 3)

    def test_stop_while_loading_is_kept(self):
        """SIGUSR1 before the first step: one step, a checkpoint, 75."""
        run = self.folder / "stopped-early"
        for _ in range(2):
            job = self.start(run, *self.OVERRIDES, ranks=2)
            self.wait_until(job, (run / "run.lock").exists, "the lock")
            os.kill(job.pid, signal.SIGUSR1)
            code, error = job.wait()
            self.assertEqual(code, 75, error)
            self.assertEqual(runs.status(run)["state"], "stopped")
        self.finish(run, 2, 2)

    def test_interrupt_of_mpirun_loses_nothing(self):
        """mpirun ends the ranks about 1 s after a SIGINT or SIGTERM, with a code of its own."""
        run = self.folder / "interrupted"
        for step, number in ((50, signal.SIGINT), (120, signal.SIGTERM)):
            job = self.start(run, *self.OVERRIDES, ranks=2)
            self.wait_until(job, lambda: last_step(run / "metrics.jsonl") >= step, f"step {step}")
            before = max(event["step"] for event in runs.events(run, "ckpt_commit"))
            os.kill(job.pid, number)
            code, error = job.wait()
            self.assertNotEqual(code, 0, error)
            listing = runs.run_program("checkpoint", "verify", run)
            self.assertEqual(listing.returncode, 0, listing.stderr)
            self.assertGreaterEqual(int(listing.stdout[5:13]), before)
        self.finish(run, 2, None)

    def stop(self, run, ranks, step, whom, number):
        label = f"{number.name} after step {step}"
        job = self.start(run, *self.OVERRIDES, ranks=ranks)
        self.wait_until(job, lambda: last_step(run / "metrics.jsonl") >= step, label)
        os.kill(whom(job), number)
        code, error = job.wait()
        self.assertEqual(code, 75, f"{label}: {error}")
        state = runs.status(run)
        self.assertEqual((state["state"], state["code"]), ("stopped", 75), label)
        self.assertEqual(state["checkpoint"]["step"], state["step"], label)
        self.assertGreaterEqual(state["step"], step, label)
        latest = (run / "checkpoints" / "latest").read_text().strip()
        self.assertEqual(latest, f"step-{state['step']:08d}", label)
        self.assertFalse((run / "run.lock").exists(), label)

    def finish(self, run, ranks, stops):
        self.train(run, *self.OVERRIDES, ranks=ranks)
        state = runs.status(run)
        self.assertEqual((state["state"], state["code"], state["step"]), ("done", 0, STEPS))
        if stops is not None:
            self.assertEqual(len(runs.events(run, "resume")), stops)
        self.check_equal(run, ranks)

    def test_two_threads_a_rank_resume_bit_for_bit(self):
        words = ("run.threads=2", "schedule.total={steps: 30}", "train.duration={steps: 30}")
        unbroken = self.train(self.folder / "threads-unbroken", *words)
        run = self.train(self.folder / "threads", *words, "train.duration={steps: 13}")
        self.train(run, *words)
        self.assertEqual([event["step"] for event in runs.events(run, "resume")], [13])
        self.assertEqual(runs.train_lines(run), runs.train_lines(unbroken))
        self.assert_same_tensors(runs.checkpoint(run, 30), runs.checkpoint(unbroken, 30))

    def test_a_finished_run_started_again_changes_nothing_but_its_attempt(self):
        run = self.train(self.folder / "again", "train.duration={steps: 20}")
        before = (run / "metrics.jsonl").read_bytes(), runs.digests(run / "checkpoints")
        self.train(run, "train.duration={steps: 20}")
        self.assertEqual(((run / "metrics.jsonl").read_bytes(), runs.digests(run / "checkpoints")),
                         before)
        self.assertEqual(runs.status(run)["state"], "done")


def starts(run):
    """Number of starts that began to train; files are cut back by then."""
    return len(runs.events(run, "run_start")) + len(runs.events(run, "resume"))


def unfinished_saves(run):
    return {path.name for path in (run / "checkpoints").glob("tmp-*")}


def last_step(metrics):
    """Step of the newest whole line of metrics.jsonl; 0 if there is none."""
    if not metrics.exists():
        return 0
    with metrics.open("rb") as file:
        file.seek(max(0, metrics.stat().st_size - 4096))
        lines = file.read().split(b"\n")[1:-1] or [b""]
    found = lines[-1].partition(b'"step": ')[2].partition(b",")[0]
    return int(found) if found else 0


if __name__ == "__main__":
    unittest.main()
