#include "core/data/corpus/corpus_probe.h"

#include <hdf5.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/base/error.h"
#include "core/base/files/mapped_file.h"
#include "core/base/isolated_call.h"
#include "core/data/corpus/corpus_manifest.h"
#include "core/data/corpus/hdf5_handle.h"

namespace pretrain {
namespace {

constexpr hsize_t kMaxLinks = 64;
constexpr const char* kWriteAgain = ". Write the file again, see the layout in core/data/README.md";

// Walks through one open corpus file. Lives in the child process only.
class Probe {
 public:
  explicit Probe(const std::string& path) : path_(path), file_(open_file(path)) {}

  CorpusTable table() const {
    CorpusTable table{.attributes = read_attributes(), .datasets = {}};
    const Hdf5Handle root = own(H5Gopen2(file_, "/", H5P_DEFAULT), H5Gclose, "/");
    for (const std::string& name : links(root, "/")) {
      const std::string path = "/" + name;
      if (path == kTokensPath || path == kDocOffsetsPath || path == kDocBytesPath ||
          path == kDocSourcePath) {
        table.datasets[path] = read_dataset(path, 1);
      } else if (name == "splits") {
        const Hdf5Handle group = own(H5Gopen2(file_, "/splits", H5P_DEFAULT), H5Gclose, "/splits");
        for (const std::string& split : links(group, "/splits")) {
          table.datasets[kSplitsPath + split] = read_dataset(kSplitsPath + split, 2);
        }
      } else {
        refuse("/" + name + " is no part of a corpus");
      }
    }
    return table;
  }

