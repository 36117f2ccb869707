package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * Rows that attention of a pass reads where another model's is grafted: queries and keys of the
 * other's pass, layer by layer beside this one, and this one's own values. Attention itself needs
 * not know; no probability is ever stored.
 */
final class Grafted {
  private final Graft graft;
  private final Ops ops;
  private final Heads own, layout;
  private final Tensor qkv; // [N, (NH+2NKV) HS] in the layout of the graft

  /** The other model's pass over the same tokens. */
  final Pass other;

  Grafted(Graft graft, Pass other, LlamaModel model, int N, Memory memory) {
    this.graft = graft;
    this.other = other;
    ops = model.ops();
    own = model.config.heads();
    layout = graft.layout(own);
    qkv = ops.allocate(memory, "grafted", N, layout.qkvWidth());
  }

  Tensor qkv() {
    return qkv;
  }

  /** Puts layer l together, which both have projected. */
  void put(int l, Tensor ownQkv) {
    rows(ownQkv, r -> !ofOther(l, r));
    rows(other.projected(l), r -> ofOther(l, r));
  }

  /** Whether row r of a token, in the layout, is the other model's. */
  private boolean ofOther(int l, int r) {
    return r < layout.NH() + layout.NKV() && graft.takes(l, r % layout.NH());
  }

  /** Where row r of a token lies among a model's own. */
  private int source(int r) {
    int NH = own.NH(), shared = NH / own.NKV();
    if (r < NH || layout.equals(own)) return r;
    int key = (r - NH) % NH / shared;
    return r < 2 * NH ? NH + key : NH + own.NKV() + key;
  }

  private interface Taken {
    boolean row(int r);
  }

  private void rows(Tensor from, Taken taken) {
    int all = layout.NH() + 2 * layout.NKV(), there = own.NH() + 2 * own.NKV(), HS = own.HS();
    IntUnaryOperator row = i -> taken.row(i % all) ? i / all * there + source(i % all) : -1;
    int[] rows = new int[Math.toIntExact(qkv.dim(0) * all)];
    Arrays.setAll(rows, row);
    try (var step = new Memory("graft")) {
      Tensor index = step.allocate("grafted", DType.I32, rows.length);
      index.copyFrom(rows);
      ops.gather(qkv.view(0, rows.length, HS), from.view(0, from.size() / HS, HS), index);
    }
  }
}
