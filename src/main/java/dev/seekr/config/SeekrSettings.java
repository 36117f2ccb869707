package dev.seekr.config;

/** SEEKR: which of its definitions, and its budgets. */
public record SeekrSettings(
    @Setting(
            is = "paper",
            means = "which is followed where the paper's text and its released code differ")
        Variant variant,
    @Setting(
            unit = "weight",
            is = "null",
            limit = Limit.AT_LEAST_0,
            means =
                "weight of the attention distillation; null: 1e3 where less than 5 % of a task is kept, else 1e2")
        Double lambda2,
    @Setting(
            unit = "B_L, layers",
            is = "null",
            limit = Limit.AT_LEAST_1,
            means =
                "B_L; null: 24 of 32 layers, 8 where 5 % of a task or more is kept, scaled to the model; from 10e9 weights on 8 of 40")
        Integer layers,
    @Setting(
            unit = "B_H, heads",
            is = "null",
            limit = Limit.AT_LEAST_1,
            means =
                "B_H; null: 128 of 1024 heads, scaled to the model; from 10e9 weights on 128 of 1600")
        Integer heads,
    @Setting(
            unit = "B_T, rows of a sample",
            is = "100",
            limit = Limit.AT_LEAST_0,
            means = "B_T, rows sampled of each replay sample; 0: all its rows")
        int queries,
    @Setting(
            is = "both",
            means =
                "what heads are chosen by; all but both are ablations with the same budgets, but that by sensitivity, which sums to 1 in each layer, heads are chosen over all layers")
        HeadChoice choice) {
  /** Which of two definitions SEEKR follows. */
  public enum Variant {
    paper,
    released
  }

  /** What tells which heads matter: the product of both scores, one alone, or chance. */
  public enum HeadChoice {
    both,
    sensitivity,
    forgettability,
    random
  }
}
