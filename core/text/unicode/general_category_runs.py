#!/usr/bin/env python3
"""Writes general_category_runs.cpp beside itself. Needs: pip install unicodedata2==16.0.0"""
import itertools
import pathlib
import textwrap

import unicodedata2

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()
LINE = 90

runs = ""
for category, group in itertools.groupby(map(unicodedata2.category, map(chr, range(0x110000)))):
    length = len(list(group))
    runs += chr(ord("A") + CATEGORIES.index(category)) + (str(length) if length > 1 else "")
# A backslash stands for Cs; raw strings keep it.
lines = "\n".join(f'    R"({line})"' for line in textwrap.wrap(runs, LINE))
pathlib.Path(__file__).with_suffix(".cpp").write_text(f"""\
// Made by general_category_runs.py from the Unicode Character Database {unicodedata2.unidata_version}: never by hand.
#include "core/text/unicode/general_category_runs.h"

namespace pretrain {{

const char* const kGeneralCategoryRuns =
{lines};

}}  // namespace pretrain
""")
