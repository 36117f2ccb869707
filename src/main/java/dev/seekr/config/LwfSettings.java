package dev.seekr.config;

/** Learning without forgetting (Li and Hoiem 2017). */
public record LwfSettings(
    @Setting(
            is = "1",
            limit = Limit.AT_LEAST_0,
            means = "weight of the previous model's logits; 0: off")
        double lambda,
    @Setting(
            is = "2",
            limit = Limit.ABOVE_0,
            means = "what logits of both models are divided by before they are compared")
        double temperature,
    @Setting(
            is = "disk",
            means =
                "disk: logits of the task's samples, stored while it is trained; none: a second model in memory computes them for each batch")
        LogitCache cache) {
  /** Where the previous model's logits come from: computed once and stored, or computed anew. */
  public enum LogitCache {
    disk,
    none
  }
}
