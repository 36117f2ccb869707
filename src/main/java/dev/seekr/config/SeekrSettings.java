package dev.seekr.config;

/** SEEKR: which of its definitions, and its budgets. */
public record SeekrSettings(
    @Setting(is = "paper", means = "which to follow where the paper and its released code differ")
        Variant variant,
    @Setting(
            unit = "weight",
            is = "null",
            limit = Limit.AT_LEAST_0,
            means =
                "weight of the attention distillation; null: 1e3 if less than 5 % of a task is kept, else 1e2")
        Double lambda2,
    @Setting(
            unit = "B_L, layers",
            is = "null",
            limit = Limit.AT_LEAST_1,
            means =
                "B_L, layers to distil; null: 24 of 32, or 8 if 5 % of a task or more is kept, scaled to the model; from 10e9 weights on 8 of 40")
        Integer layers,
    @Setting(
            unit = "B_H, heads",
            is = "null",
            limit = Limit.AT_LEAST_1,
            means =
                "B_H, heads to distil; null: 128 of 1024, scaled to the model; from 10e9 weights on 128 of 1600")
        Integer heads,
    @Setting(
            unit = "B_T, rows of a sample",
            is = "100",
            limit = Limit.AT_LEAST_0,
            means = "B_T, attention rows to distil per replay sample; 0: all")
        int queries,
    @Setting(
            is = "both",
            means =
                "criterion for selecting heads; all but both are ablations with the same budgets; sensitivity selects over all layers, since it sums to 1 in each")
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
