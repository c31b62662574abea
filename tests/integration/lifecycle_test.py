"""How runs begin again and end: limits of time, evaluations that were interrupted, values that were
`auto`, failures of one rank."""

import json
import os
import shutil
import signal
import unittest

import runs


class LifecycleTest(runs.RunTest):
    def test_a_run_that_used_up_its_hours_is_done(self):
        run = self.folder / "hours"
        limit = "train.duration={hours: 1.0e-4}", "schedule.name=constant", "schedule.warmup={steps: 5}"
        self.train(run, *limit)
        steps = [line["step"] for line in runs.train_lines(run)]
        self.train(run, *limit)
        self.assertEqual([line["step"] for line in runs.train_lines(run)], steps)
        self.assertEqual(runs.status(run)["state"], "done")

    def test_steps_without_targets_pass(self):
        text = self.folder / "letters.txt"
        text.write_text("a\n" * 400)
        corpus = self.build_corpus("letters.h5", text, "--tokenizer", "byte", "--special",
                                   "t5", "--doc-sep", "line", "--valid-fraction", "0")
        run = self.folder / "letters"
        self.train(run, f"data.sources=[{{path: {corpus}}}]", "data.document_mask=true",
                   "objective.name=span_corruption", "train.duration={steps: 3}", "eval.at_end=false", "eval.at_start=false", ranks=2)
        lines = runs.read_lines(run / "metrics.jsonl")
        self.assertEqual([(line["targets"], line["loss"]) for line in lines], 3 * [(0, 0)])

    def test_an_interrupted_last_evaluation_is_made_up_for(self):
        run = self.folder / "evaluation"
        words = ("train.duration={steps: 6}", "eval.at_start=false", "eval.micro_batch=1",
                 "data.sequence_length=16", "model.hidden=256", "model.layers=8")
        job = self.start(run, *words)
        self.wait_until(job, lambda: (run / "status.json").exists() and
                        runs.status(run)["state"] == "evaluating", "the evaluation")
        os.kill(job.pid, signal.SIGUSR1)
        code, error = job.wait()
        self.assertEqual(code, 75, error)
        self.assertEqual(runs.status(run)["state"], "stopped")
        self.train(run, *words)
        self.assertEqual(len(runs.eval_lines(run)), 1)
        manifest = json.loads((runs.checkpoint(run, 6) / "manifest.json").read_text())
        self.assertIn("text", manifest["eval"])
        commits = runs.events(run, "ckpt_commit")
        self.train(run, *words)
        self.assertEqual(runs.events(run, "ckpt_commit"), commits)
        self.assertEqual(len(runs.eval_lines(run)), 1)

    def test_what_was_auto_is_settled_and_kept(self):
        run = self.train(self.folder / "auto", "precision.compute=auto", "train.duration={steps: 5}")
        resolved = (run / "config.resolved.yaml").read_text()
        self.assertIn("micro_batch: 12\n", resolved)
        compute = "bf16" if "compute: bf16" in resolved else "fp32"
        self.assertIn(f"compute: {compute}\n", resolved)
        # The same value given by name is the same run; another one is not.
        self.train(run, f"precision.compute={compute}", "train.duration={steps: 6}")
        self.train(run, "precision.compute=auto", "train.duration={steps: 8}",
                   "train.micro_batch=4")
        self.assertIn("micro_batch: 4\n", (run / "config.resolved.yaml").read_text())
        # Chosen once, it stays: the order of sums is part of the run.
        self.train(run, "precision.compute=auto", "train.duration={steps: 10}")
        self.assertIn("micro_batch: 4\n", (run / "config.resolved.yaml").read_text())
        other = {"bf16": "fp32", "fp32": "bf16"}[compute]
        done = runs.run_program(self.config, f"run.dir={run}", f"precision.compute={other}")
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn(f"precision.compute was {compute}", done.stderr)

    def test_other_threads_are_warned_of(self):
        run = self.train(self.folder / "threads", "train.duration={steps: 5}")
        done = runs.run_program(self.config, f"run.dir={run}", "train.duration={steps: 8}",
                                "run.threads=2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("written with 1 threads a rank", done.stderr)
        environment = json.loads((run / "env.json").read_text())
        self.assertEqual(environment["ranks"][0]["threads"], 2)

    def test_a_failure_of_one_rank_is_told_by_it(self):
        run = self.folder / "failing"
        (run / "dumps" / "step-00000003-rank-00001.safetensors" / "in the way").mkdir(parents=True)
        done = runs.run_program(self.config, f"run.dir={run}", "debug.dump_batches=[3, 3]", ranks=2)
        self.assertEqual(done.returncode, 73, done.stderr)
        status = runs.status(run)
        self.assertEqual((status["state"], status["code"], status["rank"]), ("failed", 73, 1))
        self.assertIn("rank-00001.safetensors", status["reason"])
        end = runs.events(run, "run_end")[-1]
        self.assertEqual((end["code"], end["rank"]), (73, 1))
        shutil.rmtree(run / "dumps")
        self.train(run, "debug.dump_batches=[3, 3]", ranks=2)
        self.assertEqual(runs.status(run)["state"], "done")

    def test_a_dump_is_written_again_by_the_next_start(self):
        run = self.folder / "dumped"
        words = "debug.dump_batches=[1, 2]", "checkpoint.every={steps: 100}"
        job = self.start(run, *words)
        self.wait_until(job, lambda: len(runs.train_lines(run)) > 4, "step 5")
        os.kill(job.pid, signal.SIGKILL)
        job.wait()
        self.train(run, *words)
        self.assertEqual(len(list((run / "dumps").iterdir())), 2)


if __name__ == "__main__":
    unittest.main()
