// Errors that end the process, each committed in a child of its own: what sanitizers say of it, and of which kernel.
#include "../../native/test/check.h"
#include "../emulator/block.h"
#include "device.h"
#include <cstdio>
#include <cstring>
#include <unistd.h>

using namespace sk;

namespace {

struct Fatal {
  const char* name;
  void (*commit)();
  const char *kernel, *words; // what is said of it
};

// One block of 64 threads.
template <class F> static void run(F f, size_t shared_bytes) {
  emulator::Launch launch{"test", {1, 1, 1}, 64, shared_bytes, [](const void* g) { (*static_cast<const F*>(g))(); },
                          &f,     emulator::Order::FIFO,    1};
  emulator::launch(launch);
}

#if defined(__SANITIZE_ADDRESS__)
// 32 rows of 16: the kernel takes 2 x 512 floats and gives 512.
static void swiglu(size_t in, size_t out) {
  Context ctx(0);
  const OnDevice<float> x(in), y(out);
  sk_swiglu_fwd(ctx, y.f(), x.f(), 32, 16);
  driver().cuStreamSynchronize(nullptr);
}

static const Fatal errors[] = {
    {"reads behind an allocation", [] { swiglu(1023, 512); }, "SwigluFwd", "READ of size 4"},
    {"writes behind an allocation", [] { swiglu(1024, 511); }, "SwigluFwd", "WRITE of size 4"},
    {"reads freed memory",
     [] {
       float* gone;
       { gone = OnDevice<float>(64).data(); }
       run([gone] { *reinterpret_cast<volatile float*>(shared<float>()) = gone[thread()]; }, 1024);
     },
     "fatal_test", "READ of size 4"},
    {"reads behind shared memory",
     [] { run([] { *reinterpret_cast<volatile float*>(shared<float>()) = shared<float>()[250]; }, 1000); }, "fatal_test",
     "READ of size 4"},
    {"writes behind shared memory", [] { run([] { *reinterpret_cast<volatile float*>(shared<float>() + 250) = 1; }, 1000); },
     "fatal_test", "WRITE of size 4"}};
#else
static const Fatal errors[] = {};
#endif

// What a child that commits it prints before it ends.
static std::string said(const char* name) {
  char self[4096];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  check(length > 0, "/proc/self/exe");
  const std::string command = "'" + std::string(self, size_t(length)) + "' commit '" + name + "' 2>&1";
  std::string text;
  FILE* child = popen(command.c_str(), "r");
  char part[4096];
  while (size_t n = std::fread(part, 1, sizeof part, child)) text.append(part, n);
  check(pclose(child) != 0, "a kernel that %s: the process ended as if nothing was wrong", name);
  return text;
}

} // namespace

int commit(const char* name) {
  for (const Fatal& f : errors)
    if (!std::strcmp(f.name, name)) f.commit();
  return 0;
}

void fatal_tests() {
  for (const Fatal& f : errors) {
    const std::string text = said(f.name);
    check(text.find(f.words) != std::string::npos && text.find(f.kernel) != std::string::npos,
          "a kernel that %s: expected \"%s\" and \"%s\" in:\n%s", f.name, f.words, f.kernel, text.c_str());
  }
}
