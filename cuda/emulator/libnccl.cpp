// Stand-in for libnccl.so.2: the calls that Seekr makes, between processes of one machine whose devices are
// emulated. A call waits for the other ranks and is done when it returns. Sums are made in the order of
// ranks and rounded once. Strict: all ranks must ask for the same in the same order, with memory and a stream
// of the communicator's device; it tells of it on stderr too, in every rank.
#include "../src/device.cuh"
#include "ranks.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))
EXPORT bool sk_emulator_inside(uint64_t address, uint64_t bytes);
EXPORT int sk_emulator_device();
EXPORT int sk_emulator_stream_device(void* stream);
EXPORT int sk_emulator_run(void* stream);

namespace {

using sk::emulator::Fault;
using sk::emulator::Ranks;
using namespace sk::emulator;
enum { SUCCESS = 0, CUDA_ERROR = 1 };
enum { FLOAT32 = 7, BFLOAT16 = 9 };

enum Kind { REDUCE, BROADCAST, ALL_GATHER, REDUCE_SCATTER, SEND, RECV };
const char* const KINDS[] = {"reduce", "broadcast", "all-gather", "reduce-scatter", "send", "receive"};
const char* const TYPES[] = {"int8",   "uint8",   "int32",   "uint32",  "int64",
                             "uint64", "float16", "float32", "float64", "bfloat16"};
const size_t SIZES[] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2};

// What the other ranks must know of a call.
struct Op {
  int32_t kind, type, peer, sum; // peer: or root, or -1
  uint64_t count;                // of a part
  size_t bytes() const { return count * SIZES[type]; }
  bool collective() const { return kind < SEND; }
  bool operator==(const Op& o) const { return !std::memcmp(this, &o, sizeof o); }
};
std::string words(const Op& o) {
  return std::string(KINDS[o.kind]) + " of " + std::to_string(o.count) + " " + TYPES[o.type] +
         (o.peer < 0 ? "" : ", rank " + std::to_string(o.peer));
}
struct Call {
  Op op;
  const char* send;
  char* recv;
};
struct Comm {
  Ranks ranks;
  int device;
};
struct Group {
  int depth = 0;
  Comm* comm = nullptr;
  void* stream = nullptr;
  std::vector<Call> calls;
};

std::set<Comm*>
    alive; // those that were destroyed are never freed, so that their addresses are not used again
thread_local Group group;
thread_local std::string last;

template <class F> int guarded(F f) {
  try {
    f();
    return SUCCESS;
  } catch (const Fault& fault) {
    last = fault.words;
    std::fprintf(stderr, "emulated NCCL: %s\n", last.c_str());
    return fault.status;
  }
}
// The others hear of what goes wrong in f().
template <class F> void telling(Ranks& all, F f) {
  try {
    f();
  } catch (const Fault& fault) {
    all.tell(fault.words);
    throw;
  }
}
void expect(bool right, const std::string& otherwise) {
  if (!right) throw Fault{INVALID_USAGE, otherwise};
}

// Of the calls of each rank, what is wrong; the same in all of them.
void compare(const std::vector<std::vector<Op>>& ops) {
  auto only = [&](size_t rank, auto f) {
    std::vector<Op> some;
    std::copy_if(ops[rank].begin(), ops[rank].end(), std::back_inserter(some), f);
    return some;
  };
  auto same = [](const std::vector<Op>& a, size_t ra, const std::vector<Op>& b, size_t rb, auto equal) {
    for (size_t i = 0; i < std::max(a.size(), b.size()); i++) {
      if (i < a.size() && i < b.size() && equal(a[i], b[i])) continue;
      throw Fault{INVALID_USAGE, "rank " + std::to_string(ra) + " asks for " +
                                     (i < a.size() ? words(a[i]) : "nothing") + "; rank " +
                                     std::to_string(rb) + " asks for " +
                                     (i < b.size() ? words(b[i]) : "nothing")};
    }
  };
  auto collective = [](const Op& o) { return o.collective(); };
  for (size_t r = 1; r < ops.size(); r++)
    same(only(0, collective), 0, only(r, collective), r, std::equal_to<Op>());
  for (size_t from = 0; from < ops.size(); from++)
    for (size_t to = 0; to < ops.size(); to++)
      same(only(from, [=](const Op& o) { return o.kind == SEND && o.peer == int(to); }), from,
           only(to, [=](const Op& o) { return o.kind == RECV && o.peer == int(from); }), to,
           [](const Op& a, const Op& b) { return a.type == b.type && a.count == b.count; });
}

