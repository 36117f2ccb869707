package dev.seekr.ops.cuda;

import static dev.seekr.ops.cuda.CudaDevice.at;
import static dev.seekr.ops.cuda.CudaDevice.check;
import static jcuda.driver.JCudaDriver.*;

import dev.seekr.tensor.Place.Ahead;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;
import jcuda.Pointer;
import jcuda.driver.CUevent;
import jcuda.driver.CUstream;

/**
 * Copies between host and device. They go through pinned memory: what is copied in lies there when
 * the call returns, and reaches the device while the host goes on. Two halves are filled in turn; a
 * half is filled again when all that was in it has arrived.
 *
 * <p>Copies keep their place in the order of computing, but for those that are made {@link #ahead}:
 * they have a stream of their own, which runs beside it.
 */
final class CudaCopies implements AutoCloseable {
  private static final int HALF = 16 << 20, ALIGN = 256, NO_TIMING = 2; // CU_EVENT_DISABLE_TIMING

  /** Pinned memory of the host. */
  private static final class Pinned extends Pointer {
    final MemorySegment memory;

    Pinned() {
      check("cuMemHostAlloc of " + HALF + " bytes", cuMemHostAlloc(this, HALF, 0));
      memory = MemorySegment.ofAddress(getNativePointer()).reinterpret(HALF);
    }

    Pointer from(long offset) {
      return withByteOffset(offset);
    }
  }

  private static final class Half {
    final Pinned pinned = new Pinned();
    final CUevent computed = event(), copied = event(); // of either stream, when the half was full
  }

  private final CUstream compute;
  private final CUstream beside = new CUstream(), outwards = new CUstream();
  private final CUevent begun = event(), arrived = event(), left = event();
  private final Half[] halves = new Half[2];
  private boolean closed;
  private Pinned outward;
  private int half;
  private int used;
  private boolean ahead;

  CudaCopies(CUstream compute) {
    this.compute = compute;
    for (var stream : new CUstream[] {beside, outwards})
      check("cuStreamCreate", cuStreamCreate(stream, 1)); // CU_STREAM_NON_BLOCKING
  }

  private static CUevent event() {
    var event = new CUevent();
    check("cuEventCreate", cuEventCreate(event, NO_TIMING));
    return event;
  }

  /** Where copies, and zeros, go now. */
  CUstream stream() {
    return ahead ? beside : compute;
  }

  void in(MemorySegment to, MemorySegment from) {
    long n;
    for (long i = 0; i < to.byteSize(); i += n) {
      if (halves[half] == null) halves[half] = new Half();
      if (used == HALF) turn();
      n = Math.min(HALF - used, to.byteSize() - i);
      Pinned pinned = halves[half].pinned;
      MemorySegment.copy(from, i, pinned.memory, used, n);
      var target = at(to.asSlice(i, n));
      check("cuMemcpyHtoDAsync", cuMemcpyHtoDAsync(target, pinned.from(used), n, stream()));
      used = (int) Math.min(HALF, (used + n + ALIGN - 1) / ALIGN * ALIGN);
    }
  }

  /** Goes on with the other half, once nobody reads it. */
  private void turn() {
    check("cuEventRecord", cuEventRecord(halves[half].computed, compute));
    check("cuEventRecord", cuEventRecord(halves[half].copied, beside));
    half = 1 - half;
    used = 0;
    if (halves[half] == null) {
      halves[half] = new Half();
    } else {
      check("cuEventSynchronize", cuEventSynchronize(halves[half].computed));
      check("cuEventSynchronize", cuEventSynchronize(halves[half].copied));
    }
  }

  /** Returns when everything before has been computed and the bytes are there. */
  void out(MemorySegment to, MemorySegment from) {
    if (outward == null) outward = new Pinned();
    for (long i = 0; i < to.byteSize(); i += HALF) {
      long n = Math.min(HALF, to.byteSize() - i);
      var source = at(from.asSlice(i, n));
      check("cuMemcpyDtoHAsync", cuMemcpyDtoHAsync(outward.from(0), source, n, compute));
      check("cuStreamSynchronize", cuStreamSynchronize(compute));
      MemorySegment.copy(outward.memory, 0, to, i, n);
    }
  }

