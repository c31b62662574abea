#include "core/data/corpus/build/corpus_build.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr auto kCommitPause = std::chrono::seconds(10);

}  // namespace

CorpusBuild::CorpusBuild(const BuildPass& pass, const Tokenizer& tokenizer, BuildState& state,
                         DocumentSpool& spool, SeenDocuments* seen, SplitChooser& splits,
                         std::function<void()> commit)
    : pass_(pass),
      tokenizer_(tokenizer),
      state_(state),
      spool_(spool),
      seen_(seen),
      splits_(splits),
      commit_(std::move(commit)),
      committed_bytes_(state.file_bytes) {
  for (std::uint64_t document = 0; document < state.added; ++document) splits.add(document);
}

void CorpusBuild::run(const ProgressFunction& progress) {
  DocumentBatchReader reader(pass_.inputs, pass_.validation, pass_.format, state_.next,
                             state_.file_bytes);
  BatchPool pool(pass_.jobs, [this](BuildBatch& batch) { work(batch); });
  const std::size_t most = 2 * pass_.jobs + 2;
  std::vector<std::unique_ptr<BuildBatch>> spare;
  bool ended = false;
  std::exception_ptr reader_error;
  while (true) {
    while (!ended && pool.size() < most && pool.bytes() < most * DocumentBatchReader::kBatchBytes) {
      std::unique_ptr<BuildBatch> batch;
      if (spare.empty()) {
        batch = std::make_unique<BuildBatch>();
      } else {
        batch = std::move(spare.back());
        spare.pop_back();
      }
      try {
        ended = !reader.read(*batch);
      } catch (const Error&) {
        // The documents before it come first: one of them may be bad as well.
        reader_error = std::current_exception();
        ended = true;
      }
      if (!ended) pool.put(std::move(batch));
    }
    if (pool.size() == 0) break;
    std::unique_ptr<BuildBatch> batch = pool.take();
    store(*batch);
    commit_if_due();
    if (progress) {
      progress({"reading", state_.file_bytes, pass_.input_bytes, nullptr, state_.documents});
    }
    if (batch->data.capacity() > 2 * DocumentBatchReader::kBatchBytes) continue;
    batch->clear();
    spare.push_back(std::move(batch));
  }
  if (reader_error) std::rethrow_exception(reader_error);
}

void CorpusBuild::work(BuildBatch& batch) const {
  std::string text;
  std::size_t begin = 0;
  for (const BuildBatch::Record& record : batch.records) {
    const auto bytes = std::string_view(batch.data).substr(begin, record.end - begin);
    begin = record.end;
    if (!batch.parser->parse(bytes, record.place, text, batch.invalid)) continue;
    BuiltDocument& document = batch.documents.emplace_back();
    document.place = record.place;
    document.text_bytes = text.size();
    document.dropped = text.empty() ? kDroppedEmpty : quality_fault(text, pass_.quality);
    if (document.dropped != nullptr) continue;
    if (pass_.duplicates.any()) document.content = content_hash(text);
    if (pass_.duplicates.near > 0) append_signature(text, batch.signatures);
    const std::size_t before = batch.ids.size();
    try {
      tokenizer_.encode(text, batch.ids);
    } catch (const Error& error) {
      fail(error.code(), batch.parser->place_text(record.place), ": ", error.what());
    }
    document.tokens = batch.ids.size() - before;
  }
}

void CorpusBuild::store(const BuildBatch& batch) {
  std::span<const std::uint32_t> ids = batch.ids;
  std::span<const std::uint16_t> signatures = batch.signatures;
  for (const BuiltDocument& document : batch.documents) {
    const std::uint64_t number = state_.documents++;
    const auto own = ids.first(document.tokens);
    ids = ids.subspan(document.tokens);
    const char* dropped = document.dropped;
    if (dropped == nullptr && seen_ != nullptr) {
      const auto signature = signatures.first(std::min(kSignature, signatures.size()));
      signatures = signatures.subspan(signature.size());
      dropped = seen_->add(document.content, signature);
    }
    if (dropped != nullptr) {
      state_.report.add(dropped, number, document.text_bytes,
                        [&] { return batch.parser->place_text(document.place); });
      continue;
    }
    spool_.append(own);
    spool_.end_document(document.text_bytes);
    if (batch.validation) continue;
    splits_.add(state_.added);
    ++state_.added;
  }
  state_.report.invalid += batch.invalid;
  state_.next = batch.end;
  state_.file_bytes = batch.file_bytes;
}

void CorpusBuild::commit_if_due() {
  const auto now = std::chrono::steady_clock::now();
  const std::uint64_t bytes = state_.file_bytes - committed_bytes_;
  if (!commit_ || (bytes < pass_.part_bytes && now - committed_at_ < kCommitPause)) return;
  commit_();
  committed_bytes_ = state_.file_bytes;
  committed_at_ = now;
}

}  // namespace pretrain
