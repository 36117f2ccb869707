package dev.seekr.ops;

import static dev.seekr.ops.Abi.*;
import static dev.seekr.ops.KernelLibrary.p;
import static java.lang.foreign.MemorySegment.NULL;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The attention kernels of a library, and struct sk_rows that three of them share. */
final class NativeAttention {
  private final KernelLibrary library;
  private final Checks checks;
  private final MemorySegment rows;

  NativeAttention(KernelLibrary library, Checks checks, Arena arena) {
    this.library = library;
    this.checks = checks;
    this.rows = arena.allocate(ROWS);
  }

  void forward(Tensor o, Tensor lse, Tensor qkv, Tensor cu, Heads heads) {
    checks.attentionForward(o, lse, qkv, cu, heads);
    long S = cu.size() - 1;
    library.call(
        ATTENTION_FWD,
        (f, c) ->
            (int)
                ATTENTION_FWD
                    .handle()
                    .invokeExact(
                        f,
                        c,
                        p(o),
                        p(lse),
                        p(qkv),
                        p(cu),
                        S,
                        (long) heads.NH(),
                        (long) heads.NKV(),
                        (long) heads.HS()));
  }

  void backward(
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
    library.call(
        ATTENTION_BWD,
        (f, c) ->
            (int)
                ATTENTION_BWD
                    .handle()
                    .invokeExact(
                        f,
                        c,
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

  void capture(AttentionRows sampled, Tensor qkv, Tensor lse, Tensor cu, Heads heads) {
    long S = checks.attentionCapture(sampled, qkv, lse, cu, heads);
    var struct = struct(sampled);
    library.call(
        ATTENTION_CAPTURE,
        (f, c) ->
            (int)
                ATTENTION_CAPTURE
                    .handle()
                    .invokeExact(
                        f,
                        c,
                        struct,
                        p(qkv),
                        p(lse),
                        p(cu),
                        S,
                        (long) heads.NH(),
                        (long) heads.NKV(),
                        (long) heads.HS()));
  }

  void difference(
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
    library.call(
        ATTENTION_DIFF,
        (f, c) ->
            (int)
                ATTENTION_DIFF
                    .handle()
                    .invokeExact(
                        f,
                        c,
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

  void decode(Tensor o, Tensor kcache, Tensor vcache, Tensor qkv, Tensor lengths, Heads heads) {
    long T = checks.attentionDecode(o, kcache, vcache, qkv, lengths, heads);
    library.call(
        ATTENTION_DECODE,
        (f, c) ->
            (int)
                ATTENTION_DECODE
                    .handle()
                    .invokeExact(
                        f,
                        c,
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
}
