#include "core/data/corpus/build/seen_documents.h"

#include <vector>

namespace pretrain {

SeenDocuments::SeenDocuments(const DuplicateRules& rules, const Directory& folder,
                             const std::optional<SpoolState::File>& before)
    : rules_(rules),
      index_(rules),
      file_(before ? GrowingFile::take_over(folder, kFile, before->bytes, before->digest)
                   : GrowingFile::create(folder, kFile)) {
  read_back();
}

void SeenDocuments::read_back() {
  ContentHash content;
  std::vector<std::uint16_t> signature(rules_.near > 0 ? kSignature : 0);
  const auto hash_bytes = std::as_writable_bytes(std::span(content));
  const auto signature_bytes = std::as_writable_bytes(std::span(signature));
  for (std::uint64_t at = 0; at < file_.bytes();) {
    file_.read_back(at, hash_bytes);
    file_.read_back(at + hash_bytes.size(), signature_bytes);
    at += hash_bytes.size() + signature_bytes.size();
    index_.add(content, signature);
  }
}

const char* SeenDocuments::add(const ContentHash& content,
                               std::span<const std::uint16_t> signature) {
  const char* reason = index_.add(content, signature);
  if (reason == nullptr) {
    file_.push<std::uint64_t>(std::span<const std::uint64_t>(content));
    file_.push<std::uint16_t>(signature);
  }
  return reason;
}

SpoolState::File SeenDocuments::commit() {
  file_.sync();
  return {file_.bytes(), file_.digest()};
}

}  // namespace pretrain
