package dev.seekr.ops.ffm;

import dev.seekr.Failure;
import dev.seekr.ops.Arguments;
import dev.seekr.ops.Members;
import dev.seekr.ops.Op;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Product;
import dev.seekr.ops.Shapes;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * The kernels of one library that implements {@code seekr.h}. Shapes, types and places are checked
 * here before every call, indices by the library.
 */
public class FfmOps implements Ops {
  private final KernelLibrary library;
  private final Gemm gemm;
  private final DType dtype;
  private final Shapes shapes;
  // One is enough: a call is over before the next begins.
  private final Struct struct = new Struct(Arena.ofAuto().allocate(Struct.ROOM, 8));

  /**
   * On the CPU, in {@code element}: F32 or BF16.
   *
   * @param file the library
   * @param multiplier who multiplies BF16: auto, amx, vdpbf16 or sgemm
   * @param threads 0 or less: one for each CPU this process may use
   * @param isa auto, avx512, avx2 or scalar
   * @throws Failure backend unavailable: the library cannot be loaded, or this CPU lacks what
   *     {@code multiplier} or {@code isa} needs
   */
  public FfmOps(Path file, Gemm gemm, DType element, String multiplier, int threads, String isa) {
    this(
        new KernelLibrary(
            file, threads > 0 ? threads : Runtime.getRuntime().availableProcessors(), isa),
        gemm,
        element,
        Place.HOST);
    if (element == DType.F32) return;
    try {
      library.configure(1, MemorySegment.NULL);
      library.multiplyBy(multiplier);
    } catch (Failure e) {
      library.close();
      throw e;
    }
  }

  /** The CPU's kernels on its best instruction set, for all but matrix products. */
  public static FfmOps withoutProducts(int threads) {
    int cpus = Runtime.getRuntime().availableProcessors();
    var library = new KernelLibrary(NativeLibrary.cpu(), threads > 0 ? threads : cpus, "auto");
    return new FfmOps(library, null, DType.F32, Place.HOST);
  }

  /**
   * {@code gemm} null: nobody, or a subclass, multiplies. {@code dtype} is what the library's
   * context computes in; floating tensors lie in {@code place}.
   */
  protected FfmOps(KernelLibrary library, Gemm gemm, DType dtype, Place place) {
    this.library = library;
    this.gemm = gemm;
    this.dtype = dtype;
    this.shapes = new Shapes(dtype, DType.F32, place);
  }

  /** struct sk_product: a product, and who multiplies. */
  private record Given(Product product, Gemm gemm) implements Arguments {
    @Override
    public void check(Shapes shapes) {}

    @Override
    public void write(Members to) {
      to.p(gemm.sgemm());
      product.write(to);
      to.i(product.y().dtype() == DType.F32).f(product.alpha());
    }
  }

  @Override
  public final void run(Op op, Arguments arguments) {
    arguments.check(shapes);
    if (arguments instanceof Product product) multiply(product);
    else call(op, arguments);
  }

  /** Of checked arguments. */
  protected void multiply(Product product) {
    call(Op.MATMUL, struct(product));
  }

  /** What writes the struct that the library takes. */
  public Arguments struct(Arguments arguments) {
    return arguments instanceof Product p ? new Given(p, gemm) : arguments;
  }

  /** Of checked arguments. */
  protected void call(Op op, Arguments arguments) {
    library.call(op, struct.of(arguments));
  }

  /** The instruction set the kernels run on. */
  public String isa() {
    return library.isa();
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  /** The library, its instruction set and elements, and who multiplies. */
  @Override
  public String arithmetic() {
    return library.arithmetic() + "; " + gemmDescription();
  }

  @Override
  public String description() {
    return library.description() + "; GEMM: " + gemmDescription();
  }

  protected String gemmDescription() {
    if (gemm == null) return "none";
    if (dtype == DType.F32) return gemm.description();
    return switch (library.multiplier()) {
      case "sgemm" ->
          "bf16 made f32, by %s, for want of AMX or a fast AVX512-BF16: run.dtype=f32 is faster, bf16 smaller"
              .formatted(gemm.description());
      case "vdpbf16" -> "bf16 (AVX512-BF16)";
      default -> "bf16 (AMX)";
    };
  }

  @Override
  public void close() {
    library.close();
  }
}
