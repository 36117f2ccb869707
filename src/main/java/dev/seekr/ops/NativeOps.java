package dev.seekr.ops;

import static dev.seekr.ops.Abi.*;
import static dev.seekr.ops.KernelLibrary.p;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * The kernels of one library that implements {@code seekr.h}; the CPU's compute in float32. Shapes,
 * types and indices are checked here before every call, because kernels trust them. One instance
 * serves one thread at a time.
 */
public class NativeOps implements Ops {
  private final KernelLibrary library;
  private final Gemm gemm;
  private final DType dtype;
  private final Arena arena = Arena.ofAuto();
  private final MemorySegment sum = arena.allocate(JAVA_DOUBLE, 2);
  private final Checks checks;
  private final NativeAttention attention;

  /**
   * @param file the library
   * @param threads 0 or less: one for each CPU this process may use
   * @param isa auto, avx512, avx2 or scalar
   * @throws Failure backend unavailable: the library cannot be loaded, or this CPU lacks what
   *     {@code gemm} or {@code isa} needs
   */
  public NativeOps(Path file, Gemm gemm, int threads, String isa) {
    this(
        new KernelLibrary(
            file, threads > 0 ? threads : Runtime.getRuntime().availableProcessors(), isa),
        gemm,
        DType.F32,
        Place.HOST);
    if (gemm == Gemm.BF16) requireProducts();
  }

  /** Whether the CPU has them, the library says where it is asked for a product, be it empty. */
  private void requireProducts() {
    try {
      product(sum, sum, sum, 0, 0, 0, 0, 0, 0);
    } catch (Failure e) {
      library.close();
      throw new Failure(Exit.BACKEND, e.getMessage() + "; run.gemm=f32 needs neither", e);
    }
  }

  /**
   * {@code gemm} null: a subclass multiplies. {@code dtype} is what the library's context computes
   * in; floating tensors lie in {@code place}.
   */
  NativeOps(KernelLibrary library, Gemm gemm, DType dtype, Place place) {
    this.library = library;
    this.gemm = gemm;
    this.dtype = dtype;
    this.checks = new Checks(dtype, DType.F32, place);
    this.attention = new NativeAttention(library, checks, arena);
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

  String gemmDescription() {
    return gemm.description();
  }

  @Override
  public void matmul(Tensor y, Tensor a, Tensor b, boolean ta, boolean tb, boolean accumulate) {
    multiply(y, a, b, checks.matmul(y, a, b, ta, tb), ta, tb, accumulate);
  }

  /** {@link #matmul} of checked arguments, K the dimension that is summed over. */
  void multiply(Tensor y, Tensor a, Tensor b, long K, boolean ta, boolean tb, boolean accumulate) {
    product(p(y), p(a), p(b), y.dim(0), y.dim(1), K, ta ? 1 : 0, tb ? 1 : 0, accumulate ? 1 : 0);
  }

  private void product(
      MemorySegment y,
      MemorySegment a,
      MemorySegment b,
      long M,
      long N,
      long K,
      int ta,
      int tb,
      int accumulate) {
    var sgemm = gemm.sgemm();
    library.call(
        MATMUL,
        (f, c) ->
            (int) MATMUL.handle().invokeExact(f, c, sgemm, y, a, b, M, N, K, ta, tb, accumulate));
  }

  @Override
  public void embeddingForward(Tensor x, Tensor tokens, Tensor w) {
    checks.embedding(x, tokens, w);
    library.call(
        EMBEDDING_FWD,
        (f, c) ->
            (int)
                EMBEDDING_FWD
                    .handle()
                    .invokeExact(f, c, p(x), p(tokens), p(w), tokens.size(), w.dim(1), w.dim(0)));
  }

  @Override
  public void embeddingBackward(Tensor dw, Tensor tokens, Tensor dx) {
    checks.embeddingBackward(dw, tokens, dx);
    library.call(
        EMBEDDING_BWD,
        (f, c) ->
            (int)
                EMBEDDING_BWD
                    .handle()
                    .invokeExact(
                        f, c, p(dw), p(tokens), p(dx), tokens.size(), dw.dim(1), dw.dim(0)));
  }

  @Override
  public void rmsnormForward(
      Tensor y, Tensor x, Tensor rstd, Tensor a, Tensor b, Tensor w, float eps) {
    checks.rmsnorm(y, x, rstd, a, b, w);
    library.call(
        RMSNORM_FWD,
        (f, c) ->
            (int)
                RMSNORM_FWD
                    .handle()
                    .invokeExact(
                        f, c, p(y), p(x), p(rstd), p(a), p(b), p(w), rstd.size(), w.size(), eps));
  }

  @Override
  public void rmsnormBackward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor rstd, Tensor w) {
    checks.rmsnormBackward(dx, dw, dy, x, rstd, w);
    library.call(
        RMSNORM_BWD,
        (f, c) ->
            (int)
                RMSNORM_BWD
                    .handle()
                    .invokeExact(
                        f, c, p(dx), p(dw), p(dy), p(x), p(rstd), p(w), rstd.size(), w.size()));
  }

