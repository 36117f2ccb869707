package dev.seekr.model;

import dev.seekr.disk.ConfigFields;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Families of models that differ from LLaMA by the forms of their layers alone, and what each takes
 * for a field of config.json that is not there.
 */
enum Family {
  LLAMA(0, 2048, 10_000, false),
  MISTRAL(8, 131_072, 10_000, false),
  QWEN2(32, 32_768, 10_000, false),
  QWEN3(32, 32_768, 10_000, false),
  SMOLLM3(4, 32_768, 2_000_000, true);

  private static final int NO_WINDOW = 0;
  private static final String FULL = "full_attention", SLIDING = "sliding_attention";

  /** Key-value heads; 0: as many as there are query heads. */
  final int kvHeads;

  /** Positions it was trained for. */
  final int positions;

  /** Base of the rotary frequencies. */
  final double theta;

  /** Whether the output layer is the embedding. */
  final boolean tied;

  Family(int kvHeads, int positions, double theta, boolean tied) {
    this.kvHeads = kvHeads;
    this.positions = positions;
    this.theta = theta;
    this.tied = tied;
  }

  /** As config.json names it. */
  String type() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Throws Failure (65) where model_type is none of these. */
  static Family of(ConfigFields fields) {
    for (Family family : values())
      if (fields.has("model_type") && fields.text("model_type").equals(family.type()))
        return family;
    throw fields.wrong(
        "model_type",
        Arrays.stream(values()).map(Family::type).collect(Collectors.joining(", ", "one of ", ""))
            + "; other models are not read");
  }

  /** Channels of a head that are taken where head_dim is not there. */
  int headSize(int C, int NH) {
    return this == QWEN3 ? 128 : Math.max(1, C / NH);
  }

  /** The form of each of L layers. Throws Failure (65) for what layers here cannot do. */
  List<LayerForm> forms(ConfigFields fields, int L) {
    for (String bias : new String[] {"attention_bias", "mlp_bias"})
      if (fields.flag(bias, false))
        throw fields.wrong(bias, "false: such biases are not supported");
    boolean[] rope = rope(fields, L);
    int[] windows = windows(fields, rope);
    var forms = new ArrayList<LayerForm>();
    for (int l = 0; l < L; l++)
      forms.add(new LayerForm(this == QWEN2, this == QWEN3, rope[l], windows[l]));
    return List.copyOf(forms);
  }

  /** Which layers rotate: of SmolLM3 all but each fourth, unless they are listed. */
  private boolean[] rope(ConfigFields fields, int L) {
    var rope = new boolean[L];
    Arrays.fill(rope, true);
    if (this != SMOLLM3) return rope;
    int interval = fields.whole("no_rope_layer_interval", 1, Integer.MAX_VALUE, 4);
    for (int l = 0; l < L; l++) rope[l] = (l + 1) % interval != 0;
    if (!fields.has("no_rope_layers")) return rope;
    int[] listed = fields.wholes("no_rope_layers", 0, 1);
    if (listed.length < L)
      throw fields.wrong("no_rope_layers", "1 (rotates) or 0 for each of %d layers".formatted(L));
    for (int l = 0; l < L; l++) rope[l] = listed[l] == 1;
    return rope;
  }

  /** The window of each layer, {@link #NO_WINDOW} where it sees all. */
  private int[] windows(ConfigFields fields, boolean[] rope) {
    int[] windows = new int[rope.length];
    switch (this) {
      case LLAMA -> {
        fields.only("use_sliding_window", false);
        fields.only("sliding_window", 0);
      }
      case MISTRAL -> {
        fields.only("use_sliding_window", true);
        Arrays.fill(windows, window(fields, 4096));
      }
      case QWEN2, QWEN3 -> {
        boolean use = fields.flag("use_sliding_window", false);
        int from = fields.whole("max_window_layers", 0, Integer.MAX_VALUE, 28);
        int window = use ? window(fields, 4096) : NO_WINDOW;
        for (int l = 0; l < windows.length; l++) windows[l] = l >= from ? window : NO_WINDOW;
        return listed(fields, windows, window);
      }
      case SMOLLM3 -> {
        boolean use = fields.flag("use_sliding_window", false);
        int window = use ? window(fields, NO_WINDOW) : NO_WINDOW;
        for (int l = 0; l < windows.length; l++) windows[l] = rope[l] ? NO_WINDOW : window;
        fields.harmless("max_window_layers");
        return listed(fields, windows, window);
      }
    }
    int[] listed = listed(fields, windows, windows[0]);
    if (!Arrays.equals(listed, windows))
      throw fields.wrong("layer_types", "all the same, as %s has them".formatted(type()));
    return windows;
  }

  private static int window(ConfigFields fields, int otherwise) {
    if (fields.has("sliding_window")) return fields.whole("sliding_window", 1, Integer.MAX_VALUE);
    if (fields.written("sliding_window") || otherwise == NO_WINDOW) return NO_WINDOW;
    return fields.whole("sliding_window", 1, Integer.MAX_VALUE, otherwise);
  }

  /** As layer_types has them; {@code otherwise} where there is none. */
  private static int[] listed(ConfigFields fields, int[] otherwise, int window) {
    fields.harmless("sliding_window"); // one that is not in use
    if (!fields.has("layer_types")) return otherwise;
    String[] types = fields.texts("layer_types");
    int[] windows = new int[otherwise.length];
    if (types.length != windows.length)
      throw fields.wrong("layer_types", "one for each of %d layers".formatted(windows.length));
    for (int l = 0; l < windows.length; l++) {
      boolean slides = types[l].equals(SLIDING);
      if (!slides && !types[l].equals(FULL))
        throw fields.wrong("layer_types", "%s or %s".formatted(FULL, SLIDING));
      if (slides && window == NO_WINDOW)
        throw fields.wrong(
            "layer_types", FULL + " alone, since use_sliding_window and sliding_window give none");
      windows[l] = slides ? window : NO_WINDOW;
    }
    return windows;
  }
}
