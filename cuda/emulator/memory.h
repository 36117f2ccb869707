// The memory of the emulated device, in a range of its own, where no host address is. Red zones between
// allocations are poisoned or, without a sanitizer, hold a pattern: NaN in every type of elements, so that
// what is read there spoils the result. Not for several threads at once.
#ifndef SEEKR_EMULATOR_MEMORY_H
#define SEEKR_EMULATOR_MEMORY_H
#include <cstdint>

namespace sk {
namespace emulator {
namespace memory {

// Takes the range; false when something else is there.
bool reserve();
// Bytes there are: SEEKR_EMULATOR_MEMORY, or 4 GiB; bytes given out, with red zones.
uint64_t limit();
uint64_t used();

// An address, or 0 when there is no room. The memory is NaN until written.
uint64_t allocate(uint64_t bytes);
// False when nothing was allocated there. `intact`: nobody wrote around it.
bool release(uint64_t address, bool& intact);
// The bytes of an allocation that somebody wrote around, or 0.
uint64_t damaged();

bool on_device(uint64_t address);
// Whether [address, address + bytes) lies inside one allocation.
bool inside(uint64_t address, uint64_t bytes);
// Whether it was given out and is in no allocation (any more).
bool outside(uint64_t address);

} // namespace memory
} // namespace emulator
} // namespace sk
#endif
