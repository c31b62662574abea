#include "core/text/token_roles.h"

#include <initializer_list>

#include "core/base/error.h"

namespace pretrain {
namespace {

using IdOf = std::function<std::optional<std::uint32_t>(std::string_view)>;

std::int64_t first_of(const IdOf& id_of, std::initializer_list<const char*> texts) {
  for (const char* text : texts) {
    if (const auto id = id_of(text)) return *id;
  }
  return -1;
}

}  // namespace

TokenRoles token_roles(const Tokenizer& tokenizer) {
  const IdOf id_of = [&](std::string_view text) { return tokenizer.id_of(text); };
  TokenRoles roles;
  roles.eos = tokenizer.eos_id();
  roles.unk = tokenizer.unk_id();
  roles.pad = first_of(id_of, {"[PAD]", "<pad>", "<|pad|>", "<|finetune_right_pad_id|>"});
  roles.cls = first_of(id_of, {"[CLS]", "<cls>", "<s>"});
  roles.sep = first_of(id_of, {"[SEP]", "<sep>", "</s>"});
  roles.mask = first_of(id_of, {"[MASK]", "<mask>"});
  roles.bos = first_of(id_of, {"<s>", "<bos>", "[BOS]", "<|begin_of_text|>", "<|startoftext|>"});
  roles.fim_prefix = first_of(id_of, {"<|fim_prefix|>", "<fim_prefix>"});
  roles.fim_middle = first_of(id_of, {"<|fim_middle|>", "<fim_middle>"});
  roles.fim_suffix = first_of(id_of, {"<|fim_suffix|>", "<fim_suffix>"});
  while (const auto id = tokenizer.id_of(concat("<extra_id_", roles.sentinels.size(), ">"))) {
    roles.sentinels.push_back(*id);
  }
  return roles;
}

std::int64_t usual_eos(const IdOf& id_of) {
  return first_of(id_of, {kEndOfText, "<|end_of_text|>", "</s>", "<eos>", "[EOS]", "[SEP]"});
}

}  // namespace pretrain
