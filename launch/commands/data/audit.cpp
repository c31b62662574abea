#include "launch/commands/data/audit.h"

#include <algorithm>

#include "launch/config/plan.h"
#include "launch/network.h"

namespace pretrain {

DataAudit open_audit(RunConfig config) {
  config.data.verify = "sizes";
  DataAudit audit;
  audit.inputs = open_inputs(config);
  // The objective decides how rows are cut; its weights are not needed for that.
  const auto objective =
      build_objective(config, *audit.inputs.tokenizer, at::kFloat, c10::Device(c10::kMeta));
  audit.shape = objective->row_shape();
  cut_rows(audit.inputs, config, *objective);
  audit.batches = batch_schedule(config, global_sequences(config));
  audit.plan =
      std::make_unique<SamplePlan>(sample_plan(config, audit.batches, audit.inputs.planned()));
  audit.config = std::move(config);
  return audit;
}

std::vector<DataAudit::Extract> DataAudit::extracts(const TokenPlace& place) {
  std::vector<Extract> found;
  const std::uint64_t end = place.first + place.tokens;
  for (std::uint64_t at = place.first; at < end;) {
    const std::uint64_t document = place.corpus->document_at(at);
    const std::uint64_t begin = place.corpus->document_begin(document);
    const std::uint64_t last = std::min(end, place.corpus->document_begin(document + 1));
    found.push_back({place.corpus, document, at - begin, last - begin});
    at = last;
  }
  return found;
}

std::map<std::pair<const Corpus*, std::uint64_t>, std::uint64_t> DataAudit::drawn_in_epoch(
    std::size_t source, std::uint64_t samples) const {
  std::map<std::pair<const Corpus*, std::uint64_t>, std::uint64_t> drawn;
  const Dataset& rows = *inputs.sources[source].rows;
  const SampleOrder& order = plan->order(source);
  for (std::uint64_t n = samples / order.rows() * order.rows(); n < samples; ++n) {
    bool opens = true;  // the tokens shared with the row before are no targets
    for (TokenPlace place : rows.places(order.row(n))) {
      if (opens || !rows.is_whole()) {
        const auto shared = std::min<std::uint64_t>(place.tokens, std::uint64_t(shape.overlap));
        place.first += shared;
        place.tokens -= shared;
      }
      opens = false;
      for (const Extract& extract : extracts(place)) {
        drawn[{extract.corpus, extract.document}] += extract.end - extract.begin;
      }
    }
  }
  return drawn;
}

}  // namespace pretrain
