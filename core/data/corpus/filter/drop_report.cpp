#include "core/data/corpus/filter/drop_report.h"

#include <nlohmann/json.hpp>

#include "core/base/byte_size.h"
#include "core/base/error.h"
#include "core/base/json/json_reader.h"

namespace pretrain {

std::uint64_t DropReport::dropped() const {
  std::uint64_t documents = 0;
  for (const auto& [name, reason] : reasons) documents += reason.documents;
  return documents;
}

std::string DropReport::to_json() const {
  nlohmann::ordered_json json;
  json["reasons"] = nlohmann::ordered_json::object();
  for (const auto& [name, reason] : reasons) {
    auto& entry = json["reasons"][name];
    entry["documents"] = reason.documents;
    entry["bytes"] = reason.bytes;
    entry["samples"] = nlohmann::ordered_json::array();
    for (const Sample& sample : reason.samples) {
      entry["samples"].push_back({{"document", sample.document}, {"place", sample.place}});
    }
  }
  json["invalid"] = {{"replaced_parts", invalid.replaced_parts},
                     {"replaced_documents", invalid.replaced_documents},
                     {"skipped_text", invalid.skipped_text},
                     {"skipped_records", invalid.skipped_records}};
  // A file's name may be any bytes.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

DropReport DropReport::from_json(const std::string& json, const std::string& place) {
  const JsonValue value = parse_json(json, place);
  const JsonReader reader(value, place);
  DropReport report;
  for (const auto& [name, entry] : reader.at("reasons").members()) {
    Reason reason{entry.at("documents").whole(), entry.at("bytes").whole(), {}};
    for (const JsonReader& sample : entry.at("samples").items()) {
      reason.samples.push_back({sample.at("document").whole(), sample.at("place").text()});
    }
    report.reasons[name] = std::move(reason);
  }
  const JsonReader invalid = reader.at("invalid");
  report.invalid = {.replaced_parts = invalid.at("replaced_parts").whole(),
                    .replaced_documents = invalid.at("replaced_documents").whole(),
                    .skipped_text = invalid.at("skipped_text").whole(),
                    .skipped_records = invalid.at("skipped_records").whole()};
  return report;
}

std::string DropReport::to_text() const {
  std::string text;
  for (const auto& [name, reason] : reasons) {
    text += concat("dropped: ", name, ": ", reason.documents, " documents, ",
                   format_bytes(reason.bytes), ", as ");
    for (std::size_t i = 0; i < reason.samples.size(); ++i) {
      text += (i > 0 ? "; " : "") + reason.samples[i].place;
    }
    text += "\n";
  }
  if (invalid.replaced_parts > 0) {
    text += concat("replaced: ", invalid.replaced_parts, " ill-formed parts in ",
                   invalid.replaced_documents, " documents\n");
  }
  if (invalid.skipped_text > 0) {
    text += concat("skipped: ", invalid.skipped_text, " documents that are not valid UTF-8\n");
  }
  if (invalid.skipped_records > 0) {
    text += concat("skipped: ", invalid.skipped_records, " records that cannot be read\n");
  }
  return text;
}

}  // namespace pretrain
