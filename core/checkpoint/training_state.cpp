#include "core/checkpoint/training_state.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json/json_reader.h"

namespace pretrain {
namespace {

nlohmann::json number(double value) {
  const char* name = non_finite_name(value);
  return name == nullptr ? nlohmann::json(value) : nlohmann::json(name);
}

DataCursor read_cursor(const JsonReader& json) {
  DataCursor cursor;
  cursor.order_key = json.at("order_key").text();
  for (const JsonReader& source : json.at("sources").items()) {
    CursorSource& read = cursor.sources.emplace_back();
    read.name = source.at("name").text();
    read.fingerprint = source.at("fingerprint").text();
    if (source.has("samples")) read.samples = source.at("samples").whole();
  }
  cursor.samples = json.at("samples").whole();
  if (json.has("phase")) {
    cursor.phase = json.at("phase").whole();
  } else if (cursor.sources.size() == 1) {  // written before sources were counted
    cursor.sources.front().samples = cursor.samples;
  }
  return cursor;
}

}  // namespace

std::string training_state_to_json(const TrainingState& state) {
  nlohmann::ordered_json sources = nlohmann::ordered_json::array();
  for (const CursorSource& source : state.data.sources) {
    sources.push_back(
        {{"name", source.name}, {"fingerprint", source.fingerprint}, {"samples", source.samples}});
  }
  nlohmann::ordered_json json = {
      {"version", kTrainingStateVersion},
      {"step", state.step},
      {"tokens", state.tokens},
      {"real_tokens", state.real_tokens},
      {"samples", state.samples},
      {"targets", state.targets},
      {"flops", number(state.flops)},
      {"hours", number(state.hours)},
      {"attempt", state.attempt},
      {"seed", state.seed},
      {"skipped", state.skipped},
      {"consecutive_skips", state.consecutive_skips},
      {"evaluation_pending", state.evaluation_pending},
      {"lineage", state.lineage},
      {"data",
       {{"order_key", state.data.order_key},
        {"phase", state.data.phase},
        {"sources", sources},
        {"samples", state.data.samples}}},
      {"best", nullptr},
  };
  if (state.best) {
    json["best"] = {
        {"set", state.best->set}, {"loss", number(state.best->loss)}, {"step", state.best->step}};
  }
  return json.dump(2) + "\n";
}

TrainingState training_state_from_json(const std::string& text, const std::string& place) {
  const JsonValue value = parse_json(text, place);
  const JsonReader json(value, place);
  const std::uint64_t version = json.at("version").whole();
  if (version > kTrainingStateVersion) {
    fail(ExitCode::kBadData, place, ": version ", version, " is newer than ", kTrainingStateVersion,
         ", the newest this program reads. Use a newer pretrain");
  }
  TrainingState state;
  state.step = json.at("step").whole();
  state.tokens = json.at("tokens").whole();
  state.real_tokens = json.at("real_tokens").whole();
  state.samples = json.at("samples").whole();
  state.targets = json.at("targets").whole();
  state.flops = json.at("flops").number();
  state.hours = json.at("hours").number();
  state.attempt = json.at("attempt").whole();
  state.seed = json.at("seed").whole();
  state.skipped = json.at("skipped").whole();
  state.consecutive_skips = json.at("consecutive_skips").whole();
  state.evaluation_pending = json.at("evaluation_pending").boolean();
  state.lineage = json.at("lineage").whole();
  state.data = read_cursor(json.at("data"));
  const JsonReader best = json.at("best");
  if (!best.is_null()) {
    state.best = {best.at("set").text(), best.at("loss").number(), best.at("step").whole()};
  }
  return state;
}

}  // namespace pretrain
