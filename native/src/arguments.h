// Checks of the arguments of an exported function; they throw Error naming the argument.
#ifndef SEEKR_ARGUMENTS_H
#define SEEKR_ARGUMENTS_H
#include "error.h"
#include "kernels.h"
#include <mutex>

namespace sk {

// What a library's contexts answer, in its own context.cpp: the lock that lets one call in at a time, and the
// kernels of that call.
std::mutex& busy(sk_context* ctx);
const Kernels& enter(sk_context* ctx);

inline void not_null(const char* name, const void* p) {
  if (!p) throw Error("%s is null", name);
}

// An exported function: its arguments are checked, then the context's kernel runs. Returns the status.
template <class A, class F>
int checked(const char* function, sk_context* ctx, const A* a, void (*check)(const A&), F kernel) {
  return guard(function, [&] {
    not_null("ctx", ctx), not_null("a", a);
    std::lock_guard<std::mutex> lock(busy(ctx));
    const Kernels& kernels = enter(ctx);
    check(*a);
    return kernel(kernels);
  });
}

inline void at_least(const char* name, int64_t value, int64_t least) {
  if (value < least)
    throw Error("%s is %lld, less than %lld", name, static_cast<long long>(value),
                static_cast<long long>(least));
}

// A setting that is a number >= 0.
inline void positive(const char* name, float value) {
  if (!(value >= 0)) throw Error("%s is %g, not a number >= 0", name, double(value));
}

inline void flag(const char* name, int32_t value) {
  if (value != 0 && value != 1) throw Error("%s is %d, neither 0 nor 1", name, value);
}

// All of x[n] lie in [least, end).
inline void indices(const char* name, const int32_t* x, int64_t n, int64_t least, int64_t end) {
  for (int64_t i = 0; i < n; i++)
    if (x[i] < least || x[i] >= end)
      throw Error("%s[%lld] is %d, outside [%lld, %lld)", name, static_cast<long long>(i), x[i],
                  static_cast<long long>(least), static_cast<long long>(end));
}

// x[i] - x[i-1] is at least `step`.
inline void ascending(const char* name, const int32_t* x, int64_t n, int32_t step) {
  for (int64_t i = 1; i < n; i++)
    if (int64_t(x[i]) - x[i - 1] < step)
      throw Error("%s[%lld] is %d after %d: not ascending", name, static_cast<long long>(i), x[i], x[i - 1]);
}

// x[n+1] begins at 0 and never descends.
inline void offsets(const char* name, const int32_t* x, int64_t n) {
  not_null(name, x);
  if (x[0] != 0) throw Error("%s[0] is %d, not 0", name, x[0]);
  ascending(name, x, n + 1, 0);
}

inline void heads(int64_t NH, int64_t NKV, int64_t HS) {
  at_least("NH", NH, 1);
  at_least("NKV", NKV, 1);
  at_least("HS", HS, 1);
  if (NH % NKV != 0)
    throw Error("NH is %lld, not a multiple of NKV, which is %lld", static_cast<long long>(NH),
                static_cast<long long>(NKV));
}

} // namespace sk

// A member of the arguments a, under its own name.
#define SK_NOT_NULL(member) sk::not_null(#member, a.member)
#define SK_AT_LEAST(member, least) sk::at_least(#member, a.member, least)
#define SK_FLAG(member) sk::flag(#member, a.member)

// sk_<op>, which takes a struct `type` that `check` looks at.
#define SK_EXPORT(op, type, check)                                                       \
  SK_API int sk_##op(sk_context* ctx, const type* a) {                                   \
    return sk::checked("sk_" #op, ctx, a, check, [&](auto& k) { return k.op(ctx, a); }); \
  }

#endif
