// Span corruption, T5 (Raffel et al. 2019), and the other denoising objectives its study compares:
// the input loses tokens, the target gives them back. A decoder reads the input as a prefix.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/objective.h"
#include "objectives/corruption/rows.h"
#include "objectives/corruption/spans.h"
#include "objectives/source_target.h"

namespace pretrain {
namespace {

struct SpanCorruptionOptions {
  double noise_density = 0.15;
  double mean_span = 3;
  std::int64_t sentinels = 100;
  std::string variant = "spans";
  TokenLossOptions loss;
  void visit(OptionVisitor& visitor) {
    visitor.option(
        "noise_density", noise_density,
        {.meaning = "tokens that the input loses", .min = 0, .max = 0.95, .identity = true});
    visitor.option("mean_span", mean_span,
                   {.meaning = "of consecutive ones",
                    .unit = "tokens",
                    .min = 1,
                    .max = 1e4,
                    .identity = true});
    visitor.option(
        "sentinels", sentinels,
        {.meaning = "sentinel tokens that may be used", .min = 1, .max = 1e6, .identity = true});
    visitor.option(
        "variant", variant,
        {.meaning =
             "spans: a sentinel a span; iid: single tokens; deshuffle: put the shuffled text "
             "in order; infilling: spans of any length incl. 0, the target is the whole text",
         .choices = {"spans", "iid", "deshuffle", "infilling"},
         .identity = true});
    loss.visit(visitor);
  }
};

class SpanCorruption : public Objective {
 public:
  using Options = SpanCorruptionOptions;

  SpanCorruption(const Options& options, const ObjectiveContext& context)
      : options_(options),
        seed_(context.seed),
        length_(context.sequence_length),
        eos_(context.special.sep >= 0 ? context.special.sep : context.special.eos),
        bos_(context.special.bos),
        corpus_eos_(context.special.eos),
        document_end_(context.document_mask ? corpus_eos_ : -1),
        sentinels_(context.special.sentinels),
        pairs_(context, "span_corruption"),
        model_(register_module("model", context.model)) {
    const auto most = static_cast<std::size_t>(options.sentinels);
    if (sentinels_.size() > most) sentinels_.resize(most);
    const bool encoder_decoder = pairs_.is_encoder_decoder();
    if (encoder_decoder && options.variant == "spans") {
      text_ = text_length(length_, options.noise_density, options.mean_span);
    } else {
      // In a decoder input and target share the row.
      text_ = encoder_decoder ? length_ : whole() ? length_ / 2 : length_ * 3 / 4;
    }
    while (text_ > 2 && !text_fits()) --text_;
    if (text_ < 2 || !text_fits()) {
      fail(ExitCode::kBadConfig, "data.sequence_length ", length_,
           ": span_corruption needs rows of at least 8 tokens");
    }
    require_sentinels(needed_sentinels());
  }

  const std::vector<LossTerm>& terms() const override {
    static const std::vector<LossTerm> terms{{"lm", 1.0}};
    return terms;
  }

  RowShape row_shape() const override { return {text_, 0, 0, true}; }

  Batch prepare(const TokenBatch& tokens) const override {
    std::vector<SourceTarget> pairs;
    const std::int64_t end = tokens.pieces.empty() ? document_end_ : corpus_eos_;
    for (const Row& row : rows_of(tokens)) {
      for (auto text : documents_of(row.tokens, document_end_)) {
        const std::uint64_t key =
            sequence_key(row.sample_id, row.start + (text.data() - row.tokens.data()));
        // Input and target close with an eos of their own.
        if (text.back() == end) text = text.first(text.size() - 1);
        if (text.size() < 2) continue;  // nothing could be kept
        RandomStream random(seed_, RandomPurpose::kObjective, key);
        SourceTarget& pair = pairs.emplace_back();
        pair.key = key;
        if (bos_ >= 0) pair.source.push_back(bos_);
        corrupt(text, random, pair.source, pair.target);
        if (eos_ < 0) continue;
        pair.source.push_back(eos_);
        pair.target.push_back(eos_);
      }
    }
    Batch batch = pairs_.batch(pairs);
    batch.sample_ids = tokens.sample_ids;
    return batch;
  }

  std::vector<at::Tensor> loss(const Batch& batch) override {
    return {pairs_.loss(batch, options_.loss)};
  }

  double flops_per_token(std::int64_t length) const override {
    const auto [source, target] = mean_lengths();
    return pairs_.flops(source, target) / positions_per_row(length);
  }
  double positions_per_row(std::int64_t /*length*/) const override {
    const auto [source, target] = mean_lengths();
    return static_cast<double>(pairs_.is_encoder_decoder() ? source + target : source + target - 1);
  }

  bool is_likelihood() const override { return false; }
  Model& model() override { return *model_; }

 private:
  // Does the target give the whole text back?
  bool whole() const { return options_.variant == "deshuffle" || options_.variant == "infilling"; }

  // Of input and target of a row with as many spans as are drawn in the mean.
  std::pair<std::int64_t, std::int64_t> mean_lengths() const {
    const SpanCounts counts = span_counts(text_, options_.noise_density, mean_span());
    const std::int64_t bos = bos_ >= 0 ? 1 : 0, eos = eos_ >= 0 ? 1 : 0;
    const bool keeps_all = options_.variant == "deshuffle";
    return {bos + (keeps_all ? text_ : counts.input_length(text_)) + eos,
            (whole() ? text_ : counts.target_length()) + eos};
  }

  // Single tokens join where they happen to be neighbours.
  double mean_span() const {
    return options_.variant == "iid" ? 1 / (1 - options_.noise_density) : options_.mean_span;
  }

