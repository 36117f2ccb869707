package dev.seekr.config;

/** A-GEM (Chaudhry et al. 2019). */
public record AgemSettings(
    @Setting(
            is = "8",
            limit = Limit.AT_LEAST_1,
            means = "stored samples for the reference gradient, drawn anew for each step")
        int samples) {}
