package dev.seekr.ops;

import static jcuda.driver.JCudaDriver.*;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.tensor.Place;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;

/**
 * A CUDA device: its primary context, one stream on which everything happens in order, and its
 * memory. Freed memory is kept for the next allocation of its size, since the driver's own
 * allocation waits for all work.
 *
 * <p>Property {@code seekr.cuda.emulator} names a folder with stand-ins for libcuda.so.1 and
 * libcublas.so.12; nothing else makes them take the driver's place.
 */
final class CudaDevice implements Place, AutoCloseable {
  private static final String VERSION = "12.6.0";
  private static final String[] BINDINGS = {
    "libJCudaDriver-" + VERSION + "-linux-x86_64.so", "libJCublas2-" + VERSION + "-linux-x86_64.so"
  };

  /** A stream whose address can be told. */
  private static final class Stream extends CUstream {
    long address() {
      return getNativePointer();
    }
  }

  /** Memory of the device, at an address. */
  static final class Address extends CUdeviceptr {
    Address() {}

    Address(long address) {
      super(new CUdeviceptr(), address);
    }

    long address() {
      return getNativePointer() + getByteOffset();
    }
  }

  /** Memory of the host, at an address. */
  private static final class HostAddress extends Pointer {
    HostAddress(long address) {
      super(address);
    }
  }

  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final Stream stream = new Stream();
  private final String name;
  private final Map<Long, Deque<Long>> freed = new HashMap<>();
  private boolean closed;

  private CudaDevice() {
    check("cuInit", cuInit(0));
    check("cuDeviceGet", cuDeviceGet(device, 0));
    byte[] letters = new byte[128];
    check("cuDeviceGetName", cuDeviceGetName(letters, letters.length, device));
    int length = 0;
    while (letters[length] != 0) length++;
    name = new String(letters, 0, length, java.nio.charset.StandardCharsets.US_ASCII);
    check("cuDevicePrimaryCtxRetain", cuDevicePrimaryCtxRetain(context, device));
    enter();
    check("cuStreamCreate", cuStreamCreate(stream, 0));
  }

  /**
   * Opens the first device. JCuda would unpack its libraries into the folder for temporary files,
   * where processes that start together get into each other's way; it finds them there already
   * while that folder is ours.
   */
  static synchronized CudaDevice open() {
    String temporary = System.getProperty("java.io.tmpdir");
    try {
      emulator("libcuda.so.1");
      emulator("libcublas.so.12");
      Path folder = NativeLibrary.unpack("lib", BINDINGS).getParent();
      System.setProperty("java.io.tmpdir", folder.toString());
      setExceptionsEnabled(false);
      return new CudaDevice();
    } catch (UnsatisfiedLinkError | NoClassDefFoundError | ExceptionInInitializerError e) {
      throw new Failure(
          Exit.BACKEND,
          "backend cuda: no NVIDIA driver (libcuda.so.1) could be loaded; install one, or choose"
              + " backend=cpu",
          e);
    } finally {
      System.setProperty("java.io.tmpdir", temporary);
    }
  }

  private static void emulator(String library) {
    String folder = System.getProperty("seekr.cuda.emulator");
    if (folder != null) System.load(Path.of(folder, library).toAbsolutePath().toString());
  }

  /** Makes the device's context that of the calling thread. */
  void enter() {
    if (closed) throw new IllegalStateException("closed");
    check("cuCtxSetCurrent", cuCtxSetCurrent(context));
  }

  CUstream stream() {
    return stream;
  }

  MemorySegment streamAddress() {
    return MemorySegment.ofAddress(stream.address());
  }

  private static Pointer on(MemorySegment host) {
    return new HostAddress(host.address());
  }

  static Address at(MemorySegment memory) {
    return new Address(memory.address());
  }

  /** Sizes are rounded so that those which differ little can take each other's place. */
  private static long rounded(long bytes) {
    long step = Math.max(512, Long.highestOneBit(Math.max(1, bytes)) >> 3);
    return (Math.max(1, bytes) + step - 1) / step * step;
  }

