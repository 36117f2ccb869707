package dev.seekr.config;

import java.util.List;

/** Low-rank adapters (Hu et al. 2021), where they are trained; the defaults are O-LoRA's. */
public record LoraSettings(
    @Setting(unit = "rows", is = "8", limit = Limit.AT_LEAST_1, means = "r, rows of A") int rank,
    @Setting(is = "32", limit = Limit.ABOVE_0, means = "the scale is alpha / rank") double alpha,
    @Setting(
            is = "[q_proj, v_proj]",
            limit = Limit.NAMES,
            means = "adapted projections of every layer")
        List<Projection> targets,
    @Setting(
            is = "task",
            means =
                "task: a new adapter for each task, merged into the weights at its end; run: one adapter for all tasks")
        Per per,
    @Setting(
            is = "null",
            limit = Limit.ABOVE_0,
            means = "learning rate of adapters; null: train.lr")
        Double lr,
    @Setting(
            is = "0",
            limit = Limit.BELOW_1,
            means =
                "dropout of the adapter's input, in optimiser steps only (inverted: what remains is divided by 1 - p)")
        double dropout) {
  /** A projection of a layer, by its name in Hugging Face's layout. */
  public enum Projection {
    q_proj,
    k_proj,
    v_proj,
    o_proj,
    gate_proj,
    up_proj,
    down_proj
  }

  /** How long an adapter is trained. */
  public enum Per {
    task,
    run
  }
}
