#include "core/base/json/json_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/escape_control.h"

namespace pretrain {
namespace {

// A key of a file as part of a message.
std::string shown(std::string_view key) {
  constexpr std::size_t kMaxBytes = 80;
  return escape_control(key.substr(0, kMaxBytes)) + (key.size() > kMaxBytes ? "..." : "");
}

// What stands where the parser stopped, behind `position` bytes, and what could stand there
// instead.
std::string what_is_wrong(std::string_view text, std::size_t position, const std::string& token,
                          const nlohmann::detail::exception& error) {
  constexpr int kNumberOverflow = 406;  // of nlohmann
  if (error.id == kNumberOverflow) {
    return concat("found the number ", shown(token), ", expected at most 1.8e308 in size");
  }
  if (std::string_view(error.what()).find("surrogate") != std::string_view::npos) {
    const std::size_t escape = text.substr(0, position).rfind("\\u");
    return concat("found ", shown(text.substr(escape, 6)),
                  " alone, half of a surrogate pair, expected both halves or another character");
  }
  if (position > text.size()) return "found the end, expected more";
  constexpr const char* kBetween = " \t\r\n,:[]{}";
  const std::size_t begin = text.find_last_of(kBetween, position - 1) + 1;
  const std::string_view word = text.substr(begin, text.find_first_of(kBetween, begin) - begin);
  for (const std::string_view name : {"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf"}) {
    if (word == name) {
      return concat("found ", name, ", expected a finite number, a text, true, false or null");
    }
  }
  return concat("found ", shown(text.substr(position - 1, 1)));
}

/// Builds a JsonValue from the parser's events. Returning false stops the parser.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {}

  bool null() override { return add({nullptr}); }
  bool boolean(bool value) override { return add({value}); }
  bool number_integer(number_integer_t value) override { return add({value}); }
  bool number_unsigned(number_unsigned_t value) override { return add({value}); }
  bool number_float(number_float_t value, const string_t&) override { return add({value}); }
  bool string(string_t& value) override { return add({std::move(value)}); }
  bool binary(binary_t&) override { return refuse("holds binary data"); }
  bool start_object(std::size_t) override { return open({JsonValue::Object()}); }
  bool start_array(std::size_t) override { return open({JsonValue::Array()}); }
  bool key(string_t& value) override {
    keys_.back() = std::move(value);
    return true;
  }
  bool end_array() override { return close(); }
  bool end_object() override {
    const auto& members = std::get<JsonValue::Object>(open_.back().data);
    std::vector<std::string_view> keys;
    for (const auto& member : members) keys.push_back(member.key);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) {
      return refuse(concat("key \"", shown(*twice), "\" is given twice in one object"));
    }
    return close();
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error) override {
    return refuse(concat("is not valid JSON at byte ", position, ": ",
                         what_is_wrong(text_, position, token, error)));
  }

  JsonValue take() { return std::move(root_); }
  const std::string& reason() const { return reason_; }

 private:
  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }
  bool count() {
    return ++values_ <= limits_.max_values ||
           refuse(concat("has more than ", limits_.max_values, " values"));
  }
  bool open(JsonValue container) {
    if (open_.size() >= limits_.max_depth) {
      return refuse(concat("is nested deeper than ", limits_.max_depth));
    }
    open_.push_back(std::move(container));
    keys_.emplace_back();
    return count();
  }
  bool close() {
    JsonValue done = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    return place(std::move(done));
  }
  bool add(JsonValue value) { return count() && place(std::move(value)); }
  bool place(JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* array = std::get_if<JsonValue::Array>(&open_.back().data)) {
      array->push_back(std::move(value));
    } else {
      std::get<JsonValue::Object>(open_.back().data)
          .push_back({std::move(keys_.back()), std::move(value)});
    }
    return true;
  }

  std::string_view text_;
  const JsonLimits& limits_;
  JsonValue root_;
  std::vector<JsonValue> open_;    // containers around the current value, outermost first
  std::vector<std::string> keys_;  // per open container the key its next value belongs to
  std::size_t values_ = 0;
  std::string reason_;
};

const JsonValue* find(const JsonValue& value, std::string_view key) {
  const auto* members = std::get_if<JsonValue::Object>(&value.data);
  if (members == nullptr) return nullptr;
  for (const auto& member : *members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

}  // namespace

JsonValue parse_json(std::string_view text, const std::string& place, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    fail(ExitCode::kBadData, place, ": has ", text.size(), " bytes of JSON, expected at most ",
         limits.max_bytes);
  }
  // The parser would skip a byte order mark; RFC 8259 lets us refuse it.
  if (text.starts_with("\xEF\xBB\xBF")) fail(ExitCode::kBadData, place, ": starts with a BOM");
  Builder builder(text, limits);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    fail(ExitCode::kBadData, place, ": ", builder.reason(), ". Copy or write the file again");
  }
  return builder.take();
}

void check_json(std::string_view text, const std::string& place, const JsonLimits& limits) {
  parse_json(text, place, limits);
}

template <class T>
const T& JsonReader::expect(const char* what) const {
  const T* found = std::get_if<T>(&value_->data);
  if (found == nullptr) refuse(what);
  return *found;
}

bool JsonReader::has(std::string_view key) const { return find(*value_, key) != nullptr; }

JsonReader JsonReader::at(std::string_view key) const {
  expect<JsonValue::Object>("an object");
  const JsonValue* found = find(*value_, key);
  if (found == nullptr)
    fail(ExitCode::kBadData, place_, ": ", key, " is missing. Copy or write the file again");
  return JsonReader(*found, concat(place_, ": ", key));
}

std::uint64_t JsonReader::whole() const { return expect<std::uint64_t>("a whole number"); }

void JsonReader::refuse(const std::string& expected) const {
  fail(ExitCode::kBadData, place_, ": expected ", expected, ". Copy or write the file again");
}

std::int64_t JsonReader::integer() const {
  if (const auto* negative = std::get_if<std::int64_t>(&value_->data)) return *negative;
  const std::uint64_t whole = expect<std::uint64_t>("a whole number");
  if (whole > INT64_MAX) refuse("a whole number below 2^63");
  return static_cast<std::int64_t>(whole);
}

double JsonReader::number() const {
  if (const auto* text = std::get_if<std::string>(&value_->data)) {
    if (*text == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (*text == "inf") return std::numeric_limits<double>::infinity();
    if (*text == "-inf") return -std::numeric_limits<double>::infinity();
  }
  if (const auto* whole = std::get_if<std::uint64_t>(&value_->data)) {
    return static_cast<double>(*whole);
  }
  if (const auto* negative = std::get_if<std::int64_t>(&value_->data)) {
    return static_cast<double>(*negative);
  }
  return expect<double>("a number");
}

bool JsonReader::boolean() const { return expect<bool>("true or false"); }

const std::string& JsonReader::text() const { return expect<std::string>("a text"); }

std::vector<JsonReader> JsonReader::items() const {
  std::vector<JsonReader> readers;
  for (const auto& item : expect<JsonValue::Array>("a list")) {
    readers.emplace_back(item, concat(place_, "[", readers.size(), "]"));
  }
  return readers;
}

std::vector<std::pair<std::string, JsonReader>> JsonReader::members() const {
  std::vector<std::pair<std::string, JsonReader>> readers;
  for (const auto& member : expect<JsonValue::Object>("an object")) {
    readers.emplace_back(member.key,
                         JsonReader(member.value, concat(place_, ": ", shown(member.key))));
  }
  return readers;
}

const char* non_finite_name(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return nullptr;
}

}  // namespace pretrain
