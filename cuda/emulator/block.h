// Runs the threads of one block as fibers on one CPU thread.
#ifndef SEEKR_EMULATOR_BLOCK_H
#define SEEKR_EMULATOR_BLOCK_H
#include <cstddef>
#include <cstdint>

namespace sk {
namespace emulator {

// In which order runnable threads, and blocks, go on. A missing barrier may show in one and not in another.
enum class Order { FIFO, LIFO, RANDOM };

struct Launch {
  const char* kernel;
  unsigned grid[3];
  unsigned threads; // of a block
  size_t shared;    // bytes
  void (*run)(const void* arguments);
  const void* arguments;
  Order order;
  uint64_t seed; // of random order
};

// Runs every block, one at a time. Returns false after an error, of which message() tells.
bool launch(const Launch& launch);
const char* message();

// What has been done since someone looked (libcuda.cpp): kernels run, products of warps (mma).
struct Counts {
  uint64_t launches, products;
};
extern Counts counts;

// For the intrinsics; only from inside a kernel.
int thread_index();
int64_t block_index(int dimension);
int64_t grid_size(int dimension);
void* shared_address(int64_t byte_offset, size_t alignment);
void barrier(const void* place);
double shuffle(double v, int from);
void cp_async(void* to, const void* from, bool valid);
void cp_async_commit();
void cp_async_wait(int groups);
void ldmatrix(uint32_t r[4], const void* row, bool transposed);
void mma(float c[4], const float a[8], const float b[4]);
// The sum of c and 8 products as tensor cores add them.
float aligned_sum(float c, const float* a, const float* b);

// Ends the kernel with an error that names block and thread.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

// A kernel by its name, with the size of its arguments.
struct Kernel {
  const char* name;
  size_t argument_bytes;
  void (*run)(const void*);
  Kernel* next;
};
extern Kernel* kernels;

template <class K> struct Registered : Kernel {
  explicit Registered(const char* name)
      : Kernel{name, sizeof(K), [](const void* k) { (*static_cast<const K*>(k))(); }, kernels} {
    kernels = this;
  }
};

} // namespace emulator
} // namespace sk
#endif