// Pieces of `bytes` that fit a room; f(offset, size).
template <class F> void pieces(size_t bytes, F f) {
  for (size_t i = 0; i < bytes; i += Ranks::ROOM) f(i, std::min(Ranks::ROOM, bytes - i));
}

// From rank `from`'s memory to that of all who have a `to`.
void carry(Ranks& all, int from, const char* source, char* to, size_t bytes) {
  pieces(bytes, [&](size_t at, size_t n) {
    if (all.rank == from) std::memcpy(all.room(from), source + at, n);
    all.meet();
    if (to) std::memcpy(to + at, all.room(from), n);
    all.meet();
  });
}

template <class T> void add(const Ranks& all, char* to, size_t bytes) {
  for (size_t i = 0; i < bytes / sizeof(T); i++) {
    float sum = sk::to_float(reinterpret_cast<const T*>(all.room(0))[i]);
    for (int r = 1; r < all.ranks; r++) sum += sk::to_float(reinterpret_cast<const T*>(all.room(r))[i]);
    reinterpret_cast<T*>(to)[i] = sk::from_float<T>(sum);
  }
}
void reduce(Ranks& all, int root, const Op& op, const char* source, char* to) {
  pieces(op.bytes(), [&](size_t at, size_t n) {
    std::memcpy(all.room(all.rank), source + at, n);
    all.meet();
    if (all.rank == root && op.type == FLOAT32) add<float>(all, to + at, n);
    if (all.rank == root && op.type == BFLOAT16) add<sk::bf16>(all, to + at, n);
    all.meet();
  });
}

void perform(Ranks& all, const Call& c) {
  const size_t bytes = c.op.bytes();
  switch (c.op.kind) {
  case REDUCE: reduce(all, c.op.peer, c.op, c.send, c.recv); break;
  case BROADCAST: carry(all, c.op.peer, c.send, c.recv, bytes); break;
  case REDUCE_SCATTER:
    for (int r = 0; r < all.ranks; r++) reduce(all, r, c.op, c.send + size_t(r) * bytes, c.recv);
    break;
  case ALL_GATHER:
    for (int r = 0; r < all.ranks; r++) carry(all, r, c.send, c.recv + size_t(r) * bytes, bytes);
    break;
  }
}

// Every rank knows all calls, and so goes through them in step with the others.
void perform(Comm& comm, void* stream, const std::vector<Call>& calls) {
  Ranks& all = comm.ranks;
  if (sk_emulator_run(stream) != 0) throw Fault{CUDA_ERROR, "the stream has failed before"};
  std::vector<Op> mine;
  for (const Call& c : calls) mine.push_back(c.op);
  expect(mine.size() * sizeof(Op) + 8 <= Ranks::ROOM, "too many calls in a group");
  const uint64_t n = mine.size();
  std::memcpy(all.room(all.rank), &n, 8);
  std::memcpy(all.room(all.rank) + 8, mine.data(), n * sizeof(Op));
  all.meet();
  std::vector<std::vector<Op>> ops(size_t(all.ranks));
  for (int r = 0; r < all.ranks; r++) {
    auto of = reinterpret_cast<const uint64_t*>(all.room(r));
    auto first = reinterpret_cast<const Op*>(of + 1);
    ops[size_t(r)].assign(first, first + *of);
  }
  all.meet();
  compare(ops);
  for (const Call& c : calls)
    if (c.op.collective()) perform(all, c);
  std::vector<bool> done(calls.size());
  for (int from = 0; from < all.ranks; from++)
    for (const Op& sent : ops[size_t(from)]) {
      if (sent.kind != SEND) continue;
      const int wanted = all.rank == from ? SEND : RECV, peer = all.rank == from ? sent.peer : from;
      const bool in = all.rank == from || all.rank == sent.peer;
      size_t i = 0;
      while (in && (done[i] || calls[i].op.kind != wanted || calls[i].op.peer != peer)) i++;
      if (in) done[i] = true;
      carry(all, from, in ? calls[i].send : nullptr, in ? calls[i].recv : nullptr, sent.bytes());
    }
}

