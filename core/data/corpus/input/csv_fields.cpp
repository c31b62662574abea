#include "core/data/corpus/input/csv_fields.h"

#include <algorithm>

#include "core/base/error.h"

namespace pretrain {
namespace {

// Moves the quoted field at the start of `rest` to the result.
std::string take_quoted(std::string_view& rest, const std::string& place) {
  std::string field;
  rest.remove_prefix(1);
  while (true) {
    const std::size_t quote = rest.find('"');
    if (quote == std::string_view::npos) {
      fail(ExitCode::kBadData, place,
           ": a quoted field is not closed. Double quotes within fields");
    }
    field += rest.substr(0, quote);
    rest.remove_prefix(quote + 1);
    if (!rest.starts_with('"')) return field;
    field += '"';
    rest.remove_prefix(1);
  }
}

}  // namespace

std::vector<std::string> csv_fields(std::string_view record, char delimiter,
                                    const std::string& place) {
  std::vector<std::string> fields;
  while (true) {
    if (record.starts_with('"')) {
      fields.push_back(take_quoted(record, place));
      if (!record.empty() && record.front() != delimiter) {
        fail(ExitCode::kBadData, place, ": field ", fields.size(),
             " goes on behind its closing quote. Double quotes within fields");
      }
    } else {
      const std::size_t end = std::min(record.find(delimiter), record.size());
      fields.emplace_back(record.substr(0, end));
      record.remove_prefix(end);
    }
    if (record.empty()) return fields;
    record.remove_prefix(1);
  }
}

}  // namespace pretrain
