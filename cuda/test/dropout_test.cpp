// dropout against the formula of seekr.h in plain integers.
#include "types.h"

namespace {

uint64_t mix64(uint64_t z) {
  z ^= z >> 30, z *= 0xBF58476D1CE4E5B9u;
  z ^= z >> 27, z *= 0x94D049BB133111EBu;
  return z ^ z >> 31;
}
uint32_t mix32(uint32_t h) {
  h ^= h >> 16, h *= 0x85EBCA6Bu;
  h ^= h >> 13, h *= 0xC2B2AE35u;
  return h ^ h >> 16;
}
bool kept(int64_t key, int64_t salt, int64_t c, float p) {
  const uint64_t k = mix64(uint64_t(key) + uint64_t(salt));
  const uint32_t drawn = mix32(mix32(uint32_t(c) + uint32_t(k)) ^ uint32_t(k / 0x100000000u)) / 2;
  return drawn >= uint64_t(double(p) * 0x80000000u);
}

template <class T>
void dropout(sk_context* ctx, const std::string& type, int64_t N, int64_t C, int64_t salt, float p) {
  Random random{uint64_t(N * 31 + C)};
  const Array<T> x(random, N * C), into(random, N * C), out(unwritten<T>(N * C));
  std::vector<int64_t> keys(static_cast<size_t>(N + 1));
  for (int64_t& key : keys) key = int64_t(random.next());
  std::vector<double> dropped, added;
  for (int64_t i = 0; i < N * C; i++) {
    dropped.push_back(kept(keys[size_t(i / C)], salt, i % C, p) ? x[i] / (1 - double(p)) : 0);
    added.push_back(into[i] + dropped.back());
  }
  const std::string name = type + "dropout of " + std::to_string(p) + " C " + std::to_string(C) + " ";
  sk_dropped_rows a{out.f(), x.f(), keys.data(), N, C, salt, p, 0};
  check_done(sk_dropout(ctx, &a), "dropout");
  check_near(name, out, dropped);
  const std::vector<float> y = out.get();
  for (size_t i = 0; i < y.size(); i++)
    check((y[i] == 0) == (dropped[i] == 0), "%s: element %zu is %g", name.c_str(), i, double(y[i]));
  a.y = into.f(), a.accumulate = 1;
  check_done(sk_dropout(ctx, &a), "dropout");
  check_near(name + "added", into, added);
}

} // namespace

void dropout_tests() {
  each_type([](auto element, sk_context* ctx, const std::string& type) {
    using T = decltype(element);
    for (float p : {0.0f, 0.1f, 0.5f}) {
      dropout<T>(ctx, type, 1, 1, 0, p);
      dropout<T>(ctx, type, 7, 300, -4, p);
      dropout<T>(ctx, type, 33, 128, 1 << 20, p);
      dropout<T>(ctx, type, 0, 3, 1, p);
    }
  });
  Context ctx(0);
  const OnDevice<float> x(4);
  const int64_t key = 3;
  const sk_dropped_rows a{x.f(), x.f(), &key, 1, 4, 0, 1, 0};
  check_error(sk_dropout(ctx, &a), "p is 1, not at least 0 and below 1");
}