Comm* living(void* comm) {
  auto c = static_cast<Comm*>(comm);
  if (!alive.count(c)) throw Fault{INVALID_ARGUMENT, "the communicator was destroyed, or never made"};
  return c;
}

void memory(const char* what, const void* p, size_t bytes) {
  expect(!bytes || sk_emulator_inside(reinterpret_cast<uint64_t>(p), bytes),
         std::string(what) + " lies outside every allocation of the device");
}

// Parts that meet must be the same where it is done in place.
void look_at(const Comm& comm, const Call& c, void* stream) {
  const Op& op = c.op;
  const int ranks = comm.ranks.ranks, rank = comm.ranks.rank;
  expect(op.type >= 0 && size_t(op.type) < sizeof SIZES / sizeof *SIZES, "an unknown type of elements");
  expect(op.sum <= 0, "only sums are made here");
  const bool sums = op.kind == REDUCE || op.kind == REDUCE_SCATTER;
  expect(!sums || op.type == FLOAT32 || op.type == BFLOAT16, std::string("no sums of ") + TYPES[op.type]);
  expect(op.peer < ranks && (op.peer >= 0 || op.kind == ALL_GATHER || op.kind == REDUCE_SCATTER),
         "no rank " + std::to_string(op.peer));
  expect(op.collective() || op.peer != rank, "what is sent to oneself is not emulated");
  expect(sk_emulator_device() == comm.device,
         "another device is current than the communicator's, " + std::to_string(comm.device));
  expect(sk_emulator_stream_device(stream) == comm.device,
         "the stream is none of the communicator's device " + std::to_string(comm.device));
  const size_t bytes = op.bytes(), all = bytes * size_t(ranks);
  const size_t sent = op.kind == REDUCE_SCATTER ? all : bytes, received = op.kind == ALL_GATHER ? all : bytes;
  if (c.send) memory("what is sent", c.send, sent);
  if (c.recv) memory("what is received", c.recv, received);
  if (!c.send || !c.recv || c.send >= c.recv + received || c.recv >= c.send + sent) return;
  const char* here = c.send + (op.kind == REDUCE_SCATTER ? size_t(rank) * bytes : 0);
  expect(here == c.recv + (op.kind == ALL_GATHER ? size_t(rank) * bytes : 0),
         "what is sent and what is received overlap");
}

int ask(Kind kind, const void* send, void* recv, size_t count, int type, int sum, int peer, void* comm,
        void* stream) {
  return guarded([&] {
    Comm* c = living(comm);
    telling(c->ranks, [&] {
      const Call call{
          {kind, type, peer, sum, count}, static_cast<const char*>(send), static_cast<char*>(recv)};
      look_at(*c, call, stream);
      if (group.depth == 0) return perform(*c, stream, {call});
      expect(group.calls.empty() || (group.comm == c && group.stream == stream),
             "a group of several communicators or streams");
      group.comm = c, group.stream = stream;
      group.calls.push_back(call);
    });
  });
}

// Which machine and device: no two ranks may have the same. Processes of one machine that stand for those of
// several say by Slurm's variable where they are.
std::string claim() {
  const char* node = std::getenv("SLURMD_NODENAME");
  return std::string(node ? node : "here") + " device " + std::to_string(sk_emulator_device());
}

} // namespace

