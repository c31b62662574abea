#include "tests/core/checkpoint/disk_model.h"

#include <algorithm>

#include "tests/testing/scratch_folder.h"

namespace pretrain::testing {

DiskModel::DiskModel(const std::string& folder) : top_(std::make_shared<Node>()) {
  top_->is_folder = true;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto node = load(entry.path());
    top_->names[entry.path().filename()] = node;
  }
  top_->durable_names = top_->names;
}

void DiskModel::replay(const RecordedOperation& operation) {
  const auto [folder, name] = locate(operation.path);
  if (operation.name == "mkdir" || operation.name == "create") {
    const auto node = std::make_shared<Node>();
    node->is_folder = operation.name == "mkdir";
    folder->names[name] = node;
  } else if (operation.name == "pwrite") {
    std::string& data = folder->names.at(name)->data;
    data.resize(std::max(data.size(), operation.offset + operation.data.size()));
    data.replace(operation.offset, operation.data.size(), operation.data);
  } else if (operation.name == "fallocate") {
    folder->names.at(name)->data.resize(operation.offset);
  } else if (operation.name == "fsync") {
    Node& node = operation.path.empty() ? *top_ : *folder->names.at(name);
    node.durable_data = node.data;
    node.durable_names = node.names;
  } else if (operation.name.starts_with("rename")) {
    const auto [to_folder, to_name] = locate(operation.target);
    to_folder->names[to_name] = folder->names.at(name);
    folder->names.erase(name);
  } else if (operation.name == "unlink" || operation.name == "rmdir") {
    folder->names.erase(name);
  }
}

void DiskModel::write_out(const std::string& folder, const Cut& cut) const {
  write_folder(*top_, folder, cut, cut.top_names);
}

std::shared_ptr<DiskModel::Node> DiskModel::load(const std::filesystem::path& path) {
  const auto node = std::make_shared<Node>();
  node->is_folder = std::filesystem::is_directory(path);
  if (node->is_folder) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      node->names[entry.path().filename()] = load(entry.path());
    }
    node->durable_names = node->names;
  } else {
    node->data = node->durable_data = read_file(path);
  }
  return node;
}

std::pair<DiskModel::Node*, std::string> DiskModel::locate(const std::string& path) const {
  const std::size_t slash = path.find('/');
  if (slash == std::string::npos) return {top_.get(), path};
  return {top_->names.at(path.substr(0, slash)).get(), path.substr(slash + 1)};
}

void DiskModel::write_folder(const Node& node, const std::string& path, const Cut& cut,
                             bool new_names) {
  std::filesystem::create_directories(path);
  for (const auto& [name, child] : new_names ? node.names : node.durable_names) {
    const std::string child_path = path + "/" + name;
    if (child->is_folder) {
      write_folder(*child, child_path, cut, cut.inner_names);
      continue;
    }
    std::string data = child->durable_data;
    if (cut.data == Cut::Data::kWritten) data = child->data;
    if (cut.data == Cut::Data::kZeroed) data.resize(child->data.size());
    write_file(child_path, data);
  }
}

}  // namespace pretrain::testing
