#include "core/data/corpus/text_reader.h"

#include "core/data/corpus/input/record.h"

namespace pretrain {
namespace {

class RecordDocuments : public DocumentReader {
 public:
  explicit RecordDocuments(RecordInput input) : input_(std::move(input)) {}

  bool next(std::string& text) override {
    RecordPlace place;
    while (true) {
      record_.clear();
      if (!input_.reader->next(record_, place)) return false;
      if (input_.parser->parse(record_, place, text, invalid_)) return true;
    }
  }
  std::uint64_t bytes_read() const override { return input_.reader->file_bytes(); }
  const InvalidCounts& invalid() const override { return invalid_; }

 private:
  RecordInput input_;
  std::string record_;
  InvalidCounts invalid_;
};

}  // namespace

InvalidCounts& InvalidCounts::operator+=(const InvalidCounts& other) {
  replaced_parts += other.replaced_parts;
  replaced_documents += other.replaced_documents;
  skipped_text += other.skipped_text;
  skipped_records += other.skipped_records;
  return *this;
}

std::unique_ptr<DocumentReader> open_documents(const std::string& input, const TextFormat& format) {
  return std::make_unique<RecordDocuments>(open_records(input, format));
}

}  // namespace pretrain
