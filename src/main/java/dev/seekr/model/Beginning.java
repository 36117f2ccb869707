package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * What sequences begin with in common, run once: each layer's packed rows of queries, keys and
 * values [P,(NH+2NKV) HS]. It holds for the weights it was made with.
 */
public final class Beginning implements AutoCloseable {
  /** Fewer tokens than these are cheaper run again than fetched. */
  private static final int LEAST = 8;

  private final Memory memory = new Memory("beginning");
  private final int length;
  private final Tensor[] qkv; // [L], null where there are no tokens

  private Beginning(int length, Tensor[] qkv) {
    this.length = length;
    this.qkv = qkv;
  }

  /** No tokens. */
  public static Beginning none() {
    return new Beginning(0, null);
  }

  /** Of these token ids [length], which may be none. */
  public static Beginning of(LlamaModel model, int[] tokens) {
    if (tokens.length == 0) return none();
    var beginning = new Beginning(tokens.length, new Tensor[model.config.L()]);
    try {
      beginning.run(model, tokens);
      return beginning;
    } catch (RuntimeException | Error e) {
      beginning.close();
      throw e;
    }
  }

  private void run(LlamaModel model, int[] tokens) {
    Ops ops = model.ops();
    int[] positions = new int[tokens.length];
    Arrays.setAll(positions, i -> i);
    var pass = model.begin(tokens, positions, new int[] {0, tokens.length}, false);
    for (int l = 0; l < qkv.length; l++) {
      pass.attentionInput(l);
      Tensor rows = pass.attention(l).qkv();
      qkv[l] = ops.allocate(memory, "beginning", rows.shape());
      qkv[l].copyFrom(rows);
      if (l + 1 == qkv.length) return; // nobody asks what comes after
      ops.attentionForward(pass.attention(l));
      pass.attentionOutput(l);
    }
  }

  /**
   * How many tokens sequences share at their beginnings, each of them longer than that; 0 where
   * they are too few to be worth sharing.
   */
  public static int shared(List<int[]> sequences) {
    if (sequences.size() < 2) return 0;
    int[] first = sequences.getFirst();
    int n = first.length - 1;
    for (int[] other : sequences) {
      int most = Math.min(n, other.length - 1);
      int mismatch = Arrays.mismatch(first, 0, most, other, 0, most);
      n = mismatch < 0 ? most : mismatch;
    }
    return n < LEAST ? 0 : n;
  }

  /** P, its tokens. */
  public int length() {
    return length;
  }

  /** Where layer l has rows for {@code from} [R] I32, not -1, they are written to out [R,width]. */
  void copy(Ops ops, int l, Tensor out, int[] from, int width) {
    if (length == 0) return;
    try (var step = new Memory("beginning rows")) {
      Tensor index = step.allocate("beginning", DType.I32, from.length);
      index.copyFrom(from);
      ops.gather(out, qkv[l].view(0, qkv[l].size() / width, width), index);
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
