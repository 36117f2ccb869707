// oneDNN's C functions and what is made with them: a matmul primitive for each shape of a piece.
#include "onednn.h"
#include "context.h"
#include "error.h"
#include "pieces.h"
#include <algorithm>
#include <dlfcn.h>

namespace sk {

// As oneDNN 3 declares them; its handles are all pointers to what it alone knows.
namespace {
constexpr int CPU = 1, IN_ORDER = 1, BF16 = 2, F32 = 3, USER_SCRATCHPAD = 1, SCRATCHPAD_MD = 136, LINEAR = 38;
constexpr int SRC = 1, DST = 17, WEIGHTS = 33, SCRATCHPAD = 80;
constexpr int ISA_AVX512_BF16 = 0xe7, ISA_AMX = 0xfef;
constexpr int DIMENSIONS = 12; // of a dnnl_dims_t
// Batches of many lengths have pieces of many shapes; beyond so many, all are forgotten.
constexpr size_t MOST_PRIMITIVES = 1024;

typedef void* Handle;
struct Argument {
  int which;
  Handle memory;
};

#define DNNL_FUNCTIONS(X)                                                                                    \
  X(get_effective_cpu_isa, ())                                                                               \
  X(engine_create, (Handle * engine, int kind, size_t index))                                                \
  X(engine_destroy, (Handle engine))                                                                         \
  X(stream_create, (Handle * stream, Handle engine, unsigned flags))                                         \
  X(stream_destroy, (Handle stream))                                                                         \
  X(memory_desc_create_with_strides, (Handle * md, int n, const int64_t* dims, int type, const int64_t* by)) \
  X(memory_desc_destroy, (Handle md))                                                                        \
  X(primitive_attr_create, (Handle * attr))                                                                  \
  X(primitive_attr_destroy, (Handle attr))                                                                   \
  X(primitive_attr_set_scratchpad_mode, (Handle attr, int mode))                                             \
  X(primitive_attr_set_post_ops, (Handle attr, Handle ops))                                                  \
  X(post_ops_create, (Handle * ops))                                                                         \
  X(post_ops_destroy, (Handle ops))                                                                          \
  X(post_ops_append_sum, (Handle ops, float scale, int32_t zero_point, int type))                            \
  X(post_ops_append_eltwise, (Handle ops, int kind, float alpha, float beta))                                \
  X(matmul_primitive_desc_create,                                                                            \
    (Handle * pd, Handle engine, Handle src, Handle weights, Handle bias, Handle dst, Handle attr))          \
  X(primitive_desc_destroy, (Handle pd))                                                                     \
  X(primitive_create, (Handle * primitive, Handle pd))                                                       \
  X(primitive_destroy, (Handle primitive))                                                                   \
  X(memory_create, (Handle * memory, Handle md, Handle engine, void* at))                                    \
  X(memory_destroy, (Handle memory))                                                                         \
  X(primitive_execute, (Handle primitive, Handle stream, int n, const Argument* arguments))
} // namespace

struct OneDnn::Functions {
#define X(name, parameters) int(*name) parameters;
  DNNL_FUNCTIONS(X)
#undef X
  Handle (*primitive_desc_query_md)(Handle pd, int what, int index);
  size_t (*memory_desc_get_size)(Handle md);
};

// Whatever is made of a shape; the descriptor of scratch memory belongs to pd.
struct OneDnn::Primitive {
  const Functions& call;
  Handle a = nullptr, b = nullptr, y = nullptr, pd = nullptr, primitive = nullptr, scratch = nullptr;
  int64_t floats = 0; // of scratch memory

