package dev.seekr.config;

import java.nio.file.Path;
import java.util.Map;

/** How answers are generated and scored. */
public record EvalSettings(
    @Setting(is = "16", limit = Limit.AT_LEAST_1, means = "prompts decoded together") int batch,
    @Setting(is = "64", limit = Limit.TOKENS, means = "most tokens generated for a prompt")
        int maxNewTokens,
    @Setting(
            is = "{}",
            means =
                "metric of a task by its name, for tasks the benchmark tables do not know: {task: metric}")
        Map<String, MetricName> metrics,
    @Setting(
            is = "whole",
            means =
                "what of a prediction is scored: all of it, or the answer taken out of reasoning, as the authors evaluate the reasoning-augmented TRACE")
        Answer answer,
    @Setting(
            is = "false",
            means =
                "score each task also before it is learnt: with the initial model and with that of the task before, for forward transfer")
        boolean ahead,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means =
                "score the tasks seen so far, the current one among them, every n steps of a task, for the log alone; 0: off")
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
