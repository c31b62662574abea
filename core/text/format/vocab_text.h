#pragma once

#include <string>
#include <string_view>

namespace pretrain {

/// The tokenizer.json text of a BERT WordPiece vocabulary: `vocab` is the text of a vocab.txt, one
/// token a line in the order of the ids; `lowercase`: uncased (lower case, accents removed). Blanks
/// at the edges of a line do not belong to its token. `[UNK]`, `[PAD]`, `[CLS]`, `[SEP]` and
/// `[MASK]` are its special tokens, where they are in it. Throws kBadData naming `place` and the
/// line that is empty, given before, or no UTF-8; or if `[UNK]` is missing.
std::string vocab_text_tokenizer_json(std::string_view vocab, bool lowercase,
                                      const std::string& place);

/// What `do_lower_case` of a tokenizer_config.json says; true if it says nothing, as BERT's own
/// reader takes it. Throws kBadData naming `place` if it is broken.
bool config_lower_case(std::string_view config, const std::string& place);

}  // namespace pretrain
