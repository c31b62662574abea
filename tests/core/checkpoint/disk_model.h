#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pretrain::testing {

/// One recorded operation; owns its data.
struct RecordedOperation {
  std::string name;
  std::string path;  ///< relative to the observed folder
  std::string target;
  std::uint64_t offset = 0;
  std::string data;
};

/// A folder as it is in memory and on a disk that keeps only what was synced: data by fsync of the
/// file, names by fsync of the directory they stand in. Replays recorded operations and writes out
/// what a power cut may leave.
class DiskModel {
 public:
  /// What of the unsynced state the power cut happens to leave.
  struct Cut {
    bool top_names;    ///< changed names in the top folder
    bool inner_names;  ///< changed names in its sub-folders
    enum class Data { kLost, kZeroed, kWritten } data;
  };

  /// Starts from `folder`, taken as durable.
  explicit DiskModel(const std::string& folder);

  void replay(const RecordedOperation& operation);

  void write_out(const std::string& folder, const Cut& cut) const;

 private:
  struct Node;
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  struct Node {
    bool is_folder = false;
    std::string data;
    std::string durable_data;
    Names names;
    Names durable_names;
  };

  static std::shared_ptr<Node> load(const std::filesystem::path& path);
  std::pair<Node*, std::string> locate(const std::string& path) const;
  static void write_folder(const Node& node, const std::string& path, const Cut& cut,
                           bool new_names);

  std::shared_ptr<Node> top_;
};

}  // namespace pretrain::testing
