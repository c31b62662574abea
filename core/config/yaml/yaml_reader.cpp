#include "core/config/yaml/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/config/yaml/yaml_surface.h"

namespace pretrain {

namespace {

constexpr std::size_t kMaxKeyBytes = 256;

// Ends the parse after a fault that leaves nothing sensible to read.
struct StopReading {};

// Builds the tree from the parser's events and refuses what the subset leaves out. Events, unlike
// the library's own tree, show duplicate keys and never expand an alias.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const Mark& origin, ErrorList& errors)
      : text_(text), origin_(origin), errors_(errors) {}

  ConfigNode take_root() { return std::move(root_); }
  bool has_document() const { return documents_ > 0; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) stop(place(mark), "a second document begins. Keep one a file");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (expects_key()) {
      refuse(place(mark), "expected a key, got null. Quote it");
      begin_value("null", place(mark));
      return;
    }
    count_node(place(mark));
    // Where nothing is written the library marks the next token; the key is the better place.
    const std::string_view written = text_.substr(std::min(offset(mark), text_.size()));
    const bool is_written = written.starts_with('~') || written.starts_with("null") ||
                            written.starts_with("Null") || written.starts_with("NULL");
    const bool use_key = !is_written && !frames_.empty() && frames_.back().node.is_map();
    add(ConfigNode::null(use_key ? frames_.back().key_mark : place(mark)));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(place(mark), "aliases (*name) are not allowed. Write the value out");
    if (expects_key()) {
      begin_value("*", place(mark));
    } else {
      count_node(place(mark));
      add(ConfigNode::null(place(mark)));
    }
  }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    refuse(place(mark), "anchors (&" + shortened(name) + ") are not allowed. Write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    const Mark here = place(mark);
    const bool quoted = tag == "!";
    check_tag(mark, quoted ? "" : tag);
    const char first = text_[std::min(offset(mark), text_.size() - 1)];
    // The library takes the end of the text for a quote.
    if ((first == '"' || first == '\'') &&
        closing_quote(text_, offset(mark)) == std::string_view::npos) {
      stop(here, "a quote that is not closed. Close it");
    }
    if (value.find('\0') != std::string::npos) refuse(here, "a NUL byte, expected text");
    if (!expects_key()) {
      count_node(here);
      add(ConfigNode::scalar(value, quoted, here));
      return;
    }
    if (value == "<<" && !quoted)
      refuse(here, "merge keys (<<) are not allowed. Use include: [..]");
    if (value.empty()) refuse(here, "an empty key. Name the option");
    if (value.size() > kMaxKeyBytes) {
      refuse(here, concat("a key of ", value.size(), " bytes, expected at most ", kMaxKeyBytes));
    }
    begin_value(value, here);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    begin_collection(mark, tag, ConfigNode::list(place(mark)));
  }
  void OnSequenceEnd() override { end_collection(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    begin_collection(mark, tag, ConfigNode::map(place(mark)));
  }
  void OnMapEnd() override { end_collection(); }

 private:
  struct Frame {
    ConfigNode node;
    bool is_key = false;      // a collection where a key should stand; dropped at its end
    bool has_key = false;     // of a map: `key` waits for its value
    bool drop_value = false;  // the value of a repeated key
    std::string key;
    Mark key_mark;
    std::unordered_map<std::string, Mark> keys;
  };

  static std::size_t offset(const YAML::Mark& mark) {
    return mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos);
  }

  Mark place(const YAML::Mark& mark) const {
    Mark here = origin_;
    if (here.line > 0) {
      here.line = mark.line + 1;
      here.column = mark.column + 1;
    }
    return here;
  }

  void refuse(const Mark& where, const std::string& message) {
    errors_.add(where, message);
    if (errors_.full()) throw StopReading();
  }
  [[noreturn]] void stop(const Mark& where, const std::string& message) {
    errors_.add(where, message);
    throw StopReading();
  }

