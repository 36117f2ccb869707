package dev.seekr.config;

/** Optimiser steps: AdamW over micro-batches. */
public record TrainSettings(
    @Setting(
            unit = "passes",
            is = "5",
            limit = Limit.EACH_AT_LEAST_1,
            means = "passes over a task's samples; [5, 10, 5]: over each task's")
        Epochs epochs,
    @Setting(
            unit = "sequences",
            is = "128",
            limit = Limit.AT_LEAST_1,
            means =
                "sequences in a micro-batch, the unit in which new and replayed data interleave")
        int batch,
    @Setting(is = "1", limit = Limit.AT_LEAST_1, means = "micro-batches in an optimiser step")
        int accumulate,
    @Setting(
            is = "by_kind",
            means =
                "by_kind: new and replayed data are means of their own, in the share of samples they are; authors: the mean over micro-batches of each one's mean")
        Reduction reduction,
    @Setting(
            is = "all",
            means =
                "what is trained: all weights, or lora: adapters beside them, as method.lora says; methods lora and olora always train adapters, l2p, pp and lfpt5 soft prompts")
        Trained parameters,
    @Setting(
            is = "2048",
            limit = Limit.AT_LEAST_1,
            means =
                "most packed tokens in one forward pass; bounds memory, and a longer sequence goes alone")
        int microTokens,
    @Setting(unit = "learning rate", is = "1e-5", limit = Limit.ABOVE_0, means = "learning rate")
        double lr,
    @Setting(is = "constant", means = "the learning rate over the steps of one task")
        Schedule schedule,
    @Setting(is = "0", limit = Limit.AT_LEAST_0, means = "steps of linear warm-up in each task")
        int warmup,
    @Setting(
            is = "0",
            limit = Limit.SHARE,
            means = "what linear and cosine end at, as a share of lr")
        double minLr,
    @Setting(is = "0.9", limit = Limit.BELOW_1, means = "AdamW: decay of the first moment")
        double beta1,
    @Setting(is = "0.95", limit = Limit.BELOW_1, means = "AdamW: decay of the second moment")
        double beta2,
    @Setting(is = "1e-8", limit = Limit.ABOVE_0, means = "AdamW: added to the root") double eps,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means = "AdamW: decoupled weight decay; norms do not decay")
        double weightDecay,
    @Setting(is = "1", limit = Limit.AT_LEAST_0, means = "largest global gradient norm; 0: off")
        double clip,
    @Setting(
            is = "f32",
            means =
                "how AdamW holds what it needs of all weights: f32; bf16: moments in bfloat16 and, beside run.dtype=bf16, no weights in f32 either, all rounded at random so that means stay, and gradients of matrices in bfloat16; host (cuda): moments and weights in f32 in the memory of the host, where gradients go as they come")
        State state,
    @Setting(is = "1", means = "what all random numbers come from") long seed,
    @Setting(
            is = "none",
            formerly = {"false=none", "true=layers"},
            means =
                "what a backward pass computes again because the forward pass did not keep it: none, feed_forward (gate and up), layers (all but each layer's input)")
        Recompute recompute,
    @Setting(
            is = "none",
            means =
                "which epoch's weights go on from a task: the last one's, or those of the epoch whose loss on the validation samples is lowest")
        BestOf bestOf,
    @Setting(
            is = "even",
            means =
                "how replayed micro-batches stand among n new ones: all of them once an epoch, evenly; cycle: before each c-th new one, c = n / replayed ones rounded down, begun again when they run out, as in the released code")
        Order interleave) {
  /** What is trained of a model. */
  public enum Trained {
    all,
    lora
  }

  /** How an optimizer holds moments and weights. */
  public enum State {
    f32,
    bf16,
    host
  }

  /** What is computed again in a backward pass. */
  public enum Recompute {
    none,
    feed_forward,
    layers
  }

  /** How replayed micro-batches stand among new ones. */
  public enum Order {
    even,
    cycle
  }

  /** Which epoch of a task goes on. */
  public enum BestOf {
    none,
    validation
  }

  /** Learning rate over the steps of one task. */
  public enum Schedule {
    constant,
    linear,
    cosine
  }
}
