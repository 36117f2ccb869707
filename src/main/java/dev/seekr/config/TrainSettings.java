package dev.seekr.config;

/** Optimiser steps: AdamW over micro-batches. */
public record TrainSettings(
    @Setting(
            unit = "passes",
            is = "5",
            limit = Limit.EACH_AT_LEAST_1,
            means = "epochs per task; [5, 10, 5]: one number for each task")
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
                "how the losses of a step are averaged: by_kind: new and replayed data separately, weighted by their share of samples; authors: the mean over micro-batches of each one's mean")
        Reduction reduction,
    @Setting(
            is = "all",
            means =
                "what is trained: all weights, or adapters (lora, see method.lora); the methods lora and olora always train adapters, l2p, pp and lfpt5 soft prompts")
        Trained parameters,
    @Setting(
            is = "2048",
            limit = Limit.AT_LEAST_1,
            means =
                "maximum packed tokens per forward pass, which limits memory; a longer sequence gets a pass of its own; with by_kind, samples of all micro-batches of a step share passes")
        int microTokens,
    @Setting(unit = "learning rate", is = "1e-5", limit = Limit.ABOVE_0, means = "learning rate")
        double lr,
    @Setting(is = "constant", means = "learning-rate schedule within each task") Schedule schedule,
    @Setting(is = "0", limit = Limit.AT_LEAST_0, means = "steps of linear warm-up in each task")
        int warmup,
    @Setting(
            is = "0",
            limit = Limit.SHARE,
            means = "final learning rate of linear and cosine, as a share of lr")
        double minLr,
    @Setting(is = "0.9", limit = Limit.BELOW_1, means = "AdamW: decay of the first moment")
        double beta1,
    @Setting(is = "0.95", limit = Limit.BELOW_1, means = "AdamW: decay of the second moment")
        double beta2,
    @Setting(is = "1e-8", limit = Limit.ABOVE_0, means = "AdamW: epsilon, added to the square root")
        double eps,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means = "AdamW: decoupled weight decay; norms do not decay")
        double weightDecay,
    @Setting(
            is = "1",
            limit = Limit.AT_LEAST_0,
            means = "gradient clipping: maximum global norm; 0: off")
        double clip,
    @Setting(
            is = "f32",
            means =
                "optimizer state of full fine-tuning: f32; bf16: moments in bfloat16 and, with run.dtype=bf16, no f32 weights and gradients of matrices in bfloat16, with stochastic rounding; host (cuda only): f32 moments and weights in host memory, to which gradients are offloaded")
        State state,
    @Setting(is = "1", means = "random seed") long seed,
    @Setting(
            is = "none",
            formerly = {"false=none", "true=layers"},
            means =
                "activations recomputed in the backward pass instead of kept: none, feed_forward (gate and up), layers (all but each layer's input)")
        Recompute recompute,
    @Setting(
            is = "none",
            means =
                "epoch whose weights continue: the last one (none), or the one with the lowest validation loss")
        BestOf bestOf,
    @Setting(
            is = "even",
            means =
                "order of replayed micro-batches among n new ones: even: each once per epoch, evenly spread; cycle: one before each c-th new one, c = n / replayed ones rounded down, restarting when they run out, as in the released code")
        Order interleave) {

  /** Sequences that may share a pass: a step's, where they weigh by kind, or a micro-batch's. */
  public int together() {
    long step = (long) batch * accumulate;
    return reduction == Reduction.by_kind ? (int) Math.min(step, Integer.MAX_VALUE) : batch;
  }

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
