package dev.seekr.config;

import java.util.Map;

/** How answers are generated and scored. */
public record EvalSettings(
    @Setting(is = "16", limit = Limit.AT_LEAST_1, means = "prompts decoded together") int batch,
    @Setting(is = "64", limit = Limit.TOKENS, means = "most tokens generated for a prompt")
        int maxNewTokens,
    @Setting(
            is = "{}",
            oneOf = {
              "accuracy_char",
              "accuracy_word",
              "exact",
              "equal",
              "equal_char",
              "rouge_l",
              "similarity",
              "sari",
              "bleu"
            },
            means =
                "metric of a task by its name, for tasks the benchmark tables do not know: {task: metric}")
        Map<String, String> metrics,
    @Setting(
            is = "whole",
            means =
                "what of a prediction is scored: all of it, or the answer taken out of reasoning, as the authors evaluate the reasoning-augmented TRACE")
        Answer answer) {
  /** What of a prediction is scored. */
  public enum Answer {
    whole,
    reasoned
  }
}
