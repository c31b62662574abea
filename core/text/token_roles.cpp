#include "core/text/token_roles.h"

#include <initializer_list>

#include "core/base/error.h"

namespace pretrain {

TokenRoles token_roles(const Tokenizer& tokenizer) {
  const auto first_of = [&](std::initializer_list<const char*> texts) -> std::int64_t {
    for (const char* text : texts) {
      if (const auto id = tokenizer.id_of(text)) return *id;
    }
    return -1;
  };
  TokenRoles roles;
  roles.eos = tokenizer.eos_id();
  roles.pad = first_of({"[PAD]", "<pad>"});
  roles.cls = first_of({"[CLS]", "<s>"});
  roles.sep = first_of({"[SEP]", "</s>"});
  roles.mask = first_of({"[MASK]", "<mask>"});
  roles.bos = first_of({"<s>", "<|startoftext|>"});
  roles.fim_prefix = first_of({"<|fim_prefix|>"});
  roles.fim_middle = first_of({"<|fim_middle|>"});
  roles.fim_suffix = first_of({"<|fim_suffix|>"});
  while (const auto id = tokenizer.id_of(concat("<extra_id_", roles.sentinels.size(), ">"))) {
    roles.sentinels.push_back(*id);
  }
  return roles;
}

}  // namespace pretrain
