"""Every command as a user types it: help, output that other programs read, results that agree."""

import json
import re
import subprocess
import sys
import unittest

import runs

COMMANDS = [
    [], ["train"], ["check"], ["config"], ["corpus"], ["corpus", "build"], ["corpus", "info"],
    ["corpus", "verify"], ["corpus", "export"],
    ["corpus", "import"], ["corpus", "merge"], ["corpus", "split"], ["data"], ["data", "sample-at"],
    ["data", "seen"], ["tokenizer"], ["tokenizer", "train"], ["tokenizer", "encode"],
    ["tokenizer", "decode"], ["tokenizer", "verify"], ["generate"], ["checkpoint"], ["checkpoint", "list"],
    ["checkpoint", "verify"], ["schema"], ["version"],
]


class HelpTest(unittest.TestCase):
    def test_fits_80_columns_and_ends_in_an_example(self):
        for words in COMMANDS:
            for flag in ("--help", "-h"):
                with self.subTest(" ".join([*words, flag])):
                    done = runs.run_program(*words, flag)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    lines = done.stdout.rstrip("\n").split("\n")
                    for line in lines:
                        self.assertLessEqual(len(line), 80, line)
                    self.assertLessEqual(len(lines), 40, "more than a screen")
                    self.assertTrue(lines[-1].startswith("Example: "), lines[-1])
                    self.assertIn("pretrain " + " ".join(words[:1]) if words[:1] != ["train"]
                                  else "pretrain", lines[-1])

    def test_names_every_command(self):
        text = runs.run_program("--help").stdout
        for words in COMMANDS[1:]:
            self.assertRegex(text, rf"(?m)^  {words[0]} +\S")

    def test_is_printed_once_by_two_ranks(self):
        done = runs.run_program("--help", ranks=2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("Example: "), 1)