  explicit Primitive(const Functions& call) : call(call) {}
  ~Primitive() {
    if (primitive) call.primitive_destroy(primitive);
    if (pd) call.primitive_desc_destroy(pd);
    for (Handle md : {a, b, y})
      if (md) call.memory_desc_destroy(md);
  }
};

void OneDnn::check(int status, const char* what) const {
  if (status) throw Error("oneDNN's dnnl_%s: status %d", what, status);
}
#define DNNL(name, ...) check(call->name(__VA_ARGS__), #name)

OneDnn::OneDnn(const char* path, int workers) : library(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
  if (!library) throw Error("oneDNN cannot be loaded: %s", dlerror());
  call = std::make_unique<Functions>();
  auto find = [&](const char* name) {
    void* symbol = dlsym(library, name);
    if (!symbol) throw Error("%s has no %s: it is not oneDNN 3", path, name);
    return symbol;
  };
#define X(name, parameters) call->name = reinterpret_cast<decltype(call->name)>(find("dnnl_" #name));
  DNNL_FUNCTIONS(X)
  X(primitive_desc_query_md, )
  X(memory_desc_get_size, )
#undef X
  DNNL(engine_create, &engine, CPU, 0);
  streams.resize(size_t(workers));
  for (Handle& stream : streams) DNNL(stream_create, &stream, engine, IN_ORDER);
}

// The library stays loaded, as what it was loaded by may use it too.
OneDnn::~OneDnn() {
  primitives.clear();
  for (Handle stream : streams) call->stream_destroy(stream);
  call->engine_destroy(engine);
}

bool OneDnn::has_amx() const { return (call->get_effective_cpu_isa() & ISA_AMX) == ISA_AMX; }
bool OneDnn::has_avx512_bf16() const {
  return (call->get_effective_cpu_isa() & ISA_AVX512_BF16) == ISA_AVX512_BF16;
}

const OneDnn::Primitive& OneDnn::primitive(const Shape& s) {
  auto found = primitives.find(s);
  if (found != primitives.end()) return *found->second;
  auto made = std::make_unique<Primitive>(*call);
  auto describe = [&](Handle& md, int64_t rows, int64_t columns, int type, bool transposed, int64_t ld) {
    const int64_t dims[DIMENSIONS] = {rows, columns};
    const int64_t strides[DIMENSIONS] = {transposed ? 1 : ld, transposed ? ld : 1};
    DNNL(memory_desc_create_with_strides, &md, 2, dims, type, strides);
  };
  describe(made->a, s.m, s.k, BF16, s.ta, s.lda);
  describe(made->b, s.k, s.n, BF16, s.tb, s.ldb);
  describe(made->y, s.m, s.n, s.wide ? F32 : BF16, false, s.ldy);
  Handle ops = nullptr, attributes = nullptr;
  DNNL(post_ops_create, &ops);
  std::unique_ptr<void, int (*)(Handle)> ops_end(ops, call->post_ops_destroy);
  if (s.alpha != 1) DNNL(post_ops_append_eltwise, ops, LINEAR, s.alpha, 0);
  if (s.accumulate) DNNL(post_ops_append_sum, ops, 1, 0, 0);
  DNNL(primitive_attr_create, &attributes);
  std::unique_ptr<void, int (*)(Handle)> attributes_end(attributes, call->primitive_attr_destroy);
  DNNL(primitive_attr_set_scratchpad_mode, attributes, USER_SCRATCHPAD);
  DNNL(primitive_attr_set_post_ops, attributes, ops);
  DNNL(matmul_primitive_desc_create, &made->pd, engine, made->a, made->b, nullptr, made->y, attributes);
  DNNL(primitive_create, &made->primitive, made->pd);
  made->scratch = call->primitive_desc_query_md(made->pd, SCRATCHPAD_MD, 0);
  made->floats = int64_t(call->memory_desc_get_size(made->scratch) / sizeof(float)) + 1;
  return *primitives.emplace(s, std::move(made)).first->second;
}

// By the calling thread, which is that worker.
void OneDnn::run(const Primitive& p, int worker, const void* a, const void* b, void* y, float* scratch) {
  Argument arguments[4] = {{SRC, nullptr}, {WEIGHTS, nullptr}, {DST, nullptr}, {SCRATCHPAD, nullptr}};
  const Handle descriptors[] = {p.a, p.b, p.y, p.scratch};
  void* const at[] = {const_cast<void*>(a), const_cast<void*>(b), y, scratch};
  int status = 0;
  for (int i = 0; i < 4 && !status; i++)
    status = call->memory_create(&arguments[i].memory, descriptors[i], engine, at[i]);
  if (!status) status = call->primitive_execute(p.primitive, streams[size_t(worker)], 4, arguments);
  for (Argument& argument : arguments)
    if (argument.memory) call->memory_destroy(argument.memory);
  check(status, "primitive_execute");
}

int OneDnn::matmul(sk_context* ctx, const sk_product* a) {
  const int64_t M = a->M, N = a->N, K = a->K;
  const Pieces pieces(M, N, K);
  if (primitives.size() + 4 > MOST_PRIMITIVES) primitives.clear();
  auto shape = [&](int64_t m, int64_t n) {
    return Shape{m,       n,          K,          a->ta ? M : K,      a->tb ? K : N,
                 N,       a->ta != 0, a->tb != 0, a->accumulate != 0, a->wide != 0,
                 a->alpha};
  };
  // Of a whole piece, one at the right edge, one at the bottom, and that in the corner.
  const int64_t right = N - (pieces.across - 1) * pieces.n,
                bottom = M - (pieces.count / pieces.across - 1) * pieces.m;
  const Primitive* kinds[2][2];
  int64_t floats = 0;
  for (int last_row = 0; last_row < 2; last_row++)
    for (int last_column = 0; last_column < 2; last_column++) {
      const Primitive& p = primitive(
          shape(last_row ? bottom : std::min(pieces.m, M), last_column ? right : std::min(pieces.n, N)));
      kinds[last_row][last_column] = &p;
      floats = std::max(floats, p.floats);
    }
  const auto *left = reinterpret_cast<const uint16_t*>(a->a),
             *across = reinterpret_cast<const uint16_t*>(a->b);
  parallel(ctx, pieces.count, [&](int64_t piece, int worker) {
    const int64_t i = piece / pieces.across * pieces.m, j = piece % pieces.across * pieces.n;
    void* y = reinterpret_cast<char*>(a->y) + (i * N + j) * (a->wide ? 4 : 2);
    run(*kinds[i + pieces.m >= M][j + pieces.n >= N], worker, left + i * (a->ta ? 1 : K),
        across + j * (a->tb ? K : 1), y, scratch(ctx, worker, floats));
  });
  return 0;
}

} // namespace sk
