package dev.seekr.config;

/** What the processes of a run divide among them, beside the samples of each step. */
public record DistSettings(
    @Setting(
            is = "none",
            free = true,
            means =
                "sharding over processes in full fine-tuning: none; optimizer: moments and f32 weights (ZeRO 1); gradients: also gradients (ZeRO 2). Not for adapters and soft prompts, which are small, nor with ewc and agem, which need all of it")
        Shard shard) {
  /** What is divided. */
  public enum Shard {
    none,
    optimizer,
    gradients
  }
}
