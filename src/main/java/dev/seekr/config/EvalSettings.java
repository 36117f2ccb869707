package dev.seekr.config;

import java.nio.file.Path;
import java.util.Map;

/** How answers are generated and scored. */
public record EvalSettings(
    @Setting(is = "16", limit = Limit.AT_LEAST_1, means = "prompts per generation batch") int batch,
    @Setting(is = "64", limit = Limit.TOKENS, means = "maximum tokens generated per prompt")
        int maxNewTokens,
    @Setting(is = "{}", means = "metric of tasks without a built-in one: {task: metric}")
        Map<String, MetricName> metrics,
    @Setting(
            is = "whole",
            means =
                "part of a prediction to score: all of it (whole), or the answer extracted from reasoning (reasoned), as the authors evaluate reasoning-augmented TRACE")
        Answer answer,
    @Setting(
            is = "false",
            means =
                "also score each task before it is learnt, with the initial model and with the model just before it, for forward transfer")
        boolean ahead,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means =
                "score the tasks seen so far, including the current one, every n steps, only for the log; 0: off")
        int every,
    GeneralSettings general) {
  /** The same with a relative folder taken from another one. */
  EvalSettings from(Path folder) {
    return new EvalSettings(
        batch, maxNewTokens, metrics, answer, ahead, every, general.from(folder));
  }

  /** What of a prediction is scored. */
  public enum Answer {
    whole,
    reasoned
  }
}
