#pragma once

#include <string_view>

namespace pretrain {

// Which environment variables may end in files of a run. A config file may read any but secrets,
// as `${env:NAME}`; its values stand in config.resolved.yaml. env.json takes the listed ones
// without being asked.

/// True if the name speaks of a secret: SECRET, PASSWORD, PASSWD, CREDENTIAL or JWT anywhere in it,
/// TOKEN or KEY at the end of one of its words (HF_TOKEN, API_KEY_2; not TOKENIZER).
bool is_secret_variable(std::string_view name);
/// HOME, USER, TMPDIR, SCRATCH, SLURM_*, PRETRAIN_* but for secrets.
bool is_listed_variable(std::string_view name);

}  // namespace pretrain
