#include <mpi.h>

#include <algorithm>
#include <functional>

#include "core/communicator.h"
#include "parallel/host_reduction.h"

namespace pretrain {
namespace {

// Up to this many bytes over all ranks one library call is used, whose algorithms save messages.
// Beyond, ranks exchange blocks directly: no count can overflow an int, and memory stays bounded.
constexpr std::size_t kSmallBytes = 64 * 1024;
// Bytes of one message of such an exchange, and of one library call that works in place.
constexpr std::size_t kPieceBytes = 4 * 1024 * 1024;

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "unknown error";
  int length = 0;
  MPI_Error_string(code, text, &length);
  fail(ExitCode::kLauncher, call, ": ", text, ". See the messages of mpirun above");
}

MPI_Datatype mpi_type(DataType type) {
  switch (type) {
    case DataType::kU8:
      return MPI_UINT8_T;
    case DataType::kI32:
      return MPI_INT32_T;
    case DataType::kI64:
      return MPI_INT64_T;
    case DataType::kF32:
      return MPI_FLOAT;
    case DataType::kF64:
      return MPI_DOUBLE;
    case DataType::kBF16:
      return MPI_UINT16_T;  // moved, never reduced by MPI
  }
  fail(ExitCode::kInternal, "unknown data type ", static_cast<int>(type));
}

MPI_Op mpi_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return MPI_SUM;
    case ReduceOp::kMax:
      return MPI_MAX;
    case ReduceOp::kMin:
      return MPI_MIN;
  }
  fail(ExitCode::kInternal, "unknown reduction ", static_cast<int>(op));
}

bool is_integer(DataType type) {
  return type == DataType::kU8 || type == DataType::kI32 || type == DataType::kI64;
}

std::byte* bytes_at(void* data, std::size_t offset) {
  return static_cast<std::byte*>(data) + offset;
}
const std::byte* bytes_at(const void* data, std::size_t offset) {
  return static_cast<const std::byte*>(data) + offset;
}

/// Communicator over OpenMPI. Host memory.
///
/// Floating-point reductions do not use MPI's: their order of summation depends on the algorithm
/// the library picks for size and version. Here it is always the order of ranks, so the bits depend
/// on the ranks' data alone, and a sharded reduction equals the unsharded one bit for bit.
class MpiCommunicator : public Communicator {
 public:
  struct Options {
    void visit(OptionVisitor&) {}
  };

  MpiCommunicator(const Options&, const CommunicatorContext& context) {
    int initialized = 0;
    check(MPI_Initialized(&initialized), "MPI_Initialized");
    if (!initialized) {
      fail(ExitCode::kLauncher,
           "parallel.backend: mpi needs ranks started by mpirun, got a single ",
           "process. Start with mpirun, or set parallel.backend=auto");
    }
    const auto* group = dynamic_cast<const MpiCommunicator*>(context.control);
    adopt([&](MPI_Comm* made) {
      return MPI_Comm_dup(group != nullptr ? group->comm_ : MPI_COMM_WORLD, made);
    });
  }

  ~MpiCommunicator() override {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (!finalized) MPI_Comm_free(&comm_);
  }
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  bool device_memory() const override { return false; }

  void all_reduce(void* data, std::size_t count, DataType type, ReduceOp op) override {
    const std::size_t width = size_of(type);
    if (is_integer(type)) {  // order-free: any algorithm gives the same bits
      for_pieces(count, kPieceBytes / width, [&](std::size_t begin, std::size_t n) {
        check(MPI_Allreduce(MPI_IN_PLACE, bytes_at(data, begin * width), static_cast<int>(n),
                            mpi_type(type), mpi_op(op), comm_),
              "MPI_Allreduce");
      });
    } else if (count * width * ranks() <= kSmallBytes) {
      std::byte* parts = scratch(count * width * ranks());
      all_gather(data, parts, count, type);
      reduce_parts(parts, count * width, nullptr, data, count, type, op);
    } else {
      for_pieces(count, kPieceBytes / width, [&](std::size_t begin, std::size_t n) {
        all_reduce_piece(bytes_at(data, begin * width), n, type, op);
      });
    }
  }

  void all_gather(const void* send, void* receive, std::size_t count, DataType type) override {
    const std::size_t bytes = count * size_of(type);
    if (bytes * ranks() <= kSmallBytes) {
      const int n = static_cast<int>(count);
      check(MPI_Allgather(send, n, mpi_type(type), receive, n, mpi_type(type), comm_),
            "MPI_Allgather");
      return;
    }
    for_pieces(bytes, kPieceBytes, [&](std::size_t begin, std::size_t n) {
      exchange(
          [&](std::size_t) {
            return Block<const std::byte>{bytes_at(send, begin), n};
          },
          [&](std::size_t r) {
            return Block<std::byte>{bytes_at(receive, r * bytes + begin), n};
          });
    });
    std::copy_n(bytes_at(send, 0), bytes, bytes_at(receive, own() * bytes));
  }

  void reduce_scatter(const void* send, void* receive, std::size_t count, DataType type,
                      ReduceOp op) override {
    const std::size_t width = size_of(type);
    for_pieces(count, kPieceBytes / width, [&](std::size_t begin, std::size_t n) {
      const auto block_for = [&](std::size_t r) {
        return Block<const std::byte>{bytes_at(send, (r * count + begin) * width), n * width};
      };
      std::byte* parts = scratch(n * width * ranks());
      exchange(block_for, [&](std::size_t r) {
        return Block<std::byte>{parts + r * n * width, n * width};
      });
      reduce_parts(parts, n * width, block_for(own()).data, bytes_at(receive, begin * width), n,
                   type, op);
    });
  }