  /**
   * As {@link dev.seekr.tensor.Place#ahead}. Memory that was freed before is free for copies too.
   */
  Ahead ahead(Runnable prepare) {
    wait(beside, begun, compute);
    ahead = true;
    try {
      prepare.run();
    } finally {
      ahead = false;
    }
    check("cuEventRecord", cuEventRecord(arrived, beside));
    return () -> check("cuStreamWaitEvent", cuStreamWaitEvent(compute, arrived, 0));
  }

  /** As {@link dev.seekr.tensor.Place#leave}. */
  Runnable leave(MemorySegment to, MemorySegment from) {
    if (to.byteSize() == 0) return () -> {};
    wait(outwards, left, compute);
    var source = at(from);
    check("cuMemcpyDtoHAsync", cuMemcpyDtoHAsync(pointer(to), source, to.byteSize(), outwards));
    return end(outwards);
  }

  /** As {@link dev.seekr.tensor.Place#come}. */
  Runnable come(MemorySegment to, MemorySegment from) {
    if (to.byteSize() == 0) return () -> {};
    wait(beside, begun, compute);
    check("cuMemcpyHtoDAsync", cuMemcpyHtoDAsync(at(to), pointer(from), to.byteSize(), beside));
    wait(compute, arrived, beside);
    return end(beside);
  }

  /** Waits for what a stream was given so far. */
  private static Runnable end(CUstream stream) {
    var end = event();
    check("cuEventRecord", cuEventRecord(end, stream));
    return () -> {
      check("cuEventSynchronize", cuEventSynchronize(end));
      destroy(end);
    };
  }

  /** Pinned memory of the host, zeroed; a device that is closed has taken it along. */
  static MemorySegment pinned(long bytes, Arena arena, BooleanSupplier open) {
    var pointer = new Room();
    check("cuMemHostAlloc of " + bytes + " bytes", cuMemHostAlloc(pointer, Math.max(bytes, 1), 0));
    var memory = MemorySegment.ofAddress(pointer.address()).reinterpret(bytes);
    memory.fill((byte) 0);
    // The device may have failed; that was told of elsewhere.
    return memory.reinterpret(
        arena,
        _ -> {
          if (open.getAsBoolean()) cuMemFreeHost(pointer);
        });
  }

  /** Pinned memory, at an address that can be told. */
  private static final class Room extends Pointer {
    Room() {}

    Room(long address) {
      super(new Room(), address);
    }

    long address() {
      return getNativePointer();
    }
  }

  static Pointer pointer(MemorySegment memory) {
    return new Room(memory.address());
  }

  /** Nothing is ahead any longer: who computes while preparing needs what was copied so far. */
  void join() {
    if (!ahead) return;
    ahead = false;
    wait(compute, arrived, beside);
  }

  /** {@code later} goes on when {@code earlier} has done what it was given so far. */
  private static void wait(CUstream later, CUevent event, CUstream earlier) {
    check("cuEventRecord", cuEventRecord(event, earlier));
    check("cuStreamWaitEvent", cuStreamWaitEvent(later, event, 0));
  }

  @Override
  public void close() {
    if (closed) return;
    closed = true;
    for (var stream : new CUstream[] {beside, outwards}) {
      check("cuStreamSynchronize", cuStreamSynchronize(stream));
      check("cuStreamDestroy", cuStreamDestroy(stream));
    }
    destroy(begun, arrived, left);
    for (Half h : halves) {
      if (h == null) continue;
      destroy(h.computed, h.copied);
      check("cuMemFreeHost", cuMemFreeHost(h.pinned));
    }
    if (outward != null) check("cuMemFreeHost", cuMemFreeHost(outward));
  }

  private static void destroy(CUevent... events) {
    for (CUevent event : events) check("cuEventDestroy", cuEventDestroy(event));
  }
}
