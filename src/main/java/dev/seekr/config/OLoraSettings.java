package dev.seekr.config;

/** O-LoRA (Wang et al. 2023). */
public record OLoraSettings(
    @Setting(
            is = "null",
            limit = Limit.AT_LEAST_0,
            means =
                "weight of the overlap with the adapters of earlier tasks; 0: off; null: 0.5 of abs, 0.75 sqrt(hidden size) of square, whose pull is as strong when an adapter begins")
        Double lambda,
    @Setting(
            is = "abs",
            means =
                "square: the sum of squares of the overlap, as the paper has it; abs: of its values without sign, as the released code has it")
        Form form) {
  /** How overlap is measured. */
  public enum Form {
    square,
    abs
  }
}