  // The library gives quoted scalars the tag "!", so a written "!" shows only in the text.
  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    const bool written = offset(mark) < text_.size() && text_[offset(mark)] == '!';
    if (written || (!tag.empty() && tag != "?")) {
      refuse(place(mark), "tags (!name) are not allowed. Options know their types: remove it");
    }
  }

  void count_node(const Mark& where) {
    if (++nodes_ > kMaxConfigNodes) stop(where, concat("more than ", kMaxConfigNodes, " values"));
  }

  bool expects_key() const {
    return !frames_.empty() && frames_.back().node.is_map() && !frames_.back().has_key;
  }

  // "a.b" of the map that is being read and `key` in it.
  std::string dotted(const std::string& key) const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (&frame != &frames_.back() && frame.node.is_map()) path += frame.key + '.';
    }
    return path + shortened(key);
  }

  void begin_value(const std::string& key, const Mark& mark) {
    count_node(mark);
    Frame& frame = frames_.back();
    frame.has_key = true;
    frame.key = key;
    frame.key_mark = mark;
    const auto [first, is_new] = frame.keys.emplace(key, mark);
    frame.drop_value = !is_new;
    if (is_new) return;
    const Mark& other = first->second;
    const std::string where =
        other.line > 0 ? concat(" (first at ", other.line, ':', other.column, ")") : "";
    refuse(mark, dotted(key) + " is given twice" + where + ". Keep one");
  }

  void begin_collection(const YAML::Mark& mark, const std::string& tag, ConfigNode node) {
    const Mark here = place(mark);
    count_node(here);
    check_tag(mark, tag);
    if (frames_.size() >= kMaxConfigDepth) {
      stop(here, concat("nested deeper than ", kMaxConfigDepth, " levels"));
    }
    Frame frame;
    frame.is_key = expects_key();
    if (frame.is_key) refuse(here, "expected a key of text, got " + shown(node));
    frame.node = std::move(node);
    frames_.push_back(std::move(frame));
  }

  void end_collection() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (!frame.is_key) return add(std::move(frame.node));
    frames_.back().has_key = true;
    frames_.back().drop_value = true;
  }

  void add(ConfigNode node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.is_list()) {
      frame.node.append(std::move(node));
      return;
    }
    if (!frame.drop_value) {
      frame.node.append_entry(std::move(frame.key), std::move(frame.key_mark), std::move(node));
    }
    frame.has_key = false;
  }

  std::string_view text_;
  const Mark& origin_;
  ErrorList& errors_;
  ConfigNode root_;
  std::vector<Frame> frames_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// The library's own wording for the faults a user meets, with the next step.
std::string syntax_message(const std::string& library_message) {
  if (library_message == YAML::ErrorMsg::UNKNOWN_ANCHOR) {
    return "aliases (*name) are not allowed. Write the value out";
  }
  return "not valid YAML: " + library_message + ". Check indentation, quotes and brackets";
}

ConfigNode parse(std::string_view text, const Mark& origin, ErrorList& errors, bool& has_document) {
  TreeBuilder builder(text, origin, errors);
  try {
    std::istringstream input{std::string(text)};
    YAML::Parser parser(input);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const StopReading&) {
  } catch (const YAML::Exception& error) {
    Mark mark = origin;
    if (mark.line > 0 && !error.mark.is_null()) {
      mark.line = error.mark.line + 1;
      mark.column = error.mark.column + 1;
    }
    errors.add(mark, syntax_message(error.msg));
  }
  has_document = builder.has_document();
  return builder.take_root();
}

}  // namespace

ConfigNode read_yaml(std::string_view text, const Mark& origin, ErrorList& errors) {
  const std::size_t faults_before = errors.messages().size();
  if (!check_yaml_surface(text, origin, errors)) return ConfigNode::map(origin);
  bool has_document = false;
  ConfigNode root = parse(text, origin, errors, has_document);
  if (root.is_map()) return root;
  if (errors.messages().size() == faults_before) {
    const bool empty = !has_document || root.is_null();
    errors.add(origin, "expected a map of options, got " +
                           (empty ? "an empty file. Begin with: run: {name: ...}" : shown(root)));
  }
  return ConfigNode::map(origin);
}

ConfigNode read_yaml_value(std::string_view text, const Mark& place, ErrorList& errors) {
  if (!check_yaml_surface(text, place, errors)) return ConfigNode::null(place);
  const bool is_yaml =
      !text.empty() && std::string_view("[{\"'").find(text.front()) != std::string_view::npos;
  if (!is_yaml) return ConfigNode::plain(std::string(text), place);
  bool has_document = false;
  return parse(text, place, errors, has_document);
}

}  // namespace pretrain
