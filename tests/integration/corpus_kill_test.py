"""`pretrain corpus build` that is killed, and started again with the same command, ends with the bytes of an unbroken one."""

import json
import pathlib
import random
import tempfile
import time
import unittest

import runs

KILLS = 20
INPUTS = 24
SEED = 20


class CorpusKillTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="pretrain-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.texts = cls.folder / "texts"
        cls.texts.mkdir()
        for i in range(INPUTS):  # neighbours share documents, for --dedup
            text = runs.make_text(seed=i, documents=150) + runs.make_text(seed=i + 1, documents=30)
            (cls.texts / f"{i:02}.txt").write_text(text)
        cls.whole = cls.make("whole")

    @classmethod
    def words(cls, folder, *more, part_bytes="1"):
        """Every input ends a part, which is then made durable."""
        return ["corpus", "build", folder / "c.h5", cls.texts, "--tokenizer", "byte", "--dedup",
                "--valid-fraction", "0.1", "--part-bytes", part_bytes, *more]

    @classmethod
    def make(cls, name, *more, **parts):
        folder = cls.folder / name
        folder.mkdir()
        done = runs.run_program(*cls.words(folder, *more, **parts))
        if done.returncode != 0:
            raise AssertionError(f"no corpus: {done.stderr}")
        return folder

    def start(self, folder):
        job = runs.Job(runs.words_of(1, *self.words(folder)))
        self.addCleanup(job.end)
        return job

    def documents_done(self, folder):
        """Of the stopped build there; nothing if none is durable yet."""
        try:
            return json.loads((folder / "c.h5.build" / "journal.json").read_text())["documents"]
        except FileNotFoundError:
            return None

    def let_work(self, job, folder, parts, seconds):
        """Returns when the build has made so many parts durable and gone on for a moment, or has ended."""
        def stamp():
            try:
                return (folder / "c.h5.build" / "journal.json").stat().st_mtime_ns
            except FileNotFoundError:
                return None

        last = stamp()
        while parts > 0 and job.lives():
            if (now := stamp()) != last:
                last, parts = now, parts - 1
            time.sleep(0.0005)
        time.sleep(seconds)

    def test_kills_leave_no_trace(self):
        whole = runs.digests(self.whole)
        draw = random.Random(SEED)
        folder = self.folder / "killed"
        folder.mkdir()
        kills = in_the_middle = finished = before = 0
        while kills < KILLS or finished == 0:
            job = self.start(folder)
            if kills < KILLS:
                self.let_work(job, folder, parts=draw.randrange(4), seconds=draw.uniform(0, 0.02))
            if kills < KILLS and job.lives():
                job.end()
                kills += 1
                done = self.documents_done(folder)
                if done is not None:
                    in_the_middle += 1
                    self.assertGreaterEqual(done, before, f"kill {kills}: it began anew")
                    before = done
                if done is not None or not (folder / "c.h5").exists():
                    continue
                # All was done but the end of the process: what that left behind goes at the next try.
                again = runs.run_program(*self.words(folder))
                self.assertEqual(again.returncode, 73, again.stderr)
            else:
                code, text = job.wait()
                self.assertEqual(code, 0, text)
            self.assertEqual(runs.digests(folder), whole, f"after {kills} kills")
            finished += 1
            before = 0
            for path in folder.iterdir():  # the rest of the kills meet a new build
                path.unlink()
        self.assertGreaterEqual(in_the_middle, KILLS // 2)
        print(f"\n  {kills} kills, {in_the_middle} with a part on disk; {finished} finished with the bytes "
              "of the unbroken one", flush=True)

    def test_what_exists_stays(self):
        before = runs.digests(self.whole)
        done = runs.run_program(*self.words(self.whole))
        self.assertEqual(done.returncode, 73, done.stderr)
        self.assertIn(str(self.whole / "c.h5"), done.stderr)
        self.assertIn("--force", done.stderr)
        self.assertEqual(runs.digests(self.whole), before)

    def refuse(self, code, message, *words):
        done = runs.run_program(*words)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertIn(message, done.stderr)

    def test_what_changed_since_is_named(self):
        folder = self.folder / "changed"
        folder.mkdir()
        good, bad, more = (folder / name for name in ("a.txt", "b.txt", "c.txt"))
        good.write_text(runs.make_text(seed=1, documents=50))
        bad.write_bytes(b"one\n\ntwo \xff\n")  # ends the build behind its first part
        more.write_text("three\n")
        corpus = folder / "c.h5"
        begin = ["corpus", "build", corpus, good, bad, "--part-bytes", "1"]
        words = [*begin, "--tokenizer", "byte"]
        self.refuse(65, "the same command goes on there, --restart begins anew", *words)
        done = self.documents_done(folder)
        self.assertGreater(done, 0)
        for option, said in (
                (["--no-eos"], "end of documents was --eos, is --no-eos"),
                (["--special", "[PAD]"], "--tokenizer was byte (sha256 "),
                (["--format", "jsonl"], "--format was auto, is jsonl"),
                (["--doc-sep", "line"], "--doc-sep was blank, is line"),
                (["--field", "body"], "--field was text, is body"),
                (["--invalid", "skip"], "--invalid was error, is skip"),
                (["--valid-fraction", "0.1"], "--valid-fraction was 0.01, is 0.1"),
                (["--valid", more], "--valid was not given, is 1 file"),
                (["--quality", "c4,gopher"], "--quality was not given, is gopher,c4"),
                (["--min-chars", "9"], "--min-chars was not given, is 9"),
                (["--max-chars", "9"], "--max-chars was not given, is 9"),
                (["--dedup"], "--dedup was not given, is given"),
                (["--near-duplicates", "0.8"], "--near-duplicates was not given, is 0.8"),
                (["--shard-tokens", "1k"], "--shard-tokens was not given, is 1000")):
            self.refuse(2, f"{corpus}.build: holds an unfinished build with other options: {said}",
                        *words, *option)
        self.refuse(65, "of 2 input files, now there are 3", *words, more)
        self.refuse(65, f"was {bad}, is {more}", "corpus", "build", corpus, good, more,
                    "--tokenizer", "byte")
        kept = good.read_text()
        good.write_text(kept + "more\n")
        self.refuse(65, f"{good} had {len(kept)} bytes, has {len(kept) + 5}", *words)
        good.write_text(kept[:-5] + "else\n")
        self.refuse(65, f"{good} has other bytes", *words)
        self.assertEqual(self.documents_done(folder), done)
        bad.write_text("one\n\ntwo\n")
        built = runs.run_program(*words, "--restart")
        self.assertEqual(built.returncode, 0, built.stderr)


if __name__ == "__main__":
    unittest.main()
