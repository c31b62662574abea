#include "launch/config/data_plan.h"

#include <algorithm>
#include <cmath>

#include "core/data/mixture/mixing_rates.h"
#include "core/metrics/number_format.h"

namespace pretrain {
namespace {

[[noreturn]] void refuse(const RunConfig& config, const std::string& key, const std::string& what) {
  fail(ExitCode::kBadConfig, config.place(key), key, ": ", what);
}

std::size_t source_named(const RunConfig& config, const std::string& name) {
  const auto& sources = config.data.sources;
  const auto found = std::find_if(sources.begin(), sources.end(),
                                  [&](const DataSource& source) { return source.name == name; });
  return static_cast<std::size_t>(found - sources.begin());
}

bool waits(const DataSource& source) { return source.weight == 0.0; }

bool by_weight(const RunConfig& config) {
  if (config.data.mixing != "auto") return config.data.mixing == "weights";
  return std::any_of(config.data.sources.begin(), config.data.sources.end(),
                     [](const DataSource& source) { return source.weight && !waits(source); });
}

// Every source is weighed or none is; one that waits for a phase needs no company.
void check_weights(const RunConfig& config) {
  std::string with, without;
  std::size_t waiting = 0;
  for (const DataSource& source : config.data.sources) {
    if (waits(source)) {
      ++waiting;
      const bool weighed = std::any_of(
          config.data.phases.begin(), config.data.phases.end(), [&](const DataPhase& phase) {
            return phase.weights.contains(source.name) && phase.weights.at(source.name) > 0;
          });
      if (weighed) continue;
      refuse(config, "data.sources",
             source.name +
                 " has weight 0 and no phase weighs it: it would never be read. Remove "
                 "it, give it a weight, or add it to data.phases");
    }
    (source.weight ? with : without) = source.name;
  }
  if (waiting == config.data.sources.size()) {
    refuse(config, "data.sources", "all weights are 0. Weigh the sources the run starts with");
  }
  const std::string& mixing = config.data.mixing;
  if (by_weight(config) && !without.empty()) {
    refuse(config, "data.sources",
           without + " has no weight" + (with.empty() ? "" : ", " + with + " has one") +
               ". Weigh all sources or none (weight 0: not before a phase weighs it)");
  }
  if (!by_weight(config) && !with.empty()) {
    refuse(config, "data.mixing",
           mixing + " goes by size, but " + with +
               " has a weight. Remove the weights or use mixing: weights");
  }
  if (by_weight(config) && config.data.size_cap) {
    refuse(config, "data.size_cap", "is not for weights. Remove it or the weights");
  }
  if (config.data.temperature != 1 && mixing != "temperature") {
    refuse(config, "data.temperature", "needs data.mixing=temperature");
  }
}

void check_phases(const RunConfig& config) {
  for (std::size_t p = 0; p < config.data.phases.size(); ++p) {
    const DataPhase& phase = config.data.phases[p];
    const std::string place = concat("phase ", p + 1, " ");
    double sum = 0;
    for (const auto& [name, weight] : phase.weights) {
      if (source_named(config, name) == config.data.sources.size()) {
        std::string known;
        for (const DataSource& source : config.data.sources) {
          known += (known.empty() ? "" : ", ") + source.name;
        }
        refuse(config, "data.phases",
               place + "weighs " + name + ", which is no source. Sources: " + known);
      }
      sum += weight;
    }
    if (!phase.weights.empty() && sum == 0) {
      refuse(config, "data.phases", place + "weighs every source 0. Give one a weight");
    }
    const std::int64_t length = config.data.sequence_length;
    if (phase.sequence_length && length % *phase.sequence_length != 0) {
      refuse(config, "data.phases",
             concat(place, "has sequence_length ", *phase.sequence_length,
                    ", which does not divide data.sequence_length ", length));
    }
  }
}

// The first step at or after a span.
std::uint64_t first_step(const RunConfig& config, const Span& from, const BatchSchedule& batches) {
  const auto length = static_cast<double>(config.data.sequence_length);
  if (from.unit == Span::Unit::kSteps) return static_cast<std::uint64_t>(std::ceil(from.value));
  const double samples = from.unit == Span::Unit::kTokens ? from.value / length : from.value;
  return static_cast<std::uint64_t>(std::ceil(batches.steps(samples)));
}

std::vector<double> base_weights(const RunConfig& config) {
  std::vector<double> weights;
  for (const DataSource& source : config.data.sources) {
    weights.push_back(source.weight.value_or(1));
  }
  return weights;
}

std::vector<std::uint64_t> first_weights(const RunConfig& config,
                                         const std::vector<SourceSize>& sizes) {
  if (by_weight(config)) return deal_weights(sizes, base_weights(config));
  std::vector<bool> taken;
  for (const DataSource& source : config.data.sources) taken.push_back(!waits(source));
  SizeMixing mixing;
  mixing.temperature = config.data.temperature;
  if (config.data.size_cap) mixing.cap = static_cast<double>(*config.data.size_cap);
  return deal_weights(sizes, taken, mixing);
}

std::string share_text(double share) {
  return fixed(100 * share, share > 0 && share < 0.001 ? 4 : 1) + " %";
}

// Share of the tokens that each source gives in a phase.
std::vector<double> token_shares(const SamplePlan& plan, const std::vector<PlannedSource>& sources,
                                 std::size_t phase) {
  std::vector<double> shares;
  double sum = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const double row =
        static_cast<double>(sources[i].positions) / static_cast<double>(sources[i].rows);
    shares.push_back(plan.share(phase, i) * row);
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return shares;
}

// Shortest text of a weight: 3, 0.25.
std::string weight_text(double weight) {
  std::ostringstream text;
  text << weight;
  return text.str();
}

}  // namespace

void check_data_options(const RunConfig& config) {
  check_weights(config);
  check_phases(config);
  for (const DataSource& source : config.data.sources) {
    if (source.max_epochs && config.train.duration.unit == Span::Unit::kHours) {
      refuse(config, "train.duration",
             "in hours says not how many samples are drawn, but source " + source.name +
                 " has max_epochs. Give the duration in another unit");
    }
  }
}

BatchSchedule batch_schedule(const RunConfig& config, std::int64_t sequences) {
  BatchSchedule batches(sequences);
  for (std::size_t i = 0; i < config.schedule.batch.size(); ++i) {
    const BatchChange& change = config.schedule.batch[i];
    const std::uint64_t step = first_step(config, change.from, batches);
    if (step <= batches.pieces().back().first_step) {
      refuse(config, "schedule.batch",
             concat("entry ", i + 1, " begins at step ", step, ", not after step ",
                    batches.pieces().back().first_step, ", where the one before does"));
    }
    batches.change(step, change.global_batch_sequences);
  }
  return batches;
}

SamplePlan sample_plan(const RunConfig& config, const BatchSchedule& batches,
                       const std::vector<PlannedSource>& sources) {
  std::vector<SourceSize> sizes;
  std::vector<SourceRows> rows;
  for (const PlannedSource& source : sources) {
    sizes.push_back({source.rows, source.positions});
    rows.push_back({source.rows, source.group});
  }
  std::vector<MixturePhase> phases{{0, first_weights(config, sizes), 1}};
  for (std::size_t p = 0; p < config.data.phases.size(); ++p) {
    const DataPhase& phase = config.data.phases[p];
    MixturePhase next{batches.first_sample(first_step(config, phase.from, batches)),
                      phases.back().weights, 1};
    if (!phase.weights.empty()) {
      std::vector<double> weights(sources.size(), 0);
      for (const auto& [name, weight] : phase.weights) weights[source_named(config, name)] = weight;
      next.weights = deal_weights(sizes, weights);
    }
    if (phase.sequence_length) {
      next.parts = static_cast<std::uint64_t>(config.data.sequence_length / *phase.sequence_length);
    }
    // A phase from the very start takes the place of the first.
    if (next.first_sample == 0 && phases.size() == 1) phases.clear();
    if (!phases.empty() && next.first_sample <= phases.back().first_sample) {
      refuse(config, "data.phases",
             concat("phase ", p + 1, " begins at sample ", next.first_sample, ", not after sample ",
                    phases.back().first_sample, ", where the one before does"));
    }
    phases.push_back(std::move(next));
  }
  return SamplePlan(static_cast<std::uint64_t>(config.run.seed), config.data.shuffle, rows, phases);
}

void check_epochs(const RunConfig& config, const SamplePlan& plan, std::uint64_t samples) {
  const std::vector<std::uint64_t> consumed = plan.consumed(samples);
  for (std::size_t i = 0; i < consumed.size(); ++i) {
    const DataSource& source = config.data.sources[i];
    const double epochs =
        static_cast<double>(consumed[i]) / static_cast<double>(plan.order(i).rows());
    if (!source.max_epochs || epochs <= *source.max_epochs) continue;
    refuse(config, "data.sources",
           concat(source.name, " would be read ", fixed(epochs, 2),
                  " times in this run, max_epochs", " is ", *source.max_epochs,
                  ". Shorten train.duration, lower its weight or raise max_epochs"));
  }
}

std::string phase_text(const RunConfig& config, const SamplePlan& plan,
                       const std::vector<PlannedSource>& sources, std::size_t phase) {
  const std::vector<double> shares = token_shares(plan, sources, phase);
  std::string text;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] == 0) continue;
    text += (text.empty() ? "" : ", ") + config.data.sources[i].name + " " + share_text(shares[i]);
  }
  const std::uint64_t parts = plan.sample(plan.first_sample(phase)).parts;
  if (parts > 1) {
    text += concat("; rows cut into sequences of ",
                   static_cast<std::uint64_t>(config.data.sequence_length) / parts);
  }
  return text;
}

