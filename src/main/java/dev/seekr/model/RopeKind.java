package dev.seekr.model;

import dev.seekr.disk.ConfigFields;

/**
 * How the frequencies of a rotary embedding follow from a section of config.json. All arithmetic is
 * in single precision and in the order of the reference implementation: a last bit of a frequency
 * is an angle at a far position.
 */
final class RopeKind {
  private final ConfigFields section;
  private final float[] freq;
  private final double theta;
  private final int positions;

  private RopeKind(ConfigFields section, int HS, double theta, int positions) {
    this.section = section;
    this.theta = theta;
    this.positions = positions;
    freq = new float[HS / 2];
    for (int i = 0; i < freq.length; i++) freq[i] = 1 / wavelength(i);
  }

  /** Positions to a turn of one radian. */
  private float wavelength(int i) {
    return (float) Math.pow((float) theta, (float) (2 * i) / (2 * freq.length));
  }

  /**
   * @param section null: there is none, which is the plain kind
   * @param positions max_position_embeddings
   */
  static Rope rope(ConfigFields section, int HS, double theta, int positions) {
    return new RopeKind(section, HS, theta, positions).rope();
  }

  private Rope rope() {
    if (section == null) return new Rope(freq, 1);
    section.only("partial_rotary_factor", 1); // no family here rotates parts of heads
    String kind = section.has("rope_type") ? "rope_type" : "type";
    String type = section.has(kind) ? section.text(kind) : "default";
    section.harmless("type rope_type");
    if (section.has("type") && !section.text("type").equals(type))
      throw section.wrong("type", "\"%s\", as rope_type says".formatted(type));
    return switch (type) {
      case "default" -> new Rope(freq, 1);
      case "linear" -> linear();
      case "llama3" -> llama3();
      case "yarn" -> yarn();
      case "dynamic", "longrope", "su" ->
          throw section.wrong(
              kind,
              "default, linear, yarn or llama3: what depends on the length of a batch is not supported");
      default -> throw section.wrong(kind, "default, linear, yarn or llama3");
    };
  }

  private Rope linear() {
    float factor = (float) section.positive("factor");
    for (int i = 0; i < freq.length; i++) freq[i] /= factor;
    return new Rope(freq, 1);
  }

  /** Long wavelengths are stretched by factor, short ones kept, and those between interpolated. */
  private Rope llama3() {
    float factor = (float) section.positive("factor");
    double low = section.positive("low_freq_factor");
    double high = section.positive("high_freq_factor");
    double original = section.positive("original_max_position_embeddings");
    if (high <= low) throw section.wrong("high_freq_factor", "more than low_freq_factor " + low);
    for (int i = 0; i < freq.length; i++) {
      float wavelength = (float) (2 * Math.PI) / freq[i];
      if (wavelength > (float) (original / low)) {
        freq[i] /= factor;
      } else if (wavelength >= (float) (original / high)) {
        float smooth = ((float) original / wavelength - (float) low) / (float) (high - low);
        freq[i] = (1 - smooth) * freq[i] / factor + smooth * freq[i];
      }
    }
    return new Rope(freq, 1);
  }

  /**
   * As {@link #llama3}, by a ramp over the pairs of channels; and all scores are scaled, which
   * makes up for more keys.
   */
  private Rope yarn() {
    double factor = section.positive("factor");
    int original =
        section.whole("original_max_position_embeddings", 1, LlamaConfig.MOST_TOKENS, positions);
    double fast = section.positive("beta_fast", 32), slow = section.positive("beta_slow", 1);
    double low = pair(fast, original), high = pair(slow, original);
    if (section.flag("truncate", true)) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, 2 * freq.length - 1);
    if (low == high) high += 0.001;
    float scale = scale(factor);
    for (int i = 0; i < freq.length; i++) {
      float ramp = Math.clamp((i - (float) low) / (float) (high - low), 0f, 1f);
      float kept = 1 - ramp, stretched = 1 / ((float) factor * wavelength(i));
      freq[i] = stretched * (1 - kept) + freq[i] * kept;
    }
    return new Rope(freq, scale);
  }

  /** The pair of channels that turns so many times within the original positions. */
  private double pair(double turns, int original) {
    return freq.length * Math.log(original / (turns * 2 * Math.PI)) / Math.log(theta);
  }

  private float scale(double factor) {
    boolean both = section.has("mscale") && section.has("mscale_all_dim");
    section.harmless("mscale mscale_all_dim"); // one alone is not heeded anywhere
    if (section.has("attention_factor")) return (float) section.positive("attention_factor");
    if (!both) return (float) scale(factor, 1);
    return (float)
        (scale(factor, section.positive("mscale"))
            / scale(factor, section.positive("mscale_all_dim")));
  }

  private static double scale(double factor, double by) {
    return factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1;
  }
}
