// Stand-in for libcuda.so.1: the calls that JCuda and the launchers make, on this machine's own memory.
// Streams are queues that run when someone waits for them, so that work which nobody waited for has not
// happened. Strict: memory it did not give out, copies in the wrong direction or past an end, bytes changed
// around an allocation (memory.h), all end in an error; it tells of it on stderr too.
#include "block.h"
#include "memory.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using namespace sk::emulator;
using memory::inside;
using memory::on_device;

typedef int CUresult;
typedef uint64_t CUdeviceptr;
enum {
  OK = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  INVALID_CONTEXT = 201,
  INVALID_IMAGE = 200,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
  LAUNCH_FAILED = 719
};

struct Stream {
  int device = -1; // of the context that it was made in
  std::deque<std::function<CUresult()>> work;
};
struct Event {
  Stream* stream = nullptr;
  bool recorded = false, done = false, timed = true;
  std::chrono::steady_clock::time_point at; // when the stream came to it
};
struct Function {
  const Kernel* kernel;
  int shared_limit = 48 << 10;
};

std::recursive_mutex mutex;
bool initialised = false;
int failed = OK; // as on a device: after a fault every call fails
Stream default_stream;
std::vector<Stream*> streams{&default_stream};
int module_object;
const int MOST_DEVICES = 64;
int contexts[MOST_DEVICES]; // whose addresses are handles
thread_local void* current = nullptr;

// All of a process have their memory in one range, since a process takes one of them.
int devices() {
  const char* words = std::getenv("SEEKR_EMULATOR_DEVICES");
  return words ? std::min(MOST_DEVICES, std::max(0, std::atoi(words))) : 1;
}
int device_of(void* context) { return context ? int(static_cast<int*>(context) - contexts) : -1; }

std::map<void*, size_t> pinned;

// As an H100: the compute capability, and the shared memory that a block can opt in to.
const int MAJOR = 9, SHARED = 227 << 10;
int capability = MAJOR, shared_memory = SHARED;

std::string complaint;
CUresult complain(CUresult result, const std::string& words) {
  complaint = words;
  std::fprintf(stderr, "emulated CUDA device: %s\n", words.c_str());
  return result;
}

bool all_intact(const char* kernel) {
  const uint64_t bytes = memory::damaged();
  if (!bytes) return true;
  complain(ILLEGAL_ADDRESS,
           std::string(kernel) + " wrote outside an allocation of " + std::to_string(bytes) + " bytes");
  return false;
}

CUresult run(Stream* s) {
  while (!s->work.empty()) {
    auto work = std::move(s->work.front());
    s->work.pop_front();
    if (failed == OK) failed = work();
  }
  return failed;
}

CUresult run_all() {
  for (Stream* s : streams) run(s);
  return failed;
}

Stream* of(void* s) {
  return s && s != reinterpret_cast<void*>(1) && s != reinterpret_cast<void*>(2) ? static_cast<Stream*>(s)
                                                                                 : &default_stream;
}

// Every word of a kernel's arguments that looks like an address of this process must be one of the device: a
// host pointer would go unseen here.
CUresult check_pointers(const Kernel* k, const std::vector<char>& arguments) {
  for (size_t i = 0; i + 8 <= arguments.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, arguments.data() + i, 8);
    const bool heap_or_stack = word >= 0x550000000000 && word < 0x800000000000;
    if (heap_or_stack)
      return complain(ILLEGAL_ADDRESS, std::string(k->name) + ": argument at byte " + std::to_string(i) +
                                           " points to host memory");
    if (memory::outside(word))
      return complain(ILLEGAL_ADDRESS, std::string(k->name) + ": argument at byte " + std::to_string(i) +
                                           " points to freed memory");
  }
  return OK;
}

sk::emulator::Order order() {
  const char* given = std::getenv("SEEKR_EMULATOR_ORDER");
  const std::string name = given ? given : "fifo";
  return name == "lifo" ? Order::LIFO : name == "random" ? Order::RANDOM : Order::FIFO;
}

#define LOCKED                                       \
  std::lock_guard<std::recursive_mutex> lock(mutex); \
  if (!initialised) return 3;                        \
  if (failed != OK) return failed

} // namespace

