package dev.seekr.ops.cuda;

import dev.seekr.ops.Arguments;
import dev.seekr.ops.Clock;
import dev.seekr.ops.Op;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Product;
import dev.seekr.ops.ffm.FfmOps;
import dev.seekr.ops.ffm.KernelLibrary;
import dev.seekr.ops.ffm.NativeLibrary;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The kernels of {@code libseekr_cuda.so} on a CUDA device, and {@link Cublas} for matrix products.
 * Calls return before their kernels have run; results that go to the host are waited for.
 */
public final class CudaOps extends FfmOps {
  /** Bytes taken from the driver at once, where property {@code seekr.cuda.chunk} says nothing. */
  private static final long CHUNK = 64 << 20;

  /** Bytes of {@code libseekr_cuda.so}: what the driver loads of it is less. */
  private static final long KERNELS = 26 << 20;

  private final CudaDevice device;
  private final Cublas cublas;
  private final int threads;
  private FfmOps host; // null: not yet asked for
  private boolean closed;

  private CudaOps(KernelLibrary library, DType element, CudaDevice device, int threads) {
    super(library, null, element, device);
    this.device = device;
    this.threads = threads;
    this.cublas = new Cublas(device.stream());
  }

  /**
   * Opens the first device, to compute in {@code element}: F32, BF16 or F16. Throws Failure (exit
   * 69) where there is none.
   */
  public static CudaOps open(DType element) {
    return open(element, 0);
  }

  /** The same; {@code threads} are those of {@link #host}, 0: one for each CPU. */
  public static CudaOps open(DType element, int threads) {
    return open(element, threads, 0);
  }

  /**
   * Opens the device of one of several processes.
   *
   * @param local which of those on this machine it is, from 0: it takes the device of that number,
   *     or where it sees only one, that
   * @throws dev.seekr.Failure 69: there is none; 78: there are fewer devices than processes
   */
  public static CudaOps open(DType element, int threads, int local) {
    int type =
        switch (element) {
          case F32 -> 0;
          case BF16 -> 1;
          case F16 -> 2;
          default -> throw new IllegalArgumentException("no CUDA kernels compute in " + element);
        };
    var device = CudaDevice.open(Long.getLong("seekr.cuda.chunk", CHUNK), local);
    String emulator = System.getProperty("seekr.cuda.emulator");
    var file =
        emulator == null
            ? NativeLibrary.cuda()
            : Path.of(emulator, "libseekr_cuda.so").toAbsolutePath();
    var library = new KernelLibrary(file, 0, "auto");
    library.configure(type, device.streamAddress());
    return new CudaOps(library, element, device, threads);
  }

  /**
   * Bytes that a device holds beside tensors, at most, by what they are for, in passes of so many
   * tokens by a model of NH heads and C channels. The driver's own context is not among them.
   */
  public static Map<String, Long> beside(long tokens, long NH, long C) {
    var bytes = new LinkedHashMap<String, Long>();
    bytes.put("kernels", KERNELS);
    bytes.put("cuBLAS workspace", Cublas.WORKSPACE);
    // device_scratch: a quarter more than the largest call asks for. The gradient of attention
    // holds a float of each row and head, a double of each 64 rows and head, and what sampled
    // queries sum; that of a norm 512 rows of floats.
    long attention = tokens * NH * 4 + (tokens / 64 + 64) * NH * 8 + tokens * NH * 12;
    bytes.put("kernels' scratch", 5 * Math.max(attention, 512 * C * 4) / 4 + 4096);
    // upload_bytes: eight times what did not fit, of two sizes at once; at most 8 bytes a token.
    bytes.put("tables of indices", 2 * Math.max(1 << 20, 8 * (8 * tokens + 256)));
    return bytes;
  }

  /**
   * An H100's tensor cores make 240 operations of bfloat16 for every byte that its memory moves,
   * and R rows are 3 R / 4 operations for a byte of that gradient: 4096 are ten times as many. At
   * most 256 MiB of bfloat16.
   */
  public static int rowsOfLogits(int V) {
    return Math.clamp((1 << 27) / V, 1, 4096);
  }

  @Override
  public int logitRows(int V) {
    return rowsOfLogits(V);
  }

  @Override
  public Place place() {
    return device;
  }

  public CudaDevice device() {
    return device;
  }

  @Override
  public Clock clock() {
    return new CudaClock(device);
  }

  /** The CPU's kernels, without products. */
  @Override
  public Ops host() {
    if (host == null) host = FfmOps.withoutProducts(threads);
    return host;
  }

  @Override
  public void reserve(long bytes) {
    device.reserve(bytes);
  }

  @Override
  public String arithmetic() {
    return device + ", " + super.arithmetic();
  }

  @Override
  public String description() {
    return device + ", " + super.description();
  }

  @Override
  protected String gemmDescription() {
    return "cuBLAS";
  }

  @Override
  protected void multiply(Product p) {
    device.compute();
    cublas.multiply(p);
  }

  @Override
  protected void call(Op op, Arguments arguments) {
    device.compute();
    super.call(op, arguments);
  }

  @Override
  public void close() {
    if (closed) return;
    closed = true;
    device.enter();
    cublas.close();
    if (host != null) host.close();
    super.close();
    device.close();
  }
}
