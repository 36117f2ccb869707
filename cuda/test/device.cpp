#include "device.h"
#include "../../native/test/check.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

template <class... A> static void call(const char* name, A... arguments) {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  auto f = driver ? reinterpret_cast<int (*)(A...)>(dlsym(driver, name)) : nullptr;
  const int result = f ? f(arguments...) : -1;
  if (result == 0) return;
  std::fprintf(
      stderr,
      "%s failed (%d): these tests need a CUDA device, or the emulator's libcuda.so.1 in LD_LIBRARY_PATH\n",
      name, result);
  std::exit(69);
}

static bool stand_in = false;

void open_device() {
  int device;
  void* context;
  char name[128];
  call("cuInit", 0u);
  call("cuDeviceGet", &device, 0);
  call("cuDevicePrimaryCtxRetain", &context, device);
  call("cuCtxSetCurrent", context);
  call("cuDeviceGetName", name, 128, device);
  stand_in = std::strstr(name, "stand-in") != nullptr;
  std::printf("device: %s\n", name);
}

bool emulated() { return stand_in; }
void recover() { call("sk_emulator_recover"); }
OtherDevice::OtherDevice(int major, int shared) { call("sk_emulator_become", major, shared); }
OtherDevice::~OtherDevice() { call("sk_emulator_become", 0, 0); }
Counted counted() {
  Counted c{};
  call("sk_emulator_count", &c.launches, &c.products);
  return c;
}

Context::Context(int element) {
  check_ok(sk_create(&ctx, 0, "auto"), "sk_create");
  check_ok(sk_configure(ctx, element, nullptr), "sk_configure");
}
Context::~Context() { check_ok(sk_destroy(ctx), "sk_destroy"); }
