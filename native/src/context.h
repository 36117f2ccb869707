// What a kernel sees of a context: its threads and its scratch memory.
// No header of the C++ library here: this file is also read by the per-instruction-set sources (see simd.h).
#ifndef SEEKR_CONTEXT_H
#define SEEKR_CONTEXT_H
#include "../include/seekr.h"

namespace sk {

// The number of workers: the calling thread is worker 0.
int workers(sk_context* ctx);

// At least this many floats, aligned to 64 bytes, not initialised, valid until the next call for the same
// worker. Only worker `worker` may ask for its own. Throws std::bad_alloc.
float* scratch(sk_context* ctx, int worker, int64_t floats);

// The same, one for the whole context: ask for it outside parallel(), use it anywhere.
float* shared_scratch(sk_context* ctx, int64_t floats);

// Calls task(argument, i, worker) for each 0 <= i < tasks. Any worker may take any task, in ascending order
// of i. An exception of a task is thrown again here. Not to be nested.
void run(sk_context* ctx, int64_t tasks, void (*task)(void*, int64_t, int), void* argument);

// f(i, worker) for each 0 <= i < tasks. What a task computes must depend on i alone, never on the worker or
// on the number of workers: this is what makes results independent of the number of threads.
template <class F> static inline void parallel(sk_context* ctx, int64_t tasks, F f) {
  run(ctx, tasks, [](void* g, int64_t i, int worker) { (*static_cast<F*>(g))(i, worker); }, &f);
}

// f(begin, end) over [0, n) in blocks of a fixed size.
template <class F> static inline void parallel_blocks(sk_context* ctx, int64_t n, int64_t block, F f) {
  parallel(ctx, (n + block - 1) / block, [&](int64_t i, int) {
    int64_t begin = i * block, end = begin + block;
    f(begin, end < n ? end : n);
  });
}

} // namespace sk
#endif
