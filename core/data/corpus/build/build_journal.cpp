#include "core/data/corpus/build/build_journal.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/json/json_reader.h"

namespace pretrain {
namespace {

constexpr const char* kFormat = "pretrain-corpus-build";
constexpr std::uint64_t kVersion = 2;
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

using Json = nlohmann::ordered_json;

Json shards_json(const std::vector<SpoolShard>& shards) {
  Json json = Json::array();
  for (const SpoolShard& shard : shards) {
    json.push_back({shard.first_document, shard.documents, shard.first_token, shard.tokens,
                    shard.source_bytes, shard.max_id});
  }
  return json;
}

std::vector<SpoolShard> shards_from(const JsonReader& json) {
  std::vector<SpoolShard> shards;
  for (const JsonReader& entry : json.items()) {
    const std::vector<JsonReader> numbers = entry.items();
    if (numbers.size() != 6) entry.refuse("six numbers");
    shards.push_back({numbers[0].whole(), numbers[1].whole(), numbers[2].whole(),
                      numbers[3].whole(), numbers[4].whole(), numbers[5].whole()});
  }
  return shards;
}

// The names of files may be any bytes: they are compared by digest, and by text only for messages.
std::string text_of(const std::string& bytes) {
  return Json::parse(Json(bytes).dump(-1, ' ', false, Json::error_handler_t::replace));
}

void check_identity(const JsonReader& json, const BuildIdentity& identity,
                    const std::string& folder) {
  std::vector<BuildIdentity::Choice> before;
  for (const JsonReader& choice : json.at("options").items()) {
    before.push_back(
        {choice.at("option").text(), choice.at("value").text(), choice.at("shown").text()});
  }
  std::vector<BuildIdentity::Choice> asked = identity.choices;
  for (BuildIdentity::Choice& choice : asked) {
    choice.value = text_of(choice.value);
    choice.shown = text_of(choice.shown);
  }
  const std::string option = difference(before, asked);
  if (!option.empty()) {
    fail(ExitCode::kUsage, folder, ": holds an unfinished build with other options: ", option,
         ". Give the same options, or --restart to begin anew");
  }
  const std::vector<JsonReader> inputs = json.at("inputs").items();
  if (inputs.size() != identity.inputs.size()) {
    fail(ExitCode::kBadData, folder, ": holds an unfinished build of ", inputs.size(),
         " input files, now there are ", identity.inputs.size(),
         ". Give the same inputs, or --restart to begin anew");
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    InputIdentity now = identity.inputs[i];
    now.path = text_of(now.path);
    const InputIdentity then{inputs[i].at("path").text(), inputs[i].at("bytes").whole(),
                             inputs[i].at("modified_ns").integer(), inputs[i].at("sample").text()};
    const std::string what = difference(then, now);
    if (what.empty()) continue;
    fail(ExitCode::kBadData, folder, ": holds an unfinished build of another input: ", what,
         ". Put the input back, or give --restart to begin anew");
  }
}

}  // namespace

bool BuildJournal::exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path + "/" + kName, ignored);
}

std::optional<BuildState> BuildJournal::read(const BuildIdentity& identity) const {
  const std::optional<std::string> text = folder_.read_text(kName, kMaxBytes);
  if (!text) return std::nullopt;
  const std::string place = folder_.path_of(kName);
  const JsonValue value = parse_json(*text, place, {.max_bytes = kMaxBytes});
  const JsonReader json(value, place);
  if (json.at("format").text() != kFormat || json.at("version").whole() != kVersion) {
    fail(ExitCode::kBadData, place, ": is of another version. Begin anew with --restart");
  }
  check_identity(json, identity, folder_.path());
  const JsonReader next = json.at("next");
  BuildState state{
      .next = {next.at("input").whole(), {next.at("offset").whole(), next.at("line").whole()}},
      .file_bytes = json.at("file_bytes").whole(),
      .documents = json.at("documents").whole(),
      .added = json.at("added").whole(),
      .spool = {},
      .report = DropReport::from_json(json.at("report").text(), place),
      .publishing = json.at("publishing").boolean()};
  for (const auto& [name, file] : json.at("files").members()) {
    state.spool.files[name] = {file.at("bytes").whole(), file.at("digest").text()};
  }
  state.spool.shards = shards_from(json.at("shards"));
  return state;
}

void BuildJournal::write(const BuildIdentity& identity, const BuildState& state) const {
  Json json{{"format", kFormat}, {"version", kVersion}};
  json["options"] = Json::array();
  for (const BuildIdentity::Choice& choice : identity.choices) {
    json["options"].push_back(
        {{"option", choice.option}, {"value", choice.value}, {"shown", choice.shown}});
  }
  json["inputs"] = Json::array();
  for (const InputIdentity& input : identity.inputs) {
    json["inputs"].push_back({{"path", input.path},
                              {"bytes", input.bytes},
                              {"modified_ns", input.modified_ns},
                              {"sample", input.sample}});
  }
  json["next"] = {{"input", state.next.input},
                  {"offset", state.next.place.offset},
                  {"line", state.next.place.line}};
  json["file_bytes"] = state.file_bytes;
  json["documents"] = state.documents;
  json["added"] = state.added;
  json["files"] = Json::object();
  for (const auto& [name, file] : state.spool.files) {
    json["files"][name] = {{"bytes", file.bytes}, {"digest", file.digest}};
  }
  json["shards"] = shards_json(state.spool.shards);
  json["report"] = state.report.to_json();
  json["publishing"] = state.publishing;
  folder_.replace_text(kName, json.dump(1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace pretrain