 private:
  static hid_t open_file(const std::string& path) {
    setenv("HDF5_PLUGIN_PRELOAD", "::", 1);  // "::" forbids what the environment asks for
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    if (H5PLset_loading_state(0) < 0) fail(ExitCode::kInternal, "HDF5 plug-ins stay on");
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, ExitCode::kInternal, "HDF5");
    H5Pset_fapl_sec2(access);
    H5Pset_file_locking(access, false, true);
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access);
    // From here on nothing can be opened: no external, virtual or linked file.
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_NOFILE, &none) != 0) fail(ExitCode::kInternal, "no file limit");
    return file;
  }

  [[noreturn]] void refuse(const std::string& what) const {
    std::string shown = what;
    std::replace_if(
        shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    fail(ExitCode::kBadData, path_, ": ", shown.substr(0, 300), kWriteAgain);
  }
  void require(bool ok, const std::string& what) const {
    if (!ok) refuse(what);
  }
  Hdf5Handle own(hid_t id, herr_t (*close)(hid_t), const std::string& object) const {
    return Hdf5Handle(id, close, ExitCode::kBadData,
                      concat(path_, ": ", object, " is missing or damaged", kWriteAgain));
  }

  // Names of the links of a group, all of which must be hard.
  std::vector<std::string> links(hid_t group, const std::string& path) const {
    H5G_info_t info;
    require(H5Gget_info(group, &info) >= 0, path + " is damaged");
    require(info.nlinks <= kMaxLinks, concat(path, " has ", info.nlinks, " members"));
    std::vector<std::string> names;
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      char name[256];
      const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                                sizeof name, H5P_DEFAULT);
      require(length > 0 && static_cast<std::size_t>(length) < sizeof name,
              concat("member ", i, " of ", path, " has a damaged or too long name"));
      H5L_info_t link;
      require(H5Lget_info(group, name, &link, H5P_DEFAULT) >= 0, path + " is damaged");
      require(link.type == H5L_TYPE_HARD,
              concat(name, " in ", path, " is a soft or external link, expected the data itself"));
      names.emplace_back(name);
    }
    return names;
  }

  DatasetEntry read_dataset(const std::string& name, int rank) const {
    const Hdf5Handle dataset =
        own(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose, "dataset " + name);
    const Hdf5Handle creation = own(H5Dget_create_plist(dataset), H5Pclose, name);
    require(H5Pget_external_count(creation) == 0, name + " keeps its data in other files");
    require(H5Pget_layout(creation) == H5D_CONTIGUOUS,
            name + " is chunked, compact or virtual, expected contiguous");
    require(H5Pget_nfilters(creation) == 0, name + " is filtered, expected plain");

    DatasetEntry entry;
    const Hdf5Handle type = own(H5Dget_type(dataset), H5Tclose, name);
    if (H5Tequal(type, H5T_STD_U16LE) > 0) entry.dtype = "u16";
    if (H5Tequal(type, H5T_STD_U32LE) > 0) entry.dtype = "u32";
    if (H5Tequal(type, H5T_STD_U64LE) > 0) entry.dtype = "u64";
    require(!entry.dtype.empty(), name + " has another type than u16, u32 or u64 little-endian");

    const Hdf5Handle space = own(H5Dget_space(dataset), H5Sclose, name);
    hsize_t shape[2] = {0, 0};
    require(H5Sget_simple_extent_type(space) == H5S_SIMPLE &&
                H5Sget_simple_extent_ndims(space) == rank &&
                H5Sget_simple_extent_dims(space, shape, nullptr) == rank,
            concat(name, " has another shape, expected ", rank == 1 ? "[n]" : "[n][2]"));
    require(rank == 1 || shape[1] == 2, name + " has another shape, expected [n][2]");
    entry.count = shape[0];
    const std::uint64_t width = H5Tget_size(type);
    const bool overflow = (rank == 2 && __builtin_mul_overflow(shape[0], 2u, &entry.count)) ||
                          __builtin_mul_overflow(entry.count, width, &entry.bytes);
    require(!overflow, concat(name, " has ", shape[0], " elements"));
    if (entry.count == 0) return entry;
    const haddr_t offset = H5Dget_offset(dataset);
    require(offset != HADDR_UNDEF && H5Dget_storage_size(dataset) == entry.bytes,
            concat(name, " has ", shape[0], " elements but no data for them"));
    entry.offset = offset;
    return entry;
  }

  CorpusAttributes read_attributes() const {
    require(file_ >= 0, "is no HDF5 file, or a damaged one");
    const Hdf5Handle creation = own(H5Fget_create_plist(file_), H5Pclose, "/");
    hsize_t user_block = 0;
    require(H5Pget_userblock(creation, &user_block) >= 0 && user_block == 0,
            "starts with a user block, expected none");
    require(text("format", true) == kCorpusFormat,
            concat("attribute format is not ", kCorpusFormat));
    CorpusAttributes a;
    a.version = number("version", true);
    a.dtype = text("dtype", false);
    a.tokenizer_sha256 = text("tokenizer_sha256", false);
    a.created_by = text("created_by", false);
    a.vocab_size = number("vocab_size", true);
    a.max_id = number("max_id", false);
    a.documents = number("documents", false);
    a.tokens = number("tokens", false);
    a.bytes = number("bytes", false);
    const Hdf5Handle eos = attribute("eos_id", true);
    require(read_integer(eos, &a.eos_id, H5T_NATIVE_INT64), "attribute eos_id is no whole number");
    if (has("sources")) {
      a.sources = sources_from_json(text("sources", true, kMaxSourcesBytes),
                                    concat(path_, ": attribute sources"));
    }
    return a;
  }

  bool has(const char* name) const { return H5Aexists(file_, name) > 0; }

  Hdf5Handle attribute(const char* name, bool required) const {
    require(!required || has(name), concat("has no attribute ", name));
    return own(H5Aopen(file_, name, H5P_DEFAULT), H5Aclose, concat("attribute ", name));
  }

  // Reads a scalar integer attribute; out of range counts as failure.
  static bool read_integer(hid_t attribute, void* value, hid_t native) {
    const hid_t type = H5Aget_type(attribute);
    const hid_t space = H5Aget_space(attribute);
    bool ok = type >= 0 && space >= 0 && H5Tget_class(type) == H5T_INTEGER &&
              H5Tget_size(type) <= 8 && H5Sget_simple_extent_npoints(space) == 1;
    // HDF5 clips what does not fit: a negative number would read as 0.
    std::int64_t as_signed = 0;
    if (ok && H5Tget_sign(type) == H5T_SGN_2) {
      ok = H5Aread(attribute, H5T_NATIVE_INT64, &as_signed) >= 0 &&
           (native == H5T_NATIVE_INT64 || as_signed >= 0);
    }
    ok = ok && H5Aread(attribute, native, value) >= 0;
    H5Tclose(type);
    H5Sclose(space);
    return ok;
  }

  std::uint64_t number(const char* name, bool required) const {
    if (!required && !has(name)) return 0;
    const Hdf5Handle at = attribute(name, required);
    std::uint64_t value = 0;
    require(read_integer(at, &value, H5T_NATIVE_UINT64),
            concat("attribute ", name, " is no whole number >= 0"));
    return value;
  }

  std::string text(const char* name, bool required, std::size_t most = kMaxAttributeBytes) const {
    if (!required && !has(name)) return "";
    const Hdf5Handle at = attribute(name, required);
    const Hdf5Handle type = own(H5Aget_type(at), H5Tclose, name);
    const Hdf5Handle space = own(H5Aget_space(at), H5Sclose, name);
    require(H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1,
            concat("attribute ", name, " is no text"));
    std::string value;
    if (H5Tis_variable_str(type) > 0) {  // what h5py writes; the child's memory is limited
      char* variable = nullptr;
      require(H5Aread(at, type, &variable) >= 0 && variable != nullptr,
              concat("attribute ", name, " is damaged"));
      value.assign(variable, strnlen(variable, most + 1));
    } else {
      const std::size_t size = H5Tget_size(type);
      require(size <= most, concat("attribute ", name, " has ", size, " bytes"));
      std::vector<char> fixed(size + 1, '\0');
      require(H5Aread(at, type, fixed.data()) >= 0, concat("attribute ", name, " is damaged"));
      value = fixed.data();
    }
    require(value.size() <= most, concat("attribute ", name, " is too long"));
    return value;
  }

  std::string path_;
  hid_t file_;  // closed with the child
};

}  // namespace

CorpusTable probe_corpus(const std::string& path) {
  { const MappedFile exists(path); }  // its message is better than HDF5's silence
  const std::string reply = run_isolated(path, [&] { return table_to_json(Probe(path).table()); });
  return table_from_json(reply, path);
}

}  // namespace pretrain
