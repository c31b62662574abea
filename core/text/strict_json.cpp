#include "core/text/strict_json.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "core/base/error.h"

namespace pretrain {
namespace {

using Json = nlohmann::json;

// Shows at most a line of text that comes from a file, without control bytes.
std::string printable(std::string_view text) {
  std::string shown;
  for (char c : text.substr(0, 80)) {
    shown.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c);
  }
  return text.size() > 80 ? shown + "..." : shown;
}

// Walks over the events of one JSON text; remembers one string of the outermost object.
class StrictReader : public Json::json_sax_t {
 public:
  StrictReader(std::string place, const std::string* wanted)
      : place_(std::move(place)), wanted_(wanted) {}

  bool null() override { return scalar(); }
  bool boolean(bool) override { return scalar(); }
  bool number_integer(number_integer_t) override { return scalar(); }
  bool number_unsigned(number_unsigned_t) override { return scalar(); }
  bool number_float(number_float_t, const string_t&) override { return scalar(); }
  bool binary(binary_t&) override { return scalar(); }
  bool string(string_t& value) override {
    if (at_wanted_) found_ = std::move(value);
    return scalar();
  }
  bool start_object(std::size_t) override {
    if (objects_.empty() && arrays_ == 0) is_object_ = true;
    objects_.emplace_back();
    return enter();
  }
  bool end_object() override {
    objects_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    ++arrays_;
    return enter();
  }
  bool end_array() override {
    --arrays_;
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (!objects_.back().insert(name).second) {
      fail(ExitCode::kBadData, place_, ": key \"", printable(name),
           "\" is given twice in one object. Keep one");
    }
    const bool outermost = depth_ == 1;
    if (outermost && wanted_ != nullptr) fields_.push_back(name);
    at_wanted_ = outermost && wanted_ != nullptr && name == *wanted_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    fail(ExitCode::kBadData, place_, ": not valid JSON at byte ", position,
         ". Repair it or write the file again");
  }

  // The wanted string; throws if it did not come by.
  std::string take() {
    if (!is_object_) {
      fail(ExitCode::kBadData, place_, ": expected a JSON object with the field \"", *wanted_,
           "\". Write one object a line");
    }
    if (found_) return std::move(*found_);
    for (const std::string& field : fields_) {
      if (field == *wanted_) {
        fail(ExitCode::kBadData, place_, ": field \"", *wanted_,
             "\" is no string. Give the field that holds the text with --field");
      }
    }
    std::string have;
    for (const std::string& field : fields_) {
      have += (have.empty() ? "" : ", ") + printable(field);
      if (have.size() > 200) break;
    }
    fail(ExitCode::kBadData, place_, ": no field \"", *wanted_, "\", fields here: ", have,
         ". Choose one with --field");
  }

 private:
  bool scalar() {
    at_wanted_ = false;
    return true;
  }
  bool enter() {
    at_wanted_ = false;
    if (++depth_ > kMaxJsonDepth) {
      fail(ExitCode::kBadData, place_, ": JSON nested deeper than ", kMaxJsonDepth,
           " levels. Flatten it");
    }
    return true;
  }

  std::string place_;
  const std::string* wanted_;
  std::optional<std::string> found_;
  std::vector<std::string> fields_;
  std::vector<std::set<std::string>> objects_;
  std::size_t arrays_ = 0;
  std::size_t depth_ = 0;
  bool at_wanted_ = false;
  bool is_object_ = false;
};

void walk(std::string_view text, std::uint64_t max_bytes, StrictReader& reader,
          const std::string& place) {
  if (text.size() > max_bytes) {
    fail(ExitCode::kBadData, place, ": ", text.size(), " bytes of JSON, at most ", max_bytes,
         " are read. Check that it is the right file");
  }
  Json::sax_parse(text, &reader);
}

}  // namespace

void check_json(std::string_view text, std::uint64_t max_bytes, const std::string& place) {
  StrictReader reader(place, nullptr);
  walk(text, max_bytes, reader, place);
}

std::string read_json_string(std::string_view text, std::uint64_t max_bytes,
                             const std::string& field, const std::string& place) {
  StrictReader reader(place, &field);
  walk(text, max_bytes, reader, place);
  return reader.take();
}

}  // namespace pretrain
