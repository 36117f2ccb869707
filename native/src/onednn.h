// oneDNN's products of bfloat16.
#ifndef SEEKR_ONEDNN_H
#define SEEKR_ONEDNN_H
#include "../include/seekr.h"
#include <map>
#include <memory>
#include <tuple>
#include <vector>

namespace sk {

// oneDNN, of which nothing is known until the program runs: functions are looked up in its library. It must
// be held to one thread from outside (OMP_NUM_THREADS while it is loaded), since tasks call it from threads
// of the context's own.
class OneDnn {
public:
  // Throws Error where the file is not such a library.
  OneDnn(const char* path, int workers);
  ~OneDnn();
  OneDnn(const OneDnn&) = delete;

  // Whether it may use AMX, and AVX512-BF16: the CPU and ONEDNN_MAX_CPU_ISA allow it.
  bool has_amx() const;
  bool has_avx512_bf16() const;

  // sk_product of a context of bfloat16 elements, whose K is not 0. Throws Error.
  int matmul(sk_context* ctx, const sk_product* a);

private:
  struct Functions;
  // A product by one thread: sides, leading dimensions, and the rest of an sk_product.
  struct Shape {
    int64_t m, n, k, lda, ldb, ldy;
    bool ta, tb, accumulate, wide;
    float alpha;
    auto tie() const { return std::tie(m, n, k, lda, ldb, ldy, ta, tb, accumulate, wide, alpha); }
    bool operator<(const Shape& other) const { return tie() < other.tie(); }
  };
  struct Primitive;

  const Primitive& primitive(const Shape& shape);
  void run(const Primitive& primitive, int worker, const void* a, const void* b, void* y, float* scratch);
  void check(int status, const char* call) const;

  void* library;
  std::unique_ptr<Functions> call;
  void* engine = nullptr;
  std::vector<void*> streams; // one a worker
  std::map<Shape, std::unique_ptr<Primitive>> primitives;
};

} // namespace sk
#endif
