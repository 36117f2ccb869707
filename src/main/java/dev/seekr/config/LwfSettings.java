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
            means = "divides the logits of both models before they are compared")
        double temperature,
    @Setting(
            is = "disk",
            means =
                "disk: store the logits of the task's samples during the task; none: keep a second model in memory and compute them for each batch")
        LogitCache cache) {
  /** Where the previous model's logits come from: computed once and stored, or computed anew. */
  public enum LogitCache {
    disk,
    none
  }
}
