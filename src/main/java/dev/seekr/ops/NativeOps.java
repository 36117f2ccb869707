package dev.seekr.ops;

import static dev.seekr.ops.Abi.*;
import static java.lang.foreign.MemorySegment.NULL;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;

/**
 * The kernels of one library that implements {@code seekr.h}, float32. Shapes and indices are
 * checked here before every call, because kernels trust them. One instance serves one thread at a
 * time.
 */
public final class NativeOps implements Ops {
  /**
   * A downcall: the kernel's address is found by the caller, the handle is a constant where it is
   * invoked.
   */
  private interface Call {
    int run(MemorySegment kernel) throws Throwable;
  }

  private final Gemm gemm;
  private final String description;
  private final MemorySegment[] kernels;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment rows = arena.allocate(ROWS);
  private final MemorySegment sum = arena.allocate(JAVA_DOUBLE);
  private final Checks checks = new Checks(DType.F32);
  private MemorySegment context;

  /**
   * @param threads 0 or less: one for each CPU this process may use
   * @param isa auto, avx512, avx2 or scalar
   */
  public NativeOps(Path library, Gemm gemm, int threads, String isa) {
    this.gemm = gemm;
    this.kernels = kernels(library);
    int count = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    try (var local = Arena.ofConfined()) {
      var result = local.allocate(ADDRESS);
      var name = local.allocateFrom(isa);
      call(CREATE, f -> (int) CREATE.handle().invokeExact(f, result, count, name));
      context = result.get(ADDRESS, 0);
    }
    description =
        "%s: %s, %d thread%s; GEMM: %s"
            .formatted(
                library.getFileName(), isa(), count, count == 1 ? "" : "s", gemm.description());
  }

  private static MemorySegment[] kernels(Path library) {
    SymbolLookup symbols = NativeLibrary.load(library);
    return Abi.functions().stream()
        .map(
            f ->
                symbols
                    .find(f.name())
                    .orElseThrow(
                        () ->
                            new Failure(
                                Exit.BACKEND,
                                library
                                    + " has no "
                                    + f.name()
                                    + ": it belongs to another version; build it with: make"
                                    + " native")))
        .toArray(MemorySegment[]::new);
  }

