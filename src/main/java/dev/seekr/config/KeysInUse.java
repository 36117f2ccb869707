package dev.seekr.config;

import dev.seekr.config.MethodName.Trait;

/** Which settings do anything in a run, as its method and other settings have it. */
final class KeysInUse {
  private KeysInUse() {}

  /** Of a key, or of a section. */
  static boolean has(String key, RunConfig config) {
    if (key.startsWith("method.")) return method(key, config);
    if (key.startsWith("eval.general."))
      return key.equals("eval.general.when")
          || config.eval().general().when() != GeneralSettings.When.never;
    MethodName name = config.method().name();
    return switch (key) {
      case "data.general_share", "data.general_loss" -> config.data().general() != null;
      case "data.instruction" ->
          config.data().format() == DataSettings.Format.auto
              || config.data().format() == DataSettings.Format.superni;
      case "eval.ahead" ->
          name != MethodName.mtl
              && (config.data().tasks() == null || config.data().tasks().size() > 1);
      case "train.state" -> trainsAllWeights(config);
      case "run.record_heads" -> !name.has(Trait.PROMPTS) && !config.scoresHeads();
      default -> true;
    };
  }

  /** Not adapters or soft prompts, whose optimizer is small. */
  static boolean trainsAllWeights(RunConfig config) {
    MethodName name = config.method().name();
    return !name.has(Trait.PROMPTS)
        && !name.has(Trait.ADAPTERS)
        && config.train().parameters() == TrainSettings.Trained.all;
  }

  private static boolean method(String key, RunConfig config) {
    MethodSettings method = config.method();
    MethodName name = method.name();
    String part = key.split("\\.")[1];
    return switch (part) {
      case "name" -> true;
      case "replay_ratio" -> name.has(Trait.SAMPLES) && method.replaySamples() == 0;
      case "replay_samples", "replay_choice" -> name.has(Trait.SAMPLES);
      case "lambda1" -> name == MethodName.seekr;
      case "buffer_dtype" -> name.has(Trait.SIGNALS) || config.data().general() != null;
      case "prompt" -> name.has(Trait.PROMPTS);
      case "lora" ->
          name.has(Trait.ADAPTERS) || config.train().parameters() == TrainSettings.Trained.lora;
      default -> MethodName.valueOf(part) == name; // a method's own section
    };
  }
}
