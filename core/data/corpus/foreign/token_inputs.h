#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pretrain {

/// Token files to read, by the split that their documents go to; each list in reading order.
using TokenInputs = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// What the inputs of `corpus import FORMAT` mean.
///   megatron       prefixes, `.bin` or `.idx` cut off, all to `split`
///   nanogpt, llmc  files in the given order, globs (* and ?) and their files in name order, all to
///                  `split`; or one folder, whose `.bin` files name their split in their words
///                  (`train.bin`, `val.bin`, `fineweb_train_000001.bin`): train, valid or val, test
/// Throws kUsage for another format, kBadData if nothing is found or a file of a folder names no
/// split.
TokenInputs token_inputs(const std::string& format, const std::vector<std::string>& inputs,
                         const std::string& split);

}  // namespace pretrain
