#pragma once

#include <string>
#include <vector>

namespace pretrain {

/// The files that a path of a source means: the file itself; the corpora (*.h5) of a folder; or the
/// files that match a glob (* ? [a-z]) where no file has that very name. In byte order of their
/// names, so that the order does not depend on machine or locale. Throws kBadData if a folder or a
/// glob has none.
std::vector<std::string> shard_paths(const std::string& path);

}  // namespace pretrain