  @Override
  public void ropeForward(Tensor qkv, Tensor positions, Tensor cos, Tensor sin, Heads heads) {
    checks.rope(qkv, positions, cos, sin, heads);
    long P = cos.size() / (heads.HS() / 2);
    library.call(
        ROPE_FWD,
        (f, c) ->
            (int)
                ROPE_FWD
                    .handle()
                    .invokeExact(
                        f,
                        c,
                        p(qkv),
                        p(positions),
                        p(cos),
                        p(sin),
                        positions.size(),
                        (long) heads.NH(),
                        (long) heads.NKV(),
                        (long) heads.HS(),
                        P));
  }

  @Override
  public void ropeBackward(Tensor dqkv, Tensor positions, Tensor cos, Tensor sin, Heads heads) {
    checks.rope(dqkv, positions, cos, sin, heads);
    long P = cos.size() / (heads.HS() / 2);
    library.call(
        ROPE_BWD,
        (f, c) ->
            (int)
                ROPE_BWD
                    .handle()
                    .invokeExact(
                        f,
                        c,
                        p(dqkv),
                        p(positions),
                        p(cos),
                        p(sin),
                        positions.size(),
                        (long) heads.NH(),
                        (long) heads.NKV(),
                        (long) heads.HS(),
                        P));
  }

  @Override
  public void attentionForward(Tensor o, Tensor lse, Tensor qkv, Tensor cu, Heads heads) {
    attention.forward(o, lse, qkv, cu, heads);
  }

  @Override
  public void attentionBackward(
      Tensor dqkv,
      Tensor sens,
      Tensor kl,
      Tensor dout,
      Tensor qkv,
      Tensor o,
      Tensor lse,
      Tensor cu,
      Heads heads,
      AttentionRows rows,
      float eps) {
    attention.backward(dqkv, sens, kl, dout, qkv, o, lse, cu, heads, rows, eps);
  }

  @Override
  public void attentionCapture(AttentionRows rows, Tensor qkv, Tensor lse, Tensor cu, Heads heads) {
    attention.capture(rows, qkv, lse, cu, heads);
  }

  @Override
  public void attentionDifference(
      Tensor diff,
      Tensor qkv,
      Tensor lse,
      Tensor qkv2,
      Tensor lse2,
      Tensor cu,
      Heads heads,
      AttentionRows rows) {
    attention.difference(diff, qkv, lse, qkv2, lse2, cu, heads, rows);
  }

  @Override
  public void attentionDecode(
      Tensor o, Tensor kcache, Tensor vcache, Tensor qkv, Tensor lengths, Heads heads) {
    attention.decode(o, kcache, vcache, qkv, lengths, heads);
  }

  @Override
  public void swigluForward(Tensor h, Tensor gu) {
    checks.swiglu(h, gu);
    library.call(
        SWIGLU_FWD,
        (f, c) -> (int) SWIGLU_FWD.handle().invokeExact(f, c, p(h), p(gu), h.dim(0), h.dim(1)));
  }

  @Override
  public void swigluBackward(Tensor dgu, Tensor dh, Tensor gu) {
    checks.swigluBackward(dgu, dh, gu);
    library.call(
        SWIGLU_BWD,
        (f, c) ->
            (int)
                SWIGLU_BWD.handle().invokeExact(f, c, p(dgu), p(dh), p(gu), dh.dim(0), dh.dim(1)));
  }