EXPORT CUresult cuInit(unsigned) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  if (!memory::reserve()) return complain(OUT_OF_MEMORY, "the address range of device memory is taken");
  initialised = true;
  return OK;
}
EXPORT CUresult cuDriverGetVersion(int* version) { return *version = 12060, OK; }
EXPORT CUresult cuDeviceGetCount(int* count) { return *count = devices(), OK; }
EXPORT CUresult cuDeviceGet(int* device, int ordinal) {
  return ordinal < 0 || ordinal >= devices() ? 101 : (*device = ordinal, OK);
}
// The same on every machine.
EXPORT CUresult cuDeviceGetUuid(unsigned char* uuid, int device) {
  std::memset(uuid, 0xE0, 16);
  return uuid[15] = static_cast<unsigned char>(device), OK;
}
EXPORT CUresult cuDeviceGetName(char* name, int length, int) {
  std::snprintf(name, size_t(length), "emulated CUDA device (a stand-in, not a GPU)");
  return OK;
}
EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = memory::limit(), OK; }
EXPORT CUresult cuDeviceGetAttribute(int* value, int attribute, int) {
  switch (attribute) {
  case 75: *value = capability; break;
  case 76: *value = 0; break;   // minor
  case 16: *value = 132; break; // multiprocessors
  case 97: *value = shared_memory; break;
  default: *value = 0;
  }
  return OK;
}
EXPORT CUresult cuDevicePrimaryCtxRetain(void** context, int device) {
  return *context = &contexts[device], OK;
}
EXPORT CUresult cuDevicePrimaryCtxRelease_v2(int) { return OK; }
EXPORT CUresult cuCtxSetCurrent(void* context) { return current = context, OK; }
EXPORT CUresult cuCtxGetCurrent(void** context) { return *context = current, OK; }
EXPORT CUresult cuCtxGetDevice(int* device) {
  return current ? (*device = device_of(current), OK) : INVALID_CONTEXT;
}
EXPORT CUresult cuCtxSynchronize() {
  LOCKED;
  return run_all();
}

EXPORT CUresult cuGetErrorName(CUresult result, const char** name) {
  switch (result) {
  case OK: *name = "CUDA_SUCCESS"; break;
  case INVALID_VALUE: *name = "CUDA_ERROR_INVALID_VALUE"; break;
  case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
  case 3: *name = "CUDA_ERROR_NOT_INITIALIZED"; break;
  case INVALID_CONTEXT: *name = "CUDA_ERROR_INVALID_CONTEXT"; break;
  case NOT_FOUND: *name = "CUDA_ERROR_NOT_FOUND"; break;
  case ILLEGAL_ADDRESS: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
  case LAUNCH_FAILED: *name = "CUDA_ERROR_LAUNCH_FAILED"; break;
  case 801: *name = "CUDA_ERROR_NOT_SUPPORTED"; break;
  default: *name = "CUDA_ERROR_UNKNOWN";
  }
  return OK;
}
EXPORT CUresult cuGetErrorString(CUresult result, const char** words) {
  *words = result == ILLEGAL_ADDRESS || result == LAUNCH_FAILED ? complaint.c_str() : "no words for it here";
  return OK;
}

EXPORT CUresult cuModuleLoadData(void** module, const void* image) {
  return image ? (*module = &module_object, OK) : INVALID_VALUE;
}
EXPORT CUresult cuModuleUnload(void*) { return OK; }
EXPORT CUresult cuModuleGetFunction(void** function, void*, const char* name) {
  LOCKED;
  static std::map<std::string, Function> functions;
  for (const Kernel* k = kernels; k; k = k->next) {
    if (std::strcmp(k->name, name) != 0) continue;
    *function = &functions.emplace(name, Function{k}).first->second;
    return OK;
  }
  return complain(NOT_FOUND, std::string("no kernel is called ") + name);
}
EXPORT CUresult cuFuncSetAttribute(void* function, int attribute, int value) {
  if (attribute != 8 || value > shared_memory) return INVALID_VALUE;
  static_cast<Function*>(function)->shared_limit = value;
  return OK;
}
EXPORT CUresult cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                               unsigned by, unsigned bz, unsigned shared, void* stream, void** parameters,
                               void** extra) {
  LOCKED;
  auto f = static_cast<Function*>(function);
  const Kernel* k = f->kernel;
  if (extra || !parameters || by != 1 || bz != 1 || !gx || !gy || !gz || gy > 65535 || gz > 65535)
    return INVALID_VALUE;
  if (int(shared) > f->shared_limit || int(shared) > shared_memory)
    return complain(INVALID_VALUE, std::string(k->name) + " asks for " + std::to_string(shared) +
                                       " bytes of shared memory, its limit is " +
                                       std::to_string(f->shared_limit));
  auto bytes = static_cast<const char*>(parameters[0]);
  std::vector<char> arguments(bytes, bytes + k->argument_bytes);
  static uint64_t seed = 0;
  Launch launch{k->name, {gx, gy, gz}, bx, shared, k->run, nullptr, order(), ++seed};
  of(stream)->work.push_back([launch, arguments, k]() mutable -> CUresult {
    if (CUresult wrong = check_pointers(k, arguments)) return wrong;
    launch.arguments = arguments.data();
    if (!sk::emulator::launch(launch)) return complain(LAUNCH_FAILED, message());
    return all_intact(k->name) ? OK : ILLEGAL_ADDRESS;
  });
  return OK;
}

EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  LOCKED;
  if (!bytes) return INVALID_VALUE;
  const uint64_t at = memory::allocate(bytes);
  return at ? (*address = at, OK) : OUT_OF_MEMORY;
}
EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  LOCKED;
  const CUresult result = run_all();
  bool intact = true;
  if (!memory::release(address, intact))
    return complain(INVALID_VALUE, "freed memory that was not allocated");
  return intact ? result : failed = complain(ILLEGAL_ADDRESS, "bytes around freed memory have changed");
}
EXPORT CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  LOCKED;
  *total = memory::limit(), *free = *total - memory::used();
  return OK;
}
EXPORT CUresult cuMemHostAlloc(void** p, size_t bytes, unsigned) {
  LOCKED;
  *p = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  pinned[*p] = bytes;
  return OK;
}
EXPORT CUresult cuMemAllocHost_v2(void** p, size_t bytes) { return cuMemHostAlloc(p, bytes, 0); }
EXPORT CUresult cuMemFreeHost(void* p) {
  LOCKED;
  if (!pinned.erase(p)) return INVALID_VALUE;
  std::free(p);
  return OK;
}

static CUresult copy_in(CUdeviceptr to, const void* from, size_t bytes) {
  if (!inside(to, bytes))
    return complain(ILLEGAL_ADDRESS, "a copy to the device lies outside every allocation");
  if (on_device(reinterpret_cast<uint64_t>(from)))
    return complain(INVALID_VALUE, "a copy from the host was given an address of the device");
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return OK;
}
static CUresult copy_out(void* to, CUdeviceptr from, size_t bytes) {
  if (!inside(from, bytes))
    return complain(ILLEGAL_ADDRESS, "a copy from the device lies outside every allocation");
  if (on_device(reinterpret_cast<uint64_t>(to)))
    return complain(INVALID_VALUE, "a copy to the host was given an address of the device");
  std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return OK;
}
static bool is_pinned(const void* p) {
  for (auto& m : pinned)
    if (p >= m.first && p < static_cast<const char*>(m.first) + m.second) return true;
  return false;
}

// As the driver does: pageable memory is read at once, pinned memory when the stream gets there.
EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, void* stream) {
  LOCKED;
  if (is_pinned(from)) {
    of(stream)->work.push_back([=] { return copy_in(to, from, bytes); });
  } else {
    auto p = static_cast<const char*>(from);
    if (on_device(reinterpret_cast<uint64_t>(from))) return copy_in(to, from, bytes);
    of(stream)->work.push_back(
        [to, held = std::vector<char>(p, p + bytes)] { return copy_in(to, held.data(), held.size()); });
  }
  return OK;
}
EXPORT CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, void* stream) {
  LOCKED;
  of(stream)->work.push_back([=] { return copy_out(to, from, bytes); });
  return OK;
}
EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, void* stream) {
  LOCKED;
  of(stream)->work.push_back([=]() -> CUresult {
    if (!inside(to, bytes) || !inside(from, bytes))
      return complain(ILLEGAL_ADDRESS, "a copy on the device lies outside every allocation");
    std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
    return OK;
  });
  return OK;
}
EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  LOCKED;
  const CUresult result = run(&default_stream);
  return result ? result : failed = copy_in(to, from, bytes);
}
EXPORT CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  LOCKED;
  const CUresult result = run(&default_stream);
  return result ? result : failed = copy_out(to, from, bytes);
}
EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, void* stream) {
  LOCKED;
  of(stream)->work.push_back([=]() -> CUresult {
    if (!inside(to, bytes))
      return complain(ILLEGAL_ADDRESS, "memory to be filled lies outside every allocation");
    std::memset(reinterpret_cast<void*>(to), value, bytes);
    return OK;
  });
  return OK;
}

