#include "core/text/token_text.h"

#include <algorithm>
#include <string_view>

#include "core/base/error.h"
#include "core/text/token_roles.h"

namespace pretrain {
namespace {

constexpr std::ptrdiff_t kWindow = 64;
constexpr std::string_view kReplacement = "\uFFFD";  // what decoders give for part of a character

bool goes_on(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Length of the text without a last character that further bytes may complete.
std::size_t certain_length(std::string_view text) {
  while (text.ends_with(kReplacement)) text.remove_suffix(kReplacement.size());
  const std::size_t longest = std::min<std::size_t>(3, text.size());
  for (std::size_t back = 1; back <= longest; ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (goes_on(static_cast<char>(byte))) continue;
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

// What `all` has more than `head`; more tokens may have changed the end of the text, a character.
std::string beyond(const std::string& all, const std::string& head) {
  const auto differ = std::mismatch(all.begin(), all.end(), head.begin(), head.end());
  auto at = static_cast<std::size_t>(differ.first - all.begin());
  if (at < head.size()) {
    while (at > 0 && at < all.size() && goes_on(all[at])) --at;
  }
  return all.substr(at);
}

}  // namespace

TokenText::TokenText(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
  const TokenRoles roles = token_roles(tokenizer);
  for (std::size_t i = 0; i < roles.sentinels.size(); ++i) {
    shown_[roles.sentinels[i]] = concat("<extra_id_", i, ">");
  }
}

std::string TokenText::decode(const std::vector<std::int64_t>& ids) const {
  std::string text;
  std::vector<std::uint32_t> plain;
  std::string decoded;  // of the plain ones so far, all of which say how the next ones read
  const auto flush = [&] {
    std::string all = tokenizer_.decode(plain);
    text += beyond(all, decoded);
    decoded = std::move(all);
  };
  for (const std::int64_t id : ids) {
    const auto shown = shown_.find(id);
    if (shown == shown_.end()) {
      plain.push_back(static_cast<std::uint32_t>(id));
    } else {
      flush();
      text += shown->second;
    }
  }
  flush();
  return text;
}

std::string TokenText::after(const std::vector<std::int64_t>& before,
                             const std::vector<std::int64_t>& ids) const {
  std::vector<std::int64_t> all = before;
  all.insert(all.end(), ids.begin(), ids.end());
  return beyond(decode(all), decode(before));
}

TokenStream::TokenStream(const TokenText& text, const std::vector<std::int64_t>& before)
    : text_(text),
      window_(before.end() - std::min(kWindow, std::ssize(before)), before.end()),
      given_(text.decode(window_)) {}

std::string TokenStream::push(std::int64_t id) {
  window_.push_back(id);
  const std::string all = text_.decode(window_);
  const std::size_t certain = certain_length(all);
  // The bytes of a broken run may take back what was a character; then the run's end decides.
  if (certain < all.size() && !std::string_view(all).substr(0, certain).starts_with(given_)) {
    return "";
  }
  return give(all, certain);
}

std::string TokenStream::finish() {
  const std::string all = text_.decode(window_);
  return give(all, all.size());
}

std::string TokenStream::give(const std::string& all, std::size_t certain) {
  std::string whole = all.substr(0, certain);
  std::string more = beyond(whole, given_);
  given_ = std::move(whole);
  if (certain == all.size() && std::ssize(window_) > 2 * kWindow) forget();
  return more;
}

// Only where the tokens that stay read as they did among all of them.
void TokenStream::forget() {
  const std::vector<std::int64_t> last(window_.end() - kWindow, window_.end());
  std::string text = text_.decode(last);
  if (!given_.ends_with(text)) return;
  window_ = last;
  given_ = std::move(text);
}

}  // namespace pretrain
