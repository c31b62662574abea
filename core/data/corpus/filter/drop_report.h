#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/data/corpus/text_reader.h"

namespace pretrain {

/// Which documents did not come into a corpus, and why.
struct DropReport {
  static constexpr std::size_t kSamples = 5;  ///< shown for each reason
  struct Sample {
    std::uint64_t document = 0;  ///< its number among all documents read, from 0
    std::string place;           ///< input and line or byte
    bool operator==(const Sample&) const = default;
  };
  struct Reason {
    std::uint64_t documents = 0;
    std::uint64_t bytes = 0;      ///< of their texts
    std::vector<Sample> samples;  ///< the first ones
    bool operator==(const Reason&) const = default;
  };
  std::map<std::string, Reason> reasons;
  InvalidCounts invalid;
  bool operator==(const DropReport&) const = default;

  /// `document` with a text of `bytes` is dropped; `place` is asked for samples only.
  template <class Place>
  void add(const char* reason, std::uint64_t document, std::uint64_t bytes, const Place& place) {
    Reason& r = reasons[reason];
    ++r.documents;
    r.bytes += bytes;
    if (r.samples.size() < kSamples) r.samples.push_back({document, place()});
  }
  std::uint64_t dropped() const;

  /// JSON {reasons: {NAME: {documents, bytes, samples: [{document, place}]}}, invalid: {...}}.
  std::string to_json() const;
  /// Throws kBadData, message starting with `place`.
  static DropReport from_json(const std::string& json, const std::string& place);
  /// Lines for people, one a reason, each ended by a line end; empty if nothing was dropped or
  /// replaced.
  std::string to_text() const;
};

/// Reasons of the builder itself.
inline constexpr const char* kDroppedEmpty = "empty";

}  // namespace pretrain
