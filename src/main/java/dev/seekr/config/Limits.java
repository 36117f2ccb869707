package dev.seekr.config;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** What each setting may be, beyond its type: the one table of constraints, by dotted key. */
final class Limits {
  /**
   * @param rule completes "must be"
   */
  private record Limit(String rule, Predicate<Object> holds) {}

  private static final List<String> PROJECTIONS =
      List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

  private static final List<String> METRICS =
      List.of("accuracy_char", "accuracy_word", "exact", "rouge_l", "similarity", "sari", "bleu");

  private static final Limit TEXT =
      new Limit("a text that is not empty", v -> !((String) v).isBlank());
  private static final Limit POSITIVE = new Limit("at least 1", v -> number(v) >= 1);
  private static final Limit COUNT = new Limit("0 or more", v -> number(v) >= 0);
  private static final Limit SHARE =
      new Limit("between 0 and 1", v -> number(v) >= 0 && number(v) <= 1);
  private static final Limit DECAY =
      new Limit("at least 0 and below 1", v -> number(v) >= 0 && number(v) < 1);
  private static final Limit ABOVE_ZERO = new Limit("above 0", v -> number(v) > 0);

  private static final Map<String, Limit> TABLE =
      Map.ofEntries(
          Map.entry("model.path", TEXT),
          Map.entry("model.save", oneOf("f32", "bf16", "f16")),
          Map.entry("data.root", TEXT),
          Map.entry(
              "data.tasks",
              new Limit("one or more names, each once", v -> distinctNames((List<?>) v))),
          Map.entry("data.order", new Limit("0 (off) to 4", v -> number(v) >= 0 && number(v) <= 4)),
          Map.entry("data.max_prompt", POSITIVE),
          Map.entry("data.max_answer", POSITIVE),
          Map.entry("data.train_limit", COUNT),
          Map.entry("data.test_limit", COUNT),
          Map.entry("method.replay_ratio", SHARE),
          Map.entry("method.replay_samples", COUNT),
          Map.entry("method.lambda1", SHARE),
          Map.entry("method.buffer_dtype", oneOf("f16", "f32")),
          Map.entry("method.derpp.alpha", COUNT),
          Map.entry("method.derpp.beta", COUNT),
          Map.entry("method.seekr.lambda2", COUNT),
          Map.entry("method.seekr.layers", POSITIVE),
          Map.entry("method.seekr.heads", POSITIVE),
          Map.entry("method.seekr.queries", POSITIVE),
          Map.entry("method.ewc.lambda", COUNT),
          Map.entry("method.ewc.gamma", SHARE),
          Map.entry("method.ewc.samples", COUNT),
          Map.entry("method.lwf.lambda", COUNT),
          Map.entry("method.lora.rank", POSITIVE),
          Map.entry("method.lora.alpha", ABOVE_ZERO),
          Map.entry("method.lora.targets", someOf(PROJECTIONS)),
          Map.entry("method.lora.lr", ABOVE_ZERO),
          Map.entry("method.olora.lambda", COUNT),
          Map.entry("method.prompt.length", POSITIVE),
          Map.entry("method.prompt.lr", ABOVE_ZERO),
          Map.entry("method.pp.hidden", COUNT),
          Map.entry("method.l2p.pool", POSITIVE),
          Map.entry("method.l2p.picks", POSITIVE),
          Map.entry("method.l2p.lambda", COUNT),
          Map.entry("method.lfpt5.lambda_lm", COUNT),
          Map.entry("method.lfpt5.lambda_kl", COUNT),
          Map.entry("method.lfpt5.top_k", POSITIVE),
          Map.entry("method.lfpt5.tries", POSITIVE),
          Map.entry("train.epochs", POSITIVE),
          Map.entry("train.batch", POSITIVE),
          Map.entry("train.accumulate", POSITIVE),
          Map.entry("train.micro_tokens", POSITIVE),
          Map.entry("train.lr", ABOVE_ZERO),
          Map.entry("train.warmup", COUNT),
          Map.entry("train.min_lr", SHARE),
          Map.entry("train.beta1", DECAY),
          Map.entry("train.beta2", DECAY),
          Map.entry("train.eps", ABOVE_ZERO),
          Map.entry("train.weight_decay", COUNT),
          Map.entry("train.clip", COUNT),
          Map.entry("train.seed", new Limit("a whole number", v -> true)),
          Map.entry("eval.batch", POSITIVE),
          Map.entry("eval.max_new_tokens", POSITIVE),
          Map.entry("eval.metrics", allOf(METRICS)),
          Map.entry("run.out", TEXT),
          Map.entry("run.threads", COUNT),
          Map.entry("run.isa", oneOf("auto", "avx512", "avx2", "scalar")),
          Map.entry("run.log_every", POSITIVE));

  private Limits() {}

  static boolean has(String path) {
    return TABLE.containsKey(path);
  }

  /** What the value of {@code path} must be and is not, if so. */
  static Optional<String> broken(String path, Object value) {
    return Optional.ofNullable(TABLE.get(path))
        .filter(limit -> !limit.holds.test(value))
        .map(Limit::rule);
  }

  private static double number(Object value) {
    return ((Number) value).doubleValue();
  }

  private static Limit oneOf(String... choices) {
    List<String> list = List.of(choices);
    return new Limit("one of " + String.join(", ", list), list::contains);
  }

  private static Limit allOf(List<String> choices) {
    return new Limit(
        "a mapping from task to one of " + String.join(", ", choices),
        map -> choices.containsAll(((Map<?, ?>) map).values()));
  }

  private static Limit someOf(List<String> choices) {
    return new Limit(
        "one or more, each once, of " + String.join(", ", choices),
        v -> distinctNames((List<?>) v) && choices.containsAll((List<?>) v));
  }

  private static boolean distinctNames(List<?> names) {
    return !names.isEmpty()
        && new HashSet<>(names).size() == names.size()
        && names.stream().noneMatch(name -> ((String) name).isBlank());
  }
}