std::vector<std::string> mixture_text(const RunConfig& config, const SamplePlan& plan,
                                      const std::vector<PlannedSource>& sources,
                                      const BatchSchedule& batches, std::uint64_t samples) {
  const std::vector<double> shares = token_shares(plan, sources, 0);
  const std::vector<double> weights = base_weights(config);
  double sum = 0;
  for (const double weight : weights) sum += weight;
  // A phase from the very start takes the place of the weights.
  const bool weighed = by_weight(config) && plan.phases() > config.data.phases.size();
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    std::string& line = lines.emplace_back();
    line = config.data.sources[i].name + " " + share_text(shares[i]) + " of the tokens";
    if (weighed)
      line += concat(" (weight ", weight_text(weights[i]), " of ", weight_text(sum), ")");
    if (!weighed && sources.size() > 1) line += " (by size)";
    if (samples == 0) continue;
    const double epochs =
        static_cast<double>(plan.consumed(samples)[i]) / static_cast<double>(sources[i].rows);
    line += ", " + fixed(epochs, 2) + " epochs of it in this run";
  }
  for (std::size_t p = 1; p < plan.phases(); ++p) {
    const double step = batches.steps(static_cast<double>(plan.first_sample(p)));
    lines.push_back(
        concat("from step ", fixed(step, 0), ": ", phase_text(config, plan, sources, p)));
  }
  return lines;
}

}  // namespace pretrain
