#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/files/directory.h"
#include "core/data/corpus/build/build_batch.h"
#include "core/data/corpus/build/document_spool.h"
#include "core/data/corpus/build_identity.h"
#include "core/data/corpus/filter/drop_report.h"

namespace pretrain {

/// How far a build is: all that it needs to go on.
struct BuildState {
  InputPosition next;            ///< the first record not yet in the spool
  std::uint64_t file_bytes = 0;  ///< of the inputs read so far
  std::uint64_t documents = 0;   ///< read, dropped ones included
  std::uint64_t added = 0;       ///< stored from the inputs that are not for validation
  SpoolState spool;
  DropReport report;
  bool publishing = false;  ///< all is on disk, outputs may have got their names already
};

/// journal.json in the folder of a build, replaced whole at every commit.
class BuildJournal {
 public:
  static constexpr const char* kName = "journal.json";
  /// There is a journal in the folder `path`.
  static bool exists(const std::string& path);
  explicit BuildJournal(const Directory& folder) : folder_(folder) {}
  /// The state of an earlier build of the same; nothing if none got as far as a commit. Throws
  /// kUsage naming the option, kBadData naming the input that has changed since, or for a damaged
  /// journal.
  std::optional<BuildState> read(const BuildIdentity& identity) const;
  /// Durable on return.
  void write(const BuildIdentity& identity, const BuildState& state) const;

 private:
  const Directory& folder_;
};

}  // namespace pretrain
