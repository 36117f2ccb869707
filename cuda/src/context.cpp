// Contexts of the CUDA library: the module, scratch and staging memory, launches.
#include "../../native/src/arguments.h"
#include "launch.h"
#include <cstring>
#include <memory>

// The modules (image.S), which the linker has put one after the other. A build without nvcc, which only the
// emulator can run, has one, and that is empty: it begins with 0.
extern "C" __attribute__((visibility("hidden"))) const char* const __start_seekr_images[];
extern "C" __attribute__((visibility("hidden"))) const char* const __stop_seekr_images[];

namespace sk {

char* device_scratch(sk_context* ctx, int64_t bytes) {
  DeviceScratch& s = ctx->scratch;
  if (bytes > s.bytes) {
    SK_CUDA(cuStreamSynchronize, ctx->stream);
    if (s.memory) SK_CUDA(cuMemFree_v2, s.memory);
    s = {};
    const int64_t rounded = (bytes + bytes / 4 + 4095) / 4096 * 4096;
    SK_CUDA(cuMemAlloc_v2, &s.memory, size_t(rounded));
    s.bytes = rounded;
  }
  return reinterpret_cast<char*>(s.memory);
}

static void free_staging(Staging& s) {
  if (s.host) SK_CUDA(cuMemFreeHost, s.host);
  if (s.device) SK_CUDA(cuMemFree_v2, s.device);
  s = {};
}

const void* upload_bytes(sk_context* ctx, const void* x, int64_t bytes) {
  if (bytes == 0) return nullptr;
  const int64_t room = (bytes + 255) / 256 * 256;
  if (ctx->staging.used + room > ctx->staging.bytes) {
    // What this call uploaded before stays where it is until the next call.
    if (ctx->staging.bytes) ctx->outgrown.push_back(ctx->staging);
    Staging larger;
    larger.bytes = room * 8 < (1 << 20) ? 1 << 20 : room * 8;
    void* host = nullptr;
    SK_CUDA(cuMemHostAlloc, &host, size_t(larger.bytes), 0);
    larger.host = static_cast<char*>(host);
    SK_CUDA(cuMemAlloc_v2, &larger.device, size_t(larger.bytes));
    ctx->staging = larger;
  }
  Staging& s = ctx->staging;
  char* host = s.host + s.used;
  const CUdeviceptr device = s.device + uint64_t(s.used);
  s.used += room;
  std::memcpy(host, x, size_t(bytes));
  SK_CUDA(cuMemcpyHtoDAsync_v2, device, host, size_t(bytes), ctx->stream);
  return reinterpret_cast<const void*>(device);
}

// Between calls: what was uploaded is needed no longer once the stream has come this far.
static void recycle(sk_context* ctx) {
  if (ctx->outgrown.empty() && ctx->staging.used <= ctx->staging.bytes / 2) return;
  SK_CUDA(cuStreamSynchronize, ctx->stream);
  for (Staging& s : ctx->outgrown) free_staging(s);
  ctx->outgrown.clear();
  ctx->staging.used = 0;
}

void download(sk_context* ctx, void* host, const void* device, int64_t bytes) {
  if (bytes == 0) return;
  SK_CUDA(cuMemcpyDtoHAsync_v2, host, reinterpret_cast<CUdeviceptr>(device), size_t(bytes), ctx->stream);
  SK_CUDA(cuStreamSynchronize, ctx->stream);
}

void clear(sk_context* ctx, void* device, int64_t bytes) {
  if (bytes > 0)
    SK_CUDA(cuMemsetD8Async, reinterpret_cast<CUdeviceptr>(device), 0, size_t(bytes), ctx->stream);
}

static CUfunction function(sk_context* ctx, const char* kernel, int64_t shared) {
  auto known = ctx->functions.find(kernel);
  if (known != ctx->functions.end()) return known->second;
  CUfunction f = nullptr;
  CUresult found = CUDA_ERROR_NOT_FOUND;
  for (size_t i = 0; i < ctx->modules.size() && found == CUDA_ERROR_NOT_FOUND; i++)
    found = driver().cuModuleGetFunction(&f, ctx->modules[i], kernel);
  check(found, "cuModuleGetFunction");
  if (shared > 48 << 10) SK_CUDA(cuFuncSetAttribute, f, MAX_DYNAMIC_SHARED_SIZE_BYTES, int(shared));
  return ctx->functions[kernel] = f;
}

void launch_bytes(sk_context* ctx, const char* kernel, int64_t grid_x, int64_t grid_y, int threads,
                  int64_t shared, void* arguments) {
  if (grid_x == 0 || grid_y == 0) return;
  const bool fits = grid_x <= INT32_MAX && grid_y <= 65535;
  try {
    if (!fits) throw Error("the grid is larger than the hardware's; use smaller micro-batches");
    if (shared > ctx->shared_limit)
      throw Error("this GPU has %d bytes of it for a block, too few for heads of this size",
                  ctx->shared_limit);
    void* parameters[] = {arguments};
    SK_CUDA(cuLaunchKernel, function(ctx, kernel, shared), unsigned(grid_x), unsigned(grid_y), 1,
            unsigned(threads), 1, 1, unsigned(shared), ctx->stream, parameters, nullptr);
  } catch (const Error& e) {
    throw Error("kernel %s, grid %lld x %lld, %d threads, %lld bytes of shared memory: %s", kernel,
                static_cast<long long>(grid_x), static_cast<long long>(grid_y), threads,
                static_cast<long long>(shared), e.what());
  }
}

static const Kernels table = {
#define X(op) cuda::op,
    SK_KERNELS(X)
#undef X
        nullptr,
    nullptr};

const Kernels& enter(sk_context* ctx) {
  SK_CUDA(cuCtxSetCurrent, ctx->device);
  recycle(ctx);
  return table;
}
std::mutex& busy(sk_context* ctx) { return ctx->busy; }

// Of the current context's device; an older one has none of the instructions the kernels are made of.
static void look_at_device(sk_context* ctx) {
  int device = 0, major = 0, minor = 0;
  SK_CUDA(cuCtxGetDevice, &device);
  SK_CUDA(cuDeviceGetAttribute, &major, COMPUTE_CAPABILITY_MAJOR, device);
  SK_CUDA(cuDeviceGetAttribute, &minor, COMPUTE_CAPABILITY_MINOR, device);
  SK_CUDA(cuDeviceGetAttribute, &ctx->shared_limit, MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, device);
  if (major < 8)
    throw Error("this GPU has compute capability %d.%d; 8.0 (A100) or later is needed, or backend cpu", major,
                minor);
}

static void destroy(sk_context* ctx) {
  SK_CUDA(cuCtxSetCurrent, ctx->device);
  SK_CUDA(cuStreamSynchronize, ctx->stream);
  if (ctx->scratch.memory) SK_CUDA(cuMemFree_v2, ctx->scratch.memory);
  free_staging(ctx->staging);
  for (Staging& s : ctx->outgrown) free_staging(s);
  for (CUmodule module : ctx->modules) SK_CUDA(cuModuleUnload, module);
}

} // namespace sk

