#pragma once

#include <string>

#include "core/text/format/tokenizer_document.h"
#include "core/text/training/word_counts.h"

namespace pretrain {

/// Cuts documents into the words that a tokenizer with these parts would give to its model: the
/// same normalizer and pre-tokenizer, but that a byte-level one leaves bytes. Throws kBadData for
/// parts that are not supported.
WordSplitter make_word_splitter(const DocumentParts& parts);

}  // namespace pretrain
