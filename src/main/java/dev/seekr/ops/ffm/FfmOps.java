package dev.seekr.ops.ffm;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.ops.Arguments;
import dev.seekr.ops.Members;
import dev.seekr.ops.Op;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Product;
import dev.seekr.ops.Shapes;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/**
 * The kernels of one library that implements {@code seekr.h}; the CPU's compute in float32. Shapes,
 * types and places are checked here before every call, indices by the library.
 */
public class FfmOps implements Ops {
  private final KernelLibrary library;
  private final Gemm gemm;
  private final DType dtype;
  private final Shapes shapes;
  // One is enough: a call is over before the next begins.
  private final Struct struct = new Struct(Arena.ofAuto().allocate(Struct.ROOM, 8));

  /**
   * @param file the library
   * @param threads 0 or less: one for each CPU this process may use
   * @param isa auto, avx512, avx2 or scalar
   * @throws Failure backend unavailable: the library cannot be loaded, or this CPU lacks what
   *     {@code gemm} or {@code isa} needs
   */
  public FfmOps(Path file, Gemm gemm, int threads, String isa) {
    this(
        new KernelLibrary(
            file, threads > 0 ? threads : Runtime.getRuntime().availableProcessors(), isa),
        gemm,
        DType.F32,
        Place.HOST);
    if (gemm == Gemm.BF16) requireProducts();
  }

  /** The CPU's kernels on its best instruction set, for all but matrix products. */
  public static FfmOps withoutProducts(int threads) {
    int cpus = Runtime.getRuntime().availableProcessors();
    var library = new KernelLibrary(NativeLibrary.cpu(), threads > 0 ? threads : cpus, "auto");
    return new FfmOps(library, null, DType.F32, Place.HOST);
  }

  /** Whether the CPU has them, the library says where it is asked for a product, be it empty. */
  private void requireProducts() {
    try (var arena = Arena.ofConfined()) {
      var some = arena.allocate(8);
      Arguments empty =
          new Given(to -> to.p(some).p(some).p(some).l(0).l(0).l(0).i(0).i(0).i(0), gemm, 1);
      library.call(Op.MATMUL, struct.of(empty));
    } catch (Failure e) {
      library.close();
      throw new Failure(Exit.BACKEND, e.getMessage() + "; run.gemm=f32 needs neither", e);
    }
  }

  /**
   * {@code gemm} null: a subclass multiplies. {@code dtype} is what the library's context computes
   * in; floating tensors lie in {@code place}.
   */
  protected FfmOps(KernelLibrary library, Gemm gemm, DType dtype, Place place) {
    this.library = library;
    this.gemm = gemm;
    this.dtype = dtype;
    this.shapes = new Shapes(dtype, DType.F32, place);
  }

  /** struct sk_product: a product, and who multiplies. */
  private record Given(java.util.function.Consumer<Members> product, Gemm gemm, float alpha)
      implements Arguments {
    @Override
    public void check(Shapes shapes) {}

    @Override
    public void write(Members to) {
      to.p(gemm.sgemm());
      product.accept(to);
      to.i(gemm == Gemm.BF16).f(alpha);
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
    return arguments instanceof Product p ? new Given(p::write, gemm, p.alpha()) : arguments;
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

  @Override
  public String arithmetic() {
    return library.arithmetic() + "; " + gemmDescription();
  }

  @Override
  public String description() {
    return library.description() + "; GEMM: " + gemmDescription();
  }

  protected String gemmDescription() {
    return gemm == null ? "none" : gemm.description();
  }

  @Override
  public void close() {
    library.close();
  }
}
