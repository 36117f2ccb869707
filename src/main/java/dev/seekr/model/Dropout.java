package dev.seekr.model;

import dev.seekr.config.LoraSettings.Projection;
import dev.seekr.ops.Ops;
import dev.seekr.state.Seeds;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;

/**
 * Inverted dropout of what adapters read, in the passes of one step: an element of x [N,in] is 0
 * with probability p, else it is divided by 1 - p. Every adapter draws for itself.
 *
 * <p>What is dropped of a row depends on the seed, the sequence it is of, its position there and
 * the adapter: not on what else is in the pass. So it is the same however a step is cut into
 * passes, and the same forward, computed again and backward; a sequence that is in a step twice
 * draws once.
 *
 * @param p at least 0 and below 1; 0: none
 * @param seed of the step
 */
public record Dropout(float p, long seed) {
  public static final Dropout NONE = new Dropout(0, 0);

  /** Of a pass. {@code tokens} [N] of sequences that begin and end at {@code cu} [S+1]. */
  Masks masks(Ops ops, int[] tokens, int[] cu, Memory memory) {
    if (p == 0) return Masks.NONE;
    long[] all = Arrays.stream(tokens).asLongStream().toArray(), keys = new long[tokens.length];
    for (int s = 0; s + 1 < cu.length; s++) {
      long[] sequence = Arrays.copyOfRange(all, cu[s], cu[s + 1]);
      var random = Seeds.of(seed, Seeds.Purpose.DROPOUT, sequence);
      for (int n = cu[s]; n < cu[s + 1]; n++) keys[n] = random.nextLong();
    }
    Tensor t = memory.allocate("dropout", DType.I64, keys.length);
    t.copyFrom(keys);
    return new Masks(ops, p, t);
  }

  /** Dropout of a pass, by a key for each of its rows; keys null: none. */
  record Masks(Ops ops, float p, Tensor keys) {
    static final Masks NONE = new Masks(null, 0, null);

    boolean dropNothing() {
      return keys == null;
    }

    /** x [N,in] as a layer's adapter of that target reads it; x itself where nothing is dropped. */
    Tensor of(Tensor x, int l, Projection target, Memory memory) {
      if (dropNothing()) return x;
      Tensor read = ops.allocate(memory, "adapters", x.shape());
      ops.dropout(read, x, keys, salt(l, target), p, false);
      return read;
    }

    /** dx += D(dread), D as in {@link #of}. */
    void backward(Tensor dx, Tensor dread, int l, Projection target) {
      ops.dropout(dx, dread, keys, salt(l, target), p, true);
    }

    private static long salt(int l, Projection target) {
      return (long) l * Projection.values().length + target.ordinal();
    }
  }
}
