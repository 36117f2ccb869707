package dev.seekr.config;

/** What the processes of a run divide among them, beside the samples of each step. */
public record DistSettings(
    @Setting(
            is = "none",
            free = true,
            means =
                "of all weights that are trained by several processes, what each holds only its part of: none; optimizer: moments and weights in f32 (ZeRO 1); gradients: those and gradients (ZeRO 2). Not of adapters and soft prompts, which are small, nor with ewc and agem, which need all of it")
        Shard shard) {
  /** What is divided. */
  public enum Shard {
    none,
    optimizer,
    gradients
  }
}
