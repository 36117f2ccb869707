package dev.seekr.config;

/** O-LoRA (Wang et al. 2023). */
public record OLoraSettings(
    @Setting(
            is = "null",
            limit = Limit.AT_LEAST_0,
            means =
                "weight of the overlap with the adapters of earlier tasks; 0: off; null: 0.5 for abs, 0.75 sqrt(hidden size) for square, which is equally strong at initialisation")
        Double lambda,
    @Setting(
            is = "abs",
            means =
                "square: sum of squares of the overlap, as in the paper; abs: sum of absolute values, as in the released code")
        Form form) {
  /** How overlap is measured. */
  public enum Form {
    square,
    abs
  }
}