  void all_to_all(const void* send, void* receive, std::size_t count, DataType type) override {
    const std::size_t bytes = count * size_of(type);
    if (bytes * ranks() <= kSmallBytes) {
      const int n = static_cast<int>(count);
      check(MPI_Alltoall(send, n, mpi_type(type), receive, n, mpi_type(type), comm_),
            "MPI_Alltoall");
      return;
    }
    for_pieces(bytes, kPieceBytes, [&](std::size_t begin, std::size_t n) {
      exchange(
          [&](std::size_t r) {
            return Block<const std::byte>{bytes_at(send, r * bytes + begin), n};
          },
          [&](std::size_t r) {
            return Block<std::byte>{bytes_at(receive, r * bytes + begin), n};
          });
    });
    std::copy_n(bytes_at(send, own() * bytes), bytes, bytes_at(receive, own() * bytes));
  }

  void broadcast(void* data, std::size_t count, DataType type, int root) override {
    for_pieces(count * size_of(type), kPieceBytes, [&](std::size_t begin, std::size_t n) {
      check(MPI_Bcast(bytes_at(data, begin), static_cast<int>(n), MPI_BYTE, root, comm_),
            "MPI_Bcast");
    });
  }

  void barrier() override { check(MPI_Barrier(comm_), "MPI_Barrier"); }

  std::unique_ptr<Communicator> split(int color, int key) override {
    return std::unique_ptr<Communicator>(new MpiCommunicator(
        [&](MPI_Comm* made) { return MPI_Comm_split(comm_, color, key, made); }));
  }

 private:
  template <class Byte>
  struct Block {
    Byte* data;
    std::size_t bytes;
  };

  explicit MpiCommunicator(const std::function<int(MPI_Comm*)>& make) { adopt(make); }

  void adopt(const std::function<int(MPI_Comm*)>& make) {
    check(make(&comm_), "creating an MPI communicator");
    check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
    requests_.resize(2 * ranks());
  }

  std::size_t ranks() const { return static_cast<std::size_t>(size_); }
  std::size_t own() const { return static_cast<std::size_t>(rank_); }

  // Kept for the life of the group: fresh memory would cost a page fault a page in every call.
  std::byte* scratch(std::size_t bytes) {
    if (scratch_.size() < bytes) scratch_.resize(bytes);
    return scratch_.data();
  }

  // Calls body(begin, n) for consecutive ranges of at most `limit` that cover [0, count).
  template <class Body>
  static void for_pieces(std::size_t count, std::size_t limit, Body body) {
    for (std::size_t begin = 0; begin < count; begin += limit) {
      body(begin, std::min(limit, count - begin));
    }
  }

  // Sends block_for(r) to every other rank r and receives its block for us into block_from(r).
  template <class BlockFor, class BlockFrom>
  void exchange(BlockFor block_for, BlockFrom block_from) {
    int posted = 0;
    const auto next = [&] { return &requests_[static_cast<std::size_t>(posted++)]; };
    for (std::size_t r = 0; r < ranks(); ++r) {
      if (r == own()) continue;
      const Block<std::byte> in = block_from(r);
      check(MPI_Irecv(in.data, static_cast<int>(in.bytes), MPI_BYTE, static_cast<int>(r), 0, comm_,
                      next()),
            "MPI_Irecv");
    }
    for (std::size_t distance = 1; distance < ranks(); ++distance) {  // not all to rank 0 first
      const std::size_t r = (own() + distance) % ranks();
      const Block<const std::byte> out = block_for(r);
      check(MPI_Isend(out.data, static_cast<int>(out.bytes), MPI_BYTE, static_cast<int>(r), 0,
                      comm_, next()),
            "MPI_Isend");
    }
    check(MPI_Waitall(posted, requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  }

  // out = reduction of the ranks' parts, `stride` bytes apart; own part at `mine` unless null.
  void reduce_parts(const std::byte* parts, std::size_t stride, const void* mine, void* out,
                    std::size_t count, DataType type, ReduceOp op) {
    std::vector<const void*> in_order;
    for (std::size_t r = 0; r < ranks(); ++r) in_order.push_back(parts + r * stride);
    if (mine != nullptr) in_order[own()] = mine;
    reduce_in_order(in_order, out, count, type, op);
  }

  // Each rank reduces its share of the elements, then hands the result to the others.
  void all_reduce_piece(std::byte* data, std::size_t count, DataType type, ReduceOp op) {
    const std::size_t width = size_of(type);
    const auto share = [&](std::size_t r) {
      const std::size_t begin = r * count / ranks();
      return Block<std::byte>{data + begin * width, ((r + 1) * count / ranks() - begin) * width};
    };
    const auto send_share = [&](std::size_t r) {
      return Block<const std::byte>{share(r).data, share(r).bytes};
    };
    const Block<std::byte> mine = share(own());
    std::byte* parts = scratch(mine.bytes * ranks());
    exchange(send_share, [&](std::size_t r) {
      return Block<std::byte>{parts + r * mine.bytes, mine.bytes};
    });
    reduce_parts(parts, mine.bytes, mine.data, mine.data, mine.bytes / width, type, op);
    exchange([&](std::size_t) { return send_share(own()); }, share);
  }

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  std::vector<MPI_Request> requests_;
  std::vector<std::byte> scratch_;
};

const bool kRegistered = communicators().add<MpiCommunicator>("mpi");

}  // namespace
}  // namespace pretrain
