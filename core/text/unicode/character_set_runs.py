#!/usr/bin/env python3
"""Writes character_set_runs.cpp beside itself: sets of code points that tokenizers treats by older
versions of Unicode than the rest, found by asking the library about every code point.

Needs: pip install tokenizers==0.23.3 unicodedata2==17.0.0"""
import itertools
import pathlib
import textwrap

import tokenizers
import unicodedata2
from tokenizers import normalizers

LINE = 90
nfd = normalizers.NFD().normalize_str
nfkd = normalizers.NFKD().normalize_str


def bert(**parts):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**(off | parts)).normalize_str


strip_accents = normalizers.StripAccents().normalize_str
bert_accents = bert(strip_accents=True)
bert_clean = bert(clean_text=True)


def is_inert(text):
    """Unicode 17 decomposes or reorders it, the library does neither."""
    if unicodedata2.decomposition(text) and nfkd(text) == text:
        return True
    late = "a\u0345"  # U+0345 has the highest combining class, so every mark moves before it
    return unicodedata2.combining(text) not in (0, 240) and nfd(late + text) == late + nfd(text)


# Bit k of a code point's letter is the k-th, in the order of CharacterSet.
SETS = [
    is_inert,
    lambda text: strip_accents(text) == "",
    lambda text: bert_accents(text) == "",
    lambda text: bert_clean(text) == "",
]


def letter(code_point):
    if 0xD800 <= code_point <= 0xDFFF:
        return "A"
    return chr(ord("A") + sum(contains(chr(code_point)) << k for k, contains in enumerate(SETS)))


runs = ""
for name, group in itertools.groupby(map(letter, range(0x110000))):
    length = len(list(group))
    runs += name + (str(length) if length > 1 else "")
lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(runs, LINE))
pathlib.Path(__file__).with_suffix(".cpp").write_text(f"""\
// Made by character_set_runs.py from what tokenizers {tokenizers.__version__} does: never by hand.
#include "core/text/unicode/character_set_runs.h"

namespace pretrain {{

const char* const kCharacterSetRuns =
{lines};

}}  // namespace pretrain
""")
