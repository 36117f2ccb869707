package dev.seekr.config;

import java.util.EnumSet;
import java.util.Set;

/** Which settings of the methods do anything in a run, as its method and other settings have it. */
final class MethodKeys {
  private static final Set<MethodName> REPLAY =
      EnumSet.of(
          MethodName.replay, MethodName.agem, MethodName.derpp, MethodName.seekr, MethodName.lfpt5);
  private static final Set<MethodName> PROMPTS =
      EnumSet.of(MethodName.l2p, MethodName.pp, MethodName.lfpt5);
  private static final Set<MethodName> STORE =
      EnumSet.of(MethodName.derpp, MethodName.seekr, MethodName.lwf);

  private MethodKeys() {}

  /** Of a key below "method", or of a section there. */
  static boolean used(String key, RunConfig config) {
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
