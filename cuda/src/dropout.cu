// dropout: which elements are kept is computed, never stored.
#include "device.cuh"

namespace sk {

SK_DEVICE uint64_t mix(uint64_t z) {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

SK_DEVICE uint32_t mix(uint32_t h) {
  h = (h ^ h >> 16) * 0x85EBCA6Bu;
  h = (h ^ h >> 13) * 0xC2B2AE35u;
  return h ^ h >> 16;
}

// What is dropped is 0 whatever it was.  A block is a row.
template <class T> struct Dropout {
  static constexpr int THREADS = 128;
  sk_dropped_rows a; // keys: a copy on the device
  int32_t least;     // p 2^31
  float scale;

  SK_DEVICE void operator()() const {
    const uint64_t key = mix(uint64_t(a.keys[block_x()]) + uint64_t(a.salt));
    const uint32_t low = uint32_t(key), high = uint32_t(key >> 32);
    T* y = as<T>(a.y) + block_x() * a.C;
    const T* x = as<T>(a.x) + block_x() * a.C;
    for (int64_t c = thread(); c < a.C; c += THREADS) {
      const int32_t drawn = int32_t(mix(mix(uint32_t(c) + low) ^ high) >> 1);
      const float v = drawn >= least ? to_float(x[c]) * scale : 0;
      y[c] = from_float<T>(a.accumulate ? to_float(y[c]) + v : v);
    }
  }
};

SK_KERNEL(dropout_f32, Dropout<float>)
SK_KERNEL(dropout_bf16, Dropout<bf16>)
SK_KERNEL(dropout_f16, Dropout<f16>)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "launch.h"

namespace sk {
namespace cuda {

int dropout(sk_context* ctx, const sk_dropped_rows* a) {
  sk_dropped_rows on_device = *a;
  on_device.keys = upload(ctx, a->keys, a->N);
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    launch(ctx, a->N, 1, 0, Dropout<T>{on_device, int32_t(a->p * 0x1p31f), 1 / (1 - a->p)});
  });
}

} // namespace cuda
} // namespace sk
#endif
