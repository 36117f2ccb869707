package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;

/**
 * Rotary position embedding: the frequency of each pair of channels. Angles are computed in single
 * precision as the reference implementation of the models does, so that long positions are rotated
 * alike.
 *
 * @param freq [HS/2]
 * @param scale of what is rotated, beside the rotation; 1 but for YaRN
 */
public record Rope(float[] freq, float scale) {
  public Rope {
    freq = freq.clone();
  }

  /** A copy. */
  @Override
  public float[] freq() {
    return freq.clone();
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Rope r && Arrays.equals(freq, r.freq) && scale == r.scale;
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(freq) + Float.hashCode(scale);
  }

  /** cos and sin of positions 0 to P-1, each [P, HS/2]. */
  record Table(Tensor cos, Tensor sin) {}

  Table table(int P, Ops ops, Memory memory) {
    int half = freq.length;
    Tensor cos = ops.allocate(memory, "rope", ops.wide(), P, half);
    Tensor sin = ops.allocate(memory, "rope", ops.wide(), P, half);
    float[] c = new float[P * half], s = new float[P * half];
    for (int p = 0; p < P; p++) {
      for (int i = 0; i < half; i++) {
        float angle = p * freq[i];
        c[p * half + i] = (float) Math.cos(angle) * scale;
        s[p * half + i] = (float) Math.sin(angle) * scale;
      }
    }
    cos.copyFrom(c);
    sin.copyFrom(s);
    return new Table(cos, sin);
  }
}
