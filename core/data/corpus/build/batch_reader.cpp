#include "core/data/corpus/build/batch_reader.h"

#include <utility>

namespace pretrain {

DocumentBatchReader::DocumentBatchReader(std::vector<std::string> inputs, std::size_t validation,
                                         const TextFormat& format, const InputPosition& begin,
                                         std::uint64_t file_bytes)
    : inputs_(std::move(inputs)),
      validation_(validation),
      format_(format),
      position_(begin),
      before_(file_bytes) {}

bool DocumentBatchReader::read(BuildBatch& batch) {
  while (position_.input < inputs_.size()) {
    if (!open_) {
      open_ = open_records(inputs_[position_.input], format_, position_.place);
      // A seek counts as read.
      if (position_.place.offset > 0) before_ -= std::min(before_, open_->reader->file_bytes());
    }
    batch.parser = open_->parser;
    batch.input = position_.input;
    batch.validation = position_.input >= validation_;
    RecordPlace place;
    bool ended = false;
    while (batch.data.size() < kBatchBytes && batch.records.size() < kBatchRecords && !ended) {
      ended = !open_->reader->next(batch.data, place);
      if (!ended) batch.records.push_back({place, batch.data.size()});
    }
    position_.place = open_->reader->position();
    batch.file_bytes = before_ + open_->reader->file_bytes();
    if (ended) {
      before_ = batch.file_bytes;
      open_.reset();
      position_ = {position_.input + 1, {}};
    }
    batch.end = position_;
    if (!batch.records.empty()) return true;
  }
  return false;
}

}  // namespace pretrain