  // Do an input and a target, to which bos and eos are added, fill at most sequence_length
  // positions?
  bool fits(std::int64_t input, std::int64_t target) const {
    const std::int64_t eos = eos_ >= 0 ? 1 : 0;
    if (pairs_.is_encoder_decoder()) return std::max(input, target) + eos <= length_;
    return (bos_ >= 0 ? 1 : 0) + input + target + 2 * eos - 1 <= length_;
  }

  // Do texts of text_ tokens? Single tokens count up to 3 standard deviations above their mean.
  bool text_fits() const {
    if (whole()) return fits(text_, text_);
    if (options_.variant == "spans") {
      const auto counts = span_counts(text_, options_.noise_density, options_.mean_span);
      return fits(counts.input_length(text_), counts.target_length());
    }
    const double kept = 1 - options_.noise_density;
    const double mean = options_.noise_density * static_cast<double>(text_);
    const auto most = [&](double of) {
      return std::max<std::int64_t>(1, std::llround(std::ceil(of + 3 * std::sqrt(mean * kept))));
    };
    const auto spans = std::min(
        {most(mean * kept), (text_ + 1) / 2, std::max<std::int64_t>(1, std::ssize(sentinels_))});
    return pairs_.is_encoder_decoder() ? fits(text_, std::min(text_, most(mean)) + spans)
                                       : fits(text_ + spans, spans);
  }

  // Leaves out spans until the row fits: insertions of infilling, else the last ones.
  void shorten(std::vector<Span1d>& spans, std::int64_t length) const {
    const auto too_long = [&] {
      std::int64_t noise = 0;
      for (const Span1d& span : spans) noise += span.end - span.begin;
      const std::int64_t count = std::ssize(spans);
      return !fits(length - noise + count, whole() ? length : noise + count);
    };
    while (spans.size() > 1 && too_long()) {
      const auto insertion = std::find_if(
          spans.begin(), spans.end(), [](const Span1d& span) { return span.begin == span.end; });
      spans.erase(insertion == spans.end() ? spans.end() - 1 : insertion);
    }
  }

  std::int64_t needed_sentinels() const {
    if (options_.variant == "deshuffle") return 0;
    if (options_.variant == "infilling") return 1;
    if (options_.variant == "iid") {  // their number is drawn: the mean and three deviations
      const double starts = options_.noise_density * (1 - options_.noise_density);
      const double mean = static_cast<double>(text_) * starts;
      return std::min<std::int64_t>(text_ / 2, std::llround(mean + 3 * std::sqrt(mean)));
    }
    return span_counts(text_, options_.noise_density, options_.mean_span).spans;
  }

  void require_sentinels(std::int64_t needed) const {
    if (std::ssize(sentinels_) >= needed) return;
    fail(ExitCode::kBadConfig, "objective.name span_corruption: rows of ", text_, " tokens need ",
         needed, " sentinels (<extra_id_0>, ...), the tokenizer has ", sentinels_.size(),
         ". Add --special t5, to pretrain tokenizer train or, with byte and char, to pretrain "
         "corpus build; or shorten data.sequence_length");
  }

  void corrupt(std::span<const std::int64_t> text, RandomStream& random,
               std::vector<std::int64_t>& input, std::vector<std::int64_t>& target) const {
    const auto length = static_cast<std::int64_t>(text.size());
    const auto append = [](std::vector<std::int64_t>& to, std::span<const std::int64_t> tokens) {
      to.insert(to.end(), tokens.begin(), tokens.end());
    };
    if (options_.variant == "deshuffle") {
      append(input, text);
      const std::span shuffled = std::span(input).last(text.size());
      for (std::size_t i = shuffled.size(); i > 1; --i)
        std::swap(shuffled[i - 1], shuffled[random.below(i)]);
      target.assign(text.begin(), text.end());
      return;
    }
    const bool infilling = options_.variant == "infilling";
    std::vector<Span1d> spans;
    if (infilling) {
      spans = draw_infilling(length, options_.noise_density, options_.mean_span, random);
    } else if (options_.variant == "iid") {
      spans = draw_independent(length, options_.noise_density, random);
      if (spans.size() > sentinels_.size()) spans.resize(sentinels_.size());
    } else {
      spans = draw_spans(length, span_counts(length, options_.noise_density, options_.mean_span),
                         random);
    }
    shorten(spans, length);
    std::int64_t at = 0;
    const auto part = [&](std::int64_t begin, std::int64_t end) {
      return text.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    };
    for (std::size_t i = 0; i < spans.size(); ++i) {
      const std::int64_t sentinel = sentinels_[infilling ? 0 : i];
      append(input, part(at, spans[i].begin));
      input.push_back(sentinel);
      if (!infilling) target.push_back(sentinel);
      if (!infilling) append(target, part(spans[i].begin, spans[i].end));
      at = spans[i].end;
    }
    append(input, part(at, length));
    if (infilling) append(target, text);
  }

  Options options_;
  std::uint64_t seed_;
  std::int64_t length_;
  std::int64_t eos_;
  std::int64_t bos_;           // opens the input; -1: nothing does
  std::int64_t corpus_eos_;    // closes a document of the corpus
  std::int64_t document_end_;  // -1: rows are cut nowhere
  std::vector<std::int64_t> sentinels_;
  std::int64_t text_ = 0;  // tokens of the corpus in a row
  SourceTargetModel pairs_;
  std::shared_ptr<Model> model_;
};

const bool kRegistered = objectives().add<SpanCorruption>("span_corruption");

}  // namespace
}  // namespace pretrain
