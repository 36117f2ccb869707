package dev.seekr.ops.cuda;

import static jcuda.jcublas.JCublas2.*;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.ops.Product;
import dev.seekr.ops.ffm.NativeLibrary;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/** Matrix products by cuBLAS, on one stream. Their sums are float32, whatever the elements are. */
final class Cublas implements AutoCloseable {
  private static final int N = 0, T = 1; // cublasOperation_t
  private static final int COMPUTE_32F = 68; // cublasComputeType_t: float, not TF32
  private static final int DEFAULT_ALGORITHM = -1;

  /**
   * cublasMath_t: default, but parts of a sum are added up in float32 too, not in the elements'
   * type.
   */
  private static final int FLOAT_SUMS = 16; // CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION

  /**
   * Bytes of the device for partial products, as NVIDIA advises for an H100: ours, so that it is
   * known before a run.
   */
  static final long WORKSPACE = 32 << 20;

  private final cublasHandle handle = new cublasHandle();
  private final CUdeviceptr workspace = new CUdeviceptr();
  private final Pointer zero = Pointer.to(new float[] {0}), one = Pointer.to(new float[] {1});
  private boolean closed;

  /** {@link #load} has been called. */
  Cublas(CUstream stream) {
    check("cublasCreate", cublasCreate(handle));
    check("cublasSetStream", cublasSetStream(handle, new cudaStream_t(stream)));
    check("cublasSetMathMode", cublasSetMathMode(handle, FLOAT_SUMS));
    CudaDevice.check(
        "cuMemAlloc of cuBLAS' workspace", JCudaDriver.cuMemAlloc(workspace, WORKSPACE));
    check("cublasSetWorkspace", cublasSetWorkspace(handle, workspace, WORKSPACE));
  }

  /**
   * Loads cuBLAS and its binding, which is linked against version 12; where there is version 13
   * alone, a library of the jar stands for 12 and calls it. To be called while JCuda finds its
   * libraries where we unpacked them.
   *
   * @throws Failure backend: there is neither
   */
  static void load() {
    String twelve = "libcublas.so.12", thirteen = "libcublas.so.13";
    if (!found(twelve)) {
      if (!found(thirteen))
        throw new Failure(
            Exit.BACKEND,
            "backend cuda: neither %s nor %s could be loaded (%s); install cuBLAS (of CUDA 12 or 13, or pip install nvidia-cublas), name its folder in LD_LIBRARY_PATH, or choose backend=cpu"
                .formatted(twelve, thirteen, NativeLibrary.linkerMessage(thirteen)));
      NativeLibrary.load(NativeLibrary.unpack("native", twelve));
    }
    setExceptionsEnabled(false);
  }

  private static boolean found(String library) {
    try {
      SymbolLookup.libraryLookup(library, Arena.global());
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
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
  void multiply(Product p) {
    int rows = Math.toIntExact(p.M()), columns = Math.toIntExact(p.N()), k = Math.toIntExact(p.K());
    if (rows == 0 || columns == 0) return;
    var alpha = p.alpha() == 1 ? one : Pointer.to(new float[] {p.alpha()});
    check(
        "cublasGemmEx of %d x %d x %d".formatted(rows, columns, k),
        cublasGemmEx_new(
            handle,
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

  private static void check(String call, int status) {
    if (status == 0) return;
    throw new Failure(Exit.INTERNAL, call + ": " + cublasStatus.stringFor(status));
  }

  @Override
  public void close() {
    if (closed) return;
    closed = true;
    check("cublasDestroy", cublasDestroy(handle));
    CudaDevice.check("cuMemFree", JCudaDriver.cuMemFree(workspace));
  }
}
