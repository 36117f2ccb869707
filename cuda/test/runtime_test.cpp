// The runtime of the launchers: memory that is handed on only when it is free, streams, what contexts hold
// and give back, what they refuse.
#include "types.h"
#include <cstring>
#include <dlfcn.h>

namespace {

static int64_t used_memory() {
  size_t free = 0, total = 0;
  SK_CUDA(cuMemGetInfo_v2, &free, &total);
  return int64_t(total - free);
}

// A GPU's driver keeps what it likes.
static void same_memory(const char* when, int64_t before) {
  if (!emulated()) return;
  check(used_memory() == before, "%s: %lld bytes are used, and were %lld", when,
        static_cast<long long>(used_memory()), static_cast<long long>(before));
}

// x[target] += 1 for each of n rows: 4 n bytes of staging, and one block.
static void add_ones(sk_context* ctx, const OnDevice<float>& x, const OnDevice<float>& ones, int32_t target,
                     int64_t n) {
  const std::vector<int32_t> rows(size_t(n), target);
  const sk_rows a{x.f(), ones.f(), rows.data(), n, int64_t(x.n), 1};
  check_ok(sk_scatter_add(ctx, &a), "scatter_add");
}

// Calls whose uploads fill the staging memory, one behind the other: none takes another's rows.
static void staging_is_recycled() {
  Context ctx(0);
  const OnDevice<float> ones(std::vector<float>(200000, 1)), x(std::vector<float>(3, 0));
  for (int32_t target : {0, 1, 2, 1}) add_ones(ctx, x, ones, target, 150000 + target);
  check_done(0, "uploads of more than the staging memory");
  const std::vector<float> sums = x.get(), want{150000, 300002, 150002};
  for (size_t i = 0; i < 3; i++)
    check(sums[i] == want[i], "staging recycled: sum %zu is %g, not %g", i, double(sums[i]), double(want[i]));
}

// One call's uploads that outgrow the memory: what came before stays, and is given back later.
static void staging_outgrown() {
  const int64_t before = used_memory();
  {
    Context ctx(0);
    const OnDevice<float> ones(std::vector<float>(400000, 1)), x(std::vector<float>(2, 0)),
        y(std::vector<float>(2, 0));
    for (int repeat = 0; repeat < 4; repeat++)
      add_ones(ctx, x, ones, 1, 400000), add_ones(ctx, y, ones, 0, 3);
    check_done(0, "uploads of one call that outgrow the staging memory");
    check(x.get()[1] == 1600000, "staging outgrown: the sum is %g", double(x.get()[1]));
    check(y.get()[0] == 12, "staging outgrown: the sum of a small call is %g", double(y.get()[0]));
  }
  same_memory("staging outgrown", before);
}

// Parts of rmsnorm_bwd and of dot are in scratch memory, which grows where it must.
static void scratch_grows() {
  Context ctx(0);
  Random random{6};
  int64_t before = 0;
  std::vector<double> want;
  for (int64_t C : {3, 3000, 30000, 17}) {
    const Array<float> x(random, 20 * C), dy(random, 20 * C), w(random, C), dx(random, 20 * C),
        rstd(std::vector<float>(20, 0.5f)), dw(std::vector<float>(size_t(C), 0));
    const sk_rmsnorm_gradient a{dx.f(), dw.f(), dy.f(), x.f(), rstd.f(), w.f(), 20, C};
    check_done(sk_rmsnorm_bwd(ctx, &a), "rmsnorm_bwd in scratch memory");
    want.assign(size_t(C), 0);
    for (int64_t i = 0; i < 20 * C; i++) want[size_t(i % C)] += 0.5 * x[i] * dy[i];
    check_near("scratch of " + std::to_string(C) + " dw", dw, want);
  }
  for (int64_t n : {100, 200000, 400000}) {
    if (n == 200000) before = used_memory();
    const OnDevice<float> x(std::vector<float>(size_t(n), 1));
    double sum = 0;
    const sk_pair a{&sum, x.f(), x.f(), n, 0};
    check_done(sk_dot(ctx, &a), "dot in scratch memory");
    check(sum == double(n), "scratch: the dot of %lld ones is %g", static_cast<long long>(n), sum);
  }
  same_memory("scratch that is large enough is kept", before);
}

// What grew is not kept twice, and a context gives back all it had.
static void memory_comes_back() {
  const int64_t before = used_memory();
  {
    Context ctx(0);
    const OnDevice<float> ones(std::vector<float>(300000, 1)), x(std::vector<float>(1, 0)), dx(40000),
        w(40000), rstd(1);
    const int64_t held = used_memory();
    for (int64_t C : {10000, 20000, 40000}) {
      const sk_rmsnorm_gradient a{dx.f(), dx.f(), w.f(), w.f(), rstd.f(), w.f(), 1, C};
      check_done(sk_rmsnorm_bwd(ctx, &a), "rmsnorm_bwd");
    }
    check(!emulated() || used_memory() - held < 300000, "scratch that grew: %lld bytes are held",
          static_cast<long long>(used_memory() - held));
    add_ones(ctx, x, ones, 0, 300000); // outgrown, and not recycled when the context ends
  }
  same_memory("an ended context", before);
}

template <class... A> static int cu(const char* name, A... arguments) {
  auto f = reinterpret_cast<int (*)(A...)>(dlsym(dlopen("libcuda.so.1", RTLD_NOW), name));
  return f ? f(arguments...) : -1;
}

// All of a call is on the context's stream: who waits for that alone has its result.
static void streams() {
  sk::CUstream stream = nullptr;
  check(cu("cuStreamCreate", &stream, 1u) == 0, "a stream");
  Context ctx(0);
  check_ok(sk_configure(ctx, 0, stream), "sk_configure");
  const OnDevice<float> x(std::vector<float>(4, 5)), ones(std::vector<float>(4, 1));
  const sk_vector cleared{x.f(), 2};
  const std::vector<int32_t> rows{1, 2};
  const sk_rows added{x.f(), ones.f(), rows.data(), 2, 4, 1};
  double sum = 0;
  const sk_pair pair{&sum, ones.f(), ones.f(), 4, 0};
  check_ok(sk_zero(ctx, &cleared), "zero on a stream");
  check_ok(sk_scatter_add(ctx, &added), "scatter_add on a stream");
  float seen[4] = {};
  SK_CUDA(cuMemcpyDtoHAsync_v2, seen, x.at, 16, stream);
  check(sk::driver().cuStreamSynchronize(stream) == 0, "the stream ends well");
  const float want[] = {0, 1, 6, 5};
  for (int i = 0; i < 4; i++)
    check(seen[i] == want[i], "a stream of its own: element %d is %g, not %g", i, double(seen[i]),
          double(want[i]));
  check_ok(sk_dot(ctx, &pair), "dot on a stream");
  check(sum == 4, "a stream of its own: the dot is %g", sum);
  check_ok(sk_configure(ctx, 0, nullptr), "sk_configure");
  check(cu("cuStreamDestroy_v2", stream) == 0, "the stream's end");
}

static void refused() {
  sk_context* none = nullptr;
  check_error(sk_create(&none, 2, "auto"), "threads is 2; a GPU has its own");
  check_error(sk_create(&none, 0, "avx2"), "isa is \"avx2\", not auto");
  check_error(sk_create(nullptr, 0, "auto"), "ctx is null");
  check_error(sk_create(&none, 0, nullptr), "isa is null");
  if (emulated()) {
    OtherDevice device(7, 96 << 10);
    check_error(sk_create(&none, 0, "auto"), "compute capability 7.0; 8.0 (A100) or later is needed");
  }
  check_error(sk_destroy(nullptr), "ctx is null");
  Context ctx(0);
  check_error(sk_configure(ctx, 3, nullptr), "element is 3");
  check_error(sk_configure(nullptr, 0, nullptr), "ctx is null");
  const char* const names[] = {"f32", "bf16", "f16"};
  for (int element : {1, 2, 0}) {
    check_ok(sk_configure(ctx, element, nullptr), "sk_configure");
    check(!std::strcmp(sk_isa(ctx), names[element]), "isa of element %d is %s", element, sk_isa(ctx));
  }
  const sk_product product{};
  check_error(sk_matmul(ctx, &product), "matrix products on CUDA devices are cuBLAS's");
  // More heads than a grid is high.
  const OnDevice<float> x(70002);
  const int32_t cu[] = {0, 1};
  const sk_attention many{x.f(), x.f(), x.f(), cu, 1, 1, 70000, 1, 1, 0, 1};
  check_error(sk_attention_fwd(ctx, &many), "grid 1 x 70000, 128 threads");
  check_error(sk_attention_fwd(ctx, &many), "use smaller micro-batches");
  sk_attention wide = many;
  wide.NH = 1, wide.HS = 130;
  check_error(sk_attention_fwd(ctx, &wide), "HS is 130; on CUDA devices heads have at most 128 elements");
}

} // namespace

void runtime_tests() {
  staging_is_recycled();
  staging_outgrown();
  scratch_grows();
  memory_comes_back();
  streams();
  refused();
}
