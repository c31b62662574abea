#include "launch/commands/command_words.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <limits>
#include <sstream>

#include "core/config/option_values.h"
#include "core/config/scalars.h"

namespace pretrain {
namespace {

constexpr std::size_t kHelpColumns = 80;
constexpr std::size_t kDescriptionColumn = 30;

// Lines of at most 80 columns; what is cut off an option's description goes below it.
std::string wrapped(const std::string& help) {
  std::string text;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    const std::string indent(line.starts_with("  ") ? kDescriptionColumn : 0, ' ');
    while (line.size() > kHelpColumns) {
      const std::size_t blank = line.rfind(' ', kHelpColumns);
      if (blank == std::string::npos || blank <= indent.size()) break;
      text += line.substr(0, blank) + "\n";
      line = indent + line.substr(blank + 1);
    }
    text += line + "\n";
  }
  return text;
}

bool is_override(const std::string& word) {
  if (word.empty()) return false;
  if (word[0] == '~' || word[0] == '+') return true;
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) return false;
  if (!word.starts_with("--")) return word[0] != '-';
  return word.substr(0, equals).find('.') != std::string::npos;
}

CLI::Validator validator(std::function<std::string(std::string&)> check) {
  return {std::move(check), ""};
}

// A count becomes the digits that CLI11 reads.
std::string read_count(std::string& word) {
  const Parsed<std::int64_t> count = parse_count(word);
  if (!count.value) {
    return concat("expected a whole number such as 8000, 8k or 8Ki, got ", word,
                  count.fault.empty() ? "" : ". ", count.fault);
  }
  word = concat(*count.value);
  return {};
}

std::string read_natural(std::string& word) {
  if (word.starts_with("-")) return "expected a whole number of at least 0, got " + word;
  return read_count(word);
}

std::string read_number(std::string& word) {
  return parse_float(word).value ? std::string() : "expected a number such as 0.5, got " + word;
}

void add_number_forms(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    if (type == "INT") option->transform(validator(read_count));
    if (type == "UINT") option->transform(validator(read_natural));
    if (type == "FLOAT") option->transform(validator(read_number));
  }
  for (CLI::App* below : app.get_subcommands([](CLI::App*) { return true; })) {
    add_number_forms(*below);
  }
}

// The command that the words chose, and its whole name.
const CLI::App& chosen(const CLI::App& app, std::string& name) {
  name += (name.empty() ? "" : " ") + app.get_name();
  const auto below = app.get_subcommands();
  return below.empty() ? app : chosen(*below.front(), name);
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const std::string nearest = nearest_word(word, known);
  return nearest.empty() ? "" : concat(". Did you mean ", nearest, "?");
}

std::vector<std::string> subcommands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* below : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(below->get_name());
  }
  return names;
}

// "a.b": the name of an option of configurations.
bool is_option_name(const std::string& word) {
  const std::string name = word.substr(std::min(word.find_first_not_of('-'), word.size()));
  return name.find('.') != std::string::npos &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == std::string::npos &&
         !std::filesystem::exists(word);
}

// A word that the command does not take; empty: it takes them all.
std::string unknown_word(const CLI::App& app) {
  const std::vector<std::string> left = app.remaining();
  const auto flag = std::find_if(left.begin(), left.end(),
                                 [](const std::string& word) { return word.starts_with("-"); });
  const std::string word = left.empty() ? "" : flag == left.end() ? left.front() : *flag;
  if (word.empty()) return {};
  if (is_option_name(word)) {
    return concat(word, " lacks its value. Write it in one word: ", word, "=VALUE");
  }
  const std::string name = word.substr(0, word.find('='));
  if (flag != left.end()) {
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& text : option->get_lnames()) known.push_back("--" + text);
    }
    return concat(name, " is not known", did_you_mean(name, known));
  }
  const std::vector<std::string> below = subcommands_of(app);
  if (below.empty()) return concat(word, " is one word too many");
  const std::string advice = did_you_mean(word, below);
  return concat(word, " is not known", advice.empty() ? ", expected " + one_of(below) : advice);
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// What CLI11 found, in our words.
std::string fault_text(const CLI::App& app, const CLI::ParseError& error) {
  const std::string unknown = unknown_word(app);
  if (!unknown.empty()) return unknown;
  const std::string text = error.what();
  const std::string name = text.substr(0, text.find(':'));
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    const std::vector<std::string> below = subcommands_of(app);
    return below.empty() ? text : "expected " + one_of(below) + " behind it";
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    if (contains(text, "At Most")) return name + " is given more than once. Keep one";
    if (contains(text, "missing")) return name + " lacks its value";
  }
  if (dynamic_cast<const CLI::RequiresError*>(&error) != nullptr) {
    const std::size_t verb = text.find(" requires ");
    return text.substr(0, verb) + " needs " + text.substr(verb + 10);
  }
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    const std::size_t verb = text.find(" excludes ");
    return text.substr(0, verb) + " and " + text.substr(verb + 10) + " exclude each other";
  }
  constexpr const char* kConversion = "Could not convert: ";
  if (text.starts_with(kConversion)) {
    return text.substr(std::string(kConversion).size()) + " cannot be";
  }
  return text;
}