EXPORT CUresult cuStreamCreate(void** stream, unsigned) {
  LOCKED;
  if (!current) return INVALID_CONTEXT;
  streams.push_back(new Stream);
  streams.back()->device = device_of(current);
  *stream = streams.back();
  return OK;
}
EXPORT CUresult cuStreamDestroy_v2(void* stream) {
  LOCKED;
  const auto known = std::find(streams.begin() + 1, streams.end(), stream);
  if (known == streams.end()) return INVALID_HANDLE;
  const CUresult result = run(*known);
  delete *known;
  streams.erase(known);
  return result;
}
EXPORT CUresult cuStreamSynchronize(void* stream) {
  LOCKED;
  return run(of(stream));
}
EXPORT CUresult cuStreamQuery(void* stream) {
  LOCKED;
  return of(stream)->work.empty() ? OK : NOT_READY;
}
// A handle is one owner of an event; so is what still waits in a stream when the handle is destroyed.
static std::shared_ptr<Event>& event_of(void* handle) {
  return *static_cast<std::shared_ptr<Event>*>(handle);
}
EXPORT CUresult cuEventCreate(void** event, unsigned flags) {
  auto e = std::make_shared<Event>();
  e->timed = !(flags & 2); // CU_EVENT_DISABLE_TIMING
  return *event = new std::shared_ptr<Event>(e), OK;
}
EXPORT CUresult cuEventDestroy_v2(void* event) { return delete &event_of(event), OK; }
EXPORT CUresult cuEventRecord(void* event, void* stream) {
  LOCKED;
  auto e = event_of(event);
  e->stream = of(stream), e->recorded = true, e->done = false;
  e->stream->work.push_back([e] { return e->at = std::chrono::steady_clock::now(), e->done = true, OK; });
  return OK;
}
// What the emulation took: of the right order, and no figure of a device.
EXPORT CUresult cuEventElapsedTime(float* milliseconds, void* begin, void* end) {
  LOCKED;
  auto b = event_of(begin), e = event_of(end);
  if (!b->timed || !e->timed || !b->recorded || !e->recorded) return INVALID_HANDLE;
  if (!b->done || !e->done) return NOT_READY;
  return *milliseconds = std::chrono::duration<float, std::milli>(e->at - b->at).count(), OK;
}
EXPORT CUresult cuEventSynchronize(void* event) {
  LOCKED;
  auto e = event_of(event);
  return e->recorded && !e->done ? run(e->stream) : OK;
}
EXPORT CUresult cuStreamWaitEvent(void* stream, void* event, unsigned) {
  LOCKED;
  auto e = event_of(event);
  of(stream)->work.push_back([e] { return e->recorded && !e->done ? run(e->stream) : OK; });
  return OK;
}

// For libnccl.cpp: which device is current here, which a stream was made on (-1: none), and what it is asked
// for is done.
EXPORT int sk_emulator_device() { return device_of(current); }
EXPORT int sk_emulator_stream_device(void* stream) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  const auto known = std::find(streams.begin() + 1, streams.end(), stream);
  return known == streams.end() ? -1 : (*known)->device;
}

EXPORT CUresult sk_emulator_run(void* stream) {
  LOCKED;
  return run(of(stream));
}

// For libcublas.cpp, whose work stands in the same queues.
EXPORT void sk_emulator_enqueue(void* stream, std::function<CUresult()>* work) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  of(stream)->work.push_back(std::move(*work));
}
EXPORT bool sk_emulator_inside(CUdeviceptr address, uint64_t bytes) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  return inside(address, bytes);
}
// A fault ends a process's use of a device; tests go on after it.
EXPORT CUresult sk_emulator_recover() {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  for (Stream* s : streams) s->work.clear();
  return failed = OK;
}
// As another device, of compute capability `major`.0, with so many bytes of shared memory for a block; 0 and
// 0: as an H100 again.
EXPORT CUresult sk_emulator_become(int major, int shared) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  capability = major ? major : MAJOR, shared_memory = shared ? shared : SHARED;
  return OK;
}
// What the device did since this was last asked, with all that is under way.
EXPORT CUresult sk_emulator_count(uint64_t* launches, uint64_t* products) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  const CUresult result = run_all();
  *launches = counts.launches, *products = counts.products;
  counts = {};
  return result;
}
