#include "core/data/corpus/input/json_text.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/escape_control.h"
#include "core/base/json/json_reader.h"
#include "core/data/corpus/corpus_format.h"

namespace pretrain {
namespace {

// Finds the text of one member of the outermost object without building the rest.
class MemberFinder : public nlohmann::json_sax<nlohmann::json> {
 public:
  MemberFinder(const std::string& field, std::string& text) : field_(field), text_(text) {}

  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(number_integer_t) override { return other(); }
  bool number_unsigned(number_unsigned_t) override { return other(); }
  bool number_float(number_float_t, const string_t&) override { return other(); }
  bool binary(binary_t&) override { return false; }
  bool string(string_t& value) override {
    if (!wanted_) return depth_ > 0;
    text_.swap(value);
    wanted_ = false;
    ++found_;
    return true;
  }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return depth_ > 0 && open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    wanted_ = depth_ == 1 && value == field_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }
  bool found_once() const { return found_ == 1; }

 private:
  bool other() const { return depth_ > 0 && !wanted_; }
  bool open() {
    constexpr int kMaxDepth = 64;
    return !wanted_ && ++depth_ <= kMaxDepth;
  }
  bool close() {
    --depth_;
    return true;
  }

  const std::string& field_;
  std::string& text_;
  int depth_ = 0;
  int found_ = 0;
  bool wanted_ = false;  // the next value is the member's
};

}  // namespace

void json_text(std::string_view line, const std::string& field, const std::string& place,
               std::string& text) {
  if (!line.starts_with('\xEF')) {
    MemberFinder finder(field, text);
    if (nlohmann::json::sax_parse(line.begin(), line.end(), &finder) && finder.found_once()) return;
  }
  // Again with the strict reader, which says what is wrong.
  const JsonValue value = parse_json(line, place, {.max_bytes = kMaxDocumentBytes});
  const JsonReader reader(value, place);
  std::string have;
  for (const auto& [name, member] : reader.members()) {
    if (name == field) {
      text = member.text();
      return;
    }
    if (have.size() < 200) have += (have.empty() ? "" : ", ") + escape_control(name);
  }
  fail(ExitCode::kBadData, place, ": no field \"", field, "\", fields here: ", have,
       ". Choose one with --field");
}

}  // namespace pretrain