EXPORT int ncclGetVersion(int* version) {
  const char* words = std::getenv("SEEKR_EMULATOR_NCCL");
  return *version = words ? std::atoi(words) : 22809, SUCCESS;
}
EXPORT const char* ncclGetErrorString(int result) {
  switch (result) {
  case SUCCESS: return "no error";
  case CUDA_ERROR: return "unhandled cuda error";
  case SYSTEM_ERROR: return "unhandled system error";
  case INVALID_ARGUMENT: return "invalid argument";
  case INVALID_USAGE: return "invalid usage";
  case REMOTE_ERROR: return "remote process exited or there was a network error";
  default: return "unknown result code";
  }
}
EXPORT const char* ncclGetLastError(void*) { return last.c_str(); }

struct Id {
  char internal[128];
};
EXPORT int ncclGetUniqueId(Id* id) {
  return guarded([&] {
    *id = {};
    std::snprintf(id->internal, sizeof id->internal, "%s", Ranks::make().c_str());
    std::memset(id->internal + 64, 0x5A, 64); // all of it must come back
  });
}
EXPORT int ncclCommInitRank(void** comm, int ranks, Id id, int rank) {
  return guarded([&] {
    expect(sk_emulator_device() >= 0, "no context is current");
    if (std::count(id.internal + 64, id.internal + 128, 0x5A) != 64)
      throw Fault{INVALID_ARGUMENT, "an id that was never given out"};
    auto made = new Comm{{id.internal, rank, ranks}, sk_emulator_device()};
    Ranks& all = made->ranks;
    telling(all, [&] {
      std::snprintf(all.room(rank), Ranks::ROOM, "%s", claim().c_str());
      all.meet();
      if (rank == 0) all.close();
      for (int r = 0; r < ranks; r++)
        expect(r == rank || claim() != all.room(r), "Duplicate GPU detected: ranks " + std::to_string(rank) +
                                                        " and " + std::to_string(r) + " both on " + claim());
      all.meet();
    });
    alive.insert(made);
    *comm = made;
  });
}
static int end(void* comm) {
  return guarded([&] {
    Comm* c = living(comm);
    expect(group.calls.empty(), "a communicator is destroyed in a group of its calls");
    alive.erase(c);
    c->ranks.leave();
  });
}
EXPORT int ncclCommDestroy(void* comm) { return end(comm); }
EXPORT int ncclCommAbort(void* comm) { return end(comm); }

EXPORT int ncclGroupStart() { return group.depth++, SUCCESS; }
EXPORT int ncclGroupEnd() {
  return guarded([&] {
    expect(group.depth > 0, "a group ends that has not begun");
    if (--group.depth > 0 || group.calls.empty()) return;
    Group ended;
    std::swap(ended, group);
    telling(ended.comm->ranks, [&] { perform(*ended.comm, ended.stream, ended.calls); });
  });
}

EXPORT int ncclReduce(const void* send, void* recv, size_t count, int type, int sum, int root, void* comm,
                      void* stream) {
  auto c = static_cast<Comm*>(comm);
  const bool mine = alive.count(c) && c->ranks.rank == root;
  return ask(REDUCE, send, mine ? recv : nullptr, count, type, sum, root, comm, stream);
}
EXPORT int ncclBroadcast(const void* send, void* recv, size_t count, int type, int root, void* comm,
                         void* stream) {
  auto c = static_cast<Comm*>(comm);
  const bool mine = alive.count(c) && c->ranks.rank == root;
  return ask(BROADCAST, mine ? send : nullptr, recv, count, type, 0, root, comm, stream);
}
EXPORT int ncclReduceScatter(const void* send, void* recv, size_t count, int type, int sum, void* comm,
                             void* stream) {
  return ask(REDUCE_SCATTER, send, recv, count, type, sum, -1, comm, stream);
}
EXPORT int ncclAllGather(const void* send, void* recv, size_t count, int type, void* comm, void* stream) {
  return ask(ALL_GATHER, send, recv, count, type, 0, -1, comm, stream);
}
EXPORT int ncclSend(const void* send, size_t count, int type, int peer, void* comm, void* stream) {
  return ask(SEND, send, nullptr, count, type, 0, peer, comm, stream);
}
EXPORT int ncclRecv(void* recv, size_t count, int type, int peer, void* comm, void* stream) {
  return ask(RECV, nullptr, recv, count, type, 0, peer, comm, stream);
}
