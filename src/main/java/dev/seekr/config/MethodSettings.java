package dev.seekr.config;

/** The method, what several methods have in common, and a section for each that has more. */
public record MethodSettings(
    @Setting(is = "seekr", means = "continual-learning method") MethodName name,
    @Setting(
            unit = "share of a task kept",
            is = "0.01",
            limit = Limit.SHARE,
            means =
                "share of each finished task's training samples to keep; at least one sample if above 0")
        double replayRatio,
    @Setting(
            unit = "samples kept of a task",
            is = "0",
            limit = Limit.AT_LEAST_0,
            means = "number of samples to keep of each finished task; 0: use replay_ratio")
        int replaySamples,
    @Setting(
            is = "random",
            means =
                "samples to keep: random ones, or the first ones with the number rounded down, as in the released code")
        ReplayChoice replayChoice,
    @Setting(
            unit = "weight",
            is = "0.5",
            limit = Limit.SHARE,
            means =
                "seekr: weight of the labels on replayed samples; 1 - lambda1 is that of the stored logits (paper Eq. 13)")
        double lambda1,
    @Setting(is = "f16", means = "element type of stored logits and attention rows, also for lwf")
        Stored bufferDtype,
    AgemSettings agem,
    DerppSettings derpp,
    SeekrSettings seekr,
    EwcSettings ewc,
    LwfSettings lwf,
    LoraSettings lora,
    OLoraSettings olora,
    PromptSettings prompt,
    PpSettings pp,
    L2pSettings l2p,
    Lfpt5Settings lfpt5) {
  /** What is kept of a teacher's numbers. */
  public enum Stored {
    f16,
    f32
  }

  /** Which samples of a finished task are kept. */
  public enum ReplayChoice {
    random,
    first
  }
}
