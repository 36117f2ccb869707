package dev.seekr.config;

/** O-LoRA (Wang et al. 2023). */
public record OLoraSettings(
    @Setting(
            is = "0.5",
            limit = Limit.AT_LEAST_0,
            means = "weight of the overlap with the adapters of earlier tasks; 0: off")
        double lambda,
    @Setting(
            is = "square",
            means =
                "square: the sum of squares of the overlap, as the paper has it; abs: of its values without sign, as the released code has it")
        Form form) {
  /** How overlap is measured. */
  public enum Form {
    square,
    abs
  }
}