  @Override
  public void gather(Tensor out, Tensor x, Tensor rows) {
    checks.gather(out, x, rows);
    library.call(
        GATHER,
        (f, c) ->
            (int) GATHER.handle().invokeExact(f, c, p(out), p(x), p(rows), rows.size(), x.dim(1)));
  }

  @Override
  public void scatter(Tensor dx, Tensor d, Tensor rows) {
    checks.scatter(dx, d, rows);
    library.call(
        SCATTER,
        (f, c) ->
            (int)
                SCATTER
                    .handle()
                    .invokeExact(f, c, p(dx), p(d), p(rows), rows.size(), dx.dim(0), dx.dim(1)));
  }

  @Override
  public void scatterAdd(Tensor x, Tensor d, Tensor rows) {
    checks.scatterAdd(x, d, rows);
    library.call(
        SCATTER_ADD,
        (f, c) ->
            (int)
                SCATTER_ADD
                    .handle()
                    .invokeExact(f, c, p(x), p(d), p(rows), rows.size(), x.dim(0), x.dim(1)));
  }

  @Override
  public void loss(
      Tensor nll,
      Tensor distill,
      Tensor logits,
      Tensor target,
      Tensor wNll,
      Tensor teacher,
      Tensor teacherRow,
      Tensor wDistill,
      Distance distance,
      boolean grad) {
    checks.loss(nll, distill, logits, target, wNll, teacher, teacherRow, wDistill, grad);
    int half = teacher != null && teacher.dtype() == DType.F16 ? 1 : 0;
    int mode = teacher == null ? 0 : distance.ordinal();
    int write = grad ? 1 : 0;
    library.call(
        LOSS,
        (f, c) ->
            (int)
                LOSS.handle()
                    .invokeExact(
                        f,
                        c,
                        p(nll),
                        p(distill),
                        p(logits),
                        p(target),
                        p(wNll),
                        p(teacher),
                        half,
                        p(teacherRow),
                        p(wDistill),
                        mode,
                        write,
                        logits.dim(0),
                        logits.dim(1)));
  }

  @Override
  public void adamw(
      Tensor w,
      Tensor m,
      Tensor v,
      Tensor g,
      Tensor rounded,
      float lr,
      float beta1,
      float beta2,
      float eps,
      float decay,
      float gradScale,
      long step) {
    checks.adamw(w, m, v, g, rounded, step);
    library.call(
        ADAMW,
        (f, c) ->
            (int)
                ADAMW
                    .handle()
                    .invokeExact(
                        f,
                        c,
                        p(w),
                        p(m),
                        p(v),
                        p(g),
                        p(rounded),
                        w.size(),
                        lr,
                        beta1,
                        beta2,
                        eps,
                        decay,
                        gradScale,
                        step));
  }

  @Override
  public double dot(Tensor x, Tensor y) {
    checks.dot(x, y);
    library.call(DOT, (f, c) -> (int) DOT.handle().invokeExact(f, c, sum, p(x), p(y), x.size()));
    return sum.get(JAVA_DOUBLE, 0);
  }

  @Override
  public void addScaled(Tensor y, Tensor x, float scale) {
    checks.addScaled(y, x);
    library.call(
        ADD_SCALED,
        (f, c) -> (int) ADD_SCALED.handle().invokeExact(f, c, p(y), p(x), y.size(), scale));
  }

  @Override
  public void addSquares(Tensor f, Tensor g, float scale) {
    checks.addSquares(f, g);
    library.call(
        ADD_SQUARES,
        (k, c) -> (int) ADD_SQUARES.handle().invokeExact(k, c, p(f), p(g), f.size(), scale));
  }

  @Override
  public double anchor(Tensor g, Tensor w, Tensor fisher, Tensor anchor, float lambda) {
    checks.anchor(g, w, fisher, anchor);
    library.call(
        ANCHOR,
        (f, c) ->
            (int)
                ANCHOR
                    .handle()
                    .invokeExact(f, c, sum, p(g), p(w), p(fisher), p(anchor), g.size(), lambda));
    return sum.get(JAVA_DOUBLE, 0);
  }

  @Override
  public void zero(Tensor x) {
    checks.zero(x);
    // The kernel counts in elements of the context's type.
    long n = x.bytes() / dtype.bytes;
    library.call(ZERO, (f, c) -> (int) ZERO.handle().invokeExact(f, c, p(x), n));
  }

  @Override
  public void close() {
    library.close();
  }
}