  private void call(Abi.Function function, Call call) {
    int status;
    try {
      status = call.run(kernels[function.index()]);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
    if (status != 0) throw new Failure(Exit.INTERNAL, function.name() + ": " + lastError());
  }

  private String lastError() {
    try {
      return text((MemorySegment) LAST_ERROR.handle().invokeExact(kernels[LAST_ERROR.index()]));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** The instruction set the kernels run on. */
  public String isa() {
    try {
      return text((MemorySegment) ISA.handle().invokeExact(kernels[ISA.index()], context()));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static String text(MemorySegment chars) {
    return chars.address() == 0 ? "" : chars.reinterpret(Long.MAX_VALUE).getString(0);
  }

  private MemorySegment context() {
    if (context == null) throw new IllegalStateException("closed");
    return context;
  }

  /** A tensor's memory, or NULL. */
  private static MemorySegment p(Tensor t) {
    if (t == null) return NULL;
    if (!t.data().isNative()) {
      throw new IllegalArgumentException(
          t + " lies in the Java heap; kernels need memory from Memory.allocate");
    }
    return t.data();
  }

  @Override
  public DType dtype() {
    return DType.F32;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void matmul(Tensor y, Tensor a, Tensor b, boolean ta, boolean tb, boolean accumulate) {
    long K = checks.matmul(y, a, b, ta, tb);
    long M = y.dim(0);
    long N = y.dim(1);
    int transA = ta ? 1 : 0;
    int transB = tb ? 1 : 0;
    int add = accumulate ? 1 : 0;
    var sgemm = gemm.sgemm();
    call(
        MATMUL,
        f ->
            (int)
                MATMUL
                    .handle()
                    .invokeExact(
                        f, context(), sgemm, p(y), p(a), p(b), M, N, K, transA, transB, add));
  }

  @Override
  public void embeddingForward(Tensor x, Tensor tokens, Tensor w) {
    checks.embedding(x, tokens, w);
    call(
        EMBEDDING_FWD,
        f ->
            (int)
                EMBEDDING_FWD
                    .handle()
                    .invokeExact(
                        f, context(), p(x), p(tokens), p(w), tokens.size(), w.dim(1), w.dim(0)));
  }

  @Override
  public void embeddingBackward(Tensor dw, Tensor tokens, Tensor dx) {
    checks.embedding(dx, tokens, dw);
    call(
        EMBEDDING_BWD,
        f ->
            (int)
                EMBEDDING_BWD
                    .handle()
                    .invokeExact(
                        f,
                        context(),
                        p(dw),
                        p(tokens),
                        p(dx),
                        tokens.size(),
                        dw.dim(1),
                        dw.dim(0)));
  }

  @Override
  public void rmsnormForward(
      Tensor y, Tensor x, Tensor rstd, Tensor a, Tensor b, Tensor w, float eps) {
    checks.rmsnorm(y, x, rstd, a, b, w);
    call(
        RMSNORM_FWD,
        f ->
            (int)
                RMSNORM_FWD
                    .handle()
                    .invokeExact(
                        f,
                        context(),
                        p(y),
                        p(x),
                        p(rstd),
                        p(a),
                        p(b),
                        p(w),
                        rstd.size(),
                        w.size(),
                        eps));
  }

  @Override
  public void rmsnormBackward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor rstd, Tensor w) {
    checks.rmsnormBackward(dx, dw, dy, x, rstd, w);
    call(
        RMSNORM_BWD,
        f ->
            (int)
                RMSNORM_BWD
                    .handle()
                    .invokeExact(
                        f,
                        context(),
                        p(dx),
                        p(dw),
                        p(dy),
                        p(x),
                        p(rstd),
                        p(w),
                        rstd.size(),
                        w.size()));
  }

  @Override
  public void ropeForward(Tensor qkv, Tensor positions, Tensor cos, Tensor sin, Heads heads) {
    checks.rope(qkv, positions, cos, sin, heads);
    long P = cos.size() / (heads.HS() / 2);
    call(
        ROPE_FWD,
        f ->
            (int)
                ROPE_FWD
                    .handle()
                    .invokeExact(
                        f,
                        context(),
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
    call(
        ROPE_BWD,
        f ->
            (int)
                ROPE_BWD
                    .handle()
                    .invokeExact(
                        f,
                        context(),
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
    checks.attentionForward(o, lse, qkv, cu, heads);
    long S = cu.size() - 1;
    call(
        ATTENTION_FWD,
        f ->
            (int)
                ATTENTION_FWD
                    .handle()
                    .invokeExact(
                        f,
                        context(),
                        p(o),
                        p(lse),
                        p(qkv),
                        p(cu),
                        S,
                        (long) heads.NH(),
                        (long) heads.NKV(),
                        (long) heads.HS()));
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
      AttentionRows sampled,
      float eps) {
    long S = checks.attentionBackward(dqkv, sens, kl, dout, qkv, o, lse, cu, heads, sampled);
    var struct = struct(sampled);
    call(
        ATTENTION_BWD,
        f ->
            (int)
                ATTENTION_BWD
                    .handle()
                    .invokeExact(
                        f,
                        context(),
                        p(dqkv),
                        p(sens),
                        p(kl),
                        p(dout),
                        p(qkv),
                        p(o),
                        p(lse),
                        p(cu),
                        S,
                        (long) heads.NH(),
                        (long) heads.NKV(),
                        (long) heads.HS(),
                        struct,
                        eps));
  }

  @Override
  public void attentionCapture(
      AttentionRows sampled, Tensor qkv, Tensor lse, Tensor cu, Heads heads) {
    long S = checks.attentionCapture(sampled, qkv, lse, cu, heads);
    var struct = struct(sampled);
    call(
        ATTENTION_CAPTURE,
        f ->
            (int)
                ATTENTION_CAPTURE
                    .handle()
                    .invokeExact(
                        f,
                        context(),
                        struct,
                        p(qkv),
                        p(lse),
                        p(cu),
                        S,
                        (long) heads.NH(),
                        (long) heads.NKV(),
                        (long) heads.HS()));
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
      AttentionRows sampled) {
    long S = checks.attentionDifference(diff, qkv, lse, qkv2, lse2, cu, heads, sampled);
    var struct = struct(sampled);
    call(
        ATTENTION_DIFF,
        f ->
            (int)
                ATTENTION_DIFF
                    .handle()
                    .invokeExact(
                        f,
                        context(),
                        p(diff),
                        p(qkv),
                        p(lse),
                        p(qkv2),
                        p(lse2),
                        p(cu),
                        S,
                        (long) heads.NH(),
                        (long) heads.NKV(),
                        (long) heads.HS(),
                        struct));
  }

  @Override
  public void attentionDecode(
      Tensor o, Tensor kcache, Tensor vcache, Tensor qkv, Tensor lengths, Heads heads) {
    long T = checks.attentionDecode(o, kcache, vcache, qkv, lengths, heads);
    call(
        ATTENTION_DECODE,
        f ->
            (int)
                ATTENTION_DECODE
                    .handle()
                    .invokeExact(
                        f,
                        context(),
                        p(o),
                        p(kcache),
                        p(vcache),
                        p(qkv),
                        p(lengths),
                        lengths.size(),
                        T,
                        (long) heads.NH(),
                        (long) heads.NKV(),
                        (long) heads.HS()));
  }

  /** Fills struct sk_rows, of which one is enough: a call is over before the next begins. */
  private MemorySegment struct(AttentionRows r) {
    if (r == null) return NULL;
    rows.set(JAVA_LONG, rowsOffset("H"), r.heads() == null ? 0 : r.H());
    rows.set(ADDRESS, rowsOffset("heads"), p(r.heads()));
    rows.set(ADDRESS, rowsOffset("row_start"), p(r.rowStart()));
    rows.set(ADDRESS, rowsOffset("pos"), p(r.pos()));
    rows.set(ADDRESS, rowsOffset("prefix"), p(r.prefix()));
    rows.set(ADDRESS, rowsOffset("weight"), p(r.weight()));
    rows.set(ADDRESS, rowsOffset("p"), p(r.p()));
    return rows;
  }

  @Override
  public void swigluForward(Tensor h, Tensor gu) {
    checks.swiglu(h, gu);
    call(
        SWIGLU_FWD,
        f -> (int) SWIGLU_FWD.handle().invokeExact(f, context(), p(h), p(gu), h.dim(0), h.dim(1)));
  }

  @Override
  public void swigluBackward(Tensor dgu, Tensor dh, Tensor gu) {
    checks.swigluBackward(dgu, dh, gu);
    call(
        SWIGLU_BWD,
        f ->
            (int)
                SWIGLU_BWD
                    .handle()
                    .invokeExact(f, context(), p(dgu), p(dh), p(gu), dh.dim(0), dh.dim(1)));
  }

  @Override
  public void gather(Tensor out, Tensor x, Tensor rows) {
    checks.gather(out, x, rows);
    call(
        GATHER,
        f ->
            (int)
                GATHER
                    .handle()
                    .invokeExact(f, context(), p(out), p(x), p(rows), rows.size(), x.dim(1)));
  }

  @Override
  public void scatter(Tensor dx, Tensor d, Tensor rows) {
    checks.scatter(dx, d, rows);
    call(
        SCATTER,
        f ->
            (int)
                SCATTER
                    .handle()
                    .invokeExact(
                        f, context(), p(dx), p(d), p(rows), rows.size(), dx.dim(0), dx.dim(1)));
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
    call(
        LOSS,
        f ->
            (int)
                LOSS.handle()
                    .invokeExact(
                        f,
                        context(),
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
      float lr,
      float beta1,
      float beta2,
      float eps,
      float decay,
      float gradScale,
      long step) {
    checks.adamw(w, m, v, g, step);
    call(
        ADAMW,
        f ->
            (int)
                ADAMW
                    .handle()
                    .invokeExact(
                        f, context(), p(w), p(m), p(v), p(g), w.size(), lr, beta1, beta2, eps,
                        decay, gradScale, step));
  }

  @Override
  public double sumSquares(Tensor x) {
    checks.any("sumSquares", x);
    call(
        SUM_SQUARES,
        f -> (int) SUM_SQUARES.handle().invokeExact(f, context(), sum, p(x), x.size()));
    return sum.get(JAVA_DOUBLE, 0);
  }

  @Override
  public void zero(Tensor x) {
    checks.any("zero", x);
    call(ZERO, f -> (int) ZERO.handle().invokeExact(f, context(), p(x), x.size()));
  }

  @Override
  public void close() {
    if (context == null) return;
    var closing = context;
    context = null;
    call(DESTROY, f -> (int) DESTROY.handle().invokeExact(f, closing));
    arena.close();
  }
}
