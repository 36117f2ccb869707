// See check.h.
#include "check.h"
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

int passed, failed;

void check(bool ok, const char* format, ...) {
  if (ok) {
    passed++;
    return;
  }
  failed++;
  va_list arguments;
  va_start(arguments, format);
  std::printf("FAILED ");
  std::vprintf(format, arguments);
  std::printf("\n");
  va_end(arguments);
  if (!std::getenv("STOP_AT_FAILURE")) return;
  std::fflush(stdout);
  std::_Exit(1);
}

void check_error(int status, const char* message) {
  check(status != 0 && std::strstr(sk_last_error(), message),
        "status %d and \"%s\", expected an error with \"%s\"", status, status ? sk_last_error() : "",
        message);
}

void check_ok(int status, const char* name) {
  check(status == 0, "%s: status %d, %s", name, status, status ? sk_last_error() : "");
}

template <class... Values> static std::string say(const char* format, Values... values) {
  char text[200];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

static const char* const ENDLESS = "[%lld of %lld]: what is exact is %.9g, and plain code comes to %.9g; "
                                   "neither may be infinite or NaN, since any error is as small";

std::string difference(const float* got, const double* exact, const float* plain, int64_t n, double floor) {
  if (!std::isfinite(floor)) return say("the allowed error is %g", floor);
  double largest = 0, allowed = 0;
  for (int64_t i = 0; i < n; i++) {
    const double plainly = plain ? double(plain[i]) : 0;
    if (!std::isfinite(exact[i]) || !std::isfinite(plainly))
      return say(ENDLESS, (long long)i, (long long)n, exact[i], plainly);
    largest = std::fmax(largest, std::fabs(exact[i]));
    if (plain) allowed = std::fmax(allowed, 2 * std::fabs(plainly - exact[i]));
  }
  allowed += floor * (1 + largest);
  for (int64_t i = 0; i < n; i++) {
    if (std::fabs(got[i] - exact[i]) <= allowed) continue; // false for NaN
    return say("[%lld of %lld] is %.9g, exactly %.9g, allowed error %.3g", (long long)i, (long long)n,
               double(got[i]), exact[i], allowed);
  }
  return "";
}

std::string difference(const double* got, const double* exact, int64_t n, double relative) {
  if (!std::isfinite(relative)) return say("the allowed error is %g", relative);
  for (int64_t i = 0; i < n; i++) {
    if (!std::isfinite(exact[i])) return say(ENDLESS, (long long)i, (long long)n, exact[i], 0.0);
    if (std::fabs(got[i] - exact[i]) <= relative * (1 + std::fabs(exact[i]))) continue;
    return say("[%lld of %lld] is %.17g, exactly %.17g", (long long)i, (long long)n, got[i], exact[i]);
  }
  return "";
}

void check_close(const std::string& name, const float* got, const double* exact, const float* plain,
                 int64_t n, double floor) {
  const std::string found = difference(got, exact, plain, n, floor);
  check(found.empty(), "%s: %s", name.c_str(), found.c_str());
}

void check_close(const std::string& name, const double* got, const double* exact, int64_t n,
                 double relative) {
  const std::string found = difference(got, exact, n, relative);
  check(found.empty(), "%s: %s", name.c_str(), found.c_str());
}

void check_same(const std::string& name, const void* a, const void* b, int64_t bytes) {
  check(std::memcmp(a, b, size_t(bytes)) == 0, "%s: not the same bits", name.c_str());
}

uint64_t Random::next() { // splitmix64
  uint64_t z = state += 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

double Random::uniform() { return double(next() >> 11) * 0x1p-53; }

float Random::normal() {
  return float(std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform()));
}

std::vector<float> Random::normals(int64_t n, float scale, float mean) {
  std::vector<float> x(static_cast<size_t>(n));
  for (float& v : x) v = mean + scale * normal();
  return x;
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> present;
  for (const char* isa : {"avx512", "avx2", "scalar"}) {
    sk_context* ctx;
    if (sk_create(&ctx, 1, isa) != 0) continue;
    present.push_back(isa);
    sk_destroy(ctx);
  }
  return present;
}

void each_context(const std::function<void(sk_context*, const std::string& label)>& f) {
  for (const std::string& isa : instruction_sets())
    for (int threads = 1; threads <= 3; threads++) {
      sk_context* ctx = nullptr;
      check_ok(sk_create(&ctx, threads, isa.c_str()), "sk_create");
      f(ctx, isa + "/" + std::to_string(threads));
      check_ok(sk_destroy(ctx), "sk_destroy");
    }
}

void check_deterministic(const std::string& name, const std::function<std::vector<float>(sk_context*)>& f) {
  std::string isa;
  std::vector<float> first;
  each_context([&](sk_context* ctx, const std::string& label) {
    if (isa != sk_isa(ctx)) {
      isa = sk_isa(ctx);
      first = f(ctx);
    }
    for (const char* time : {"once", "again"}) {
      std::vector<float> x = f(ctx);
      check(x.size() == first.size(), "%s %s: as many outputs", name.c_str(), label.c_str());
      check_same(name + " " + label + " " + time, x.data(), first.data(), int64_t(x.size() * sizeof(float)));
    }
  });
}

int naive_sgemm(char ta, char tb, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
                const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      float sum = 0;
      for (int64_t p = 0; p < k; p++)
        sum += (ta == 'T' ? a[p * lda + i] : a[i * lda + p]) * (tb == 'T' ? b[j * ldb + p] : b[p * ldb + j]);
      float& y = c[i * ldc + j];
      y = alpha * sum + (beta == 0 ? 0 : beta * y);
    }
  return 0;
}
