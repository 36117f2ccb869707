package dev.seekr.config;

import java.util.EnumSet;
import java.util.Set;

/** Which settings do anything in a run, as its method and other settings have it. */
final class KeysInUse {
  private static final Set<MethodName> REPLAY =
      EnumSet.of(
          MethodName.replay, MethodName.agem, MethodName.derpp, MethodName.seekr, MethodName.lfpt5);
  private static final Set<MethodName> PROMPTS =
      EnumSet.of(MethodName.l2p, MethodName.pp, MethodName.lfpt5);
  private static final Set<MethodName> STORE =
      EnumSet.of(MethodName.derpp, MethodName.seekr, MethodName.lwf);

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
      case "run.record_heads" -> !PROMPTS.contains(name) && !config.scoresHeads();
      default -> true;
    };
  }

  /** Not adapters or soft prompts, whose optimizer is small. */
  static boolean trainsAllWeights(RunConfig config) {
    MethodName name = config.method().name();
    return !PROMPTS.contains(name)
        && name != MethodName.lora
        && name != MethodName.olora
        && config.train().parameters() == TrainSettings.Trained.all;
  }

  private static boolean method(String key, RunConfig config) {
    MethodSettings method = config.method();
    MethodName name = method.name();
    String part = key.split("\\.")[1];
    return switch (part) {
      case "name" -> true;
      case "replay_ratio" -> REPLAY.contains(name) && method.replaySamples() == 0;
      case "replay_samples", "replay_choice" -> REPLAY.contains(name);
      case "lambda1" -> name == MethodName.seekr;
      case "buffer_dtype" -> STORE.contains(name) || config.data().general() != null;
      case "prompt" -> PROMPTS.contains(name);
      case "lora" ->
          name == MethodName.lora
              || name == MethodName.olora
              || config.train().parameters() == TrainSettings.Trained.lora;
      default -> MethodName.valueOf(part) == name; // a method's own section
    };
  }
}
