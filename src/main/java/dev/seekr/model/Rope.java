package dev.seekr.model;

import dev.seekr.Failure;
import dev.seekr.disk.Fields;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;

/**
 * Rotary position embedding: frequency of each pair of channels, plain or with Llama-3's scaling.
 * Angles are computed in single precision as the reference implementation of the models does, so
 * that long positions are rotated alike.
 *
 * @param freq [HS/2]
 */
public record Rope(float[] freq) {

  /**
   * From rope_theta and rope_scaling of config.json. Throws Failure (65) for a kind of scaling that
   * is not supported.
   */
  static Rope parse(Fields fields, int HS) {
    double theta = fields.positive("rope_theta", 10000.0);
    float[] freq = new float[HS / 2];
    for (int i = 0; i < freq.length; i++)
      freq[i] = 1f / (float) Math.pow(theta, (float) (2 * i) / HS);
    if (fields.has("rope_scaling")) {
      Fields scaling = fields.section("rope_scaling");
      String kind = scaling.has("rope_type") ? "rope_type" : "type";
      String type = scaling.has(kind) ? scaling.text(kind) : "default";
      switch (type) {
        case "default" -> {}
        case "llama3" -> scale(freq, scaling);
        default -> throw scaling.wrong(kind, "\"default\" or \"llama3\", which are supported");
      }
    }
    for (float f : freq)
      if (!Float.isFinite(f * LlamaConfig.MOST_TOKENS))
        throw Failure.data(
            "%s: rope_theta and rope_scaling give angles that are not finite", fields.where());
    return new Rope(freq);
  }

  /** Long wavelengths are stretched by factor, short ones kept, and those between interpolated. */
  private static void scale(float[] freq, Fields scaling) {
    double factor = required(scaling, "factor");
    double low = required(scaling, "low_freq_factor");
    double high = required(scaling, "high_freq_factor");
    double original = required(scaling, "original_max_position_embeddings");
    if (high <= low) throw scaling.wrong("high_freq_factor", "more than low_freq_factor " + low);
    for (int i = 0; i < freq.length; i++) {
      double wavelength = 2 * Math.PI / freq[i];
      if (wavelength > original / low) {
        freq[i] = (float) (freq[i] / factor);
      } else if (wavelength >= original / high) {
        double smooth = (original / wavelength - low) / (high - low);
        freq[i] = (float) ((1 - smooth) * freq[i] / factor + smooth * freq[i]);
      }
    }
  }

  private static double required(Fields scaling, String name) {
    if (!scaling.has(name)) throw scaling.wrong(name, "a positive number");
    return scaling.positive(name, 0);
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
        c[p * half + i] = (float) Math.cos(angle);
        s[p * half + i] = (float) Math.sin(angle);
      }
    }
    cos.copyFrom(c);
    sin.copyFrom(s);
    return new Table(cos, sin);
  }
}
