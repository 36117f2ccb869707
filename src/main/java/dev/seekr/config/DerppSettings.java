package dev.seekr.config;

/** DER++ (Buzzega et al. 2020). */
public record DerppSettings(
    @Setting(is = "0.5", limit = Limit.AT_LEAST_0, means = "weight of the stored logits")
        double alpha,
    @Setting(
            is = "0.5",
            limit = Limit.AT_LEAST_0,
            means = "weight of the labels of replayed samples")
        double beta,
    @Setting(
            is = "kl",
            means = "distance to the stored logits: kl as paper Eq. 3, mse as Buzzega et al. 2020")
        Distance distance) {
  /** What stored logits are compared by. */
  public enum Distance {
    kl,
    mse
  }
}
