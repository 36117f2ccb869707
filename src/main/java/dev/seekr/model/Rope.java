package dev.seekr.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Set;

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
  static Rope parse(JsonNode json, int HS, String where) {
    double theta = json.path("rope_theta").asDouble(10000.0);
    if (!(theta > 0))
      throw Failure.data(
          "%s: rope_theta is %s; expected a positive number", where, json.get("rope_theta"));
    float[] freq = new float[HS / 2];
    for (int i = 0; i < freq.length; i++)
      freq[i] = 1f / (float) Math.pow(theta, (float) (2 * i) / HS);
    JsonNode scaling = json.path("rope_scaling");
    if (scaling.isObject()) {
      String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
      if (!Set.of("default", "llama3").contains(type)) {
        throw Failure.data(
            "%s: rope_scaling.rope_type is \"%s\"; supported are \"default\" and \"llama3\"",
            where, type);
      }
      if (type.equals("llama3")) scale(freq, scaling, where);
    }
    return new Rope(freq);
  }

  /** Long wavelengths are stretched by factor, short ones kept, and those between interpolated. */
  private static void scale(float[] freq, JsonNode scaling, String where) {
    double factor = positive(scaling, "factor", where);
    double low = positive(scaling, "low_freq_factor", where);
    double high = positive(scaling, "high_freq_factor", where);
    double original = positive(scaling, "original_max_position_embeddings", where);
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

  private static double positive(JsonNode scaling, String name, String where) {
    double v = scaling.path(name).asDouble(Double.NaN);
    if (!(v > 0))
      throw Failure.data(
          "%s: rope_scaling.%s is %s; expected a positive number", where, name, scaling.get(name));
    return v;
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
