// Errors that end the process, each committed in a child of its own: what sanitizers say of it, and of which
// kernel.
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

// Blocks of 64 threads.
template <class F> static void run(F f, size_t shared_bytes, unsigned blocks = 1) {
  emulator::Launch launch{
      "test", {blocks, 1, 1},        64, shared_bytes, [](const void* g) { (*static_cast<const F*>(g))(); },
      &f,     emulator::Order::FIFO, 1};
  emulator::launch(launch);
}

#if defined(__SANITIZE_ADDRESS__)
// 32 rows of 16: the kernel takes 2 x 512 floats and gives 512.
static void swiglu(size_t in, size_t out) {
  Context ctx(0);
  const OnDevice<float> x(in), y(out);
  const sk_swiglu a{y.f(), x.f(), 32, 16};
  sk_swiglu_fwd(ctx, &a);
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
     [] { run([] { *reinterpret_cast<volatile float*>(shared<float>()) = shared<float>()[250]; }, 1000); },
     "fatal_test", "READ of size 4"},
    {"writes behind shared memory",
     [] { run([] { *reinterpret_cast<volatile float*>(shared<float>() + 250) = 1; }, 1000); }, "fatal_test",
     "WRITE of size 4"},
    {"reads a float at an odd address",
     [] {
       static const OnDevice<float> x(std::vector<float>(64));
       run([] { shared<float>()[thread()] = *reinterpret_cast<volatile float*>(x.at + 2); }, 1024);
     },
     "fatal_test", "misaligned address"}};
#elif defined(__SANITIZE_THREAD__)
static void one_block(void (*f)()) { run(f, 2048); }

// In all of them the values that come out are right in FIFO order.
static const Fatal errors[] = {{"reads what another thread has just written",
                                [] {
                                  one_block([] {
                                    float* room = shared<float>();
                                    room[thread()] = 1;
                                    room[64 + thread()] = room[thread() ^ 1];
                                  });
                                },
                                "fatal_test", "data race"},
                               {"overwrites what another thread reads",
                                [] {
                                  one_block([] {
                                    float* room = shared<float>();
                                    room[thread()] = 1;
                                    barrier();
                                    room[64 + thread()] = room[thread() ^ 32];
                                    room[thread()] = 2;
                                  });
                                },
                                "fatal_test", "data race"},
                               {"takes a shuffle for a barrier",
                                [] {
                                  one_block([] {
                                    float* room = shared<float>();
                                    room[thread()] = 1;
                                    room[64 + thread()] = room[thread() ^ 1] + shuffle_xor(1.0f, 1);
                                  });
                                },
                                "fatal_test", "data race"},
                               {"reads what another copied after waiting for its own",
                                [] {
                                  alignas(16) static const float source[256] = {};
                                  one_block([] {
                                    float* room = shared<float>();
                                    cp_async16(room + 4 * thread(), source + 4 * thread(), true);
                                    cp_async_commit();
                                    cp_async_wait<0>();
                                    room[256 + thread()] = room[4 * (thread() ^ 32)];
                                  });
                                },
                                "fatal_test", "data race"},
                               {"loads a matrix that another warp has just written",
                                [] {
                                  one_block([] {
                                    auto m = shared<uint16_t>();
                                    for (int i = thread(); i < 512; i += 64) m[i] = uint16_t(i);
                                    uint32_t r[4];
                                    ldmatrix(r, m + 8 * thread());
                                  });
                                },
                                "fatal_test", "data race"},
                               {"adds into device memory from every thread",
                                [] {
                                  static const OnDevice<float> sum(std::vector<float>{0});
                                  one_block([] { *sum.data() += 1; });
                                },
                                "fatal_test", "data race"},
                               {"adds into device memory from every block",
                                [] {
                                  static const OnDevice<float> sum(std::vector<float>(64));
                                  run([] { sum.data()[thread()] += 1; }, 0, 2);
                                },
                                "fatal_test", "data race"}};
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
