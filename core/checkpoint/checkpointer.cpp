#include "core/checkpoint/checkpointer.h"

#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "core/base/byte_size.h"
#include "core/base/digest.h"
#include "core/base/wall_clock.h"

namespace pretrain {

/// One safetensors file of this rank.
struct Checkpointer::Shard {
  std::string file;
  std::vector<TensorPiece> pieces;
  std::vector<TensorView> tensors;  // the pieces as they are stored
};

namespace {

using Clock = std::chrono::steady_clock;

// Room for state.json, config and tokenizer besides their known texts, and for the manifest.
constexpr std::uint64_t kTextBytes = std::uint64_t{64} << 10;
constexpr std::uint64_t kManifestBytesPerPiece = 256;
constexpr std::uint64_t kSpareFiles = 64;

std::string shard_name(const char* kind, int rank, int world) {
  char name[64];
  std::snprintf(name, sizeof(name), "%s-%05d-of-%05d.safetensors", kind, rank, world);
  return name;
}

/// The piece as a tensor of a shard; nothing if it is an empty part of a tensor.
std::optional<TensorView> stored_view(const TensorPiece& piece) {
  const std::uint64_t elements = element_count(piece.shape, piece.name);
  if (piece.begin > piece.end || piece.end > elements) {
    fail(ExitCode::kInternal, "tensor ", piece.name, " has no elements ", piece.begin, " to ",
         piece.end);
  }
  const std::uint64_t count = piece.end - piece.begin;
  if (count == 0 && elements != 0) return std::nullopt;
  TensorView view;
  view.name = piece_key(piece.name, piece.begin, piece.end, elements);
  view.dtype = piece.dtype;
  view.shape =
      count == elements ? piece.shape : std::vector<std::int64_t>{static_cast<std::int64_t>(count)};
  view.bytes = {piece.data, static_cast<std::size_t>(count * safetensors_dtype_bytes(piece.dtype))};
  return view;
}

/// Calls `open` until it finds what another host has just made: attribute caches may hide it.
template <class Open>
Directory open_when_visible(Open&& open) {
  const auto deadline = Clock::now() + std::chrono::seconds(30);
  while (true) {
    try {
      return open();
    } catch (const Error& error) {
      if (Clock::now() >= deadline) {
        fail(ExitCode::kCannotCreate, error.what(), ". Is the directory shared by all hosts?");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

void add_text(const Directory& directory, Manifest& manifest, const std::string& name,
              const std::string& text) {
  directory.write_text(name, text);
  manifest.files.push_back(
      {name, text.size(), xxh3_128_hex(std::as_bytes(std::span(text))), sha256_hex(text)});
}

/// Adds what one rank has written to what the manifest lists.
void merge(Manifest& manifest, Manifest&& part) {
  for (FileDigest& file : part.files) manifest.files.push_back(std::move(file));
  for (auto& [name, tensor] : part.tensors) {
    const auto [entry, is_new] = manifest.tensors.try_emplace(name, tensor);
    if (is_new) continue;
    ManifestTensor& known = entry->second;
    if (known.dtype != tensor.dtype || known.shape != tensor.shape) {
      fail(ExitCode::kInternal, "ranks save tensor ", name, " with different types or shapes");
    }
    known.pieces.insert(known.pieces.end(), tensor.pieces.begin(), tensor.pieces.end());
  }
}

/// Sees every file through this host's own mount: a directory that is not shared shows here.
void check_visible(const Directory& directory, const Manifest& manifest) {
  for (const FileDigest& file : manifest.files) {
    std::uint64_t bytes = 0;
    try {
      bytes = directory.open_file(file.name).size();
    } catch (const Error& error) {
      fail(ExitCode::kCannotCreate, error.what(), ". Is the directory shared by all hosts?");
    }
    if (bytes != file.bytes) {
      fail(ExitCode::kIo, directory.path_of(file.name), ": has ", bytes, " bytes, ", file.bytes,
           " were written");
    }
  }
}

}  // namespace

Checkpointer::Checkpointer(Communicator& group, CheckpointerSetup setup)
    : group_(group), setup_(std::move(setup)) {
  const std::string path = setup_.run_dir + "/checkpoints";
  agree(group_, [&] {
    if (group_.rank() != 0) return;
    checkpoints_ = Directory::create(path);
    checkpoints_->remove_leftovers();
  });
  agree(group_, [&] {
    if (group_.rank() == 0) return;
    checkpoints_ = open_when_visible([&] { return Directory::open(path); });
  });
}

std::vector<Checkpointer::Shard> Checkpointer::shards(std::span<const TensorPiece> model,
                                                      std::span<const TensorPiece> optimizer) {
  std::vector<Shard> shards;
  agree(group_, [&] {
    for (const auto& [kind, pieces] : {std::pair("model", model), std::pair("optim", optimizer)}) {
      Shard shard{shard_name(kind, group_.rank(), group_.size()), {}, {}};
      for (const TensorPiece& piece : pieces) {
        if (const auto view = stored_view(piece)) {
          shard.pieces.push_back(piece);
          shard.tensors.push_back(*view);
        }
      }
      shards.push_back(std::move(shard));
    }
  });
  return shards;
}

std::uint64_t Checkpointer::require_space(const std::vector<Shard>& shards) {
  std::int64_t bytes = 0;
  agree(group_, [&] {
    for (const Shard& shard : shards) {
      bytes += static_cast<std::int64_t>(safetensors_file_bytes(shard.tensors) +
                                         shard.pieces.size() * kManifestBytesPerPiece);
    }
  });
  group_.all_reduce(&bytes, 1, DataType::kI64, ReduceOp::kSum);
  const std::uint64_t total = static_cast<std::uint64_t>(bytes) + kTextBytes +
                              setup_.identity.config_yaml.size() +
                              setup_.identity.tokenizer_json.size();
  agree(group_, [&] {
    if (group_.rank() != 0) return;
    const auto need = static_cast<std::uint64_t>(setup_.free_space * static_cast<double>(total));
    const std::uint64_t free = checkpoints_->free_bytes();
    if (free < need) {
      fail(ExitCode::kCannotCreate, checkpoints_->path(), ": a save needs ", format_bytes(need),
           ", ", format_bytes(free), " are free. Free space or lower checkpoint.keep_last");
    }
    const std::uint64_t files = 2 * static_cast<std::uint64_t>(group_.size()) + kSpareFiles;
    if (checkpoints_->free_files().value_or(files) < files) {
      fail(ExitCode::kCannotCreate, checkpoints_->path(), ": a save needs ", files, " files, ",
           *checkpoints_->free_files(), " are free. Remove files or use another run.dir");
    }
  });
  return total;
}

std::optional<std::string> Checkpointer::check_space(std::span<const TensorPiece> model,
                                                     std::span<const TensorPiece> optimizer) {
  const std::uint64_t bytes = require_space(shards(model, optimizer));
  const auto saves =
      static_cast<std::uint64_t>(setup_.retention.keep_last + setup_.retention.keep_best + 1);
  std::string warning;
  agree(group_, [&] {
    if (group_.rank() != 0) return;
    const std::uint64_t free = checkpoints_->free_bytes();
    if (free < saves * bytes) {
      warning = concat(checkpoints_->path(), ": ", saves, " checkpoints need ",
                       format_bytes(saves * bytes), ", ", format_bytes(free), " are free");
    }
  });
  warning = broadcast_text(group_, warning);
  if (warning.empty()) return std::nullopt;
  return warning;
}

SaveResult Checkpointer::save(const TrainingState& state, std::span<const TensorPiece> model,
                              std::span<const TensorPiece> optimizer,
                              const std::map<std::string, double>& eval_losses, bool final) {
  const CheckpointName name{state.lineage, state.step};
  SaveResult result;
  result.name = to_string(name);
  const auto start = Clock::now();
  try {
    const std::vector<Shard> mine = shards(model, optimizer);
    result.bytes = require_space(mine);
    write(state, mine, eval_losses);
  } catch (const Error& error) {
    ++failures_;
    const bool is_disk = error.code() == ExitCode::kCannotCreate || error.code() == ExitCode::kIo;
    if (!is_disk || final) throw;
    if (failures_ >= setup_.max_failures) {
      throw AgreedError(ExitCode::kCannotCreate,
                        concat(failures_, " saves in a row failed: ", error.what()));
    }
    result.error = error.what();
    return result;
  }
  failures_ = 0;
  committed_ = name;
  result.committed = true;
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (group_.rank() == 0) tidy_up(result);
  return result;
}

void Checkpointer::write(const TrainingState& state, const std::vector<Shard>& shards,
                         const std::map<std::string, double>& eval_losses) {
  std::string temporary;
  agree(group_, [&] {
    if (group_.rank() != 0) return;
    temporary = temporary_name({state.lineage, state.step});
    checkpoints_->create_directory(temporary);
  });
  temporary = broadcast_text(group_, temporary);
  try {
    Manifest written;
    agree(group_, [&] { written = write_shards(shards, temporary); });
    const auto parts = all_gather_text(group_, manifest_to_json(written));
    agree(group_, [&] {
      if (group_.rank() != 0) return;
      Manifest manifest;
      for (const std::string& part : parts) {
        merge(manifest, partial_manifest_from_json(part, "what a rank wrote"));
      }
      manifest.eval = eval_losses;
      publish(state, std::move(manifest), temporary);
    });
  } catch (const Error&) {
    if (group_.rank() == 0) {
      try {
        checkpoints_->remove_directory(temporary);
      } catch (const Error&) {
        // The disk that failed the save may fail this too; the next start removes it.
      }
    }
    throw;
  }
}

Manifest Checkpointer::write_shards(const std::vector<Shard>& shards,
                                    const std::string& temporary) const {
  const Directory directory =
      open_when_visible([&] { return checkpoints_->open_directory(temporary); });
  Manifest written;
  for (const Shard& shard : shards) {
    written.files.push_back(write_safetensors(directory, shard.file, shard.tensors));
    for (std::size_t i = 0; i < shard.pieces.size(); ++i) {
      const TensorPiece& piece = shard.pieces[i];
      ManifestTensor& tensor = written.tensors[piece.name];
      tensor.dtype = piece.dtype;
      tensor.shape = piece.shape;
      tensor.pieces.push_back({shard.file, shard.tensors[i].name, piece.begin, piece.end});
    }
  }
  directory.sync();
  return written;
}

void Checkpointer::publish(const TrainingState& state, Manifest manifest,
                           const std::string& temporary) const {
  const RunIdentity& identity = setup_.identity;
  const Directory directory = checkpoints_->open_directory(temporary);
  check_visible(directory, manifest);
  add_text(directory, manifest, "state.json", training_state_to_json(state));
  add_text(directory, manifest, "config.resolved.yaml", identity.config_yaml);
  add_text(directory, manifest, "tokenizer.json", identity.tokenizer_json);

  manifest.step = state.step;
  manifest.tokens = state.tokens;
  manifest.time = utc_now();
  manifest.world = group_.size();
  manifest.mesh = identity.mesh;
  manifest.machine = identity.machine;
  manifest.config_sha256 = sha256_hex(identity.config_yaml);
  manifest.identity_sha256 = identity.identity_sha256;
  manifest.tokenizer_sha256 = identity.tokenizer_sha256;
  manifest.code = identity.code;
  manifest.corpora = identity.corpora;
  try {
    check_pieces(manifest, "the tensors to save");
  } catch (const Error& error) {
    fail(ExitCode::kInternal, error.what());
  }
  const std::string json = manifest_to_json(manifest);
  directory.write_text("manifest.json", json);
  directory.write_text("manifest.sha256", manifest_checksums(manifest, json));
  directory.sync();

  setup_.before_publish();
  checkpoints_->rename_new(temporary, to_string(CheckpointName{state.lineage, state.step}));
  checkpoints_->sync();
}

void Checkpointer::tidy_up(SaveResult& result) const {
  const auto warn_of = [&](auto&& action) {
    try {
      action();
    } catch (const Error& error) {
      result.warnings.push_back(error.what());
    }
  };
  warn_of([&] { checkpoints_->replace_text("latest", result.name + "\n"); });
  warn_of([&] {
    const auto candidates = retention_candidates(*checkpoints_, setup_.retention.best_set);
    if (const auto best = best_checkpoint(candidates)) {
      checkpoints_->replace_text("best", to_string(*best) + "\n");
    }
    for (const CheckpointName& victim : retention_victims(candidates, setup_.retention)) {
      if (remove_checkpoint(*checkpoints_, victim)) {
        result.removed.push_back(to_string(victim));
      } else {
        result.warnings.push_back(checkpoints_->path_of(to_string(victim)) +
                                  " stays: it holds files that are not ours");
      }
    }
  });
}

}  // namespace pretrain
