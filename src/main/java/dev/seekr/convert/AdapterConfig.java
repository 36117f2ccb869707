package dev.seekr.convert;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.disk.Fields;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What PEFT's adapter_config.json says of a LoRA adapter. Every field is read, is known to leave
 * the merged weights as they are, or is refused by name.
 *
 * @param file names it in messages
 * @param base the model that was adapted, a path or a name; null: it is not said
 * @param rootScale the scale is alpha / sqrt(rank), not alpha / rank
 * @param rank of adapters that {@code ranks} does not name
 * @param alpha of adapters that {@code alphas} does not name
 * @param ranks by the name of a module, or the end of one
 * @param alphas by the name of a module, or the end of one
 */
record AdapterConfig(
    Path file,
    String base,
    int rank,
    double alpha,
    boolean rootScale,
    Map<String, Double> ranks,
    Map<String, Double> alphas) {

  static final String FILE = "adapter_config.json";

  private static final int MOST_RANK = 1 << 16;

  /** Fields of training, and those that the tensors' names and shapes say again. */
  private static final Set<String> HARMLESS =
      Set.of(
          "peft_version",
          "task_type",
          "auto_mapping",
          "revision",
          "inference_mode",
          "lora_dropout",
          "target_modules",
          "exclude_modules",
          "modules_to_save",
          "bias",
          "layers_to_transform",
          "layers_pattern",
          "megatron_core",
          "qalora_group_size",
          "eva_config",
          "runtime_config",
          "ensure_weight_tying",
          // PEFT itself takes it for false in layers like those of a LLaMA.
          "fan_in_fan_out");

  private static final Set<String> READ =
      Set.of(
          "peft_type",
          "base_model_name_or_path",
          "r",
          "lora_alpha",
          "use_rslora",
          "rank_pattern",
          "alpha_pattern",
          "init_lora_weights");

  /** Begins that leave the model's own weights as they are. */
  private static final Set<String> BEGINS = Set.of("gaussian", "eva", "orthogonal");

  /** A module's name, or the end of one; as a regular expression it matches little else. */
  private static final Pattern NAME = Pattern.compile("[\\w.]+");

  /** Throws Failure: 66 where there is no such file, 65 naming a field that is not understood. */
  static AdapterConfig read(Path folder) {
    Path file = folder.resolve(FILE);
    Fields fields = Fields.read(file);
    if (!fields.text("peft_type").equals("LORA"))
      throw fields.wrong("peft_type", "\"LORA\", which alone can be merged");
    for (var field : fields.json().properties()) {
      String name = field.getKey();
      boolean known = HARMLESS.contains(name) || READ.contains(name) || isNothing(field.getValue());
      if (!known)
        throw fields.wrong(
            name, "none: it is not known what it does to the weights, so they are not merged");
    }
    begin(fields);
    var ranks = pattern(fields, "rank_pattern");
    for (double rank : ranks.values())
      if (rank < 1 || rank > MOST_RANK || rank != Math.rint(rank))
        throw fields.wrong("rank_pattern", "whole numbers from 1 to " + MOST_RANK);
    return new AdapterConfig(
        file,
        fields.has("base_model_name_or_path") ? fields.text("base_model_name_or_path") : null,
        fields.whole("r", 1, MOST_RANK),
        fields.number("lora_alpha"),
        fields.flag("use_rslora", false),
        ranks,
        pattern(fields, "alpha_pattern"));
  }

  private static boolean isNothing(JsonNode value) {
    return value.isNull()
        || value.isBoolean() && !value.booleanValue()
        || value.isContainerNode() && value.isEmpty();
  }

  private static void begin(Fields fields) {
    if (!fields.has("init_lora_weights")) return;
    JsonNode begin = fields.json().path("init_lora_weights");
    if (!begin.isBoolean() && !BEGINS.contains(begin.asText()))
      throw fields.wrong(
          "init_lora_weights",
          "true, false or one of %s: others change the model's own weights"
              .formatted(String.join(", ", BEGINS.stream().sorted().toList())));
  }

  private static Map<String, Double> pattern(Fields fields, String name) {
    var values = new LinkedHashMap<String, Double>();
    if (!fields.has(name)) return values;
    Fields pattern = fields.section(name);
    for (var entry : pattern.json().properties()) {
      if (!NAME.matcher(entry.getKey()).matches())
        throw fields.wrong(name, "names of modules, not regular expressions");
      values.put(entry.getKey(), pattern.number(entry.getKey()));
    }
    return values;
  }

  /** Of the adapter of a module, as "model.layers.0.self_attn.q_proj". */
  int rank(String module) {
    return (int) of(module, ranks, rank);
  }

  /** What the product of an adapter's matrices is multiplied by. */
  double scale(String module) {
    double rank = rank(module);
    return of(module, alphas, alpha) / (rootScale ? Math.sqrt(rank) : rank);
  }

  private static double of(String module, Map<String, Double> pattern, double otherwise) {
    for (var entry : pattern.entrySet())
      if (module.equals(entry.getKey()) || module.endsWith("." + entry.getKey()))
        return entry.getValue();
    return otherwise;
  }
}
