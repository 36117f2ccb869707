package dev.seekr.config;

/** A-GEM (Chaudhry et al. 2019). */
public record AgemSettings(
    @Setting(
            is = "8",
            limit = Limit.AT_LEAST_1,
            means =
                "stored samples whose gradient a step must not go against, drawn anew each step")
        int samples) {}