class CommandsTest(runs.RunTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Stopped by its duration at a step without evaluation: the best checkpoint is an older one.
        cls.run_dir = cls.train(cls.folder / "run", "train.duration={steps: 33}",
                                "eval.at_end=false", "checkpoint.every={steps: 10}")

    def succeed(self, *words, **options):
        done = runs.run_program(*words, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_score_reads_the_standard_input(self):
        def scored(*words, **options):
            return self.succeed("score", self.run_dir, *words, **options)
        self.assertEqual(scored("-", "c", input="a b\n\nb\n"), scored("a b", "b", "c"))
        done = runs.run_program("score", self.run_dir, "text.txt", cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("text.txt: is a file; its name is scored", done.stderr)

    def test_a_run_directory_stands_for_its_configuration(self):
        run = self.train(self.folder / "stopped", "train.duration={steps: 7}", "logging.every={steps: 3}")
        lines = runs.train_lines(run)
        self.assertEqual([line["step"] for line in lines], [1, 3, 6, 7])
        given, resolved = ((run / name).read_text() for name in ("config.yaml", "config.resolved.yaml"))
        self.assertIn("done, at step 7", self.succeed("check", run))
        self.assertEqual(self.succeed("config", run).split("\n", 1)[1], resolved)
        self.succeed(run)  # finished: nothing is done
        self.assertEqual(runs.train_lines(run), lines)
        self.succeed(run, "train.duration={steps: 9}")
        other = self.train(self.folder / "unbroken", "train.duration={steps: 7}",
                           "logging.every={steps: 3}")
        self.train(other, "train.duration={steps: 9}", "logging.every={steps: 3}")
        self.assert_same_tensors(runs.checkpoint(run, 9), runs.checkpoint(other, 9))
        self.assertEqual((run / "config.yaml").read_text(), given)
        moved = run.rename(self.folder / "moved")
        self.succeed(moved, "train.duration={steps: 11}", "train.micro_batch=6", ranks=2)
        self.assertEqual(runs.status(moved)["step"], 11)
        self.assertFalse(run.exists())

    def test_version(self):
        text = self.succeed("version")
        self.assertEqual(text, self.succeed("--version"))
        for name in ("pretrain", "libtorch", "openmpi", "hdf5"):
            self.assertRegex(text, rf"(?m)^{name} \d+\.\d+")
        self.assertRegex(text, r"(?m)^models:.* gpt2")

    def test_schema_is_json_and_knows_every_option(self):
        schema = json.loads(self.succeed("schema"))
        self.assertIn("draft-07", schema["$schema"])
        options = self.succeed("config", "--options")
        keys = re.findall(r"(?m)^([a-z_]+)\.([a-z_]+) ", options)
        self.assertGreater(len(keys), 50)
        for section, name in keys:
            self.assertIn(name, schema["properties"][section]["properties"])

    def test_config_reads_back_to_the_same_hash(self):
        def config(*words):  # paths are printed relative to the working directory
            return self.succeed("config", *words, cwd=self.folder)
        overrides = ["optimizer.lr=3e-4", "data.sequence_length=16"]
        text = config("tiny.yaml", *overrides)
        self.assertIn("sequence_length: 16", text)
        (self.folder / "resolved.yaml").write_text(text)
        self.assertEqual(config("resolved.yaml"), text)
        hashes = config("tiny.yaml", *overrides, "--hash")
        self.assertEqual(config("resolved.yaml", "--hash"), hashes)
        self.assertNotEqual(config("tiny.yaml", "--hash"), hashes)
        self.assertEqual(len(re.findall(r"(?m)^[0-9a-f]{64}  (?:config|identity)$", hashes)), 2)

    def test_options_with_prefix(self):
        lines = self.succeed("config", "--options", "optimizer").splitlines()
        self.assertTrue(all(line.startswith(("OPTION", "optimizer.")) for line in lines), lines)
        self.assertTrue(any("optimizer.lr" in line for line in lines))

    def test_check_prints_the_equation_and_trains_nothing(self):
        text = self.succeed("check", self.config, "--world", "2", "train.micro_batch=3")
        self.assertIn("12 sequences = micro_batch 3 x data_ranks 2 x accumulation 2", text)
        self.assertRegex(text, r"(?m)^ok +config sha256 [0-9a-f]{64}$")
        self.assertRegex(text, r"(?m)^model +gpt2: [\d,]+ parameters")
        self.assertFalse((self.folder / "runs").exists())

    def test_check_ends_with_the_code_of_the_run(self):
        for code, words in ((78, ["train.micro_batch=5"]), (65, ["data.sources=[{path: no.h5}]"])):
            done = runs.run_program("check", self.config, *words)
            self.assertEqual(done.returncode, code, done.stderr)

    def test_parameter_count_is_that_of_the_checkpoint(self):
        text = self.succeed("check", self.config)
        told = int(re.search(r"gpt2: ([\d,]+) parameters", text)[1].replace(",", ""))
        weights = [value for name, value in
                   runs.tensors(runs.checkpoint(self.run_dir, 33)).items()
                   if "/" not in name and value.dtype.kind == "f"]
        self.assertEqual(told, sum(value.size for value in weights))

    def test_corpus_from_text_jsonl_and_stdin_is_the_same(self):
        documents = [text for text in self.text.read_text().split("\n\n") if text]
        jsonl = self.folder / "text.jsonl"
        jsonl.write_text("".join(json.dumps({"id": i, "body": text}) + "\n"
                                 for i, text in enumerate(documents)))
        tail = ["--tokenizer", "byte", "--valid-fraction", "0.05"]
        self.build_corpus("lines.h5", jsonl, "--field", "body", *tail)
        self.succeed("corpus", "build", self.folder / "piped.h5", "-", *tail,
                     input=self.text.read_text())
        prints = {}
        for name in ("text", "lines", "piped"):
            path = self.folder / f"{name}.h5"
            info = self.succeed("corpus", "info", path)
            self.assertRegex(info, rf"(?m)^documents +{len(documents)} ")
            self.assertIn("vocab_size 257", info)
            prints[name] = re.search(r"(?m)^fingerprint +([0-9a-f]{64})$", info)[1]
            self.assertTrue(self.succeed("corpus", "verify", path).startswith("ok: "))
            self.assertTrue(self.succeed("corpus", "verify", path, "--deep").startswith("ok: "))
        self.assertEqual(len(set(prints.values())), 1, prints)

    def test_force_replaces_a_corpus(self):
        path = self.build_corpus("replaced.h5", self.text, "--tokenizer", "byte")
        self.succeed("corpus", "build", path, self.text, "--tokenizer", "char", "--force")
        self.assertNotIn("vocab_size 257", self.succeed("corpus", "info", path))
        self.succeed("corpus", "verify", path, "--deep")

    def test_checkpoint_list_and_verify(self):
        listing = self.succeed("checkpoint", "list", self.run_dir)
        self.assertEqual(re.findall(r"(?m)^step-0*(\d+) +ok", listing), ["33", "30", "20"])
        self.assertRegex(listing, r"step-00000033 .* latest")
        self.assertRegex(listing, r"step-00000020 .* best")
        self.assertEqual(self.succeed("checkpoint", "verify", self.run_dir), listing)
        self.assertEqual(self.succeed("checkpoint", "verify", self.run_dir, "--sizes"), listing)

    def generate(self, checkpoint, *words):
        return self.succeed("generate", checkpoint, "--prompt", "the ", "--tokens", "40", *words)

    def test_generate_is_a_function_of_checkpoint_and_seed(self):
        greedy = self.generate(self.run_dir, "--greedy")
        self.assertTrue(greedy.startswith("the "))
        self.assertEqual(self.generate(self.run_dir, "--greedy"), greedy)
        self.assertEqual(self.generate(self.run_dir, "--temperature", "0"), greedy)
        drawn = {seed: self.generate(self.run_dir, "--temperature", "1", "--seed", seed)
                 for seed in ("1", "2")}
        self.assertNotEqual(drawn["1"], drawn["2"])
        self.assertEqual(self.generate(self.run_dir, "--temperature", "1", "--seed", "1"),
                         drawn["1"])
        self.assertEqual(self.generate(self.run_dir, "--temperature", "1", "--top-k", "1"), greedy)

    def test_generate_takes_the_checkpoint_that_is_named(self):
        words = ("--temperature", "1")
        of = {step: self.generate(runs.checkpoint(self.run_dir, step), *words)
              for step in (20, 30, 33)}
        self.assertEqual(len(set(of.values())), 3)
        self.assertEqual(self.generate(self.run_dir, *words), of[33])
        self.assertEqual(self.generate(f"{self.run_dir}:30", *words), of[30])
        self.assertEqual(self.generate(f"{self.run_dir}:best", *words), of[20])

    def test_generate_writes_the_blanks_between_words(self):
        text = self.folder / "words.txt"
        text.write_text(runs.make_text(seed=5, documents=60))
        for kind in ("wordpiece", "unigram"):
            with self.subTest(kind):
                tokenizer, corpus = self.folder / f"{kind}.json", self.folder / f"{kind}.h5"
                self.succeed("tokenizer", "train", kind, tokenizer, text)
                self.succeed("corpus", "build", corpus, "--tokenizer", tokenizer, text)
                run = self.train(self.folder / kind, f"data.sources=[{{path: {corpus}}}]",
                                 "train.duration={steps: 1}")
                word = text.read_text().split()[0]
                written = self.succeed("generate", run, "--prompt", word, "--tokens", "30",
                                       "--temperature", "1").splitlines()[0]
                self.assertGreater(len(written.split(word, 1)[1].split()), 5, written)

    def test_generate_reads_the_prompt_from_stdin(self):
        piped = self.succeed("generate", self.run_dir, "--prompt", "-", "--greedy", "--tokens",
                             "40", input="the ")
        self.assertEqual(piped, self.generate(self.run_dir, "--greedy"))

    def test_tensorboard_shows_what_metrics_say(self):
        """Also over a resume, at which both are cut back."""
        run = self.train(self.folder / "curves", "train.duration={steps: 12}")
        self.train(run, "train.duration={steps: 25}", "optimizer.lr=5e-4")
        reader = runs.ROOT / "tests" / "parity" / "read_tensorboard.py"
        done = subprocess.run([sys.executable, reader, run / "tb"], capture_output=True, text=True,
                              timeout=runs.TIMEOUT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        shown = {}
        for line in done.stdout.splitlines():
            scalar = json.loads(line)
            self.assertIsNone(shown.get((scalar["tag"], scalar["step"])), line)
            shown[scalar["tag"], scalar["step"]] = scalar["value"]
        told = {}
        for line in runs.train_lines(run):
            for tag, key in (("loss_metrics/global_avg_loss", "loss"), ("grad_norm", "grad_norm"),
                             ("loss_metrics/global_max_loss", "loss_max"), ("lr", "lr")):
                told[tag, line["step"]] = line[key]
        for line in runs.eval_lines(run):
            told[f"eval/{line['set']}/loss", line["step"]] = line["loss"]
            told[f"eval/{line['set']}/bpb", line["step"]] = line["bpb"]
        self.assertEqual(len(told), 4 * 25 + 2 * 4)
        for key, value in told.items():
            self.assertAlmostEqual(shown[key], value, delta=1e-6 * abs(value), msg=str(key))

    def test_output_of_mpirun_into_a_file_has_no_carriage_return(self):
        done = subprocess.run(runs.words_of(2, self.config, f"run.dir={self.folder}/lines",
                                            "logging.console=auto", "train.duration={steps: 10}"),
                              env=runs.environment(), capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=runs.TIMEOUT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.replace(b"\r\n", b"\n")
        self.assertNotIn(b"\r", lines)
        self.assertNotIn(b"\x1b", lines)
        self.assertIn(b"step 10/10 100.0% | loss ", lines)


if __name__ == "__main__":
    unittest.main()
