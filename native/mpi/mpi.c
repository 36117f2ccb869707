/* libseekr_mpi.so: what Seekr asks of MPI, in functions of fixed types. Handles and constants of MPI differ
 * from one implementation to the next, and are known only to what its own mpicc compiled: 'make mpi'.
 *
 * Every function returns 0, or another number; sk_mpi_error() then says why. All but sk_mpi_abort are called
 * by the one thread that called sk_mpi_open. A piece is what one process sends to one other; bytes are a
 * piece's. MPI counts with 32 bits: pieces of more than `chunk` bytes are sent in several calls. */
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define API __attribute__((visibility("default")))

static char error[MPI_MAX_ERROR_STRING + 64];

API const char* sk_mpi_error(void) { return error; }

static int check(const char* function, int status) {
  if (status == MPI_SUCCESS) return 0;
  int length = snprintf(error, 64, "%s: ", function), rest = 0;
  if (MPI_Error_string(status, error + length, &rest) != MPI_SUCCESS)
    snprintf(error + length, sizeof error - length, "status %d", status);
  return status;
}

#define CHECK(function, ...)                               \
  do {                                                     \
    int status_ = check(#function, function(__VA_ARGS__)); \
    if (status_) return status_;                           \
  } while (0)

/* Java owns signals: SEGV is how it finds null, TERM is how a run hears that it is to stop. MPI and what
 * carries it are asked to leave them alone, and what they took all the same is put back. */
static int init(int* level) {
  setenv("OMPI_MCA_opal_signal", "", 0);
  setenv("UCX_ERROR_SIGNALS", "", 0);
  struct sigaction before[NSIG];
  for (int s = 1; s < NSIG; s++)
    if (sigaction(s, NULL, &before[s])) before[s].sa_handler = SIG_DFL;
  int status = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, level);
  for (int s = 1; s < NSIG; s++)
    if (before[s].sa_handler != SIG_DFL) sigaction(s, &before[s], NULL);
  return status;
}

/* place: this process, all of them, and this one among those on this machine. */
API int sk_mpi_open(int32_t place[3]) {
  int begun = 0, level = 0;
  CHECK(MPI_Initialized, &begun);
  if (begun) {
    snprintf(error, sizeof error, "MPI was begun in this process before");
    return -1;
  }
  int status = check("MPI_Init_thread", init(&level));
  if (status) return status;
  if (level < MPI_THREAD_FUNNELED) {
    snprintf(error, sizeof error, "this MPI cannot be used in a process of several threads");
    return -1;
  }
  CHECK(MPI_Comm_set_errhandler, MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  int rank, ranks, local;
  CHECK(MPI_Comm_rank, MPI_COMM_WORLD, &rank);
  CHECK(MPI_Comm_size, MPI_COMM_WORLD, &ranks);
  MPI_Comm machine;
  CHECK(MPI_Comm_split_type, MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  CHECK(MPI_Comm_rank, machine, &local);
  CHECK(MPI_Comm_free, &machine);
  place[0] = rank;
  place[1] = ranks;
  place[2] = local;
  return 0;
}

/* `count` bytes of each piece, when the next piece begins `bytes` further on. */
static int part_of_piece(int count, int64_t bytes, MPI_Datatype* part) {
  MPI_Datatype dense;
  CHECK(MPI_Type_contiguous, count, MPI_BYTE, &dense);
  CHECK(MPI_Type_create_resized, dense, 0, (MPI_Aint)bytes, part);
  CHECK(MPI_Type_free, &dense);
  CHECK(MPI_Type_commit, part);
  return 0;
}

/* Waits for what has begun, and leaves the CPU to kernels meanwhile: a call that MPI itself waits in spins,
 * and takes a core. It looks often for a while, since most of what is waited for is on its way, then now and
 * then. Neither number was tuned. */
static int finish(const char* name, int begun, MPI_Request* request) {
  enum { OFTEN = 2000 };
  const struct timespec pause = {0, 50000};
  int there = 0;
  int status = check(name, begun);
  for (int64_t looks = 0; !status && !there; looks++) {
    status = check(name, MPI_Test(request, &there, MPI_STATUS_IGNORE));
    if (there || status) break;
    if (looks < OFTEN) sched_yield();
    else nanosleep(&pause, NULL);
  }
  return status;
}

#define WAIT(call, ...)                               \
  do {                                                \
    MPI_Request request_;                             \
    int begun_ = call(__VA_ARGS__, &request_);        \
    int finished_ = finish(#call, begun_, &request_); \
    if (finished_) return finished_;                  \
  } while (0)

static int smaller(int64_t a, int64_t b) { return (int)(a < b ? a : b); }

/* Piece r of `send` goes to process r, and piece r of `received` came from there. */
API int sk_mpi_exchange(const char* send, char* received, int64_t bytes, int64_t chunk) {
  if (bytes <= chunk) {
    int n = (int)bytes;
    WAIT(MPI_Ialltoall, send, n, MPI_BYTE, received, n, MPI_BYTE, MPI_COMM_WORLD);
    return 0;
  }
  for (int64_t at = 0; at < bytes; at += chunk) {
    MPI_Datatype part;
    int status = part_of_piece(smaller(chunk, bytes - at), bytes, &part);
    if (status) return status;
    WAIT(MPI_Ialltoall, send + at, 1, part, received + at, 1, part, MPI_COMM_WORLD);
    CHECK(MPI_Type_free, &part);
  }
  return 0;
}

/* Piece r of `received` is what process r has as `mine`, which may be the piece where it goes. */
API int sk_mpi_gather(const char* mine, char* received, int64_t bytes, int64_t chunk) {
  int rank;
  CHECK(MPI_Comm_rank, MPI_COMM_WORLD, &rank);
  int there = mine == received + rank * bytes;
  if (bytes <= chunk) {
    int n = (int)bytes;
    WAIT(MPI_Iallgather, there ? MPI_IN_PLACE : mine, n, MPI_BYTE, received, n, MPI_BYTE, MPI_COMM_WORLD);
    return 0;
  }
  for (int64_t at = 0; at < bytes; at += chunk) {
    int n = smaller(chunk, bytes - at);
    MPI_Datatype part;
    int status = part_of_piece(n, bytes, &part);
    if (status) return status;
    const void* from = there ? MPI_IN_PLACE : mine + at;
    WAIT(MPI_Iallgather, from, n, MPI_BYTE, received + at, 1, part, MPI_COMM_WORLD);
    CHECK(MPI_Type_free, &part);
  }
  return 0;
}

/* What process 0 has. */
API int sk_mpi_broadcast(char* data, int64_t bytes, int64_t chunk) {
  for (int64_t at = 0; at < bytes; at += chunk)
    WAIT(MPI_Ibcast, data + at, smaller(chunk, bytes - at), MPI_BYTE, 0, MPI_COMM_WORLD);
  return 0;
}

API int sk_mpi_barrier(void) {
  WAIT(MPI_Ibarrier, MPI_COMM_WORLD);
  return 0;
}

API int sk_mpi_close(void) {
  CHECK(MPI_Finalize);
  return 0;
}

/* Any thread may call this: the other may wait for a process that never comes. */
API int sk_mpi_abort(int32_t exit) { return check("MPI_Abort", MPI_Abort(MPI_COMM_WORLD, exit)); }