using namespace sk;

SK_API int sk_create(sk_context** ctx, int32_t threads, const char* isa) {
  return guard("sk_create", [&] {
    if (!ctx) throw Error("ctx is null");
    *ctx = nullptr;
    if (!isa) throw Error("isa is null");
    if (threads > 0) throw Error("threads is %d; a GPU has its own", threads);
    if (std::strcmp(isa, "auto") != 0) throw Error("isa is \"%.40s\", not auto", isa);
    auto made = std::make_unique<sk_context>();
    SK_CUDA(cuCtxGetCurrent, &made->device);
    if (!made->device) throw Error("this thread has no current CUDA context");
    look_at_device(made.get());
    for (const char* const* image = __start_seekr_images; image < __stop_seekr_images; image++) {
      CUmodule module = nullptr;
      const CUresult loaded = driver().cuModuleLoadData(&module, *image);
      if (loaded != CUDA_SUCCESS && **image == 0)
        throw Error("this library was built without nvcc; build it with: make cuda");
      check(loaded, "cuModuleLoadData");
      made->modules.push_back(module);
    }
    *ctx = made.release();
    return 0;
  });
}

SK_API int sk_configure(sk_context* ctx, int32_t element, void* stream) {
  return guard("sk_configure", [&] {
    if (!ctx) throw Error("ctx is null");
    if (element < 0 || element > 2)
      throw Error("element is %d, not 0 (float), 1 (bfloat16) or 2 (half)", element);
    std::lock_guard<std::mutex> lock(ctx->busy);
    ctx->element = Element(element);
    ctx->stream = static_cast<CUstream>(stream);
    return 0;
  });
}

SK_API int sk_destroy(sk_context* ctx) {
  return guard("sk_destroy", [&] {
    if (!ctx) throw Error("ctx is null");
    std::unique_ptr<sk_context> ended(ctx);
    destroy(ctx);
    return 0;
  });
}

SK_API const char* sk_isa(sk_context* ctx) {
  static const char* const names[] = {"f32", "bf16", "f16"};
  if (ctx) return names[int(ctx->element)];
  set_last_error("sk_isa", "ctx is null");
  return nullptr;
}

SK_API int sk_multiply_by(sk_context*, const char*) {
  return guard("sk_multiply_by",
               []() -> int { throw Error("matrix products on CUDA devices are cuBLAS's"); });
}

SK_API const char* sk_multiplier(sk_context*) { return "cuBLAS"; }

SK_API int sk_matmul(sk_context*, const sk_product*) {
  return guard("sk_matmul", []() -> int { throw Error("matrix products on CUDA devices are cuBLAS's"); });
}
