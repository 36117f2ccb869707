// What the stand-ins for libcuda.so.1 and libcublas.so.12 refuse, and when what was asked for happens.
#include "../../native/test/check.h"
#include "device.h"
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

using namespace sk;

namespace {

// A call by its name, of those that the launchers do not make.
template <class... A> static int named(const char* library, const char* name, A... arguments) {
  void* opened = dlopen(library, RTLD_NOW);
  check(opened, "%s: %s", library, opened ? "" : dlerror());
  auto f = opened ? reinterpret_cast<int (*)(A...)>(dlsym(opened, name)) : nullptr;
  check(f, "%s has %s", library, name);
  return f ? f(arguments...) : -1;
}
template <class... A> static int cu(const char* name, A... arguments) {
  return named("libcuda.so.1", name, arguments...);
}

static int wait() { return driver().cuStreamSynchronize(nullptr); }

// The status a call or the wait after it ends in, what the driver says of it, and that it stays so until
// someone recovers.
static void refused(const char* what, int status, int expected, const char* words) {
  if (status == 0) status = wait();
  const char* said = "";
  driver().cuGetErrorString(status, &said);
  check(status == expected && std::strstr(said, words), "%s: status %d, \"%s\"; expected %d, \"%s\"", what,
        status, said, expected, words);
  recover();
}

static void kernels() {
  Context ctx(0);
  const OnDevice<float> x(64), y(64);
  std::vector<float> host(64);
  auto swiglu = [&](float* out, const float* in, int64_t rows) {
    const sk_swiglu a{out, in, rows, 16};
    return sk_swiglu_fwd(ctx, &a);
  };
  const sk_vector on_host{host.data(), 64};
  refused("host memory to be filled", sk_zero(ctx, &on_host), 700, "outside every allocation");
  refused("a host pointer in a kernel's arguments", swiglu(host.data(), x.f(), 2), 700,
          "argument at byte 0 points to host memory");
  refused("another", swiglu(x.f(), host.data(), 2), 700, "argument at byte 8 points to host memory");
  float* gone;
  { gone = OnDevice<float>(64).f(); }
  refused("freed memory in a kernel's arguments", swiglu(x.f(), gone, 2), 700, "points to freed memory");
  refused("a pointer before an allocation", swiglu(x.f(), y.f() - 32, 1), 700, "points to freed memory");
#if !defined(__SANITIZE_ADDRESS__) // which ends the process: fatal_test.cpp
  const OnDevice<float> z(31);
  refused("a kernel that writes behind its memory", swiglu(z.f(), x.f(), 2), 700,
          "swiglu_fwd_f32x4 wrote outside an allocation of 124 bytes");
  const OnDevice<float> in(62);
  SK_CUDA(cuMemsetD8Async, in.at, 0, 248, nullptr);
  SK_CUDA(cuMemsetD8Async, y.at, 0, 256, nullptr);
  check_ok(swiglu(y.f(), in.f(), 2), "a kernel that reads behind its memory");
  check(y.get()[29] == 0 && std::isnan(y.get()[31]), "finds NaN there");
#endif
  const OnDevice<float> fresh(64);
  check_ok(swiglu(y.f(), fresh.f(), 2), "a kernel that reads memory never written");
  check(std::isnan(y.get()[0]) && std::isnan(y.get()[31]), "finds NaN in it");
  void* f = nullptr;
  check(cu("cuModuleGetFunction", &f, static_cast<void*>(nullptr), "no_such_kernel") == 500,
        "a kernel that is not there");
  check(cu("cuModuleGetFunction", &f, static_cast<void*>(nullptr), "swiglu_fwd_f32") == 0, "one that is");
  void* parameters[] = {host.data()};
  check(driver().cuLaunchKernel(static_cast<CUfunction>(f), 1, 1, 1, 32, 1, 1, (48 << 10) + 16, nullptr,
                                parameters, nullptr) == 1,
        "more shared memory than was asked for");
  check(driver().cuFuncSetAttribute(static_cast<CUfunction>(f), 8, (227 << 10) + 1) == 1,
        "more than there is");
  check(driver().cuLaunchKernel(static_cast<CUfunction>(f), 0, 1, 1, 32, 1, 1, 0, nullptr, parameters,
                                nullptr) == 1,
        "an empty grid");
}

static void copies() {
  const OnDevice<float> x(64);
  float host[65] = {}, *device = x.data();
  const Driver& d = driver();
  refused("from the host, given a device address", d.cuMemcpyHtoDAsync_v2(x.at, device, 4, nullptr), 1, "");
  refused("to the host, given a device address", d.cuMemcpyDtoHAsync_v2(device, x.at, 4, nullptr), 1, "");
  refused("to the device, given a host address", d.cuMemcpyHtoDAsync_v2(CUdeviceptr(host), host, 4, nullptr),
          700, "to the device");
  refused("from the device, given a host address",
          d.cuMemcpyDtoHAsync_v2(host, CUdeviceptr(host), 4, nullptr), 700, "from the device");
  refused("to the device, past the end", d.cuMemcpyHtoDAsync_v2(x.at, host, 257, nullptr), 700,
          "to the device");
  refused("from the device, past the end", d.cuMemcpyDtoHAsync_v2(host, x.at + 4, 256, nullptr), 700,
          "from the device");
  refused("on the device, past the end",
          cu("cuMemcpyDtoDAsync_v2", x.at, x.at + 128, size_t(129), static_cast<void*>(nullptr)), 700,
          "on the device");
  refused("filled past the end", d.cuMemsetD8Async(x.at, 0, 257, nullptr), 700, "to be filled");
  refused("now, to the device", cu("cuMemcpyHtoD_v2", x.at, static_cast<const void*>(host), size_t(257)), 700,
          "to the device");
  refused("now, from the device", cu("cuMemcpyDtoH_v2", static_cast<void*>(device), x.at, size_t(4)), 1, "");
}

static void memory() {
  const OnDevice<float> x(64);
  CUdeviceptr at = 0;
  check(driver().cuMemFree_v2(x.at + 256) == 1, "freeing what was not allocated");
  { at = OnDevice<float>(64).at; }
  check(driver().cuMemFree_v2(at) == 1, "freeing twice");
#if !defined(__SANITIZE_ADDRESS__)
  SK_CUDA(cuMemAlloc_v2, &at, size_t(256));
  for (int around : {-1, 64}) {
    reinterpret_cast<float*>(at)[around] = 1;
    refused("freed with bytes changed around it", driver().cuMemFree_v2(at), 700, "around freed memory");
    SK_CUDA(cuMemAlloc_v2, &at, size_t(256));
  }
  SK_CUDA(cuMemFree_v2, at);
#endif
  check(driver().cuMemAlloc_v2(&at, 0) == 1, "no memory at all");
  size_t free = 0, total = 0;
  SK_CUDA(cuMemGetInfo_v2, &free, &total);
  check(driver().cuMemAlloc_v2(&at, total + 1) == 2, "more memory than there is");
  size_t left = 0;
  SK_CUDA(cuMemGetInfo_v2, &left, &total);
  check(left == free, "which takes none");
  void* pageable = std::malloc(16);
  check(driver().cuMemFreeHost(pageable) == 1, "freeing host memory that is not pinned");
  std::free(pageable);
}

// Streams run when someone waits; what nobody waited for has not happened.
static void waiting() {
  const OnDevice<float> x(64);
  const std::vector<float> ones(64, 1);
  float seen[64] = {};
  SK_CUDA(cuMemcpyHtoDAsync_v2, x.at, ones.data(), 256, nullptr);
  SK_CUDA(cuMemcpyDtoHAsync_v2, seen, x.at, 256, nullptr);
  check(seen[0] == 0 && cu("cuStreamQuery", static_cast<void*>(nullptr)) == 600,
        "nothing has happened before someone waits");
  check(wait() == 0 && seen[63] == 1 && cu("cuStreamQuery", static_cast<void*>(nullptr)) == 0, "then it has");

  // Pinned memory is read when the stream comes to it, other memory at once.
  void* pinned = nullptr;
  SK_CUDA(cuMemHostAlloc, &pinned, size_t(256), 0u);
  auto p = static_cast<float*>(pinned);
  std::vector<float> pageable(64, 1);
  const OnDevice<float> y(64);
  p[0] = 1;
  SK_CUDA(cuMemcpyHtoDAsync_v2, x.at, p, 256, nullptr);
  SK_CUDA(cuMemcpyHtoDAsync_v2, y.at, pageable.data(), 256, nullptr);
  p[0] = pageable[0] = 2;
  check(x.get()[0] == 2 && y.get()[0] == 1, "pinned memory changed too early shows");
  SK_CUDA(cuMemFreeHost, pinned);

  // Two streams know nothing of each other but by an event.
  void *one = nullptr, *other = nullptr, *event = nullptr;
  check(cu("cuStreamCreate", &one, 1u) == 0 && cu("cuStreamCreate", &other, 1u) == 0 &&
            cu("cuEventCreate", &event, 0u) == 0,
        "streams");
  SK_CUDA(cuMemsetD8Async, x.at, 0, 256, nullptr);
  check(wait() == 0, "zeros");
  for (bool ordered : {false, true}) {
    SK_CUDA(cuMemcpyHtoDAsync_v2, x.at, ones.data(), 256, static_cast<CUstream>(one));
    check(cu("cuEventRecord", event, one) == 0, "record");
    if (ordered) check(cu("cuStreamWaitEvent", other, event, 0u) == 0, "wait for the event");
    SK_CUDA(cuMemcpyDtoHAsync_v2, seen, x.at, 256, static_cast<CUstream>(other));
    SK_CUDA(cuStreamSynchronize, static_cast<CUstream>(other));
    check(seen[0] == (ordered ? 1 : 0), "one stream's work is %sseen in another", ordered ? "" : "not ");
    SK_CUDA(cuMemsetD8Async, x.at, 0, 256, static_cast<CUstream>(one));
    SK_CUDA(cuStreamSynchronize, static_cast<CUstream>(one));
  }
  // An event may be destroyed before its stream has come to it, and while another waits for it.
  SK_CUDA(cuMemcpyHtoDAsync_v2, x.at, ones.data(), 256, static_cast<CUstream>(one));
  check(cu("cuEventRecord", event, one) == 0 && cu("cuStreamWaitEvent", other, event, 0u) == 0 &&
            cu("cuEventDestroy_v2", event) == 0,
        "an event that is waited for is destroyed");
  SK_CUDA(cuMemcpyDtoHAsync_v2, seen, x.at, 256, static_cast<CUstream>(other));
  SK_CUDA(cuStreamSynchronize, static_cast<CUstream>(other));
  check(seen[0] == 1, "and still waited for");
  check(cu("cuStreamDestroy_v2", one) == 0 && cu("cuStreamDestroy_v2", other) == 0, "the end");
  check(cu("cuStreamDestroy_v2", other) == 400, "destroying a stream twice");
}

// After a fault every call fails, as on a device, until the process gives up; here, until the test recovers.
static void fault_stays() {
  const OnDevice<float> x(64);
  float host[64] = {};
  SK_CUDA(cuMemsetD8Async, x.at, 0, 257, nullptr);
  check(wait() == 700 && wait() == 700, "a fault");
  CUdeviceptr at = 0;
  size_t free, total;
  check(driver().cuMemAlloc_v2(&at, 16) == 700 && driver().cuMemGetInfo_v2(&free, &total) == 700 &&
            driver().cuMemcpyDtoHAsync_v2(host, x.at, 4, nullptr) == 700 &&
            driver().cuMemFree_v2(x.at) == 700,
        "every call after it");
  recover();
  SK_CUDA(cuMemsetD8Async, x.at, 0, 256, nullptr);
  check(wait() == 0 && x.get()[63] == 0, "recovered");
}

// Whatever else JCuda may call.
static void unsupported() {
  for (const char* name : {"cuArrayCreate_v2", "cuGraphCreate", "cuMemPrefetchAsync"})
    check(cu(name) == 801, "%s", name);
  for (const char* name : {"cublasSgemm_v2", "cublasDgemm_v2"})
    check(named("libcublas.so.12", name) == 15, "%s", name);
  const char* words = nullptr;
  driver().cuGetErrorName(801, &words);
  check(!std::strcmp(words, "CUDA_ERROR_NOT_SUPPORTED"), "its name is %s", words);
  for (const char* name : {"cuGetProcAddress", "cuGetProcAddress_v2", "cuGetExportTable"})
    check(!dlsym(dlopen("libcuda.so.1", RTLD_NOW), name), "%s would lead past the stand-in", name);
}

} // namespace

void driver_tests() {
  kernels();
  copies();
  memory();
  waiting();
  fault_stays();
  unsupported();
}
