#include "driver.h"
#include "../../native/src/error.h"
#include <dlfcn.h>
#include <string>

namespace sk {

static Driver load() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) throw Error("no NVIDIA driver: %s; install one, or use backend cpu", dlerror());
  Driver d;
#define X(name, parameters)                                                        \
  if (!(d.name = reinterpret_cast<CUresult(*) parameters>(dlsym(library, #name)))) \
    throw Error("the NVIDIA driver's libcuda.so.1 has no " #name                   \
                "; a driver for CUDA 12.4 or later is needed");
  SK_DRIVER_CALLS(X)
#undef X
  return d;
}

const Driver& driver() {
  static const Driver loaded = load();
  return loaded;
}

void check(CUresult result, const char* call) {
  if (result == CUDA_SUCCESS) return;
  const char *name = nullptr, *words = nullptr;
  driver().cuGetErrorName(result, &name);
  driver().cuGetErrorString(result, &words);
  std::string advice;
  size_t free = 0, total = 0;
  if (result == CUDA_ERROR_OUT_OF_MEMORY && driver().cuMemGetInfo_v2(&free, &total) == CUDA_SUCCESS)
    advice = "; " + std::to_string(free >> 20) + " MiB of " + std::to_string(total >> 20) +
             " are free: try smaller micro-batches or train.recompute=true";
  throw Error("%s: %s (%s)%s", call, name ? name : "an unknown error", words ? words : "no words",
              advice.c_str());
}

} // namespace sk
