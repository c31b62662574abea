#!/usr/bin/env python3
"""Writes grapheme_runs.cpp beside itself: what Unicode 17 says of grapheme clusters.

Needs: pip install regex unicodedata2==17.0.0. Code points that `regex` knows and Unicode 17 does not
count as unassigned."""
import itertools
import pathlib
import textwrap

import regex
import unicodedata2

VERSION = "17.0.0"
# In the order of GraphemeClass.
CLASSES = [
    r"\p{GCB=CR}", r"\p{GCB=LF}", r"\p{GCB=Control}", r"[\p{GCB=Extend}&&\p{InCB=Linker}]",
    r"[\p{GCB=Extend}&&\p{InCB=Extend}]", r"\p{GCB=Extend}", r"\p{GCB=ZWJ}",
    r"\p{GCB=Regional_Indicator}", r"\p{GCB=Prepend}", r"\p{GCB=SpacingMark}", r"\p{GCB=L}",
    r"\p{GCB=V}", r"\p{GCB=T}", r"[\p{GCB=LV}\p{GCB=LVT}]", r"\p{ExtPict}", r"\p{InCB=Consonant}"]
PATTERNS = [regex.compile(pattern, regex.V1) for pattern in CLASSES]
UNASSIGNED = regex.compile(r"\p{Cn}", regex.V1)
LINE = 90

assert unicodedata2.unidata_version == VERSION


def class_letter(code_point):
    text = chr(code_point)
    is_new = unicodedata2.category(text) == "Cn" and not UNASSIGNED.match(text)
    found = [] if is_new else [i for i, pattern in enumerate(PATTERNS) if pattern.match(text)]
    return chr(ord("A") + (found[0] + 1 if found else 0))


runs = ""
for letter, group in itertools.groupby(map(class_letter, range(0x110000))):
    length = len(list(group))
    runs += letter + (str(length) if length > 1 else "")
lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(runs, LINE))
pathlib.Path(__file__).with_suffix(".cpp").write_text(f"""\
// Made by grapheme_runs.py from the Unicode Character Database {VERSION}: never by hand.
#include "core/text/unicode/grapheme_runs.h"

namespace pretrain {{

const char* const kGraphemeRuns =
{lines};

}}  // namespace pretrain
""")