  @Override
  public synchronized MemorySegment allocate(long bytes, Arena arena) {
    enter();
    long size = rounded(bytes);
    var kept = freed.get(size);
    long address = kept == null || kept.isEmpty() ? fresh(size) : kept.pop();
    check("cuMemsetD8Async", cuMemsetD8Async(new Address(address), (byte) 0, size, stream));
    return MemorySegment.ofAddress(address).reinterpret(bytes, arena, _ -> release(address, size));
  }

  private synchronized void release(long address, long size) {
    if (!closed) freed.computeIfAbsent(size, _ -> new ArrayDeque<>()).push(address);
  }

  private long fresh(long size) {
    var memory = new Address();
    int result = cuMemAlloc(memory, size);
    if (result != 0) {
      trim();
      result = cuMemAlloc(memory, size);
    }
    check("cuMemAlloc of " + size + " bytes", result);
    return memory.address();
  }

  /** Gives kept memory back to the driver. */
  private void trim() {
    check("cuStreamSynchronize", cuStreamSynchronize(stream));
    freed.values().forEach(all -> all.forEach(a -> check("cuMemFree", cuMemFree(new Address(a)))));
    freed.clear();
  }

  @Override
  public void copyIn(MemorySegment to, MemorySegment from) {
    if (from.byteSize() != to.byteSize()) throw new IllegalArgumentException("sizes differ");
    if (to.byteSize() == 0) return;
    enter();
    try (var arena = Arena.ofConfined()) {
      // Of pageable memory the driver has taken a copy when the call returns.
      var source = from.isNative() ? from : arena.allocate(from.byteSize(), 16).copyFrom(from);
      check("cuMemcpyHtoDAsync", cuMemcpyHtoDAsync(at(to), on(source), to.byteSize(), stream));
    }
  }

  @Override
  public void copyOut(MemorySegment to, MemorySegment from) {
    if (from.byteSize() != to.byteSize()) throw new IllegalArgumentException("sizes differ");
    if (to.byteSize() == 0) return;
    enter();
    try (var arena = Arena.ofConfined()) {
      var target = to.isNative() ? to : arena.allocate(to.byteSize(), 16);
      check("cuMemcpyDtoHAsync", cuMemcpyDtoHAsync(on(target), at(from), to.byteSize(), stream));
      check("cuStreamSynchronize", cuStreamSynchronize(stream));
      if (target != to) to.copyFrom(target);
    }
  }

  @Override
  public void copy(MemorySegment to, MemorySegment from) {
    if (from.byteSize() != to.byteSize()) throw new IllegalArgumentException("sizes differ");
    if (to.byteSize() == 0) return;
    enter();
    check("cuMemcpyDtoDAsync", cuMemcpyDtoDAsync(at(to), at(from), to.byteSize(), stream));
  }

  @Override
  public void zero(MemorySegment memory) {
    if (memory.byteSize() == 0) return;
    enter();
    check("cuMemsetD8Async", cuMemsetD8Async(at(memory), (byte) 0, memory.byteSize(), stream));
  }

  /** Throws Failure that names the call, the driver's words, and what memory is free. */
  private static void check(String call, int result) {
    if (result == 0) return;
    String[] name = {"error " + result}, words = {"no words"};
    cuGetErrorName(result, name);
    cuGetErrorString(result, words);
    long[] free = {0}, total = {0};
    String memory =
        cuMemGetInfo(free, total) != 0
            ? ""
            : "; %d of %d MiB are free: try smaller micro-batches or train.recompute=true"
                .formatted(free[0] >> 20, total[0] >> 20);
    boolean full = name[0].endsWith("OUT_OF_MEMORY");
    throw new Failure(
        full ? Exit.BACKEND : Exit.INTERNAL,
        "%s: %s (%s)%s".formatted(call, name[0], words[0], full ? memory : ""));
  }

  @Override
  public synchronized void close() {
    if (closed) return;
    enter();
    trim();
    check("cuStreamDestroy", cuStreamDestroy(stream));
    closed = true;
    check("cuDevicePrimaryCtxRelease", cuDevicePrimaryCtxRelease(device));
  }

  @Override
  public String toString() {
    return name;
  }
}
