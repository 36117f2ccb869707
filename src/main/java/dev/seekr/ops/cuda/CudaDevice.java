package dev.seekr.ops.cuda;

import static jcuda.driver.JCudaDriver.*;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.ops.ffm.NativeLibrary;
import dev.seekr.tensor.FreeRanges;
import dev.seekr.tensor.Place;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.OptionalLong;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.driver.CUuuid;

/**
 * A CUDA device: its primary context, the stream on which everything is computed in order, and its
 * memory, which is taken from the driver in chunks, since the driver's own allocation waits for all
 * work. {@link #reserve} makes one chunk of what a run is known to need.
 *
 * <p>Property {@code seekr.cuda.emulator} names a folder with stand-ins for libcuda.so.1 and
 * libcublas.so.12, and libnccl.so.2 for {@link Nccl}; nothing else makes them take the driver's
 * place.
 */
public final class CudaDevice implements Place, AutoCloseable {
  private static final String VERSION = "12.6.0";
  private static final String[] BINDINGS = {
    "libJCudaDriver-" + VERSION + "-linux-x86_64.so", "libJCublas2-" + VERSION + "-linux-x86_64.so"
  };

  /** A stream whose address can be told. */
  static final class Stream extends CUstream {
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

  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final Stream stream = new Stream();
  private final String name;
  private final long chunk;
  private final FreeRanges ranges = new FreeRanges();
  private final CudaCopies copies;
  private long driverAllocations;
  private boolean closed;

  private CudaDevice(long chunk, int local) {
    this.chunk = chunk;
    check("cuInit", cuInit(0));
    check("cuDeviceGet", cuDeviceGet(device, ordinal(local)));
    byte[] letters = new byte[128];
    check("cuDeviceGetName", cuDeviceGetName(letters, letters.length, device));
    int length = 0;
    while (letters[length] != 0) length++;
    name = new String(letters, 0, length, StandardCharsets.US_ASCII);
    check("cuDevicePrimaryCtxRetain", cuDevicePrimaryCtxRetain(context, device));
    enter();
    check("cuStreamCreate", cuStreamCreate(stream, 0));
    copies = new CudaCopies(stream);
  }

  /** The device of that number; or the only one there is, which may be another for each process. */
  private static int ordinal(int local) {
    int[] count = {0};
    check("cuDeviceGetCount", cuDeviceGetCount(count));
    if (local < count[0] || count[0] == 0) return local;
    if (count[0] == 1) return 0;
    throw Failure.config(
        "backend cuda: this is process %d of its machine, counted from 0, and there are %d devices; start at most %d processes on a machine",
        local, count[0], count[0]);
  }

