#pragma once

#include <cstdint>

#include "core/text/tokenizer.h"

namespace pretrain {

/// Id of the token of the bos role (token_roles.h) that the tokenizer's post-processor puts before
/// a single text; -1: it puts none there. encode adds no special token, so who wants it adds it.
std::int64_t opening_token(const Tokenizer& tokenizer);

}  // namespace pretrain
