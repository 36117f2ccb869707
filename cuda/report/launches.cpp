// Prints, for every kernel, the threads of a block and the bytes of shared memory that its launcher asks for;
// -1 where that depends on sizes. Run by: make -C cuda report
#include "../src/device.cuh"
#include <cstdio>

template <class K> auto shared_of(int) -> decltype(K::shared_bytes()) { return K::shared_bytes(); }
template <class K> long shared_of(...) { return -1; }

struct Launch {
  template <class K> static Launch of(const char* name) {
    std::printf("%s %d %ld\n", name, int(K::THREADS), long(shared_of<K>(0)));
    return {};
  }
};
#undef SK_KERNEL
#define SK_KERNEL(name, ...) static const Launch launch_##name = Launch::of<__VA_ARGS__>(#name);
#include SK_SOURCES

int main() {}
