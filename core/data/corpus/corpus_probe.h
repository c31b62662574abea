#pragma once

#include <string>

#include "core/data/corpus/corpus_format.h"

namespace pretrain {

/// What HDF5 says of the corpus file `path`, asked in a forked child with limited time and memory:
/// the library crashes on some damaged files, so this process never lets it parse one. In the child
/// plug-ins are off, no second file can be opened, only hard links are followed, and data that are
/// external, virtual, chunked, filtered or of another type are refused.
///
/// Attributes that can be counted (max_id, documents, tokens, bytes, dtype, created_by,
/// tokenizer_sha256) may be missing in a file that another program wrote; they are then 0 or
/// empty. Integer and text attributes of any width are read. The result is NOT checked by
/// check_table. Throws kBadData naming the file and what is wrong with it.
///
/// Not while other threads use HDF5.
CorpusTable probe_corpus(const std::string& path);

}  // namespace pretrain
