package dev.seekr.ops.cuda;

import static jcuda.jcublas.JCublas2.*;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.ops.Arguments;
import dev.seekr.ops.LossRows;
import dev.seekr.ops.Op;
import dev.seekr.ops.Product;
import dev.seekr.ops.ffm.FfmOps;
import dev.seekr.ops.ffm.KernelLibrary;
import dev.seekr.ops.ffm.NativeLibrary;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import jcuda.Pointer;
import jcuda.jcublas.cublasHandle;
import jcuda.runtime.cudaStream_t;

/**
 * The kernels of {@code libseekr_cuda.so} on a CUDA device, and cuBLAS for matrix products, whose
 * sums are float32 whatever the type of elements. Calls return before their kernels have run;
 * results that go to the host are waited for.
 */
public final class CudaOps extends FfmOps {
  private static final int N = 0, T = 1; // cublasOperation_t
  private static final int COMPUTE_32F = 68; // cublasComputeType_t: float, not TF32
  private static final int DEFAULT_ALGORITHM = -1;

  /** Bytes taken from the driver at once, where property {@code seekr.cuda.chunk} says nothing. */
  private static final long CHUNK = 64 << 20;

  private final CudaDevice device;
  private final cublasHandle cublas = new cublasHandle();
  private final Pointer zero = Pointer.to(new float[] {0}), one = Pointer.to(new float[] {1});
  private boolean closed;

  private CudaOps(KernelLibrary library, DType element, CudaDevice device) {
    super(library, null, element, device);
    this.device = device;
    check("cublasCreate", cublasCreate(cublas));
    check("cublasSetStream", cublasSetStream(cublas, new cudaStream_t(device.stream())));
  }

  /**
   * Opens the first device, to compute in {@code element}: F32, BF16 or F16. Throws Failure (exit
   * 69) where there is none.
   */
  public static CudaOps open(DType element) {
    int type =
        switch (element) {
          case F32 -> 0;
          case BF16 -> 1;
          case F16 -> 2;
          default -> throw new IllegalArgumentException("no CUDA kernels compute in " + element);
        };
    var device = CudaDevice.open(Long.getLong("seekr.cuda.chunk", CHUNK));
    String emulator = System.getProperty("seekr.cuda.emulator");
    var file =
        emulator == null
            ? NativeLibrary.cuda()
            : Path.of(emulator, "libseekr_cuda.so").toAbsolutePath();
    var library = new KernelLibrary(file, 0, "auto");
    library.configure(type, device.streamAddress());
    return new CudaOps(library, element, device);
  }

  @Override
  public Place place() {
    return device;
  }

  public CudaDevice device() {
    return device;
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

  /** cudaDataType. */
  private static int type(Tensor t) {
    return switch (t.dtype()) {
      case F32 -> 0;
      case F16 -> 2;
      case BF16 -> 14;
      default -> throw new IllegalArgumentException("cuBLAS multiplies no " + t);
    };
  }

  /** Row-major y = A B is column-major y^T = B^T A^T, and every matrix is its own transpose. */
  @Override
  protected void multiply(Product p) {
    int rows = Math.toIntExact(p.M()), columns = Math.toIntExact(p.N()), k = Math.toIntExact(p.K());
    if (rows == 0 || columns == 0) return;
    device.compute();
    var alpha = p.alpha() == 1 ? one : Pointer.to(new float[] {p.alpha()});
    check(
        "cublasGemmEx of %d x %d x %d".formatted(rows, columns, k),
        cublasGemmEx_new(
            cublas,
            p.tb() ? T : N,
            p.ta() ? T : N,
            columns,
            rows,
            k,
            alpha,
            CudaDevice.at(p.b().data()),
            type(p.b()),
            Math.max(1, p.tb() ? k : columns),
            CudaDevice.at(p.a().data()),
            type(p.a()),
            Math.max(1, p.ta() ? rows : k),
            p.accumulate() ? one : zero,
            CudaDevice.at(p.y().data()),
            type(p.y()),
            columns,
            COMPUTE_32F,
            DEFAULT_ALGORITHM));
  }

  /** Teacher logits come from files or other models, by way of the host. */
  @Override
  protected void call(Op op, Arguments arguments) {
    device.compute();
    if (!(arguments instanceof LossRows rows)
        || rows.teacher() == null
        || rows.teacher().place() == device) {
      super.call(op, arguments);
      return;
    }
    try (var memory = new Memory("teacher on the device")) {
      Tensor stored = rows.teacher();
      Tensor here = allocate(memory, "teacher logits", stored.dtype(), stored.shape());
      here.copyFrom(stored);
      super.call(op, rows.with(here));
    }
  }

  private static void check(String call, int status) {
    if (status == 0) return;
    throw new Failure(Exit.INTERNAL, call + ": " + jcuda.jcublas.cublasStatus.stringFor(status));
  }

  @Override
  public void close() {
    if (closed) return;
    closed = true;
    device.enter();
    check("cublasDestroy", cublasDestroy(cublas));
    super.close();
    device.close();
  }
}