template <class Number>
std::string out_of_range(const std::string& word, Number least, Number most) {
  if (most == std::numeric_limits<Number>::max()) {
    return concat("expected at least ", least, ", got ", word);
  }
  return concat("expected ", least, " to ", most, ", got ", word);
}

}  // namespace

bool parse(CLI::App& app, const std::vector<std::string>& words, const Process& process) {
  app.get_formatter()->column_width(kDescriptionColumn);
  add_number_forms(app);
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    app.parse(reversed);
    return true;
  } catch (const CLI::CallForHelp&) {
    if (process.rank() == 0) std::cout << wrapped(app.help());
    return false;
  } catch (const CLI::CallForAllHelp&) {
    if (process.rank() == 0) std::cout << wrapped(app.help("", CLI::AppFormatMode::All));
    return false;
  } catch (const CLI::ParseError& error) {
    std::string name;
    const CLI::App& command = chosen(app, name);
    const std::string fault = fault_text(command, error);
    fail(ExitCode::kUsage, name, ": ", fault, fault.ends_with('?') ? "" : ".", " See ", name,
         " --help");
  }
}

SplitWords split_overrides(const std::vector<std::string>& words) {
  SplitWords split;
  for (const std::string& word : words) {
    (is_override(word) ? split.overrides : split.others).push_back(word);
  }
  return split;
}

CLI::Option* within(CLI::Option* option, std::int64_t least, std::int64_t most) {
  return option->transform(validator([least, most](std::string& word) {
    const std::string fault = read_count(word);
    if (!fault.empty()) return fault;
    const std::int64_t value = *parse_count(word).value;
    return value < least || value > most ? out_of_range(word, least, most) : std::string();
  }));
}

CLI::Option* within(CLI::Option* option, double least, double most) {
  return option->transform(validator([least, most](std::string& word) {
    const std::string fault = read_number(word);
    if (!fault.empty()) return fault;
    const double value = *parse_float(word).value;
    return value < least || value > most ? out_of_range(word, least, most) : std::string();
  }));
}

CLI::Option* take_bytes(CLI::Option* option, std::uint64_t least, std::uint64_t most) {
  return option
      ->transform(validator([least, most](std::string& word) {
        const std::string given = word;
        try {
          CLI::AsSizeValue(false)(word);
        } catch (const CLI::ParseError&) {
          return concat("expected bytes such as 64M, 5GB or 500MiB, got ", given);
        }
        const Parsed<std::int64_t> bytes = parse_int(word);
        const auto value = static_cast<std::uint64_t>(bytes.value.value_or(-1));
        return value < least || value > most
                   ? concat("expected ", least, " to ", most, " bytes, got ", given)
                   : std::string();
      }))
      ->type_name("BYTES");
}

CLI::Option* choose_from(CLI::Option* option, const std::vector<std::string>& words) {
  return option->check(validator([words](std::string& word) {
    if (std::find(words.begin(), words.end(), word) != words.end()) return std::string();
    return concat("expected ", one_of(words), ", got ", word);
  }));
}

}  // namespace pretrain
