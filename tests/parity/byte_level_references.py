"""What the parity tests of byte-level BPE share: ids of ours, the reference libraries, patterns and texts."""

import itertools
import os
import pathlib
import random
import struct
import subprocess
import tempfile

import numpy as np
import tiktoken
from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers

ROOT = pathlib.Path(__file__).parents[2]
ENCODE = ROOT / os.environ.get("PRETRAIN_BUILD", "build") / "tests/encode_documents"
SHARED = os.environ.get("PRETRAIN_SHARED")
GPT2 = pathlib.Path(SHARED or ".") / "data/tokenizer/gpt2"
TEXTS = pathlib.Path(SHARED or ".") / "data/text"
SCALARS = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
CAPITAL, SMALL = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
PATTERNS = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + SPACES,
    "qwen2": CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + SPACES,
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$"
              r"|\s*[\r\n]|\s+(?!\S)|\s",
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?{CAPITAL}*{SMALL}+{CONTRACTIONS}?|[^\r\n\p{{L}}\p{{N}}]?{CAPITAL}+{SMALL}*{CONTRACTIONS}?"
             r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + SPACES,
    "tekken": rf"[^\r\n\p{{L}}\p{{N}}]?{CAPITAL}*{SMALL}+|[^\r\n\p{{L}}\p{{N}}]?{CAPITAL}+{SMALL}*"
              r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + SPACES,
}


def byte_of_symbol():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(others)}


BYTE_OF = byte_of_symbol()
SYMBOL_OF = {b: s for s, b in BYTE_OF.items()}


def to_bytes(token):
    return bytes(BYTE_OF[symbol] for symbol in token)


def make_tiktoken(vocabulary, pattern):
    ranks = {to_bytes(token): rank for token, rank in vocabulary.items() if token != "<|endoftext|>"}
    return tiktoken.Encoding("test", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


def make_tokenizers(model, pattern):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def flat(lists):
    """The lists one after the other, each with its length in front."""
    return np.fromiter(itertools.chain.from_iterable(itertools.chain((len(ids),), ids) for ids in lists), dtype=np.uint32)


def ours(tokenizer, documents):
    """The ids that a tokenizer file or folder gives for the documents (bytes), in the form of flat()."""
    with tempfile.TemporaryDirectory() as folder:
        texts, ids = pathlib.Path(folder) / "texts", pathlib.Path(folder) / "ids"
        texts.write_bytes(b"".join(struct.pack("<I", len(d)) + d for d in documents))
        subprocess.run([ENCODE, tokenizer, texts, ids, "1", "1"], check=True, capture_output=True)
        return np.fromfile(ids, dtype=np.uint32)


def tricky_texts(count, seed):
    """Random texts of the characters that patterns tell apart, of words, and of all planes."""
    choose = random.Random(seed)
    special = [" ", "  ", "\t", "\n", "\r\n", "\r", "'s", "'S", "'ll", "'Re", "'\u017f", "'", "a", "Bc", "XYZ", "\u01c5", "\u02b0",
               "\u0301", "\u00e9", "\u00c9", "\u4e2d", "\u3042", "\U00020000", "1", "22", "\u0663", "\u00bd", ".", "!?", "/", "_",
               "\u3002", "\U0001f600", "\u200d", "\u00a0", "\u3000", "\u0085", "\u2028", "\u180e", "\0", "the", "ing", "12345"]
    small = [c for c in SCALARS if ord(c) < 0x3000]
    for i in range(count):
        alphabet = (special, special, SCALARS, small)[i % 4]
        yield "".join(choose.choices(alphabet, k=choose.randrange(1, 25)))


def first_difference(documents, found, expected):
    """The first document with other ids, and both; None if all are equal. `found` in the form of flat()."""
    if np.array_equal(found, flat(expected)):
        return None
    at = 0
    for document, ids in zip(documents, expected):
        mine = found[at + 1:at + 1 + int(found[at])].tolist()
        if mine != list(ids):
            return document, mine, ids
        at += 1 + len(mine)
    return "the number of documents"