  /**
   * Opens a device, and loads cuBLAS. JCuda would unpack its libraries into the folder for
   * temporary files, where processes that start together get into each other's way, and take what
   * lies there already; it finds ours while that folder is ours.
   *
   * @param chunk least bytes taken from the driver at once; 0: every tensor is an allocation of its
   *     own, so that tools which watch for stray accesses see where each ends
   * @param local which of the run's processes on this machine this is, from 0
   * @throws Failure 69: there is none; 78: there are fewer than processes
   */
  static synchronized CudaDevice open(long chunk, int local) {
    String temporary = System.getProperty("java.io.tmpdir");
    try {
      emulator("libcuda.so.1");
      emulator("libcublas.so.12");
      Path folder = NativeLibrary.unpack("lib", BINDINGS).getParent();
      System.setProperty("java.io.tmpdir", folder.toString());
      setExceptionsEnabled(false);
      Cublas.load();
      return new CudaDevice(chunk, local);
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
    if (folder == null) return;
    Path file = Path.of(folder, library).toAbsolutePath();
    if (!Files.exists(file))
      throw new Failure(
          Exit.BACKEND,
          file + ": no such file; seekr.cuda.emulator names the folder of the emulated device");
    System.load(file.toString());
  }

  /** Makes the device's context that of the calling thread. */
  void enter() {
    if (closed) throw new IllegalStateException("closed");
    check("cuCtxSetCurrent", cuCtxSetCurrent(context));
  }

  /**
   * To be called before anything is computed: whatever is on its way to the device arrives first.
   */
  void compute() {
    enter();
    copies.join();
  }

  CUstream stream() {
    return stream;
  }

  /** Until all that was asked for is computed. */
  void await() {
    enter();
    check("cuStreamSynchronize", cuStreamSynchronize(stream));
  }

  /** What no other device has, wherever it is. */
  String uuid() {
    var uuid = new CUuuid();
    check("cuDeviceGetUuid", cuDeviceGetUuid(uuid, device));
    return HexFormat.of().formatHex(uuid.bytes);
  }

  MemorySegment streamAddress() {
    return MemorySegment.ofAddress(stream.address());
  }

  static Address at(MemorySegment memory) {
    return new Address(memory.address());
  }

  /**
   * Takes that many bytes from the driver at once, for all allocations to come. Where there are not
   * as many, memory is taken as it is needed, which may be less.
   */
  synchronized void reserve(long bytes) {
    enter();
    long[] free = {0}, total = {0};
    check("cuMemGetInfo", cuMemGetInfo(free, total));
    if (chunk > 0 && bytes > ranges.largest() && bytes <= free[0]) fresh(bytes);
  }

  @Override
  public synchronized MemorySegment allocate(long bytes, Arena arena) {
    enter();
    long address = chunk == 0 ? driverAllocation(Math.max(1, bytes)) : arenaAllocation(bytes);
    var memory = MemorySegment.ofAddress(address);
    zero(memory.reinterpret(bytes));
    return memory.reinterpret(bytes, arena, _ -> release(address, bytes));
  }

  private long arenaAllocation(long bytes) {
    OptionalLong address = ranges.take(bytes);
    if (address.isPresent()) return address.getAsLong();
    fresh(Math.max(chunk, bytes));
    return ranges.take(bytes).orElseThrow();
  }

  private void fresh(long bytes) {
    long size = FreeRanges.rounded(bytes);
    ranges.add(driverAllocation(size), size);
  }

  private long driverAllocation(long bytes) {
    var memory = new Address();
    int result = cuMemAlloc(memory, bytes);
    if (result != 0) {
      trim();
      result = cuMemAlloc(memory, bytes);
    }
    check("cuMemAlloc of " + bytes + " bytes", result);
    driverAllocations++;
    return memory.address();
  }

  /** Bytes of the device that are not free, whoever has them. */
  public long used() {
    enter();
    long[] free = {0}, total = {0};
    check("cuMemGetInfo", cuMemGetInfo(free, total));
    return total[0] - free[0];
  }

  /** How often memory was taken from the driver so far. */
  public long driverAllocations() {
    return driverAllocations;
  }

  /**
   * What happens in a stream after this sees nothing of the former owner's work, which came before.
   */
  private synchronized void release(long address, long bytes) {
    if (closed) return;
    if (chunk > 0) ranges.give(address, bytes);
    else cuMemFree(new Address(address)); // the device may have failed; that was told of elsewhere
  }

  /** Gives chunks that nobody uses back to the driver. */
  private void trim() {
    check("cuStreamSynchronize", cuStreamSynchronize(stream));
    for (var at = ranges.removeFree(); at.isPresent(); at = ranges.removeFree())
      check("cuMemFree", cuMemFree(new Address(at.getAsLong())));
  }

  @Override
  public void copyIn(MemorySegment to, MemorySegment from) {
    if (from.byteSize() != to.byteSize()) throw new IllegalArgumentException("sizes differ");
    enter();
    copies.in(to, from);
  }

  @Override
  public void copyOut(MemorySegment to, MemorySegment from) {
    if (from.byteSize() != to.byteSize()) throw new IllegalArgumentException("sizes differ");
    compute();
    copies.out(to, from);
  }

  @Override
  public void copy(MemorySegment to, MemorySegment from) {
    if (from.byteSize() != to.byteSize()) throw new IllegalArgumentException("sizes differ");
    if (to.byteSize() == 0) return;
    compute();
    check("cuMemcpyDtoDAsync", cuMemcpyDtoDAsync(at(to), at(from), to.byteSize(), stream));
  }

  @Override
  public MemorySegment allocateBeside(long bytes, Arena arena) {
    enter();
    return CudaCopies.pinned(bytes, arena, () -> !closed);
  }

  @Override
  public Runnable leave(MemorySegment to, MemorySegment from) {
    if (from.byteSize() != to.byteSize()) throw new IllegalArgumentException("sizes differ");
    compute();
    return copies.leave(to, from);
  }

  @Override
  public Runnable come(MemorySegment to, MemorySegment from) {
    if (from.byteSize() != to.byteSize()) throw new IllegalArgumentException("sizes differ");
    compute();
    return copies.come(to, from);
  }

  @Override
  public void zero(MemorySegment memory) {
    if (memory.byteSize() == 0) return;
    enter();
    long bytes = memory.byteSize();
    check("cuMemsetD8Async", cuMemsetD8Async(at(memory), (byte) 0, bytes, copies.stream()));
  }

  @Override
  public Ahead ahead(Runnable prepare) {
    enter();
    return copies.ahead(prepare);
  }

  /** Throws Failure that names the call, the driver's words, and what memory is free. */
  static void check(String call, int result) {
    if (result == 0) return;
    String[] name = {"error " + result}, words = {"no words"};
    cuGetErrorName(result, name);
    cuGetErrorString(result, words);
    long[] free = {0}, total = {0};
    String memory =
        cuMemGetInfo(free, total) != 0
            ? ""
            : "; %d of %d MiB are free: ./seekr plan says what a run takes; smaller micro-batches, train.recompute and train.state take less"
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
    copies.close();
    check("cuStreamDestroy", cuStreamDestroy(stream));
    closed = true;
    check("cuDevicePrimaryCtxRelease", cuDevicePrimaryCtxRelease(device));
  }

  @Override
  public String toString() {
    return name;
  }
}
