// attention_decode against its formula in double: what is cached, what is seen, what is left alone.
#include "types.h"

namespace {

// Keys and values that the window has left are NaN: they are not read.
template <class T>
static void one(sk_context* ctx, const std::string& type, int64_t NH, int64_t NKV, int64_t HS, int64_t window,
                float scale) {
  Random random{uint64_t(NH * 100 + HS + window)};
  const int64_t B = 4, capacity = 41, row = (NH + 2 * NKV) * HS;
  const std::vector<int32_t> lengths{0, 5, 33, int32_t(capacity - 1)};
  std::vector<float> keys = random.normals(B * NKV * capacity * HS),
                     values = random.normals(B * NKV * capacity * HS);
  auto cached = [&](int64_t b, int64_t kv, int64_t j) { return ((b * NKV + kv) * capacity + j) * HS; };
  auto first = [&](int64_t b) { return window ? std::max<int64_t>(0, lengths[size_t(b)] - window + 1) : 0; };
  for (int64_t b = 0; b < B; b++)
    for (int64_t kv = 0; kv < NKV; kv++)
      for (int64_t i = cached(b, kv, 0); i < cached(b, kv, first(b)); i++)
        keys[size_t(i)] = values[size_t(i)] = NAN;
  const Array<T> k(narrowed<T>(keys)), v(narrowed<T>(values)), qkv(random, B * row),
      o(unwritten<T>(B * NH * HS));
  std::vector<float> want_k = k.was, want_v = v.was;
  for (int64_t b = 0; b < B; b++)
    for (int64_t kv = 0; kv < NKV; kv++)
      for (int64_t i = 0; i < HS; i++) {
        const size_t at = size_t(cached(b, kv, lengths[size_t(b)]) + i);
        want_k[at] = float(qkv[b * row + (NH + kv) * HS + i]);
        want_v[at] = float(qkv[b * row + (NH + NKV + kv) * HS + i]);
      }
  std::vector<double> out;
  for (int64_t b = 0; b < B; b++)
    for (int64_t h = 0; h < NH; h++) {
      std::vector<double> o_h(size_t(HS), 0);
      double sum = 0;
      for (int64_t j = first(b); j <= lengths[size_t(b)]; j++) {
        const size_t at = size_t(cached(b, h / (NH / NKV), j));
        double s = 0;
        for (int64_t i = 0; i < HS; i++) s += qkv[b * row + h * HS + i] * double(want_k[at + size_t(i)]);
        const double weight = std::exp(s * double(scale));
        sum += weight;
        for (int64_t i = 0; i < HS; i++) o_h[size_t(i)] += weight * double(want_v[at + size_t(i)]);
      }
      for (double x : o_h) out.push_back(x / sum);
    }
  const std::string name = type + "decode heads " + std::to_string(NH) + "/" + std::to_string(NKV) + " HS " +
                           std::to_string(HS) + " window " + std::to_string(window) + " ";
  const sk_decode a{o.f(), k.f(), v.f(), qkv.f(), lengths.data(), B, capacity, NH, NKV, HS, window, scale};
  check_done(sk_attention_decode(ctx, &a), "attention_decode");
  check_near(name + "o", o, out);
  check_same(name + "kcache", k.now.get().data(), narrowed<T>(want_k).data(),
             int64_t(keys.size() * sizeof(T)));
  check_same(name + "vcache", v.now.get().data(), narrowed<T>(want_v).data(),
             int64_t(keys.size() * sizeof(T)));
}

} // namespace

void decode_tests() {
  each_type([](auto element, sk_context* ctx, const std::string& type) {
    using T = decltype(element);
    for (int64_t window : {0, 1, 2, 3, 4, 5, 33, 34, 41, 1000}) one<T>(ctx, type, 4, 2, 10, window, 0.5f);
    one<T>(ctx, type, 1, 1, 32, 0, 0.2f);
    one<T>(ctx, type, 3, 1, 33, 7, 0);
    one<T>(ctx, type, 2, 2, 128, 9, 0.1f);
  });
  Context ctx(0);
  const OnDevice<float> x(600);
  const std::vector<int32_t> lengths{1};
  sk_decode a{x.f(), x.f(), x.f(), x.f(), lengths.data(), 1, 1, 1, 1, 4, 0, 1};
  check_error(sk_attention_decode(ctx, &a), "lengths[0] is 1, outside [0, 1)");
  a.T = 2, a.HS = 129;
  check_error(sk_attention_decode(ctx, &a), "HS is 129");
}
